"""What can be called or awaited: what it is, what it is called, and whether a job can use it."""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
import os
from collections.abc import Coroutine, Generator
from types import CodeType, CoroutineType, FunctionType, GeneratorType, MethodType
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast

from flowdeco.base.annotations import parameters
from flowdeco.base.text import class_name, line, repr_line

__all__ = [
    "AnyCoroutine",
    "check_callable",
    "defined_at",
    "function_name",
    "is_awaitable",
    "is_coroutine",
    "is_plain",
    "isinstance_of",
    "yields",
]

T = TypeVar("T")

AnyCoroutine: TypeAlias = "Coroutine[Any, Any, Any] | Generator[Any, Any, Any]"


def isinstance_of(value: object, kind: type[T]) -> TypeGuard[T]:
    """Tell whether the type of something is this one, or derives from it; ask it nothing more."""
    return issubclass(type(value), kind)


def is_coroutine(value: object) -> bool:
    """Tell whether something is a coroutine object, one based on a generator included.

    It asks for the type alone, as `is_awaitable` does: lazy objects load what they stand for when
    they are asked for more.
    """
    kind = type(value)
    if kind is GeneratorType:
        code: CodeType = cast("GeneratorType[Any, Any, Any]", value).gi_code
        return bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
    return kind is CoroutineType


def is_awaitable(value: object) -> bool:
    """Tell whether something can be awaited."""
    return hasattr(type(value), "__await__") or is_coroutine(value)


def is_plain(function: object) -> bool:
    """Tell whether something is a function that needs nothing and does not yield asynchronously.

    It is what most jobs are made of, and the other questions take their time.
    """
    if type(function) is not FunctionType:
        return False
    code: CodeType = function.__code__
    if code.co_kwonlyargcount or code.co_flags & inspect.CO_ASYNC_GENERATOR:
        return False
    return not code.co_argcount or code.co_argcount == len(function.__defaults__ or ())


def yields(function: object) -> bool:
    """Tell whether something is an async generator function."""
    return inspect.isasyncgenfunction(function)


def check_callable(function: object, what: str, usage: str, *, or_coroutine: bool) -> None:
    """Refuse what cannot be called without arguments.

    Raises:
        TypeError: it cannot; the message says so of `what`, and shows the `usage` instead.
    """
    if is_coroutine(function):
        cast("AnyCoroutine", function).close()
        raise TypeError(
            f"{what} must be a function, for every run calls it;"
            f" write {function_name(function)} without the parentheses"
        )
    if not callable(function):
        raise _not_callable(function, what, or_coroutine=or_coroutine)
    if not or_coroutine and inspect.isasyncgenfunction(function):
        raise TypeError(f"{what} must be awaitable, and {function_name(function)} yields")
    missing = _missing_arguments(function)
    if missing:
        name = function_name(function)
        raise TypeError(
            f"{what} is called without arguments, and {name} needs {', '.join(missing)};"
            f" give them with {usage.format(name)}"
        )


def _not_callable(value: object, what: str, *, or_coroutine: bool) -> TypeError:
    wanted = "an async function" + (" or a coroutine" if or_coroutine else "")
    hint = ""
    # Give good error for: Job(pool.submit(work))
    if or_coroutine and issubclass(type(value), concurrent.futures.Future):
        hint = "; write Job(lambda: asyncio.wrap_future(...))"
    return TypeError(f"{what} must be {wanted}, not {repr_line(value)} ({class_name(value)}){hint}")


def _missing_arguments(function: object) -> list[str]:
    """Name the parameters that a call without arguments would leave unfilled."""
    bound = 0
    if isinstance(function, MethodType):
        bound, function = 1, function.__func__
    if isinstance(function, FunctionType):
        # The usual case, and an inspect.signature costs more than the rest of a job.
        code: CodeType = function.__code__
        optional = len(function.__defaults__ or ())
        positional = code.co_varnames[bound : code.co_argcount - optional]
        first_keyword = code.co_argcount
        keywords = code.co_varnames[first_keyword : first_keyword + code.co_kwonlyargcount]
        return [*positional, *(k for k in keywords if k not in (function.__kwdefaults__ or ()))]
    try:
        found = parameters(function)
    except (TypeError, ValueError):
        return []  # some builtins have none: what they need shows when they are called
    return [
        parameter.name
        for parameter in found
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def function_name(function: object) -> str:
    """Return the name of what a job is made of, in printable characters."""
    while isinstance_of(function, functools.partial):
        function = cast("functools.partial[object]", function).func
    try:
        name = getattr(function, "__name__", None)
    except BaseException:  # it is a lazy object, which could not load what it stands for
        name = None
    return class_name(function) if name is None else line(name)


def defined_at(function: object) -> str:
    """Return file and line of a function without a name of its own, as `deploy.py:12`; or ''."""
    while isinstance_of(function, functools.partial):
        function = cast("functools.partial[object]", function).func
    if type(function) is not FunctionType or function.__name__ != "<lambda>":
        return ""
    code: CodeType = function.__code__
    return line(f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}")

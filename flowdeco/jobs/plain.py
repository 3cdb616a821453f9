"""Plain functions as bodies: what they return is a value, and must not be something to await."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Coroutine, Generator, Mapping
from types import CoroutineType, GeneratorType
from typing import Any, Final, cast

from flowdeco.base.text import class_name, line

from .chain import Chainable

__all__ = ["call_plainly", "close_unstarted", "discard"]


def call_plainly(name: str, method: Callable[..., Any], *arguments: object) -> object:
    """Call a plain body.

    Args:
        name: that of the job, for the error.
        method: what to call.
        arguments: what to call it with.

    Returns:
        What it returns.

    Raises:
        TypeError: it returned an awaitable, as a plain wrapper round an async method does; that
            has been closed, or cancelled.
    """
    value: object = method(*arguments)
    if not _is_awaitable(type(value), value):
        return value
    discard(value)
    raise TypeError(
        f"{name!r} is a plain function, which runs in a thread, and it returned"
        f" {_described(value)}, which nothing awaits; write it as `async def`, and where a"
        " decorator wraps an async method, let its wrapper be an `async def` that awaits the method"
    )


def discard(value: object) -> None:
    """Close or cancel an awaitable that nobody will await; leave anything else alone."""
    kind: Any = type(value)
    if not _is_awaitable(kind, value):
        return
    with contextlib.suppress(Exception):  # what it does now is nobody's business any more
        if isinstance(value, (CoroutineType, GeneratorType)):
            close_unstarted(value)
        elif _is_future(kind):
            # It may belong to a loop in another thread.
            future = cast("asyncio.Future[object]", value)
            future.get_loop().call_soon_threadsafe(future.cancel)
        elif hasattr(kind, "send") and hasattr(kind, "close"):
            kind.close(value)
        else:
            # It may hold a coroutine, which this closes before it starts.
            kind.__await__(value).close()


def close_unstarted(value: Coroutine[Any, Any, Any] | Generator[Any, Any, Any]) -> None:
    """Close a coroutine that has never begun, so that nobody warns of it."""
    # One that has started is in the hands of somebody else.
    if isinstance(value, CoroutineType):
        if inspect.getcoroutinestate(value) == inspect.CORO_CREATED:
            value.close()
    elif isinstance(value, GeneratorType) and (
        inspect.getgeneratorstate(value) == inspect.GEN_CREATED
    ):
        value.close()


def _is_awaitable(kind: type, value: object) -> bool:
    """Whether something is an awaitable, by its type alone.

    A value may be a lazy proxy: one look at an attribute of it, `__class__` included, would load
    what it stands for. Such types have an `__await__` for what they might stand for, and pretend
    to be another class, which no awaitable does.
    """
    if kind is CoroutineType:
        return True
    if kind is GeneratorType:
        code = cast("GeneratorType[Any, Any, Any]", value).gi_code
        return bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
    if issubclass(kind, Chainable):
        return False  # jobs and declarations have one, to say that they are not to be awaited
    members = [_MEMBERS_OF(base) for base in _BASES_OF(cast("Any", kind))[:-1]]
    if not any(names.get("__await__") is not None for names in members):
        return False
    return not any("__class__" in names for names in members)


# Asked of `type` itself: a metaclass may have attributes of these names, or raise.
_BASES_OF: Final[Callable[[type], tuple[type, ...]]] = vars(type)["__mro__"].__get__
_MEMBERS_OF: Final[Callable[[type], Mapping[str, object]]] = vars(type)["__dict__"].__get__


def _is_future(kind: type) -> bool:
    return hasattr(kind, "_asyncio_future_blocking")


def _described(value: object) -> str:
    if isinstance(value, CoroutineType):
        return f"the coroutine {line(value.__name__)}"
    return f"an awaitable ({class_name(value)})"

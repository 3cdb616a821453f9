"""What stands below a decorator: what it is, and how it is written and said."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any, Final, cast

from flowdeco.base.annotations import is_async_function
from flowdeco.base.text import class_name, value_line, with_article
from flowdeco.jobs.chain import Chainable

from .declaration import Declaration, Decorator

__all__ = [
    "WRAPPERS",
    "counted",
    "described",
    "first_line",
    "function_in",
    "is_body",
    "layers",
    "listed",
]

WRAPPERS: Final[tuple[type, ...]] = (
    *(staticmethod, classmethod, property),
    *(functools.cached_property, functools.partialmethod),
)
"""What makes something of a function that is no method of the instance."""

_NO_BODIES: Final[tuple[type, ...]] = (
    *(type, Chainable, Decorator, BuiltinFunctionType, MethodDescriptorType, MethodWrapperType),
    *(WrapperDescriptorType, ClassMethodDescriptorType),
)
"""What can be called, and is no method that somebody has written for a flow."""


def layers(value: object) -> Iterator[object]:
    """Iterate over what decorators have made of a function, from the outermost to the innermost."""
    seen: dict[int, object] = {}
    while id(value) not in seen:
        seen[id(value)] = value
        yield value
        value = _one_inside(value)


def function_in(value: object) -> object:
    """Find the innermost function of what decorators have made of it."""
    return [*layers(value)][-1]


def _one_inside(value: object) -> object:
    if isinstance(value, Declaration):
        return value.method
    if isinstance(value, (staticmethod, classmethod)):
        return cast("Any", value).__func__
    if isinstance(value, property):
        return value.fget
    if isinstance(value, (functools.cached_property, functools.partialmethod, functools.partial)):
        return value.func
    return inspect.getattr_static(value, "__wrapped__", value)


def is_body(declared: Declaration[object]) -> bool:
    """Whether what a decorator stands on can be the body of a job.

    Besides functions that is what is called like one: an instance of a class with `__call__`, or a
    partial of a function. No instance is bound to it: the flow is the first argument.
    """
    method = declared.method
    if isinstance(method, FunctionType) or declared.kind not in ("step", "each"):
        return isinstance(method, FunctionType)
    while isinstance(method, functools.partial):
        method = method.func
    return callable(method) and not isinstance(method, (*_NO_BODIES, *WRAPPERS))


def first_line(declared: Declaration[object], *parameters: str) -> str:
    """Write the line with which the method should begin."""
    method = function_in(declared.method)
    plain = declared.kind == "subflow" or (
        declared.kind != "service"
        and (isinstance(method, FunctionType) or is_body(declared))
        and not (is_async_function(method) or declared.is_async)
    )
    return f"{'def' if plain else 'async def'} {declared.name}({', '.join(['self', *parameters])})"


def described(value: object) -> str:
    """Say what something is that is no function."""
    kind = class_name(value)
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value_line(value.__name__)}"
    if isinstance(value, WRAPPERS):
        return with_article(kind)
    return f"{value_line(value)} ({kind}), which is no function"


def listed(names: Iterable[str]) -> str:
    """Join names."""
    return ", ".join(names)


def counted(count: int, noun: str) -> str:
    """Say how many there are."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

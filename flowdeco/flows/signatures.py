"""What a method takes, whatever decorators stand on it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from types import FunctionType, MethodType

from flowdeco.base.annotations import parameters

__all__ = ["called", "parameters_of"]


def parameters_of(method: object) -> Sequence[inspect.Parameter]:
    """Return the parameters of a method, self included; of the one that other decorators stand on.

    Raises:
        TypeError, ValueError: it cannot be called, or does not tell.
    """
    found = _parameters(method)
    given = method.keywords if isinstance(method, functools.partial) else ()
    return tuple(one for one in found if one.name not in given)


def _parameters(method: object) -> Sequence[inspect.Parameter]:
    try:
        return parameters(method)
    except ValueError:  # a decorator stands on something without a signature
        pass
    try:
        return parameters(method, follow_wrapped=False)
    except ValueError:
        # An object with `__call__` and `__get__` is a builtin for inspect, which finds nothing.
        call = called(method)
        if not isinstance(call, FunctionType):
            raise
        return parameters(MethodType(call, method))


def called(method: object) -> object:
    """Return the function that a call leads to: for most objects that of their class."""
    while isinstance(method, functools.partial):
        method = method.func
    if isinstance(method, (FunctionType, MethodType)):
        return method
    return getattr(type(method), "__call__", None)  # noqa: B004  # not whether it can be called

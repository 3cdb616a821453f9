"""What to write in place of the call of a step, which only a run may call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from types import CodeType
from typing import Any, Protocol

from flowdeco.base.text import printable

__all__ = ["instead_of_call", "instead_of_inherited"]


class Declared(Protocol):
    """A declaration."""

    name: str
    owner: type | None
    method: object

    @functools.cached_property
    def is_async(self) -> bool: ...

    @functools.cached_property
    def takes_anything(self) -> bool: ...

    @functools.cached_property
    def parameters(self) -> Sequence[inspect.Parameter]: ...


def instead_of_call(
    declared: Declared,
    same: Sequence[Declared],
    caller: CodeType,
    *,
    is_own: bool = False,
) -> str:
    """Say what to write where a declaration is called as a method.

    Args:
        declared: the declaration.
        same: it and those that it overrides, in the order of resolution.
        caller: the code that has called it. In that of an override it is the inherited one that was
            meant: its own would call itself for ever.
        is_own: whether its own job has called it, be it by way of other code.
    """
    own = [number for number, one in enumerate(same) if _code_of(one) is caller]
    own = own or ([0] if is_own else [])
    if own and not same[own[0] + 1 :]:
        name = printable(declared.name)
        return f"{name} cannot call itself; put what it repeats into a plain method"
    if own:
        return instead_of_inherited(same[own[0] + 1], caller)
    name = declared.name
    if caller.co_name == name:
        return instead_of_inherited(declared, caller)
    method = _body_call(declared, caller)
    return f"come after={printable(name)} to get its result, or call the method itself: `{method}`"


def instead_of_inherited(declared: Declared, caller: CodeType) -> str:
    """Say what to write where it was the inherited declaration that was meant."""
    return f"call the inherited method: `{_body_call(declared, caller)}`"


def _body_call(declared: Declared, caller: CodeType) -> str:
    owner = "Flow" if declared.owner is None else declared.owner.__name__
    flow = "self" if caller.co_varnames[:1] == ("self",) else "flow"
    try:
        given = () if declared.takes_anything else declared.parameters[1:]
        values = [parameter.name for parameter in given]
    except (TypeError, ValueError):
        values = []
    wait = "await " if declared.is_async else ""
    return printable(f"{wait}{owner}.{declared.name}.body({', '.join([flow, *values])})")


def _code_of(declared: Declared) -> object:
    method: Any = declared.method
    while isinstance(method, functools.partial):
        method = method.func
    return getattr(inspect.unwrap(method), "__code__", None)

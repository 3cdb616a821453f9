"""The names of jobs: which ones classes of one's own must leave alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import partialmethod
from types import FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING

from flowdeco.base.limits import check_flag, check_seconds
from flowdeco.base.text import class_name, line, value_line

from .bodies import Body
from .outcome import Outcome

if TYPE_CHECKING:
    from .abstract_job import AbstractJob

__all__ = ["check_names", "check_timeout", "reserved"]

_sound: weakref.WeakKeyDictionary[type, dict[str, object]] = weakref.WeakKeyDictionary()
"""Classes that use no name of the library's for something else, with those names."""


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "flowdeco"


def reserved(cls: type) -> dict[str, object]:
    """Return the names that a class of jobs has from the library, with what they are there."""
    names: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        if _is_ours(base):
            names.update(
                (k, v)
                for k, v in vars(base).items()
                if not k.startswith("__") or k.startswith("__flow_")
            )
    return names


def check_names(job: AbstractJob[object]) -> None:
    """Refuse a job whose class uses a name of the library's for something else.

    Methods may be overridden by methods, properties by properties; private names not at all.

    Raises:
        TypeError: it uses one, or has set an argument to what is of a wrong type.
    """
    cls = type(job)
    if _is_ours(cls):
        return
    names = _sound.get(cls)
    if names is None:
        names = reserved(cls)
        for base in cls.__mro__:
            if not _is_ours(base):
                _check(cls, vars(base), names, _suits_class)
        _sound[cls] = names
    own: Mapping[str, object] | None = getattr(job, "__dict__", None)
    if own:
        _check(cls, own, names, _suits_instance)
    _check_values(job, names)


def _check(
    cls: type,
    given: Mapping[str, object],
    names: Mapping[str, object],
    suits: Callable[[object, object], bool],
) -> None:
    for name in given.keys() & names.keys():
        value, standing = given[name], names[name]
        if name.startswith("_") or not suits(value, standing):
            raise _taken(cls, name, value, standing)


def _suits_class(value: object, standing: object) -> bool:
    """Whether a class may have that in the place of what the library has there."""
    if isinstance(standing, FunctionType):
        return callable(value) or isinstance(value, (staticmethod, classmethod, partialmethod))
    if isinstance(standing, MemberDescriptorType):
        return hasattr(type(value), "__set__")
    if isinstance(standing, property):
        return hasattr(type(value), "__get__") and not isinstance(value, MemberDescriptorType)
    return type(value) is type(standing)


def _suits_instance(value: object, standing: object) -> bool:
    """Whether an instance may have that in its `__dict__`."""
    if isinstance(standing, FunctionType):
        return callable(value)
    return type(value) is type(standing) or hasattr(type(standing), "__set__")


def _check_values(job: AbstractJob[object], names: Mapping[str, object]) -> None:
    kept = {
        "__flow_outcome__": isinstance(job.__flow_outcome__, Outcome),
        "__flow_body__": isinstance(job.__flow_body__, Body),
        "__flow_required__": isinstance(job.__flow_required__, (tuple, dict)),
        "__flow_owner__": job.__flow_owner__ is None or callable(job.__flow_owner__),
    }
    for name, is_right in kept.items():
        if not is_right:
            raise _taken(type(job), name, getattr(job, name), None)
    for name in ("body", "shutdown"):
        value: object = getattr(job, name, None) if name in names else None
        if value is not None and not callable(value):
            raise _taken(type(job), name, value, None)
    for name in ("critical", "forever"):
        check_flag(getattr(job, name), f"`{name}` of {class_name(job)}")


def check_timeout(job: AbstractJob[object]) -> None:
    """Refuse a timeout that was set to something that is none.

    Raises:
        TypeError, ValueError: it is no duration.
    """
    timeout = job.__flow_own_timeout__()
    try:
        check_seconds(timeout, "timeout")
    except (TypeError, ValueError):
        check_seconds(timeout, f"the timeout of {job.__flow_called__()}")


def _taken(cls: type, name: str, value: object, standing: object) -> TypeError:
    own = line(cls.__name__)
    if name.startswith("_"):
        why = "which jobs use for something of their own; rename it"
    elif isinstance(standing, MemberDescriptorType):
        why = (
            "which is an argument of jobs, and in the class has no effect;"
            f" write super().__init__({name}=...), or rename it"
        )
    elif isinstance(standing, property):
        why = "which jobs tell of themselves; rename it, or write a property"
        if name == "name":
            why = "which jobs make of their label; write super().__init__(label=...), or rename it"
    elif name in ("body", "shutdown"):
        why = "where jobs have a function to call; rename it"
    else:
        why = "which is called as a method of jobs; rename it, or give it something to call"
    return TypeError(f"{own} sets `{name}` to {value_line(value)} ({class_name(value)}), {why}")

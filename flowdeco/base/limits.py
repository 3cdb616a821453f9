"""The numbers that bound jobs and runs, and their checks (rules 5, 6 and 8)."""

from __future__ import annotations

import math
import sys
from typing import Any

import attrs

from .text import class_name, line, repr_line

__all__ = [
    "DEEPEST",
    "Limits",
    "check_count",
    "check_delay",
    "check_flag",
    "check_number",
    "check_seconds",
    "check_window",
    "finite",
    "seconds",
]


DEEPEST = 200
"""How many runs, and so schedulers, may be nested in each other."""

_LONGEST = sys.float_info.max


def check_seconds(value: object, name: str) -> None:
    """Refuse what is no duration: neither None nor a number of seconds from 0 to infinity.

    Raises:
        TypeError: it is no number, or a bool.
        ValueError: it is negative or not a number (nan).
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(
            f"{name} must be a number of seconds or None, not {repr_line(value)}"
            f" ({class_name(value)}); for instance {name}=1.5"
        )
    if value < 0 or value != value:
        shown = repr(value) if isinstance(value, float) else line(value)
        raise ValueError(f"{name} must be 0 or more seconds, or None for no limit, not {shown}")
    if value > _LONGEST and value != math.inf:
        raise ValueError(f"{name} must be a number of seconds that a float can hold, or None")


def check_window(value: object, name: str) -> None:
    """Refuse what is no window: neither None nor a positive int.

    Raises:
        TypeError: it is no int, or a bool.
        ValueError: it is less than 1.
    """
    check_count(value, name, "jobs")


def check_count(value: object, name: str, noun: str) -> None:
    """Refuse what is no number of things: neither None, which is any number, nor a positive int.

    Raises:
        TypeError: it is no int, or a bool.
        ValueError: it is less than 1.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(
            f"{name} must be a positive int or None, not {repr_line(value)}"
            f" ({class_name(value)}); for instance {name}=10"
        )
    if value < 1:
        raise ValueError(
            f"{name} must be 1 or more {noun}, or None for no limit, not {line(value)}"
        )


def check_number(value: object, name: str) -> None:
    """Refuse what is no number of things: 0 or more.

    Raises:
        TypeError: it is no int, or a bool.
        ValueError: it is negative.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {repr_line(value)} ({class_name(value)})")
    if value < 0:
        raise ValueError(f"{name} must be 0 or more, not {line(value)}")


def check_flag(value: object, name: str) -> None:
    """Refuse what is neither True, False nor None.

    Raises:
        TypeError: it is something else, which might be truthy by accident.
    """
    if value is not None and value is not True and value is not False:
        raise TypeError(f"{name} must be True, False or None, not {repr_line(value)}")


def check_bound(value: object, name: str) -> None:
    """Refuse what cannot bound the end of a run: neither None nor infinity can.

    Raises:
        TypeError: it is no number, or a bool.
        ValueError: it is negative, not a number (nan), or infinite.
    """
    if value is None:
        raise TypeError(
            f"{name} must be a number of seconds, not None: the end of a run is bounded"
        )
    check_seconds(value, name)
    if value == math.inf:
        raise ValueError(f"{name} must be finite, not {value!r}: the end of a run is bounded")


def check_delay(value: object, name: str) -> None:
    """Refuse what is no time to wait, or no factor of one: neither None nor infinity is.

    Raises:
        TypeError: it is no number, or a bool.
        ValueError: it is negative, not a number (nan), or infinite.
    """
    said = f"{name} must be a finite number, 0 or more"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        shown = f"{repr_line(value)} ({class_name(value)})"
        raise TypeError(f"{said}, not {shown}; for instance {name}=1.5")
    if not 0 <= value <= _LONGEST:
        raise ValueError(f"{said}, not {repr_line(value)}")


def finite(value: float | None) -> float | None:
    """Return the duration, or None where it is no limit."""
    return None if value is None or value == math.inf else value


def seconds(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validate an attrs field as a duration."""
    check_seconds(value, attribute.name)


def bound(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validate an attrs field as a bound."""
    check_bound(value, attribute.name)


def window(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validate an attrs field as a window."""
    check_window(value, attribute.name)


@attrs.frozen(eq=False, repr=False)
class Limits:
    """What bounds a run.

    Args:
        timeout: the seconds until its deadline; None and infinity are no limit.
        window: how many jobs run at once; None is no limit.
        grace: the seconds that running jobs have to end when the run does.
        shutdown_timeout: the seconds that the shutdown hooks have after that.

    Raises:
        TypeError: one is of a wrong type.
        ValueError: one is out of range.
    """

    timeout: float | None = attrs.field(default=None, validator=seconds)
    window: int | None = attrs.field(default=None, validator=window)
    grace: float = attrs.field(default=5.0, validator=bound)
    shutdown_timeout: float = attrs.field(default=1.0, validator=bound)

    def overridden(self, timeout: float | None, window: int | None = None) -> Limits:
        """Return these with what is given for one run; None is not given."""
        changes: dict[str, Any] = {}
        if timeout is not None:
            changes["timeout"] = timeout
        if window is not None:
            changes["window"] = window
        return attrs.evolve(self, **changes) if changes else self

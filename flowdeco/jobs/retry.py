"""Trying again: when, how often, and after how long."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

import attrs

from flowdeco.base.annotations import is_async_function
from flowdeco.base.limits import check_count, check_delay
from flowdeco.base.text import class_name, value_line
from flowdeco.errors import Skip

__all__ = ["Retry"]

Wanted: TypeAlias = (
    "type[BaseException] | tuple[type[BaseException], ...] | Callable[[Any], object]"
)

_NEVER: Final = (Skip, asyncio.CancelledError, SystemExit, KeyboardInterrupt, GeneratorExit)
"""What is no failure to be mended by another attempt."""


def _shown(value: object) -> str:
    return f"{value_line(value)} ({class_name(value)})"


def _check_on(_: object, __: attrs.Attribute[Any], on: Any) -> None:
    kinds = cast("tuple[object, ...]", on) if isinstance(on, tuple) else (on,)
    if not kinds:
        raise TypeError("on must name an exception at least, and the tuple is empty")
    if not isinstance(on, (tuple, type)) and callable(on):
        if is_async_function(on):
            raise TypeError(
                f"on must be a plain function, and {value_line(on)} is an async one, which would"
                " always be true; look at the exception there without awaiting anything"
            )
        return
    kind: object
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(
                "on must be a class of exceptions, a tuple of them, or a function that is given"
                f" the exception, not {_shown(cast('object', kind))}; for instance"
                " on=ConnectionError"
            )
        if issubclass(kind, _NEVER):
            raise ValueError(f"on has {kind.__name__}, after which no job is tried again")


def _check_count(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    check_count(value, attribute.name, "attempts")


def _check_delay(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    check_delay(value, attribute.name)


@attrs.frozen
class Retry:
    """When a job that has failed is tried again, how often, and after how long.

    After its nth attempt a job waits for `wait_initial * wait_exp_base ** (n - 1)` seconds, plus a
    random time of up to `wait_jitter`, all in all `wait_max` at most.

    Args:
        on: the exceptions after which there is another attempt: a class, a tuple of classes, or a
            function that is given the exception and says whether there is. It is asked about what
            the body has raised, or the `TimeoutError` of an attempt that took too long, which is an
            `OSError`; never about `Skip`, a cancellation or an exit.
        attempts: how often the body is run in all; None is without end.
        wait_initial: the seconds until the second attempt.
        wait_max: the most seconds until another attempt.
        wait_exp_base: what each wait is multiplied by for the next one.
        wait_jitter: the most seconds that chance adds to a wait. With 0 all times are exact.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: a number is out of range, or no job is ever tried again after such an exception.
    """

    on: Wanted = attrs.field(validator=_check_on)
    attempts: int | None = attrs.field(default=3, kw_only=True, validator=_check_count)
    wait_initial: float = attrs.field(default=1.0, kw_only=True, validator=_check_delay)
    wait_max: float = attrs.field(default=60.0, kw_only=True, validator=_check_delay)
    wait_exp_base: float = attrs.field(default=2.0, kw_only=True, validator=_check_delay)
    wait_jitter: float = attrs.field(default=0.1, kw_only=True, validator=_check_delay)

    def wants(self, error: BaseException, attempt: int) -> bool:
        """Tell whether there is another attempt.

        Args:
            error: what the last one has failed with.
            attempt: the number of that attempt, from 1.

        Raises:
            BaseException: what the function `on` raises.
        """
        if self.attempts is not None and attempt >= self.attempts:
            return False
        kind = type(error)
        if issubclass(kind, _NEVER):
            return False
        if isinstance(self.on, (type, tuple)):
            return issubclass(kind, self.on)
        return bool(self.on(error))

    def wait_after(self, attempt: int) -> float:
        """Return the seconds between an attempt and the next one.

        Args:
            attempt: the number of the first of the two, from 1.
        """
        try:
            wait = self.wait_initial * float(self.wait_exp_base) ** (attempt - 1)
        except OverflowError:
            wait = math.inf if self.wait_initial else 0.0
        if self.wait_jitter:
            import random  # noqa: PLC0415  # only here, and its import costs two milliseconds

            wait += random.uniform(0.0, self.wait_jitter)
        return min(self.wait_max, wait)

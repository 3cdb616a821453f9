"""The deadline of a run (rule 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .ending import SETTLING_TURNS, after_turns

__all__ = ["Deadline"]


class Deadline:
    """When a run must be over: by its own timeout, or that of a run around it (rule 21).

    Args:
        loop: whose clock is used.
        timeout: the seconds from now; None is no limit.
        enclosing: the deadline of the enclosing run; of equal ones that counts.
        expire: called when the run's own deadline has come.
    """

    __slots__ = ("_enclosing", "_expire", "_timer", "own", "when")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        timeout: float | None,
        enclosing: Deadline | None,
        expire: Callable[[], object],
    ) -> None:
        self.when: float | None = None if enclosing is None else enclosing.when
        self.own = False
        """Whether it is the run's own, and not one around it."""
        self._enclosing = enclosing
        self._expire: Callable[[], object] | None = expire
        self._timer: asyncio.TimerHandle | None = None
        if timeout is None:
            return
        when = loop.time() + timeout
        if self.when is None or when < self.when:
            self.when = when
            self.own = True
            # What falls due at the same moment comes first: a step that ends then has ended in
            # time, and a job's own timeout is the job's failure.
            self._timer = loop.call_at(when, after_turns, loop, SETTLING_TURNS, self.expire)

    def has_passed(self, now: float) -> bool:
        """Tell whether nothing may start any more."""
        return self.when is not None and now >= self.when

    def expire(self) -> None:
        """Let the run end whose deadline this is."""
        if self.own or self._enclosing is None:
            if self._expire is not None:
                self._expire()
        else:
            self._enclosing.expire()

    def lift(self) -> None:
        """Forget about it: all steps have ended, or are about to."""
        self._expire = None
        if self._timer is not None:
            self._timer.cancel()

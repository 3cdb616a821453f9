"""The jobs that are ready, in order, for a run and all runs within it (rule 2)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from .tasks import Clock, is_eager

__all__ = ["AT_ONCE", "LONGEST_TURN", "ReadyQueue", "Rescue", "Source", "Startable"]

AT_ONCE: Final = 100
"""How many jobs start in one turn of the loop."""

LONGEST_TURN: Final = 0.002
"""Seconds after which no more of them start in it."""


class Startable(Protocol):
    """A job that is ready, or has the slot that it has waited for."""

    def start(self, now: float) -> object:
        """Start its body, if it has all that it needs.

        Args:
            now: the time by the clock of the loop.
        """


class Source(Protocol):
    """A run, which has jobs that are ready."""

    def next_ready(self) -> Startable | None:
        """Return the next one; None if nothing starts any more."""


class Rescue(Protocol):
    """The net, which finishes what was interrupted."""

    def mend(
        self, fault: BaseException, execution: Any, error: BaseException | None
    ) -> tuple[Iterable[Source], Iterable[Startable]] | None:
        """Do so; return all that is ready, derived anew, or None if the runs are over."""

    def close(self) -> None:
        """Forget the runs, which are over."""


class ReadyQueue:
    """The order in which jobs start, across a run and all runs within it.

    Jobs start in the order in which they became ready, whatever made them so, and without
    recursion: when a body ends while `advance` starts it, its successors are added, and started by
    the same loop.

        advance -> start(a) -> a's body ends -> ready(b) -> advance: is busy, returns
                -> start(b) -> ...

    Now and then the loop gets its turn, however much is ready, for services, deadlines and
    cancellations.

    Args:
        loop: the running loop.
        clock: its clock.
        rescue: the net, called after an interruption.
    """

    __slots__ = (
        "_clock",
        "_granted",
        "_rescue",
        "_sources",
        "add",
        "is_busy",
        "is_eager",
        "is_forced",
        "loop",
        "now",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, rescue: Rescue) -> None:
        self.now: float | None = None
        """The time by the clock of the loop, if a body has ended just now.

        It is good within `advance` alone, which begins with a reading of its own.
        """
        self.loop = loop
        self.is_eager = is_eager(loop)
        """Whether bodies start at once, and not in the next turn of the loop."""
        self._clock = clock
        self._rescue = rescue
        self._sources: deque[Source] = deque()
        self.add: Callable[[Source], None] = self._sources.append
        """Note that the run has made one job more ready; `advance` starts it."""
        self._granted: deque[Startable] = deque()
        self.is_busy = False
        """Whether what is ready will be started: by a caller further up, or in the next turn."""
        self.is_forced = False
        """After a third signal: exceptions are let through wherever they are raised."""

    def add_many(self, source: Source, count: int) -> None:
        """Note that the run has made so many jobs ready."""
        self._sources.extend([source] * count)

    def grant(self, execution: Startable) -> None:
        """Take in a job that has waited for a slot and has it now; it starts in the next turn.

        The task that gave the slot back is gone by then, so that there are never more tasks than
        slots.
        """
        self._granted.append(execution)
        if not self.is_busy:
            self.is_busy = True
            self.loop.call_soon(self._go_on)

    def close(self) -> None:
        """Forget what is ready, as the outermost run has ended."""
        self._sources.clear()
        self._granted.clear()
        self._rescue.close()

    def advance(self, now: float | None = None) -> None:
        """Start what is ready.

        Args:
            now: the time by the clock of the loop, if that was read just now.
        """
        if self.is_busy:
            return
        self.is_busy = True
        sources, granted = self._sources, self._granted
        execution: Startable | None = None
        try:
            if now is None:
                now = self._clock()
            self.now = now
            until = now + LONGEST_TURN
            for _ in range(AT_ONCE):
                if granted:
                    execution = granted.popleft()
                elif sources:
                    execution = sources.popleft().next_ready()
                    if execution is None:
                        continue
                else:
                    break
                execution.start(now)
                execution = None
                now = self.now
                if now is None:  # pyright: ignore[reportUnnecessaryComparison]  # see start()
                    now = self._clock()
                if now > until:
                    break
            if sources or granted:
                self.loop.call_soon(self._go_on)
            else:
                self.is_busy = False
                self.now = None
        except BaseException as fault:
            self.mend(fault, execution, None)

    def _go_on(self) -> None:
        self.is_busy = False
        self.advance()

    # The net

    def mend(self, fault: BaseException, execution: Any, error: BaseException | None) -> None:
        """Finish, in the next turn, the bookkeeping that something has interrupted (rule 9).

        Args:
            fault: the interruption.
            execution: the job that was about to start, or has just ended, if it was one.
            error: what its body has raised.

        Raises:
            BaseException: the fault, after a third signal.
        """
        if self.is_forced:
            self.is_busy = False
            raise fault
        self.loop.call_soon(self._mend, fault, execution, error)

    def _mend(self, fault: BaseException, execution: Any, error: BaseException | None) -> None:
        found = self._rescue.mend(fault, execution, error)
        if found is None:
            return
        sources, granted = found
        self._sources.clear()
        self._sources.extend(sources)
        self._granted.clear()
        self._granted.extend(granted)
        self._go_on()

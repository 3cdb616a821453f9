"""The jobs that are ready, in order, for a run and all runs within it (rule 2)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from .tasks import Clock, is_eager

__all__ = ["AT_ONCE", "LONGEST_TURN", "ReadyQueue", "Rescue", "Startable"]

AT_ONCE: Final = 100
"""How many jobs start in one turn of the loop."""

LONGEST_TURN: Final = 0.002
"""Seconds after which no more of them start in it."""


class Startable(Protocol):
    """A job that is ready, or has the slot that it has waited for."""

    @property
    def job(self) -> Any: ...

    def start(self, now: float) -> object:
        """Start its body, if it has all that it needs.

        Args:
            now: the time by the clock of the loop.
        """


class Rescue(Protocol):
    """The net, which finishes what was interrupted."""

    def mend(self, fault: BaseException, execution: Any, error: BaseException | None) -> bool:
        """Do so, and derive anew what is ready; return whether the runs go on."""
        ...

    def close(self) -> None:
        """Forget the runs, which are over."""


class ReadyQueue:
    """The order in which jobs start, across a run and all runs within it.

    Jobs start in the order in which they became ready, whatever made them so, and without
    recursion: when a body ends while `advance` starts it, its successors are added, and started by
    the same loop.

        advance -> start(a) -> a's body ends -> add(b) -> advance: is busy, returns
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
        "add",
        "is_busy",
        "is_eager",
        "is_forced",
        "loop",
        "ready",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, rescue: Rescue) -> None:
        self.loop = loop
        self.is_eager = is_eager(loop)
        """Whether bodies start at once, and not in the next turn of the loop."""
        self._clock = clock
        self._rescue = rescue
        self.ready: deque[Startable] = deque()
        self.add: Callable[[Startable], None] = self.ready.append
        """Take in a job that is ready; `advance` starts it."""
        self._granted: deque[Startable] = deque()
        self.is_busy = False
        """Whether what is ready will be started: by a caller further up, or in the next turn."""
        self.is_forced = False
        """After a third signal: exceptions are let through wherever they are raised."""

    def grant(self, execution: Startable) -> None:
        """Take in a job that has waited for a slot and has it now; it starts in the next turn.

        The task that gave the slot back is gone by then, so that there are never more tasks than
        slots.
        """
        self._granted.append(execution)
        if not self.is_busy:
            self.is_busy = True
            self.loop.call_soon(self._go_on)

    def take_out(self, job: object) -> Any:
        """Take the execution of a job out of the queue, if it is there, and return it."""
        for waiting in (self.ready, self._granted):
            for one in waiting:
                if one.job is job:
                    waiting.remove(one)
                    return one
        return None

    def clear(self) -> None:
        """Forget what is ready."""
        self.ready.clear()
        self._granted.clear()

    def close(self) -> None:
        """Forget all, as the outermost run has ended."""
        self.clear()
        self._rescue.close()

    def advance(self, now: float | None = None) -> None:
        """Start what is ready.

        Args:
            now: the time by the clock of the loop, if that was read just now.
        """
        if self.is_busy:
            return
        self.is_busy = True
        ready, granted, clock = self.ready, self._granted, self._clock
        execution: Startable | None = None
        try:
            if now is None:
                now = clock()
            until = now + LONGEST_TURN
            for _ in range(AT_ONCE):
                if granted:
                    execution = granted.popleft()
                elif ready:
                    execution = ready.popleft()
                else:
                    break
                execution.start(now)
                execution = None
                now = clock()
                if now > until:
                    break
            if ready or granted:
                self.loop.call_soon(self._go_on)
            else:
                self.is_busy = False
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
        if self._rescue.mend(fault, execution, error):
            self._go_on()

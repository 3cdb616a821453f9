"""The agenda of a run: the jobs that are ready, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flowdeco.jobs.threads import MOST_THREADS

from . import net
from .execution import Execution
from .slots import Slots

if TYPE_CHECKING:
    from .run import Run

__all__ = ["ReadyQueue"]

AT_ONCE: Final = 100
"""How many jobs start in one turn of the loop."""

LONGEST_TURN: Final = 0.002
"""Seconds after which no more of them start in it."""


class ReadyQueue:
    """What starts next, in a run and in all runs within (rule 2).

    What is ready starts in the order in which it has become so, whoever made it ready, and without
    recursion: a body that ends while it is started adds what comes after it, and no more. Now and
    then the loop gets its turn, however much is ready, for services, deadlines and cancellations.
    """

    __slots__ = (
        "_granted",
        "_loop",
        "_runs",
        "add",
        "given_up_at_once",
        "is_busy",
        "now",
        "outermost",
        "threads",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, outermost: Run | None = None) -> None:
        self.outermost = outermost
        self.now: float | None = None
        """The time by the clock of the loop, if a body has ended just now.

        It is good within `advance` alone, which begins with a reading of its own.
        """
        self.threads: Slots[Execution] = Slots(MOST_THREADS)
        """There are places in threads for all runs together."""
        self._loop = loop
        self._runs: deque[Run] = deque()
        self.add: Callable[[Run], None] = self._runs.append
        """Note that the run has made one job more ready; `advance` starts it."""
        self._granted: deque[Execution] = deque()
        self.is_busy = False
        """Whether somebody sees to what is ready: a caller further up, or the next turn."""
        self.given_up_at_once = False
        """After a third signal: exceptions are let through wherever they are raised."""

    def grant(self, execution: Execution) -> None:
        """Take in a job that has waited for a place and has it now; it starts in the next turn.

        The task that gave the place back is gone by then, so that there are never more tasks than
        places.
        """
        self._granted.append(execution)
        self._advance_soon()

    def clear(self) -> None:
        """Forget what is ready, as the outermost run has ended."""
        self._runs.clear()
        self._granted.clear()
        self.outermost = None

    def advance(self, now: float | None = None) -> None:
        """Start what is ready.

        Args:
            now: the time by the clock of the loop, if that was read just now.
        """
        runs, granted = self._runs, self._granted
        if self.is_busy:
            return
        self.is_busy = True
        execution: Execution | None = None
        try:
            if now is None:
                now = self._loop.time()
            self.now = now
            until = now + LONGEST_TURN
            for _ in range(AT_ONCE):
                if granted:
                    execution = granted.popleft()
                elif runs:
                    run = runs.popleft()
                    if run.closed:
                        continue
                    execution = Execution(run, run.ready.popleft())
                else:
                    break
                if not execution.is_special or execution.can_start():
                    execution.launch(now)
                execution = None
                now = self.now or self._read_clock()
                if now > until:
                    break
            if runs or granted:
                self._loop.call_soon(self._go_on)
            else:
                self.is_busy = False
                self.now = None
        except BaseException as fault:
            self.mend(fault, execution, None)

    def _read_clock(self) -> float:
        if self.now is None:
            self.now = self._loop.time()
        return self.now

    def _advance_soon(self) -> None:
        if not self.is_busy:
            self.is_busy = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self.is_busy = False
        self.advance()

    # The net

    def mend(
        self, fault: BaseException, execution: Execution | None, error: BaseException | None
    ) -> None:
        """Finish, in the next turn, what something has interrupted that must not be lost (rule 9).

        Args:
            fault: what was raised.
            execution: the job that was about to start, or has just ended, if it was one.
            error: what its body has raised.

        Raises:
            BaseException: the fault, after a third signal.
        """
        if self.given_up_at_once:
            self.is_busy = False
            raise fault
        self._loop.call_soon(self._mend, fault, execution, error)

    def _mend(
        self, fault: BaseException, execution: Execution | None, error: BaseException | None
    ) -> None:
        if execution is not None and not execution.is_at_work():
            net.finish(execution, fault, error)
        if self.outermost is not None:
            if execution is None or execution.outcome.exception is not fault:
                net.tell(self.outermost, fault, execution)
            runs, granted = net.rebuild(self.outermost, fault)
            self._runs.clear()
            self._runs.extend(runs)
            self._granted.clear()
            self._granted.extend(granted)
            self._go_on()

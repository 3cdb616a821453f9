"""The agenda of a run: the jobs that are ready, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from .outcome import State
from .threads import MOST_THREADS
from .window import Window

if TYPE_CHECKING:
    from .activity import Activity

__all__ = ["Agenda"]

AT_ONCE: Final = 100
"""How many jobs start in one turn of the loop."""

LONGEST_TURN: Final = 0.002
"""Seconds after which no more of them start in it."""

_SCHEDULED = State.SCHEDULED


class Agenda:
    """What starts next, in a run and in all runs within (rule 2).

    What is ready starts in the order in which it has become so, whoever made it ready, and without
    recursion: a body that ends while it is started adds what comes after it, and no more. Now and
    then the loop gets its turn, however much is ready, for services, deadlines and cancellations.
    """

    __slots__ = ("_busy", "_loop", "_ready", "now", "threads")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now: float | None = None
        """The time by the clock of the loop, if a body has ended just now."""
        self.threads: Window[Activity] = Window(MOST_THREADS)
        """There are places in threads for all runs together."""
        self._loop = loop
        self._ready: deque[Activity] = deque()
        self._busy = False
        """Whether somebody sees to what is ready: a caller further up, or the next turn."""

    def add(self, activity: Activity) -> None:
        """Take in a job that is ready; `advance` starts it."""
        activity.outcome.state = _SCHEDULED
        self._ready.append(activity)

    def release(self, activity: Activity) -> None:
        """Start what has waited for this job alone."""
        waiting = activity.successors
        if waiting is not None:
            activity.successors = None
            for successor in waiting:
                successor.waiting -= 1
                if not successor.waiting:
                    successor.outcome.state = _SCHEDULED
                    self._ready.append(successor)
        if not self._busy:
            self.advance()

    def clear(self) -> None:
        """Forget what is ready, as the outermost run has ended."""
        self._ready.clear()

    def advance(self) -> None:
        """Start what is ready."""
        ready = self._ready
        if self._busy:
            return
        self._busy = True
        now = self._read_clock()
        until = now + LONGEST_TURN
        left = AT_ONCE
        try:
            while ready:
                if not left or now > until:
                    self._loop.call_soon(self._go_on)
                    return
                left -= 1
                activity = ready.popleft()
                if activity.run.closed:
                    activity.give_places_back()
                elif activity.is_free or activity.can_start():
                    activity.launch(now)
                    now = self.now or self._read_clock()
        except BaseException:
            self._busy = False
            raise
        self._busy = False
        self.now = None

    def _read_clock(self) -> float:
        if self.now is None:
            self.now = self._loop.time()
        return self.now

    def advance_soon(self) -> None:
        """Start what is ready in the next turn of the loop, and nothing before."""
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._busy = False
        self.now = None
        self.advance()

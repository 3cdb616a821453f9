"""The agenda of a run: the jobs that are ready, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .threads import MOST_THREADS
from .window import Window

if TYPE_CHECKING:
    from .activity import Activity

__all__ = ["Agenda"]

AT_ONCE: Final = 100
"""How many jobs start in one turn of the loop."""

LONGEST_TURN: Final = 0.002
"""Seconds after which no more of them start in it."""


class Agenda:
    """What starts next, in a run and in all runs within (rule 2).

    What is ready starts in the order in which it has become so, whoever made it ready, and without
    recursion: a body that ends while it is started adds what comes after it, and no more. Now and
    then the loop gets its turn, however much is ready, for services, deadlines and cancellations.
    """

    __slots__ = ("_loop", "_ready", "add", "is_busy", "now", "threads")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now: float | None = None
        """The time by the clock of the loop, if a body has ended just now."""
        self.threads: Window[Activity] = Window(MOST_THREADS)
        """There are places in threads for all runs together."""
        self._loop = loop
        self._ready: deque[Activity] = deque()
        self.add: Callable[[Activity], None] = self._ready.append
        """Take in a job that is ready; `advance` starts it."""
        self.is_busy = False
        """Whether somebody sees to what is ready: a caller further up, or the next turn."""

    def clear(self) -> None:
        """Forget what is ready, as the outermost run has ended."""
        self._ready.clear()

    def advance(self) -> None:
        """Start what is ready."""
        ready = self._ready
        if self.is_busy:
            return
        self.is_busy = True
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
                elif not activity.is_special or activity.can_start():
                    activity.launch(now)
                    now = self.now or self._read_clock()
        except BaseException:
            self.is_busy = False
            raise
        self.is_busy = False
        self.now = None

    def _read_clock(self) -> float:
        if self.now is None:
            self.now = self._loop.time()
        return self.now

    def advance_soon(self) -> None:
        """Start what is ready in the next turn of the loop, and nothing before."""
        if not self.is_busy:
            self.is_busy = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self.is_busy = False
        self.now = None
        self.advance()

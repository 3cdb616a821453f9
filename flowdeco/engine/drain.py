"""Ending tasks within a bound: one way for every exit (rule 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

__all__ = ["SETTLING_TURNS", "Drain", "Sleeper", "after_turns"]

AGAIN: Final = 5
"""How often what is still there in the last fifth of its time is cancelled again."""

SETTLING_TURNS: Final = 3
"""Turns of the loop in which what has been woken up can go on and be heard of.

One turn resumes the task that waits on a future; `asyncio.wait_for` in between costs two more.
"""


def after_turns(
    loop: asyncio.AbstractEventLoop, turns: int, callback: Callable[[], object]
) -> None:
    """Call back after so many turns of the loop."""
    if turns > 1:
        loop.call_soon(after_turns, loop, turns - 1, callback)
    else:
        loop.call_soon(callback)


class Drain(Generic[K]):
    """The bound on the end of a set of tasks, which have been asked to end already.

    They are left alone for four fifths of the time, for their clean-up. In the last fifth those
    that are still there are cancelled again, five times at equal distances; at the end they are
    given up. Whoever sees one end says so with `discard`.

    Args:
        loop: whose clock is used.
        members: the tasks, by whatever names them.
        until: the time of the loop at which they are given up.
        cancel: cancels one of them.
        give_up: called for each that is left at the end; it must discard it sooner or later.
        patient: leave them alone until the end; then they have some turns of the loop to react.
    """

    __slots__ = (
        "_again",
        "_cancel",
        "_give_up",
        "_loop",
        "_patient",
        "_timer",
        "members",
        "over",
        "until",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        members: Iterable[K],
        until: float,
        cancel: Callable[[K], object],
        give_up: Callable[[K], object],
        *,
        patient: bool = False,
    ) -> None:
        self.members = dict.fromkeys(members)
        self.until = until
        self.over = False
        """Whether the time is over, and what is left has been given up."""
        self._loop = loop
        self._cancel = cancel
        self._give_up = give_up
        self._patient = patient
        self._timer: asyncio.TimerHandle | None = None
        if self.members:
            self._plan()

    def _plan(self) -> None:
        self._again = AGAIN
        if self._patient:
            self._set_timer(self.until, self.hurry)
        else:
            now = self._loop.time()
            self._set_timer(self.until - (self.until - now) / 5, self._next)

    def _set_timer(self, when: float, callback: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, callback)

    def _next(self) -> None:
        if not self._again:
            self._end()
            return
        self._cancel_all()
        step = (self.until - self._loop.time()) / self._again
        self._again -= 1
        when = self._loop.time() + step if self._again else self.until
        self._set_timer(when, self._next)

    def _cancel_all(self) -> None:
        for member in list(self.members):
            self._cancel(member)

    def _end(self) -> None:
        self.over = True
        for member in list(self.members):
            self._give_up(member)

    def discard(self, member: K) -> None:
        """Note that one has ended."""
        self.members.pop(member, None)
        if not self.members:
            self.close()

    def close(self) -> None:
        """Stop caring, whatever is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def tighten(self, until: float) -> None:
        """Bring the bound forward, if this one is earlier."""
        if until < self.until and self.members:
            self.until = until
            self._plan()

    def hurry(self) -> None:
        """Give up as soon as what reacts to one more cancellation has ended."""
        if self.members:
            self.close()
            self._cancel_all()
            after_turns(self._loop, SETTLING_TURNS, self._end)


class Sleeper:
    """Where the task that conducts a run sleeps until something has happened.

    A cancellation that reaches it does not end what it does: it is kept, to be raised when all is
    cleaned up (rule 11).
    """

    __slots__ = ("_loop", "_waiter", "cancelled")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.cancelled: asyncio.CancelledError | None = None
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Let the sleeper look whether what it waits for has come."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def sleep(self) -> bool:
        """Sleep until woken; return whether it was by a cancellation."""
        # A cancelled task cancels the future that it waits for, so each sleep has its own.
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError as error:
            if self.cancelled is None:
                self.cancelled = error
            return True
        finally:
            self._waiter = None
        return False

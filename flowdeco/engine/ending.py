"""Ending tasks within a bound: one way for every exit (rules 7 and 8).

Four verbs, of a body as of any task: *stop* asks it to end, *insist* cancels it again, *abandon*
leaves it behind as stuck, *close* frees it by force.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Iterable
from typing import Final, Generic, Protocol, TypeVar

from flowdeco.base.graph import heights
from flowdeco.jobs.abstract_job import AbstractJob

__all__ = [
    "SETTLING_TURNS",
    "Drain",
    "Ending",
    "Sleeper",
    "Stoppable",
    "after_turns",
    "generations",
]

AGAIN: Final = 5
"""How often a task that is still there in the last fifth of its time is cancelled again."""

SETTLING_TURNS: Final = 3
"""Turns of the loop until the effects of a wake-up are seen.

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


class Member(Protocol):
    """A member of a drain."""

    def insist(self) -> object:
        """Cancel it again."""

    def abandon(self) -> object:
        """Leave it behind; it must be discarded sooner or later."""


M = TypeVar("M", bound=Member)


class Drain(Generic[M]):
    """The bound on the end of some tasks, which have been asked to end already.

    They are left alone for four fifths of the time, for their clean-up. In the last fifth the
    remaining ones are cancelled again, five times at equal distances; at the end they are
    abandoned. `discard` is called for each task that has ended.

    Args:
        loop: whose clock is used.
        members: the tasks.
        until: the time of the loop at which they are abandoned.
        patient: leave them alone until the end; then they have some turns of the loop to react.
    """

    __slots__ = ("_again", "_loop", "_patient", "_timer", "is_over", "members", "until")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        members: Iterable[M],
        until: float,
        *,
        patient: bool = False,
    ) -> None:
        self.members = dict.fromkeys(members)
        self.until = until
        self.is_over = False
        """Whether the time is over, and the remaining members are abandoned."""
        self._loop = loop
        self._patient = patient
        self._timer: asyncio.TimerHandle | None = None
        if self.members:
            self._plan()

    def _plan(self) -> None:
        self._again = AGAIN
        if self._patient:
            self._set_timer(self.until, self.skip)
        else:
            now = self._loop.time()
            self._set_timer(self.until - (self.until - now) / 5, self._next)

    def _set_timer(self, when: float, callback: Callable[[], None]) -> None:
        self.close()
        self._timer = self._loop.call_at(when, callback)

    def _next(self) -> None:
        if not self._again:
            self._end()
            return
        self._insist()
        step = (self.until - self._loop.time()) / self._again
        self._again -= 1
        when = self._loop.time() + step if self._again else self.until
        self._set_timer(when, self._next)

    def _insist(self) -> None:
        for member in list(self.members):
            member.insist()

    def _end(self) -> None:
        self.is_over = True
        for member in list(self.members):
            member.abandon()

    def discard(self, member: M) -> None:
        """Note the end of a member."""
        self.members.pop(member, None)
        if not self.members:
            self.close()

    def close(self) -> None:
        """Cancel the timer; the members are on their own."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def shorten_to(self, until: float) -> None:
        """Bring the bound forward, if this one is earlier."""
        if until < self.until and self.members:
            self.until = until
            self._plan()

    def skip(self) -> None:
        """Cancel the members once more, and abandon them some turns later."""
        if self.members:
            self.close()
            self._insist()
            after_turns(self._loop, SETTLING_TURNS, self._end)


class Stoppable(Member, Protocol):
    """A member of a drain that is asked to end when the drain begins."""

    ended: bool
    drain: Drain[Stoppable] | None

    def stop(self) -> object:
        """Ask it to end."""


S = TypeVar("S", bound=Stoppable)


class Ending:
    """The end of the bodies of a run: its grace, and the drains that share it.

    Args:
        loop: whose clock is used.
        grace: the seconds that bodies have to end.
    """

    __slots__ = ("_drains", "_grace", "_is_skipped", "_loop", "until")

    def __init__(self, loop: asyncio.AbstractEventLoop, grace: float) -> None:
        self._grace = grace
        self.until = math.inf
        """When the grace is over, by the clock of the loop; known once the bodies are to end."""
        self._drains: list[Drain[Stoppable]] = []
        self._is_skipped = False
        self._loop = loop

    def begin(self) -> None:
        """Begin the grace."""
        self.until = self._loop.time() + self._grace

    def share(self, count: int) -> float:
        """Return when the first of so many drains must be over that share the rest of the grace."""
        now = self._loop.time()
        return now + max(0.0, self.until - now) / count

    def shorten_to(self, around: Drain[Stoppable] | None) -> None:
        """End with the drain of the job around, if that ends first (rule 21)."""
        if around is not None:
            self.until = min(self.until, around.until)
            for drain in self._drains:
                drain.shorten_to(self.until)

    def drain(self, members: Iterable[Stoppable], until: float) -> Drain[Stoppable]:
        """Stop bodies, and abandon those that have not ended by then."""
        # A service may have ended by itself while those before it went down.
        left = [member for member in members if not member.ended]
        drain = Drain(self._loop, left, until)
        self._drains = [*(one for one in self._drains if one.members), drain]
        for member in left:
            before, member.drain = member.drain, drain
            if before is None:
                member.stop()
            else:  # it was stopped already
                before.discard(member)
        if self._is_skipped:
            # Not at once: a service resumed for its teardown must not find itself cancelled there.
            self._loop.call_soon(drain.skip)
        return drain

    def drain_alone(self, member: Stoppable) -> None:
        """Stop one body before the others: it has the whole grace for that."""
        self.drain([member], self._loop.time() + self._grace)

    def skip(self) -> None:
        """Skip the rest of the grace: a body that does not react to a cancellation is stuck."""
        self._is_skipped = True
        for drain in self._drains:
            drain.skip()

    def close(self) -> None:
        """Empty the drains and cancel their timers."""
        for drain in self._drains:
            for member in list(drain.members):
                drain.discard(member)


class HasJob(Protocol):
    """Anything that belongs to a job."""

    @property
    def job(self) -> AbstractJob[object]: ...


J = TypeVar("J", bound=HasJob)


def generations(services: list[J], jobs: Collection[AbstractJob[object]]) -> list[list[J]]:
    """Sort services so that each comes after all services that come after it (rule 7).

    Args:
        services: the services that are to go down.
        jobs: all jobs of the run.
    """
    if len(services) < 2:
        return [services] if services else []
    known = set(jobs)
    # Of a part of a flow, not all that is required is there.
    required = {job: [one for one in job.__flow_required__ if one in known] for job in jobs}
    height = heights(required, {service.job for service in services})
    found: list[list[J]] = [[] for _ in range(max(height.values()) + 1)]
    for service in services:
        found[height[service.job]].append(service)
    return found


class Sleeper:
    """The place where the task that executes a run sleeps until something has happened.

    A cancellation that reaches the task does not end what it does: it is kept, to be raised when
    all is cleaned up (rule 11).
    """

    __slots__ = ("_loop", "_waiter", "cancelled")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.cancelled: asyncio.CancelledError | None = None
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    def note(self, error: asyncio.CancelledError) -> None:
        """Keep a cancellation that has reached the task while it did something else."""
        if self.cancelled is None:
            self.cancelled = error

    def wake(self) -> None:
        """Wake the sleeper, which looks again at its condition."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def sleep(self) -> bool:
        """Sleep until woken; return whether it was by a cancellation."""
        # A cancelled task cancels the future that it waits for, so each sleep has its own.
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError as error:
            self.note(error)
            return True
        finally:
            self._waiter = None
        return False

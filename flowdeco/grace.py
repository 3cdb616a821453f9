"""The time that bodies have to end in when they were told to (rules 7 and 8)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable

from .activity import Activity
from .drain import Drain
from .graph import heights
from .job import AbstractJob

__all__ = ["Grace", "waves"]


class Grace:
    """The grace of one run, and the drains in it.

    Args:
        loop: whose clock is used.
    """

    __slots__ = ("_drains", "_hurried", "_loop", "end")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.end = math.inf
        """When it is over, by the clock of the loop; known once the bodies are to end."""
        self._drains: list[Drain[Activity]] = []
        self._hurried = False
        self._loop = loop

    def begin(self, seconds: float) -> None:
        """Let it end after so many seconds."""
        self.end = self._loop.time() + seconds

    def share(self, count: int) -> float:
        """Return when the first of so many must have ended that share what is left of it."""
        now = self._loop.time()
        return now + max(0.0, self.end - now) / count

    def heed(self, around: Drain[Activity] | None) -> None:
        """Let it end with what drains the job around, if that ends first (rule 21)."""
        if around is not None:
            self.end = min(self.end, around.until)
            for drain in self._drains:
                drain.tighten(self.end)

    def drain(self, activities: Iterable[Activity], until: float) -> Drain[Activity]:
        """Tell bodies to end, and give them up if they have not by then."""
        # A service may have ended by itself while those before it went down.
        left = [activity for activity in activities if not activity.ended]
        drain = Drain(self._loop, left, until, Activity.insist, Activity.give_up)
        self._drains = [*(one for one in self._drains if one.members), drain]
        for activity in left:
            if activity.drain is not None:
                activity.drain.discard(activity)
            activity.drain = drain
            activity.is_special = True
            activity.stop()
        if self._hurried:
            # Not at once: what is resumed for its teardown must not find itself cancelled there.
            self._loop.call_soon(drain.hurry)
        return drain

    def hurry(self) -> None:
        """Skip the rest of it: what does not react to a cancellation is stuck."""
        self._hurried = True
        for drain in self._drains:
            drain.hurry()

    def close(self) -> None:
        """Stop caring; what is still there is on its own."""
        for drain in self._drains:
            for activity in list(drain.members):
                drain.discard(activity)


def waves(services: list[Activity], jobs: Iterable[AbstractJob[object]]) -> list[list[Activity]]:
    """Sort services so that each comes after all services that come after it (rule 7).

    Args:
        services: those that are to go down.
        jobs: all those of the run.
    """
    if len(services) < 2:
        return [services] if services else []
    required = {job: job._required for job in jobs}
    height = heights(required, {activity.job for activity in services})
    sorted_out: list[list[Activity]] = [[] for _ in range(max(height.values()) + 1)]
    for activity in services:
        sorted_out[height[activity.job]].append(activity)
    return sorted_out

"""The time that bodies have to end in when they were told to (rules 7 and 8)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable

from flowdeco.base.graph import heights
from flowdeco.jobs.job import AbstractJob

from .drain import Drain
from .execution import Execution

__all__ = ["Grace", "generations"]


class Grace:
    """The grace of one run, and the drains in it.

    Args:
        loop: whose clock is used.
    """

    __slots__ = ("_drains", "_hurried", "_loop", "end")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.end = math.inf
        """When it is over, by the clock of the loop; known once the bodies are to end."""
        self._drains: list[Drain[Execution]] = []
        self._hurried = False
        self._loop = loop

    def begin(self, seconds: float) -> None:
        """Let it end after so many seconds."""
        self.end = self._loop.time() + seconds

    def share(self, count: int) -> float:
        """Return when the first of so many must have ended that share what is left of it."""
        now = self._loop.time()
        return now + max(0.0, self.end - now) / count

    def heed(self, around: Drain[Execution] | None) -> None:
        """Let it end with what drains the job around, if that ends first (rule 21)."""
        if around is not None:
            self.end = min(self.end, around.until)
            for drain in self._drains:
                drain.tighten(self.end)

    def drain(self, executions: Iterable[Execution], until: float) -> Drain[Execution]:
        """Tell bodies to end, and give them up if they have not by then."""
        # A service may have ended by itself while those before it went down.
        left = [execution for execution in executions if not execution.ended]
        drain = Drain(self._loop, left, until, Execution.insist, Execution.give_up)
        self._drains = [*(one for one in self._drains if one.members), drain]
        for execution in left:
            if execution.drain is not None:
                execution.drain.discard(execution)
            execution.drain = drain
            execution.is_special = True
            execution.stop()
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
            for execution in list(drain.members):
                drain.discard(execution)


def generations(
    services: list[Execution], jobs: Iterable[AbstractJob[object]]
) -> list[list[Execution]]:
    """Sort services so that each comes after all services that come after it (rule 7).

    Args:
        services: those that are to go down.
        jobs: all those of the run.
    """
    if len(services) < 2:
        return [services] if services else []
    required = {job: job.__flow_required__ for job in jobs}
    height = heights(required, {execution.job for execution in services})
    sorted_out: list[list[Execution]] = [[] for _ in range(max(height.values()) + 1)]
    for execution in services:
        sorted_out[height[execution.job]].append(execution)
    return sorted_out

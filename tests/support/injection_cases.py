"""The runs of tests/support/injection.py: what the job that ends has around it."""

from __future__ import annotations

import asyncio
import logging

from injection import Case
from injection_flows import FLOWS

from flowdeco import (
    AbstractJob,
    Job,
    Observer,
    Scheduler,
)

__all__ = ["CASES"]


class Chain(Case):
    """It returns, and others come after it."""

    def make(self):
        return Scheduler(self.chosen() >> self.job("second") >> self.job("third"))


class Diamond(Case):
    """Two come after it, and one after these."""

    def make(self):
        sides = [self.job("left"), self.job("right")]
        return Scheduler(self.job("first") >> self.chosen() >> sides >> self.job("last"))


class Window(Case):
    """Others wait for its place."""

    def make(self):
        queue = [self.job(f"queued {number}") for number in range(3)]
        return Scheduler(self.chosen(), *queue, self.job("last", after=queue), window=1)


class Last(Case):
    """It is the last step, and a service is to be stopped."""

    def make(self):
        async def server():
            yield "up"
            await asyncio.sleep(0.5)

        up = Job(server, label="server", forever=True, shutdown=self.hook("server"))
        return Scheduler(up, self.job("first"), self.chosen())


class Failure(Case):
    """It fails and is not critical; others come after it."""

    def make(self):
        failing = self.chosen(ValueError("broken"))
        return Scheduler(failing >> self.job("second") >> self.job("third"), self.job("other", 3))


class CriticalFailure(Case):
    """It fails and is critical, while others are at work and wait."""

    def make(self):
        failing = self.chosen(ValueError("broken"), critical=True)
        return Scheduler(
            failing,
            self.job("at work", 60),
            self.job("queued"),
            failing >> self.job("after"),
            Job(self.served, label="server", forever=True, shutdown=self.hook("server")),
            window=2,
        )

    async def served(self):
        yield "up"
        await asyncio.sleep(0.5)


class CutShort(Case):
    """Its run is stopped, and it ends its clean-up."""

    def make(self):
        async def cleans_up():
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.5)
                self.probe.arm()

        async def fails():
            await asyncio.sleep(1)
            raise ValueError("broken")

        cleaning = Job(cleans_up, label="chosen", shutdown=self.hook("chosen"))
        failing = Job(fails, label="failing", critical=True, shutdown=self.hook("failing"))
        return Scheduler(cleaning, failing, cleaning >> self.job("after"))


class OverTime(Case):
    """It is over its timeout; others come after it, and wait for its place."""

    def make(self):
        async def slow():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                self.probe.arm()
                raise

        late = Job(slow, label="chosen", timeout=1, shutdown=self.hook("chosen"))
        return Scheduler(late >> self.job("after"), self.job("queued"), window=1)


class Watched(Case):
    """Observers are told of it, and the log at DEBUG."""

    level = logging.DEBUG

    def make(self):
        return Scheduler(self.chosen() >> self.job("second"), self.job("other", 3), window=2)

    def observers(self):
        return (Observer(), self.watch)


class Hook(Case):
    """Its hook ends, beside other hooks."""

    def make(self):
        self.hooks.append("chosen")

        async def hook():
            self.hooked["chosen"] += 1
            await asyncio.sleep(0.25)
            self.probe.arm(later=True)

        async def body():
            await asyncio.sleep(1)

        return Scheduler(Job(body, label="chosen", shutdown=hook), self.job("other"))


class OwnClass(AbstractJob[object]):
    """A job class of one's own, which runs a scheduler in its body."""

    def __init__(self, case, inner, **options):
        super().__init__(**options)
        self.case = case
        self.inner = inner

    async def co_run(self):
        await self.inner.co_orchestrate()
        self.case.probe.arm()


class Around(Case):
    """It has run a scheduler in its body."""

    def make(self):
        inner = Scheduler(self.job("inner"), label="within")
        around = OwnClass(self, inner, label="around")
        return Scheduler(around >> self.job("after"), self.job("other", 3))


class Nested(Case):
    """It is in a nested scheduler, and others come after it there."""

    def make(self):
        inner = Scheduler(self.chosen() >> self.job("second"), label="nested", window=1)
        return Scheduler(inner, self.job("after", after=inner), self.job("queued"), window=1)


class LastNested(Case):
    """It is the last one of a nested scheduler, which others come after."""

    def make(self):
        inner = Scheduler(self.job("first") >> self.chosen(), label="nested")
        return Scheduler(inner, self.job("after", after=inner), self.job("other", 3))


CASES = [
    Chain,
    Diamond,
    Window,
    Last,
    Failure,
    CriticalFailure,
    CutShort,
    OverTime,
    Watched,
    Hook,
    Around,
    Nested,
    LastNested,
    *FLOWS,
]
"""All runs that are looked at."""

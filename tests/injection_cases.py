"""The runs of tests/injection.py: what the job that ends has around it."""

from __future__ import annotations

import asyncio
import logging

from injection import Case

from flowdeco import (
    AbstractJob,
    Flow,
    Job,
    Observer,
    Scheduler,
    each,
    service,
    step,
    subflow,
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
            self.probe.arm()

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


# Flows


class OfFlow(Case):
    """The flow of a case knows it."""

    flow: type[Flow]

    def make(self):
        self.hooks.append("after")
        return self.flow(case=self).scheduler


class Hooked(Flow, window=2):
    """Has a hook."""

    case: Case

    async def work(self, name, seconds=0.5):
        """Note that a body begins, and sleep."""
        self.case.begins(name)
        await asyncio.sleep(seconds)
        return name

    @step
    async def after(self):
        return await self.work("after")

    @after.shutdown
    async def close_after(self):
        self.case.hooked["after"] += 1


class GeneratorIsUp(OfFlow):
    """It is a service that comes up, and its value is taken."""

    class flow(Hooked):  # noqa: N801
        @service
        async def chosen(self):
            await asyncio.sleep(1)
            self.case.probe.arm()
            yield "up"
            await asyncio.sleep(0.5)

        @step(after=chosen)
        async def takes(self, value):
            assert value == "up"
            return await self.work("takes")

        @step
        async def other(self):
            return await self.work("other", 3)

        order = chosen >> Hooked.after


class GeneratorIsDown(OfFlow):
    """It is a service whose teardown ends."""

    class flow(Hooked):  # noqa: N801
        @service
        async def chosen(self):
            yield "up"
            await asyncio.sleep(0.5)
            self.case.probe.arm()

        @service
        async def deeper(self):
            yield "up"
            await asyncio.sleep(0.5)

        @step(after=chosen)
        async def takes(self, value):
            return await self.work("takes")

        order = deeper >> chosen


class GeneratorFails(OfFlow):
    """It is a service that fails before it is up."""

    class flow(Hooked):  # noqa: N801
        @service
        async def chosen(self):
            await asyncio.sleep(1)
            self.case.probe.arm()
            raise ValueError("broken")
            yield

        @step(after=chosen)
        async def takes(self, value):
            return await self.work("takes")

        order = takes >> Hooked.after


class CoroutineIsUp(OfFlow):
    """It is a service without a yield, and those that wait for it are told in the next turn."""

    class flow(Hooked):  # noqa: N801
        @service
        async def chosen(self):
            self.case.probe.arm(later=True)
            await asyncio.sleep(60)

        order = chosen >> Hooked.after


class CoroutineIsDown(OfFlow):
    """It is a service without a yield, and it ends by itself, or when it is stopped."""

    class flow(Hooked):  # noqa: N801
        @service
        async def chosen(self):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.25)
                self.case.probe.arm()

        order = chosen >> Hooked.after


class CoroutineEnds(OfFlow):
    """It is a service without a yield that ends by itself before others start."""

    class flow(Hooked):  # noqa: N801
        @step
        async def first(self):
            return await self.work("first", 3)

        @service
        async def chosen(self):
            await asyncio.sleep(1)
            self.case.probe.arm()

        order = [first, chosen] >> Hooked.after


class Values(OfFlow):
    """Its value is taken."""

    class flow(Hooked):  # noqa: N801
        @step
        async def chosen(self):
            await asyncio.sleep(1)
            self.case.probe.arm()
            return "value"

        @step(after=chosen)
        async def takes(self, value):
            assert value == "value"
            return await self.work("takes")

        order = takes >> Hooked.after


class Skip(OfFlow):
    """It fails, what takes its value is skipped, and others come after that."""

    class flow(Hooked):  # noqa: N801
        @step
        async def chosen(self):
            await asyncio.sleep(1)
            self.case.probe.arm()
            raise ValueError("broken")

        @step(after=chosen)
        async def takes(self, value):
            return await self.work("takes")

        @step(after=takes)
        async def takes_too(self, value):
            return await self.work("takes too")

        order = takes_too >> Hooked.after


class Items(OfFlow):
    """It is an item of a fan-out, and others wait for its place."""

    number = 1

    class flow(Hooked):  # noqa: N801
        @step
        async def numbers(self):
            return [1, 2, 3, 4]

        @each(numbers, window=2)
        async def item(self, number):
            await asyncio.sleep(number)
            if number == self.case.number:
                self.case.probe.arm()
            return number

        @step(after=item)
        async def takes(self, numbers):
            return await self.work("takes")

        order = item >> Hooked.after


class LastItem(Items):
    """It is the last item of a fan-out, whose result is taken."""

    number = 4


class Thread(OfFlow):
    """Its body is in a thread, and others wait for its place."""

    class flow(Hooked, window=1):  # noqa: N801
        @step
        def chosen(self):
            self.case.probe.arm()
            return "value"

        @step(after=chosen)
        def takes(self, value):
            assert value == "value"

        order = takes >> Hooked.after


class FailingThread(OfFlow):
    """Its body is in a thread and fails."""

    class flow(Hooked):  # noqa: N801
        @step
        def chosen(self):
            self.case.probe.arm()
            raise ValueError("broken")

        @step(after=chosen)
        async def takes(self, value):
            return await self.work("takes")

        order = takes >> Hooked.after


class InSubflow(OfFlow):
    """It is the step of a subflow, whose flow is taken."""

    class flow(Hooked):  # noqa: N801
        class Inner(Flow):
            case: Case

            @step
            async def chosen(self):
                await asyncio.sleep(1)
                self.case.probe.arm()
                return 5

        @subflow
        def inner(self) -> Inner:
            return self.Inner(case=self.case)

        @step(after=inner)
        async def takes(self, inner):
            return await self.work("takes")

        order = inner >> Hooked.after


CASES = [
    *(Chain, Diamond, Window, Last, Failure, CriticalFailure, CutShort, OverTime, Watched, Hook),
    *(Around, Nested, LastNested, GeneratorIsUp, GeneratorIsDown, GeneratorFails, CoroutineIsUp),
    *(CoroutineIsDown, CoroutineEnds, Values, Skip, Items, LastItem, Thread, FailingThread),
    InSubflow,
]

"""Flows among the runs of tests/support/injection.py."""

from __future__ import annotations

import asyncio

from injection import Case

from flowdeco import Flow, Retry, each, service, step, subflow

__all__ = ["FLOWS"]


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


class Again(OfFlow):
    """It fails, and is tried again, while others wait for its place."""

    class flow(Hooked):  # noqa: N801
        calls = 0

        @step(timeout=60, retry=Retry(on=ValueError, attempts=2, wait_jitter=0))
        async def chosen(self):
            self.calls += 1
            await asyncio.sleep(1)
            if self.calls == 1:
                self.case.probe.arm()
                raise ValueError("broken")

        @step
        async def other(self):
            return await self.work("other", 3)

        order = [chosen, other] >> Hooked.after


FLOWS = [
    Again,
    GeneratorIsUp,
    GeneratorIsDown,
    GeneratorFails,
    CoroutineIsUp,
    CoroutineIsDown,
    CoroutineEnds,
    Values,
    Skip,
    Items,
    LastItem,
    Thread,
    FailingThread,
    InSubflow,
]
"""In the order of what they are about."""

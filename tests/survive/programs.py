"""Runs that are repeated, shared, or looked at by the garbage collector."""

import asyncio
import contextvars
import gc
import weakref

from survive.bodies import quick
from survive.contenders import aj, fd
from survive.situation import NOTES, Situation, accuse, tell


class RunTwice(Situation):
    """The same object is run again: it does everything again."""

    id = "R01"

    async def flowdeco(self):
        scheduler = fd.Scheduler(fd.Job(quick))
        await scheduler.co_orchestrate()
        return await scheduler.co_orchestrate()

    async def asynciojobs(self):
        class Again(aj.AbstractJob):  # a job of a coroutine can run only once
            async def co_run(self):
                await quick()

        scheduler = aj.Scheduler(Again())
        await scheduler.co_run()
        return await scheduler.co_run()

    async def taskgroup(self):
        async def scenario():
            async with asyncio.TaskGroup() as group:
                group.create_task(quick())
            return True

        await scenario()
        return await scenario()

    def afterwards(self):
        runs = list(NOTES.of("note")).count("quick ran")
        if runs != 2:
            accuse("lies", f"the body ran {runs} times in 2 runs")


class RunTwiceAtOnce(Situation):
    """The same object is run twice at once: an error for the second, the first goes on."""

    id = "R02"
    tells = ("RuntimeError",)
    cleans = ("quick ran",)

    async def body(self):
        await self.second_has_ended.wait()
        await quick()

    async def both(self, run):
        self.second_has_ended = asyncio.Event()
        first = asyncio.create_task(run())
        await asyncio.sleep(0.02)
        try:
            await asyncio.wait_for(run(), 0.5)
        except RuntimeError:
            tell("RuntimeError")
        self.second_has_ended.set()
        return await first

    async def flowdeco(self):
        return await self.both(fd.Scheduler(fd.Job(self.body)).co_orchestrate)

    async def asynciojobs(self):
        return await self.both(aj.Scheduler(aj.Job(self.body())).co_run)

    taskgroup = "there is no object that could be run twice"


CITY = contextvars.ContextVar("city", default="nowhere")


class Context(Situation):
    """A job sets a context variable: the next job does not see that."""

    id = "R23"
    rules = (18,)

    async def sets(self):
        CITY.set("Paris")

    async def looks(self):
        self.seen = CITY.get()

    async def flowdeco(self):
        return await fd.Scheduler(fd.Job(self.sets) >> fd.Job(self.looks)).co_orchestrate()

    async def asynciojobs(self):
        sequence = aj.Sequence(aj.Job(self.sets()), aj.Job(self.looks()))
        return await aj.Scheduler(sequence).co_run()

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            await group.create_task(self.sets())
            await group.create_task(self.looks())
        return True

    def afterwards(self):
        if self.seen != "nowhere":
            accuse("leaks", "the context of a job")


class Large:
    """Something of which a job has one in its frame."""


class Memory(Situation):
    """A run has succeeded: what its jobs had in their frames is free, without a collection."""

    id = "R20"

    async def holds(self):
        large = Large()
        self.large = weakref.ref(large)
        await asyncio.sleep(0.01)

    async def flowdeco(self):
        gc.disable()
        self.scheduler = fd.Scheduler(fd.Job(self.holds()))
        return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        gc.disable()
        self.scheduler = aj.Scheduler(aj.Job(self.holds()))
        return await self.scheduler.co_run()

    async def taskgroup(self):
        gc.disable()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.holds())
        return True

    def afterwards(self):
        if self.large() is not None:
            accuse("leaks", "a local variable of a job that has ended")

"""Services: jobs that run until the steps are done."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from survive.bodies import fails, hook, polite, quick
from survive.contenders import aj, fd
from survive.situation import FAILED, Situation, note


class StepAfterService(Situation):
    """A step comes after a service: it starts when that is ready, not when it has ended."""

    id = "G08"
    rules = (2, 7)
    does = ("step ran",)

    async def flowdeco(self):
        server = fd.Job(polite(), forever=True)
        return await fd.Scheduler(server >> fd.Job(quick("step"))).co_orchestrate()

    async def asynciojobs(self):
        server = aj.Job(polite(), forever=True)
        return await aj.Scheduler(server, aj.Job(quick("step"), required=server)).co_run()

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            server = group.create_task(polite())
            await asyncio.sleep(0)  # its first lines run
            await quick("step")
            server.cancel()
        return True


class ServicesAlone(Situation):
    """There are services alone, and they end by themselves: so does the run."""

    id = "G09 return"
    rules = (7,)
    does = ("a ran", "b ran")

    async def flowdeco(self):
        jobs = fd.Job(quick("a"), forever=True), fd.Job(quick("b"), forever=True)
        return await fd.Scheduler(*jobs).co_orchestrate()

    async def asynciojobs(self):
        jobs = aj.Job(quick("a"), forever=True), aj.Job(quick("b"), forever=True)
        return await aj.Scheduler(*jobs).co_run()

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(quick("a"))
            group.create_task(quick("b"))
        return True


class ServicesAloneTimeout(Situation):
    """There are services alone, and the deadline comes."""

    id = "G09 timeout"
    rules = (5, 7)
    ends = FAILED
    raises = ("TimeoutError",)
    does = ("server started",)

    async def flowdeco(self):
        return await fd.Scheduler(fd.Job(polite(), forever=True), timeout=0.1).co_orchestrate()

    async def asynciojobs(self):
        return await aj.Scheduler(aj.Job(polite(), forever=True), timeout=0.1).co_run()

    async def taskgroup(self):
        async with asyncio.timeout(0.1), asyncio.TaskGroup() as group:
            group.create_task(polite())
        return True


class ServiceCleanUpFails(Situation):
    """A critical service raises in its clean-up, when all steps are done: the run has failed."""

    id = "V05"
    rules = (14, 20)
    ends = FAILED
    tells = ("ValueError",)

    async def server(self):
        try:
            await asyncio.sleep(30)
        finally:
            await fails()

    async def flowdeco(self):
        server = fd.Job(self.server(), forever=True, critical=True)
        self.scheduler = fd.Scheduler(server, fd.Job(quick()))
        return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        server = aj.Job(self.server(), forever=True, critical=True)
        self.scheduler = aj.Scheduler(server, aj.Job(quick()))
        return await self.scheduler.co_run()

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            server = group.create_task(self.server())
            await quick()
            server.cancel()
        return True


class ServiceInWindow(Situation):
    """With a window of 1, there is a service beside two steps: they run all the same."""

    id = "V08"
    rules = (6,)
    does = ("a ran", "b ran")

    async def flowdeco(self):
        server = fd.Job(polite(), forever=True)
        steps = fd.Job(quick("a")) >> fd.Job(quick("b"))
        return await fd.Scheduler(server, steps, window=1).co_orchestrate()

    async def asynciojobs(self):
        server = aj.Job(polite(), forever=True)
        steps = aj.Sequence(aj.Job(quick("a")), aj.Job(quick("b")))
        return await aj.Scheduler(server, steps, jobs_window=1).co_run()

    async def taskgroup(self):
        window = asyncio.Semaphore(1)
        async with asyncio.TaskGroup() as group:
            server = group.create_task(polite())
            for name in "ab":
                async with window:
                    await quick(name)
            server.cancel()
        return True


class NestedService(Situation):
    """A nested run is the service: it is cut short with its clean-up and its hooks."""

    id = "V10"
    rules = (9, 10, 21)
    cleans = ("inner hook called",)

    async def flowdeco(self):
        inner = fd.Job(polite(), shutdown=partial(hook, "inner hook"))
        service = fd.Scheduler(inner, forever=True)
        return await fd.Scheduler(service, fd.Job(quick(seconds=0.1))).co_orchestrate()

    async def asynciojobs(self):
        inner = aj.Job(polite(), coshutdown=hook("inner hook"))
        service = aj.Scheduler(inner, forever=True)
        return await aj.Scheduler(service, aj.Job(quick(seconds=0.1))).co_run()

    async def inner(self):
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            stack.push_async_callback(hook, "inner hook")
            group.create_task(polite())

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            service = group.create_task(self.inner())
            await quick(seconds=0.1)
            service.cancel()
        return True


class OneServiceNeedsAnother(Situation):
    """A server saves its state to a database when it is stopped: that is still up then."""

    id = "V11"
    rules = (7,)
    cleans = ("server saved its state",)
    database_is_up = False

    async def database(self):
        self.database_is_up = True
        try:
            await asyncio.sleep(30)
        finally:
            self.database_is_up = False

    async def server(self):
        note("server started")
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.02)
            if self.database_is_up:
                note("server saved its state")
            note("server cleaned up")

    async def flowdeco(self):
        database = fd.Job(self.database(), forever=True)
        server = fd.Job(self.server(), forever=True)
        return await fd.Scheduler(database >> server, fd.Job(quick())).co_orchestrate()

    async def asynciojobs(self):
        database = aj.Job(self.database(), forever=True)
        server = aj.Job(self.server(), forever=True)  # requires nothing: see G08
        return await aj.Scheduler(database, server, aj.Job(quick())).co_run()

    @asynccontextmanager
    async def running(self, service):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(service)
            await asyncio.sleep(0)  # its first lines run
            yield
            task.cancel()

    async def taskgroup(self):
        async with self.running(self.database()), self.running(self.server()):
            await quick()
        return True

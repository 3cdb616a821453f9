"""Cancellations that come from outside, and jobs that do not care for them."""

import asyncio
import signal
from contextlib import AsyncExitStack
from functools import partial

from survive.bodies import deaf, fails, hook, polite, presses, quick
from survive.contenders import aj, fd
from survive.situation import CANCELLED, EXIT, FAILED, Situation


class AtEveryTurn(Situation):
    """The run is cancelled in each turn of its loop in which it can be, once for each."""

    id = "X01"
    rules = (9, 10, 11)
    ends = CANCELLED
    cleans = ("hook a called", "hook b called")
    at_every_turn = True

    async def flowdeco(self):
        a = fd.Job(quick("a"), shutdown=partial(hook, "hook a"))
        b = fd.Job(quick("b"), shutdown=partial(hook, "hook b"), required=a)
        return await fd.Scheduler(a, b, fd.Job(polite(), forever=True)).co_orchestrate()

    async def asynciojobs(self):
        a = aj.Job(quick("a"), coshutdown=hook("hook a"))
        b = aj.Job(quick("b"), coshutdown=hook("hook b"), required=a)
        return await aj.Scheduler(a, b, aj.Job(polite(), forever=True)).co_run()

    async def taskgroup(self):
        async with AsyncExitStack() as stack:
            stack.push_async_callback(hook, "hook a")
            stack.push_async_callback(hook, "hook b")
            async with asyncio.TaskGroup() as group:
                server = group.create_task(polite())
                await quick("a")
                await quick("b")
                server.cancel()
        return True


class Deaf(Situation):
    """The base: a job that swallows every cancellation, a polite one, and what ends the run."""

    rules = (8,)
    ends = FAILED
    tells = ("deaf",)
    timeout = None

    def end(self):
        """What ends the run."""
        raise NotImplementedError

    def flowdeco(self):
        jobs = fd.Job(deaf), fd.Job(polite()), fd.Job(self.end(), critical=True)
        self.scheduler = fd.Scheduler(*jobs, timeout=self.timeout, grace=0.5)
        return self.scheduler.orchestrate()

    def asynciojobs(self):
        jobs = aj.Job(deaf()), aj.Job(polite()), aj.Job(self.end(), critical=True)
        self.scheduler = aj.Scheduler(*jobs, timeout=self.timeout)
        return self.scheduler.run()

    def taskgroup(self):
        async def main():
            async with asyncio.timeout(self.timeout), asyncio.TaskGroup() as group:
                for job in deaf(), polite(), self.end():
                    group.create_task(job)

        return asyncio.run(main())


class DeafAndFailure(Deaf):
    """A job swallows every cancellation, and a critical one fails."""

    id = "X08 failure"
    tells = ("ValueError", "deaf")

    def end(self):
        return fails()


class DeafAndTimeout(Deaf):
    """A job swallows every cancellation, and the deadline comes."""

    id = "X08 timeout"
    raises = ("TimeoutError",)
    timeout = 0.1

    def end(self):
        return polite("step")


class DeafAndCtrlC(Deaf):
    """A job swallows every cancellation, and somebody presses Ctrl-C."""

    id = "X08 Ctrl-C"
    rules = (8, 12)
    ends = EXIT
    exits = (-2, 130)

    def end(self):
        return presses(signal.SIGINT)


class DeafService(Situation):
    """A service swallows every cancellation, and the last step has ended."""

    id = "X08 end"
    rules = (7, 8)
    tells = ("deaf",)

    def flowdeco(self):
        jobs = fd.Job(deaf, forever=True), fd.Job(quick())
        self.scheduler = fd.Scheduler(*jobs, grace=0.5)
        return self.scheduler.orchestrate()

    def asynciojobs(self):
        jobs = aj.Job(deaf(), forever=True), aj.Job(quick())
        self.scheduler = aj.Scheduler(*jobs)
        return self.scheduler.run()

    def taskgroup(self):
        async def main():
            async with asyncio.TaskGroup() as group:
                service = group.create_task(deaf())
                await quick()
                service.cancel()
            return True

        return asyncio.run(main())


class DeafAndCancel(Situation):
    """A job swallows every cancellation, and the run is cancelled from outside."""

    id = "X08 cancel"
    rules = (8, 11)
    ends = FAILED
    tells = ("TimeoutError",)
    leaves = 1  # the deaf one

    async def flowdeco(self):
        self.scheduler = fd.Scheduler(fd.Job(deaf), fd.Job(polite()), grace=0.5)
        async with asyncio.timeout(0.1):
            return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        self.scheduler = aj.Scheduler(aj.Job(deaf()), aj.Job(polite()))
        async with asyncio.timeout(0.1):
            return await self.scheduler.co_run()

    async def taskgroup(self):
        async with asyncio.timeout(0.1), asyncio.TaskGroup() as group:
            group.create_task(deaf())
            group.create_task(polite())


class NestedTimeout(Situation):
    """A run in a run in a run, and the deadline of the outermost comes."""

    id = "X18 timeout"
    rules = (9, 10, 21)
    ends = FAILED
    cleans = ("inner hook called", "outer hook called")
    raises = ("TimeoutError",)
    timeout = 0.1

    def outer(self):
        return polite("outer")

    async def flowdeco(self):
        deep = fd.Scheduler(fd.Job(polite(), shutdown=partial(hook, "inner hook")))
        outer = fd.Job(self.outer(), critical=True, shutdown=partial(hook, "outer hook"))
        self.scheduler = fd.Scheduler(fd.Scheduler(deep), outer, timeout=self.timeout)
        return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        deep = aj.Scheduler(aj.Job(polite(), coshutdown=hook("inner hook")))
        outer = aj.Job(self.outer(), critical=True, coshutdown=hook("outer hook"))
        self.scheduler = aj.Scheduler(aj.Scheduler(deep), outer, timeout=self.timeout)
        return await self.scheduler.co_run()

    async def deep(self):
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            stack.push_async_callback(hook, "inner hook")
            group.create_task(polite())

    async def middle(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deep())

    async def taskgroup(self):
        async with AsyncExitStack() as stack:
            stack.push_async_callback(hook, "outer hook")
            async with asyncio.timeout(self.timeout), asyncio.TaskGroup() as group:
                group.create_task(self.middle())
                group.create_task(self.outer())
        return True


class NestedFailure(NestedTimeout):
    """A run in a run in a run, and a critical job of the outermost fails."""

    id = "X18 failure"
    tells = ("ValueError",)
    raises = ()
    timeout = None

    def outer(self):
        return fails(seconds=0.1)

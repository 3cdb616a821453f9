"""Hooks that shut something down, on each way that a run can end, and hooks that misbehave."""

import asyncio
import signal
from contextlib import AsyncExitStack
from functools import partial

from survive.bodies import deaf, fails, hook, polite, presses, quick
from survive.contenders import aj, fd
from survive.situation import CANCELLED, EXIT, FAILED, Situation


class Ending(Situation):
    """The base: a server with a hook, and a critical step with one, which decides how it ends."""

    rules = (10,)
    cleans = ("server hook called", "step hook called")
    timeout = 5

    def step(self):
        """What ends the run."""
        raise NotImplementedError

    def with_flowdeco(self):
        server = fd.Job(polite(), forever=True, shutdown=partial(hook, "server hook"))
        step = fd.Job(self.step(), critical=True, shutdown=partial(hook, "step hook"))
        self.scheduler = fd.Scheduler(server, step, timeout=self.timeout)
        return self.scheduler

    def with_asynciojobs(self):
        server = aj.Job(polite(), forever=True, coshutdown=hook("server hook"))
        step = aj.Job(self.step(), critical=True, coshutdown=hook("step hook"))
        self.scheduler = aj.Scheduler(server, step, timeout=self.timeout)
        return self.scheduler

    async def by_hand(self):
        async with AsyncExitStack() as stack:
            stack.push_async_callback(hook, "server hook")
            stack.push_async_callback(hook, "step hook")
            async with asyncio.timeout(self.timeout), asyncio.TaskGroup() as group:
                server = group.create_task(polite())
                await group.create_task(self.step())
                server.cancel()
        return True

    def flowdeco(self):
        return self.with_flowdeco().orchestrate()

    def asynciojobs(self):
        return self.with_asynciojobs().run()

    def taskgroup(self):
        return asyncio.run(self.by_hand())


class AfterSuccess(Ending):
    """The shutdown hooks, after a success."""

    id = "S07 success"

    def step(self):
        return quick()


class AfterFailure(Ending):
    """The shutdown hooks, after a critical failure."""

    id = "S07 failure"
    ends = FAILED
    tells = ("ValueError",)

    def step(self):
        return fails()


class AfterTimeout(Ending):
    """The shutdown hooks, after the deadline."""

    id = "S07 timeout"
    ends = FAILED
    raises = ("TimeoutError",)
    timeout = 0.1

    def step(self):
        return polite("step")


class AfterCancel(Ending):
    """The shutdown hooks, after a cancellation from outside."""

    id = "S07 cancel"
    rules = (10, 11)
    ends = CANCELLED

    def step(self):
        return polite("step")

    async def cancelled(self, run):
        task = asyncio.create_task(run)
        await asyncio.sleep(0.1)
        task.cancel()
        return await task

    async def flowdeco(self):
        return await self.cancelled(self.with_flowdeco().co_orchestrate())

    async def asynciojobs(self):
        return await self.cancelled(self.with_asynciojobs().co_run())

    async def taskgroup(self):
        return await self.cancelled(self.by_hand())


class AfterExit(Ending):
    """The shutdown hooks, after `SystemExit(3)` in a job."""

    id = "S07 exit"
    rules = (10, 12)
    ends = EXIT
    exits = (3,)

    def step(self):
        return fails(SystemExit(3))


class AfterCtrlC(Ending):
    """The shutdown hooks, after Ctrl-C."""

    id = "R08"
    rules = (10, 12)
    ends = EXIT
    exits = (-2, 130)

    def step(self):
        return presses(signal.SIGINT)


class AfterTwoCtrlC(AfterCtrlC):
    """The shutdown hooks, after Ctrl-C and, as the clean-up takes long, another Ctrl-C."""

    id = "R09"
    cuts_short = True

    async def step(self):
        try:
            await presses(signal.SIGINT, 0.3)
        finally:
            await asyncio.sleep(30)

    def with_flowdeco(self):
        scheduler = super().with_flowdeco()
        scheduler.grace = 60
        return scheduler


class AfterSigterm(Ending):
    """The shutdown hooks, after SIGTERM, as service managers send it."""

    id = "R10"
    rules = (10, 12)
    ends = EXIT
    exits = (143,)

    def step(self):
        return presses(signal.SIGTERM)

    def asynciojobs(self):
        return asyncio.run(self.handled(self.with_asynciojobs().co_run()))

    def taskgroup(self):
        return asyncio.run(self.handled(self.by_hand()))

    async def handled(self, run):
        """What the documentation of asyncio has for signals."""
        this = asyncio.current_task()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
        try:
            return await run
        except asyncio.CancelledError:
            raise SystemExit(128 + signal.SIGTERM) from None


async def broken_hook():
    raise RuntimeError


async def hanging_hook():
    await asyncio.sleep(30)


class HookRaises(Situation):
    """One of two hooks raises: the other is called, and the error is told."""

    id = "S01"
    rules = (10, 20)
    cleans = ("other hook called",)
    tells = ("RuntimeError",)
    odd = staticmethod(broken_hook)

    async def flowdeco(self):
        a = fd.Job(quick("a"), shutdown=self.odd)
        b = fd.Job(quick("b"), shutdown=partial(hook, "other hook"))
        self.scheduler = fd.Scheduler(a, b, shutdown_timeout=0.5)
        return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        a = aj.Job(quick("a"), coshutdown=self.odd())
        b = aj.Job(quick("b"), coshutdown=hook("other hook"))
        self.scheduler = aj.Scheduler(a, b, shutdown_timeout=0.5)
        return await self.scheduler.co_run()

    async def bounded(self, shut_down, *given):
        async with asyncio.timeout(0.5):
            await shut_down(*given)

    async def taskgroup(self):
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.bounded, hook, "other hook")
            stack.push_async_callback(self.bounded, self.odd)
            async with asyncio.TaskGroup() as group:
                group.create_task(quick("a"))
                group.create_task(quick("b"))
        return True


class HookHangs(HookRaises):
    """One of two hooks does not end: the other is called, the run ends, and it is told."""

    id = "S02"
    tells = ("TimeoutError",)
    odd = staticmethod(hanging_hook)


class HookIsDeaf(HookRaises):
    """One of two hooks swallows its cancellation: the run ends, and it is told."""

    id = "S03"
    tells = ("TimeoutError",)
    leaves = 1  # the deaf one
    odd = staticmethod(deaf)

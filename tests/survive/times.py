"""Deadlines, clocks, and the window."""

import asyncio
import time

from survive.bodies import fails, polite, quick
from survive.contenders import aj, fd
from survive.situation import FAILED, Situation, accuse


class BusySteps(Situation):
    """Steps that never wait, one after the other: none starts after the deadline."""

    id = "T02"
    rules = (2, 5)
    ends = FAILED
    raises = ("TimeoutError",)
    timeout, count = 0.1, 40
    first = None
    late = 0

    async def busy(self):
        self.first = self.first or time.monotonic()
        self.late += time.monotonic() > self.first + self.timeout
        time.sleep(0.01)  # noqa: ASYNC251  # which is the trouble

    async def flowdeco(self):
        jobs = [fd.Job(self.busy) for _ in range(self.count)]
        return await fd.Scheduler(fd.Chain(*jobs), timeout=self.timeout).co_orchestrate()

    async def asynciojobs(self):
        jobs = [aj.Job(self.busy()) for _ in range(self.count)]
        return await aj.Scheduler(aj.Sequence(*jobs), timeout=self.timeout).co_run()

    async def taskgroup(self):
        async with asyncio.timeout(self.timeout):
            for _ in range(self.count):
                await self.busy()
        return True

    def afterwards(self):
        if self.late:
            accuse("lies", f"{self.late} of {self.count} steps started after the deadline")


class ClockForward(Situation):
    """The clock of the machine is set one hour forward: no deadline has come."""

    id = "T04 forward"
    rules = (5,)
    does = ("later ran",)
    raises = ("TimeoutError",)
    seconds, timeout = +3600, 5

    async def set_clock(self):
        real = time.time
        time.time = lambda: real() + self.seconds

    def later(self):
        return quick("later", 0.1)

    async def flowdeco(self):
        a, b = fd.Job(self.set_clock()), fd.Job(self.later())
        return await fd.Scheduler(a >> b, timeout=self.timeout).co_orchestrate()

    async def asynciojobs(self):
        sequence = aj.Sequence(aj.Job(self.set_clock()), aj.Job(self.later()))
        return await aj.Scheduler(sequence, timeout=self.timeout).co_run()

    async def taskgroup(self):
        async with asyncio.timeout(self.timeout):
            await self.set_clock()
            await self.later()
        return True


class ClockBack(ClockForward):
    """The clock of the machine is set one hour back: the deadline comes when it has to."""

    id = "T04 back"
    ends = FAILED
    does = ("later started",)
    seconds, timeout = -3600, 0.3

    def later(self):
        return polite("later")


class FailuresInWindow(Situation):
    """With a window of 1, jobs that are not critical fail: the place is given back each time."""

    id = "W01"
    rules = (3, 6)
    does = ("last ran",)

    async def flowdeco(self):
        jobs = fd.Job(fails()), fd.Job(fails()), fd.Job(quick("last"))
        return await fd.Scheduler(*jobs, window=1).co_orchestrate()

    async def asynciojobs(self):
        jobs = [aj.Job(job, critical=False) for job in (fails(), fails(), quick("last"))]
        return await aj.Scheduler(*jobs, jobs_window=1).co_run()

    async def taskgroup(self):
        window = asyncio.Semaphore(1)

        async def not_critical(job):
            async with window:
                try:
                    await job
                except ValueError as error:
                    print(repr(error))

        async with asyncio.TaskGroup() as group:
            for job in fails(), fails(), quick("last"):
                group.create_task(not_critical(job))
        return True


class ThreadPastTimeout(Situation):
    """A job blocks a thread, and the deadline comes: the process ends without waiting for it."""

    id = "R14"
    rules = (8,)
    ends = FAILED
    raises = ("TimeoutError",)
    tells = ("block",)

    def flowdeco(self):
        class Blocking(fd.Flow, grace=0.2):
            @fd.step
            def block(self):
                time.sleep(30)

        self.scheduler = Blocking().scheduler
        return self.scheduler.orchestrate(timeout=0.1)

    def asynciojobs(self):
        job = aj.Job(asyncio.to_thread(time.sleep, 30), label="block")
        return aj.Scheduler(job, timeout=0.1).run()

    def taskgroup(self):
        async def main():
            async with asyncio.timeout(0.1):
                await asyncio.to_thread(time.sleep, 30)

        return asyncio.run(main())

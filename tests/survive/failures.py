"""Jobs that fail, in ordinary and in odd ways."""

import asyncio
import io
import traceback
from contextlib import redirect_stdout

from survive.bodies import fails, polite, quick
from survive.contenders import aj, fd
from survive.situation import EXIT, FAILED, Situation


class TwoAtOnce(Situation):
    """Two critical jobs fail at the same time: both exceptions are to be found."""

    id = "F03"
    rules = (4, 14)
    ends = FAILED
    tells = ("KeyError", "ValueError")

    def jobs(self):
        # In one turn of the loop, however busy the machine is: two delays might end in two.
        moment = asyncio.Event()

        async def fails_then(error):
            await moment.wait()
            raise error

        async def tells():
            await asyncio.sleep(0.02)
            moment.set()

        return fails_then(KeyError()), fails_then(ValueError()), polite(), tells()

    async def flowdeco(self):
        self.scheduler = fd.Scheduler(*map(fd.Job, self.jobs()), critical=True)
        return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        self.scheduler = aj.Scheduler(*map(aj.Job, self.jobs()))
        return await self.scheduler.co_run()

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            for job in self.jobs():
                group.create_task(job)
        return True


class OneFails(Situation):
    """The base of those in which one critical job fails beside another job."""

    rules = (13,)
    ends = FAILED

    async def odd(self):
        """What is odd about the job that fails."""

    async def flowdeco(self):
        self.scheduler = fd.Scheduler(fd.Job(self.odd()), fd.Job(quick()), critical=True)
        return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        self.scheduler = aj.Scheduler(aj.Job(self.odd()), aj.Job(quick()))
        return await self.scheduler.co_run()

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.odd())
            group.create_task(quick())
        return True


class RaisesCancelled(OneFails):
    """A critical job raises `CancelledError`, and nobody has cancelled it."""

    id = "F08"

    async def odd(self):
        raise asyncio.CancelledError


class CancelsItself(OneFails):
    """A critical job cancels its own task."""

    id = "F09"

    async def odd(self):
        asyncio.current_task().cancel()
        await asyncio.sleep(1)


class CancelsAnother(Situation):
    """A job cancels the task of another one, which is critical."""

    id = "F10"
    rules = (13,)
    ends = FAILED
    does = ("canceller ran",)

    async def victim(self):
        self.task = asyncio.current_task()
        await asyncio.sleep(30)

    async def canceller(self):
        await asyncio.sleep(0.02)
        self.task.cancel()
        await quick("canceller", 0)

    async def flowdeco(self):
        victim = fd.Job(self.victim(), critical=True)
        self.scheduler = fd.Scheduler(victim, fd.Job(self.canceller()))
        return await self.scheduler.co_orchestrate()

    async def asynciojobs(self):
        victim = aj.Job(self.victim(), critical=True)
        self.scheduler = aj.Scheduler(victim, aj.Job(self.canceller(), critical=False))
        return await self.scheduler.co_run()

    async def taskgroup(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.victim())
            group.create_task(self.canceller())
        return True


class Falsy(Exception):
    """An exception of which `bool` says False."""

    def __bool__(self):
        return False


class RaisesFalsy(OneFails):
    """A critical job raises an exception that is falsy."""

    id = "F15"
    tells = ("Falsy",)

    async def odd(self):
        raise Falsy


class Unprintable(Exception):
    """An exception of which no text can be made."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class RaisesUnprintable(OneFails):
    """The text of an exception cannot be made, and what went wrong is printed."""

    id = "F16"
    rules = (14, 17)
    tells = ("Unprintable",)

    async def odd(self):
        raise Unprintable

    async def flowdeco(self):
        await super().flowdeco()
        return print(self.scheduler.report)

    async def asynciojobs(self):
        try:
            await super().asynciojobs()
        except Unprintable:
            with redirect_stdout(io.StringIO()):
                self.scheduler.debrief()
        return False

    async def taskgroup(self):
        try:
            await super().taskgroup()
        except* Unprintable as error:
            traceback.print_exception(error)
        return False


class Exits(Situation):
    """A job raises `SystemExit(3)`, beside a job that cleans up; the process exits with 3."""

    id = "F12"
    rules = (10, 12)
    ends = EXIT
    exits = (3,)
    error = SystemExit(3)

    def flowdeco(self):
        jobs = fd.Job(fails(self.error)), fd.Job(polite())
        return fd.Scheduler(*jobs).orchestrate()

    def asynciojobs(self):
        jobs = aj.Job(fails(self.error)), aj.Job(polite())
        return aj.Scheduler(*jobs).run()

    def taskgroup(self):
        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(fails(self.error))
                group.create_task(polite())

        return asyncio.run(main())


class Interrupts(Exits):
    """A job raises `KeyboardInterrupt`, beside a job that cleans up."""

    id = "F13"
    exits = (-2, 130)
    error = KeyboardInterrupt()

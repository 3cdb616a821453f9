"""Bodies for the jobs of tests: what a job can do to the run that it is part of."""

import asyncio
import contextlib
import logging
import threading

import pytest

from flowdeco import Job, Scheduler
from flowdeco.testing import VirtualClockLoop


def virtually(scheduler, timeout=None, **options):
    """Run under a virtual clock; return whether the run succeeded."""
    return scheduler.orchestrate(timeout, loop_factory=VirtualClockLoop, **options)


def states(*jobs):
    """The names of the states of jobs."""
    return [job.state.name for job in jobs]


def times(*jobs):
    """When jobs started."""
    return [job.started_at for job in jobs]


async def quick():
    """Return at once."""
    return "quick"


def sleeps(seconds, result=None):
    async def body():
        await asyncio.sleep(seconds)
        return result

    return body


def fails(seconds=0.0, error=None):
    async def body():
        await asyncio.sleep(seconds)
        raise ValueError("broken") if error is None else error

    return body


async def waits():
    """Wait for ever, and end when cancelled."""
    await asyncio.Event().wait()


async def swallows():
    """Swallow every cancellation, for ever."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


def swallows_times(count, result="ended"):
    async def body():
        left = count
        while left:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                left -= 1
        return result

    return body


def cleans_up(seconds, error=None):
    """Wait, and need some time for the clean-up after a cancellation."""

    async def body():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(seconds)
            body.cleaned = True
            if error is not None:
                raise error

    body.cleaned = False
    return body


class Diary:
    """Makes bodies that write down what happens, with the virtual time."""

    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append((asyncio.get_running_loop().time(), text))

    def step(self, name, seconds=0.0, error=None):
        async def body():
            self.note(f"{name} starts")
            await asyncio.sleep(seconds)
            self.note(f"{name} ends")
            if error is not None:
                raise error
            return name

        return body

    def service(self, name, up=0.0, down=0.0, error=None):
        async def body():
            await asyncio.sleep(up)
            self.note(f"{name} up")
            yield name
            self.note(f"{name} going down")
            await asyncio.sleep(down)
            self.note(f"{name} down")
            if error is not None:
                raise error

        return body

    def hook(self, name, seconds=0.0, error=None):
        async def body():
            self.note(f"{name} shuts down")
            await asyncio.sleep(seconds)
            if error is not None:
                raise error

        return body

    @property
    def texts(self):
        return [text for _, text in self.lines]


def nested(body, depth, **options):
    """A scheduler in a scheduler in a scheduler, with one job at the bottom."""
    inner = Job(body, label="bottom")
    for level in range(depth):
        inner = Scheduler(inner, label=f"level {level}", **options)
    return inner


def perform(flow, timeout=None, **options):
    """Run a flow under a virtual clock; return its report."""
    return flow.run(timeout, loop_factory=VirtualClockLoop, **options)


async def co_perform(flow, then=None, **options):
    """Run a flow in a task that is told what to do `then`: `{1.5: task.cancel}` by the clock."""
    task = asyncio.ensure_future(flow.co_run(**options))
    for when, act in (then or {}).items():
        asyncio.get_running_loop().call_at(when, act, task)
    return await task


def in_loop(coroutine):
    """Run a coroutine under a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(coroutine)


async def stopped_by_cancel(scheduler):
    """Begin a run, and cancel the task that awaits it after a second."""
    task = asyncio.create_task(scheduler.co_orchestrate())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def threads_for_plain_bodies():
    """The threads in which runs have plain bodies; one at work has the name of its job.

    In debug mode a run has one more, which watches the loop.
    """
    return [
        thread
        for thread in threading.enumerate()
        if thread.daemon and thread.name != "watch of flowdeco"
    ]


@contextlib.contextmanager
def exit_of_the_log(text, code=3):
    """Let a handler of the log raise `SystemExit` at each line that has this text."""

    class Exits(logging.Handler):
        def emit(self, record):
            if text in record.getMessage():
                raise SystemExit(code)

    logger, handler = logging.getLogger("flowdeco"), Exits()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)

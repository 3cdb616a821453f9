"""Small named jobs and schedulers of which the tests of schedulers are made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from flowdeco import AbstractJob, Job, Observer, Report, Scheduler
from flowdeco.testing import VirtualClockLoop


class BoomError(Exception):
    """What fails on purpose."""


async def sleeping(seconds, result=None):
    """Sleep, and return what is given, or else the seconds."""
    await asyncio.sleep(seconds)
    return seconds if result is None else result


async def failing(after=0.0, error=None):
    """Raise an error (`BoomError`), after a while."""
    await asyncio.sleep(after)
    raise BoomError("boom") if error is None else error


async def ticking(ticks, period):
    """Note a tick every `period` seconds, without end."""
    while True:
        ticks.append(asyncio.get_running_loop().time())
        await asyncio.sleep(period)


class Nap(AbstractJob[float]):
    """A job class of one's own, which sleeps and can be run again."""

    def __init__(self, seconds, **options):
        super().__init__(**options)
        self.seconds = seconds

    async def co_run(self):
        return await sleeping(self.seconds)


class Ticker(AbstractJob[None]):
    """A job class that never ends by itself."""

    def __init__(self, period, **options):
        super().__init__(forever=True, **options)
        self.period = period
        self.ticks = []

    async def co_run(self):
        await ticking(self.ticks, self.period)


def nap(label, seconds=0.25, **options):
    """A job that sleeps."""
    return Job(lambda: sleeping(seconds), label=label, **options)


def boom(label="boom", after=0.0, **options):
    """A job that fails."""
    return Job(lambda: failing(after), label=label, **options)


def naps(labels, seconds=0.25):
    """Jobs that sleep, one a label."""
    return [nap(label, seconds) for label in labels]


def noting(log, label, **options):
    """A job that notes its label when it runs."""

    async def note():
        log.append(label)

    return Job(note, label=label, **options)


def diamond(duration, name="", **options):
    """A scheduler of four jobs: one, then two at the same time, then one."""
    top = nap(f"top{name}", duration / 4)
    left, right = nap(f"left{name}", duration / 2), nap(f"right{name}", duration / 2)
    bottom = nap(f"bottom{name}", duration / 4)
    return Scheduler(top >> [left, right] >> bottom, **options)


def pipes(duration, count=2, **options):
    """A scheduler of several pairs of jobs, all pairs at the same time."""
    pairs = (
        nap(f"first{number}", duration / 2) >> nap(f"second{number}", duration / 2)
        for number in range(1, count + 1)
    )
    return Scheduler(*pairs, **options)


def orchestrate(scheduler, timeout=None, observers=()) -> bool:
    """Run a scheduler by a clock that does not wait."""
    return scheduler.orchestrate(timeout, loop_factory=VirtualClockLoop, observers=observers)


def virtually(coroutine):
    """Run a coroutine by a clock that does not wait."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(coroutine)


def duration(scheduler) -> float:
    """The seconds that the last run of a scheduler took."""
    report = scheduler.report
    assert isinstance(report, Report)
    return report.duration


def labels(jobs: Iterable[object]) -> list[str]:
    """The labels of jobs, in their order."""
    return [job.label for job in jobs]


class Starts(Observer):
    """Watches a run, and keeps the labels of what started, in order."""

    def __init__(self):
        self.labels = []

    def job_started(self, job):
        self.labels.append(job.label)

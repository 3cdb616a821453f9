"""Running flows, watching them, and reading reports."""

import asyncio
import datetime
import math
from collections.abc import Mapping
from typing import assert_type

from typing_extensions import override

from flowdeco import AbstractJob, Flow, Observer, Report, Scheduler, State, step
from flowdeco.errors import DefinitionError, NotFinishedError, SkippedError
from flowdeco.testing import VirtualClockLoop
from flowdeco.views.report import JobRecord


class Run(Flow):
    @step
    async def only(self) -> int:
        return 1


class Watch(Observer):
    """One may override what one is interested in."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @override
    def run_started(self, scheduler: Scheduler) -> None:
        self.seen.append(scheduler.name)

    @override
    def job_ended(self, job: AbstractJob[object]) -> None:
        assert_type(job.state, State)

    @override
    def run_ended(self, report: Report) -> None:
        assert_type(report.ok, bool)


class Bare(Observer):
    """`AbstractJob` alone is one with any result."""

    @override
    def job_started(self, job: AbstractJob) -> None:
        assert_type(job.result(), object)


def running(flow: Run) -> None:
    assert_type(flow.run(), Report)
    assert_type(flow.run(60), Report)
    assert_type(flow.run(timeout=None, window=None), Report)
    assert_type(flow.run(timeout=math.inf, window=3, observers=[Watch(), Bare()]), Report)
    assert_type(flow.run(observers=(Watch(),), loop_factory=asyncio.new_event_loop), Report)
    assert_type(flow.run(loop_factory=VirtualClockLoop), Report)
    assert_type(flow.run(timeout=60).raise_for_failure(), Report)
    if flow.run(timeout=5):
        assert_type(flow.only.result(), int)


async def awaiting(flow: Run) -> None:
    assert_type(await flow.co_run(), Report)
    assert_type(await flow.co_run(5, window=3, observers=[Watch()]), Report)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(flow.co_run())
    assert_type(task.result(), Report)


def reports(report: Report) -> None:
    assert_type(bool(report), bool)
    assert_type(str(report), str)
    assert_type(report.started_at, datetime.datetime)
    assert_type(report.duration, float)
    assert_type(report.jobs, tuple[JobRecord, ...])
    assert_type(report.failures, tuple[JobRecord, ...])
    assert_type(report.stuck[0].path, str)
    assert_type(report.jobs[0].state, State)
    assert_type(report.jobs[0].exception, BaseException | None)
    assert_type(report.jobs[0].requirements, tuple[str, ...])
    assert_type(report.shutdown_errors, Mapping[str, BaseException])
    assert_type(report.raise_for_failure(), Report)


def around(flow: Run) -> None:
    assert_type(flow.scheduler, Scheduler)
    assert_type(flow.scheduler.report, Report | None)
    assert_type(flow.to_dot(), str)
    flow.list()
    flow.debrief(details=True, silence_done_jobs=True)


def failing(flow: Run) -> None:
    try:
        flow.only.result()
    except SkippedError as skipped:
        assert_type(skipped, SkippedError)
    except NotFinishedError as unfinished:
        assert_type(str(unfinished), str)
    except DefinitionError as wrong:
        assert_type(isinstance(wrong, TypeError), bool)

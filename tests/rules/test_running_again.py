"""A scheduler that runs again, and one that is running already."""

import asyncio

import pytest
from actors import quick, sleeps, swallows_times, virtually

from flowdeco import Job, Scheduler
from flowdeco.errors import BusyError
from flowdeco.testing import VirtualClockLoop


def test_a_scheduler_runs_again_with_fresh_state():
    """R01: outcomes of the first run are gone from its jobs, and kept in its report."""
    results = iter([1, 2])

    async def body():
        return next(results)

    job = Job(body)
    scheduler = Scheduler(job)

    assert virtually(scheduler)
    first = scheduler.report
    assert virtually(scheduler)

    assert job.result() == 2
    assert "[[ -> 1]]" in str(first)


def test_a_second_run_at_the_same_time_is_refused_and_the_first_undisturbed():
    """R02 R07: and so are changes of the graph."""
    outcome = []

    async def body():
        for attempt in (
            scheduler.co_orchestrate(),
            scheduler.co_orchestrate(),
        ):
            with pytest.raises(BusyError):
                await attempt
        with pytest.raises(BusyError):
            scheduler.add(Job(quick))
        with pytest.raises(BusyError):
            scheduler.remove(other)
        with pytest.raises(BusyError):
            other.requires(job)
        outcome.append("refused")

    job, other = Job(body), Job(sleeps(1))
    scheduler = Scheduler(job, other)

    assert virtually(scheduler) is True
    assert job.raised_exception() is None
    assert outcome == ["refused"]


def test_what_a_stuck_job_does_later_does_not_disturb_a_new_run():
    """The earlier body still runs while the new one starts."""
    calls = []

    async def sometimes_stuck():
        calls.append(len(calls))
        if len(calls) == 1:
            await swallows_times(6)()
            await asyncio.sleep(3)
            return "old"
        await asyncio.sleep(50)
        return "new"

    job = Job(sometimes_stuck)
    scheduler = Scheduler(job, grace=1)

    async def main():
        first = await scheduler.co_orchestrate(1)
        second = await scheduler.co_orchestrate()
        return first, second, job.result()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == (False, True, "new")

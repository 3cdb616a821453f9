"""Rule 11: A cancellation from outside."""

import asyncio

import pytest
from actors import Diary, cleans_up, quick

from flowdeco import Job, Scheduler, State
from flowdeco.testing import VirtualClockLoop


def test_rule_11_a_cancel_from_outside_leaves_as_it_came():
    """X03: after the clean-up, with its message, and the count of requests untouched."""
    cleaning = cleans_up(1)
    result = {}

    async def main():
        scheduler = Scheduler(Job(cleaning))
        task = asyncio.create_task(scheduler.co_orchestrate())
        await asyncio.sleep(1)
        for _ in range(5):
            task.cancel("why")
            await asyncio.sleep(0.01)
        try:
            await task
        except asyncio.CancelledError as error:
            result.update(args=error.args, cancelling=task.cancelling())
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == 2.0
    assert result == {"args": ("why",), "cancelling": 5}
    assert cleaning.cleaned


def test_rule_11_a_timeout_written_round_the_run_works():
    """X02: it sees its own cancellation come back."""
    job = Job(cleans_up(1))

    async def main():
        async with asyncio.timeout(0.5):
            await Scheduler(job).co_orchestrate()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner, pytest.raises(TimeoutError):
        runner.run(main())
    assert job.state is State.CANCELLED


def test_rule_11_a_cancel_during_the_hooks_leaves_them_their_time():
    """X06: they keep the rest of the shutdown timeout."""
    diary = Diary()
    scheduler = Scheduler(Job(quick, shutdown=diary.hook("x", 0.5)))

    async def main():
        task = asyncio.create_task(scheduler.co_orchestrate())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == 0.5
    assert scheduler.report.shutdown_errors == {}
    assert scheduler.why() == "cancelled from outside"

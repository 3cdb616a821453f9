"""Rule 15: Which reason counts."""

import asyncio

import pytest
from actors import cleans_up, fails, virtually

from flowdeco import Job, Scheduler
from flowdeco.testing import VirtualClockLoop


@pytest.mark.parametrize("turns", [0, 1], ids=["before the failure", "after it"])
def test_rule_15_an_outer_cancel_comes_before_a_critical_failure(turns):
    """X05: in the same turn; the failure is kept."""
    error = ValueError("broken")

    async def fails_and_is_cancelled():
        await asyncio.sleep(1)
        if turns:
            asyncio.get_running_loop().call_soon(tasks[0].cancel)
        else:
            tasks[0].cancel()
        raise error

    job = Job(fails_and_is_cancelled, critical=True)
    scheduler = Scheduler(job)
    tasks = []

    async def main():
        tasks.append(asyncio.create_task(scheduler.co_orchestrate()))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(main())
    assert scheduler.why() == "cancelled from outside"
    assert [record.exception for record in scheduler.report.failures] == [error]


def test_rule_15_a_critical_failure_comes_before_a_timeout():
    """T08: also where the deadline comes during the drain."""
    scheduler = Scheduler(Job(fails(1), critical=True), Job(cleans_up(2)), timeout=2)

    assert virtually(scheduler) is False
    assert scheduler.failed_critical()
    assert not scheduler.failed_timeout()


def test_rule_15_a_critical_failure_in_the_turn_of_the_deadline_is_the_reason():
    """T08: the deadline comes to a run that ends already."""

    async def blocks_past_the_deadline():
        await asyncio.sleep(0.5)
        gate.set()
        asyncio.get_running_loop().leap(1)

    async def fails_then():
        await gate.wait()
        raise ValueError("broken")

    gate = asyncio.Event()
    scheduler = Scheduler(Job(blocks_past_the_deadline), Job(fails_then, critical=True), timeout=1)
    assert virtually(scheduler) is False
    assert scheduler.failed_critical()
    assert not scheduler.failed_timeout()


def test_rule_15_an_exit_during_the_drain_becomes_the_reason():
    """It leaves."""
    scheduler = Scheduler(Job(fails(1), critical=True), Job(cleans_up(1, SystemExit(9))))
    with pytest.raises(SystemExit):
        virtually(scheduler)

"""Rule 9: No task is left, and no job is lost."""

import asyncio

import pytest
from actors import nested, sleeps, swallows, virtually, waits

from flowdeco import Job, Scheduler
from flowdeco.testing import DeadlockError, VirtualClockLoop


def test_rule_9_a_run_leaves_no_timer():
    """Timeouts that did not come, of jobs and of runs, are forgotten."""
    loop = VirtualClockLoop()
    scheduler = Scheduler(Scheduler(Job(sleeps(1), timeout=50), timeout=60), timeout=70)

    assert loop.run_until_complete(scheduler.co_orchestrate())

    waiting = loop.create_task(waits())
    with pytest.raises(DeadlockError):
        loop.run_until_complete(waiting)
    assert loop.time() == 1
    waiting.cancel()
    loop.run_until_complete(asyncio.wait([waiting]))
    loop.close()


def test_rule_9_no_task_is_left_when_a_run_has_ended():
    """Nested runs included."""

    async def main():
        before = asyncio.all_tasks()
        inner = Scheduler(Job(waits), Job(waits, forever=True))
        outer = Scheduler(Scheduler(inner, label="middle"), Job(waits, forever=True), timeout=1)
        ok = await outer.co_orchestrate()
        return ok, asyncio.all_tasks() == before

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == (False, True)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_rule_9_a_nested_tree_is_drained_within_one_grace(depth):
    """X18: not one a level; the job at the bottom is stuck, those around it are not."""
    scheduler = nested(swallows, depth)

    assert virtually(scheduler, 1) is False

    assert scheduler.report.duration == 6.0
    assert [record.path.count("/") for record in scheduler.report.stuck] == [depth - 1]

"""Rule 14: No exception is lost."""

import asyncio
import gc

from actors import cleans_up, fails, swallows_times, virtually

from flowdeco import Job, Scheduler
from flowdeco.testing import VirtualClockLoop


def test_rule_14_what_a_timeout_in_a_clean_up_replaces_is_not_lost():
    """The failure that the body was about to end with is behind that of the timeout."""

    async def body():
        try:
            raise ValueError("first")
        finally:
            await asyncio.sleep(10)

    job = Job(body, timeout=1)
    assert virtually(Scheduler(job)) is True
    error = job.raised_exception()
    assert isinstance(error, TimeoutError)
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert str(error.__cause__.__context__) == "first"


def test_rule_14_what_a_stopped_job_raises_is_kept_and_is_not_the_reason():
    """F06 X07: it is in its job and in the report."""
    first, second = ValueError("first"), KeyError("in clean-up")
    boom, cleaning = Job(fails(1, first), critical=True), Job(cleans_up(1, second), critical=True)
    scheduler = Scheduler(boom, cleaning)

    assert virtually(scheduler) is False

    assert scheduler.report.reason.exception is first
    assert cleaning.raised_exception() is second
    assert [record.exception for record in scheduler.report.failures] == [first, second]


def test_rule_14_a_later_failure_of_a_stuck_job_is_logged(caplog):
    """It changes nothing else, and asyncio's handler is not called."""
    complaints = []

    async def late():
        try:
            await swallows_times(6)()
        finally:
            await asyncio.sleep(10)
            raise ValueError("much later")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        job = Job(late, label="late")
        scheduler = Scheduler(job, timeout=1, grace=1)
        await scheduler.co_orchestrate()
        before = job.state, job.ended_at, str(scheduler.report)
        await asyncio.sleep(100)
        gc.collect()
        return before == (job.state, job.ended_at, str(scheduler.report))

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) is True
    assert complaints == []
    assert "'late', which was stuck, has failed" in caplog.text
    assert "much later" in caplog.text

"""Section 4: `job.cancel()` ends what nobody wants any longer."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from flowdeco import (
    Flow,
    Job,
    Observer,
    Retry,
    Scheduler,
    State,
    current_job,
    each,
    service,
    step,
    subflow,
)
from flowdeco.errors import SelfCancelledError
from flowdeco.testing import VirtualClockLoop


def nap(label, seconds=10.0, **options):
    """A job that sleeps."""
    return Job(lambda: asyncio.sleep(seconds, label), label=label, **options)


def after(seconds, *jobs, **options):
    """A job that cancels others after some time, and keeps what they answered."""

    async def cancels():
        await asyncio.sleep(seconds)
        return [job.cancel() for job in jobs]

    return Job(cancels, label="cancels", **options)


def run(*jobs, timeout=None, observers=(), **options):
    """Run jobs on the virtual clock; return the report."""
    scheduler = Scheduler(*jobs, **options)
    scheduler.orchestrate(timeout, loop_factory=VirtualClockLoop, observers=observers)
    return scheduler.report


def test_a_job_at_work_has_failed():
    """It ends at once, with an error that says who has cancelled it; the run goes on."""
    job, other = nap("hangs"), nap("other", 20)
    by = after(3, job)
    report = run(job, other, by)
    assert report
    assert by.result() == [True]
    assert (job.state, job.ended_at) == (State.FAILED, 3)
    error = job.raised_exception()
    assert isinstance(error, SelfCancelledError)
    assert str(error).startswith("hangs: cancel() at ")
    assert "test_cancel.py:" in str(error)
    assert report.duration == 20


def test_a_critical_job_that_is_cancelled_ends_the_run():
    """It has failed, as any other."""
    job = nap("hangs", critical=True)
    report = run(job, nap("other"), after(3, job))
    assert report.reason.job is job
    assert report.duration == 3


def test_a_job_that_waits_for_a_place_has_failed_without_starting():
    """What comes after it starts, and the place is another's."""
    first, second, third = nap("first"), nap("second"), nap("third")
    follows = nap("follows", 0, required=second)
    by = after(1, second, forever=True)
    run(first, second, third, follows, by, window=1)
    assert (second.state, second.started_at, second.ended_at) == (State.FAILED, None, 1)
    assert third.started_at == 10
    assert follows.state is State.DONE


def test_there_may_be_nothing_to_cancel():
    """A job that has not been run, that waits for others, or has ended cannot be cancelled."""
    done, idle = nap("done", 0), nap("idle", 0)
    waits = nap("waits", 0, required=done)
    assert [done.cancel(), idle.cancel()] == [False, False]
    answers = []

    async def cancels():
        answers.append(waits.cancel())
        await asyncio.sleep(1)
        answers.append(done.cancel())

    slow = Job(cancels)
    late = nap("late", 0, required=slow)
    waits.requires(slow)
    run(done, waits, slow, late)
    assert answers == [False, False]
    assert waits.state is State.DONE


def test_a_cancelled_job_has_the_grace_for_its_clean_up():
    """What it raises there is the cause; it is cancelled again at the end of the grace."""

    async def cleans():
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(2)
            raise KeyError("clean-up")

    async def swallows():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            return "swallowed"

    one, two = Job(cleans, label="one"), Job(swallows, label="two")
    run(one, two, after(1, one, two))
    assert (one.state, one.ended_at) == (State.FAILED, 3)
    assert isinstance(one.raised_exception().__cause__, KeyError)
    assert (two.state, two.ended_at) == (State.FAILED, 1)
    assert isinstance(two.raised_exception(), SelfCancelledError)


def test_a_cancelled_job_that_does_not_end_is_stuck_and_has_failed():
    """Like one that is over its timeout."""

    async def stubborn():
        while True:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                pass

    job = Job(stubborn, label="stubborn")
    report = run(job, after(1, job), nap("other", 20), grace=4)
    assert job.state is State.STUCK
    assert isinstance(job.raised_exception(), SelfCancelledError)
    assert [record.path for record in report.failures] == ["stubborn"]


def test_a_cancelled_job_is_not_tried_again():
    """Neither in an attempt nor in a wait."""

    async def fails():
        await asyncio.sleep(1)
        raise ConnectionError

    retry = Retry(on=Exception, attempts=None, wait_jitter=0)
    at_work, waits = Job(fails, retry=retry), Job(fails, retry=retry)
    run(at_work, after(2.5, at_work))
    run(waits, after(1.5, waits))
    for job, ended_at in ((at_work, 2.5), (waits, 1.5)):
        assert isinstance(job.raised_exception(), SelfCancelledError)
        assert job.ended_at == ended_at
    assert (len(at_work.attempts), len(waits.attempts)) == (2, 1)


def test_a_body_may_cancel_its_own_job():
    """Also in its very first step."""

    async def gives_up():
        assert current_job().cancel()
        await asyncio.sleep(5)

    job = Job(gives_up)
    run(job)
    assert isinstance(job.raised_exception(), SelfCancelledError)
    assert job.ended_at == 0


class Parts(Flow):
    """What has jobs inside, and a service."""

    log: list[str]

    @service
    async def database(self) -> AsyncIterator[str]:
        yield "db"
        await asyncio.sleep(1)
        self.log.append("down")

    @step
    async def items(self) -> list[int]:
        return [1, 2]

    @each(items)
    async def fan(self, item: int) -> None:
        await asyncio.sleep(100 * item)

    @subflow
    def inner(self) -> Flow:
        return Inner()

    @step
    async def long(self) -> None:
        await asyncio.sleep(50)


class Inner(Flow):
    @step
    async def inside(self) -> None:
        await asyncio.sleep(100)


def test_what_is_inside_is_stopped():
    """A fan-out and a subflow end what is inside of them; a service is torn down."""
    flow = Parts(log=[])
    jobs = [flow.scheduler.find(name) for name in ("database", "fan", "inner")]

    async def main():
        task = asyncio.ensure_future(flow.co_run())
        await asyncio.sleep(10)
        assert [job.cancel() for job in jobs] == [True] * 3
        inside = flow.inner.inside
        report = await task
        return report, inside

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        report, inside = runner.run(main())
    assert report
    assert all(isinstance(job.raised_exception(), SelfCancelledError) for job in jobs)
    assert [job.ended_at for job in jobs] == [11, 10, 10]
    assert flow.log == ["down"]
    assert [child.state for child in flow.fan.children] == [State.CANCELLED] * 2
    assert inside.state is State.CANCELLED


def test_an_item_may_be_cancelled():
    """It has failed, and its fan-out with it."""
    flow = Parts(log=[])

    async def main():
        task = asyncio.ensure_future(flow.co_run())
        await asyncio.sleep(10)
        assert next(iter(flow.fan.children)).cancel()
        return await task

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main())
    assert [child.state for child in flow.fan.children] == [State.FAILED, State.DONE]


def test_a_run_is_ended_by_its_scheduler():
    """`co_run` returns a false report that says who has ended it; the flow can be run again."""
    flow = Parts(log=[])

    async def main():
        task = asyncio.ensure_future(flow.co_run())
        await asyncio.sleep(10)
        assert flow.scheduler.cancel()
        report = await task
        assert not flow.scheduler.cancel()
        return report

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        report = runner.run(main())
    assert not report
    assert report.reason.cause.name == "CANCELLED"
    assert str(report.reason).startswith("cancel() at ")
    assert report.duration == 11
    with pytest.raises(SelfCancelledError, match=r"Parts: cancel\(\) at"):
        report.raise_for_failure()
    assert flow.run(loop_factory=VirtualClockLoop)


def test_a_nested_scheduler_is_a_job():
    """Cancelled, it has failed, and the run around it goes on."""
    inner = Scheduler(nap("inside"), label="inner")
    other = nap("other")
    assert run(inner, other, after(2, inner))
    assert isinstance(inner.raised_exception(), SelfCancelledError)
    assert other.state is State.DONE


def test_another_thread_may_cancel():
    """The answer comes at once, and the job ends in its loop."""
    job, answers = nap("hangs", 60), []

    class Watch(Observer):
        def job_started(self, job):
            thread = threading.Thread(target=lambda: answers.append(job.cancel()))
            thread.start()
            thread.join()

    scheduler = Scheduler(job)
    assert scheduler.orchestrate(observers=[Watch()])
    assert answers == [True]
    assert isinstance(job.raised_exception(), SelfCancelledError)


def test_a_run_that_ends_is_not_disturbed():
    """Who cancels twice, or as the run ends, changes nothing."""
    job = nap("hangs")

    async def twice():
        await asyncio.sleep(1)
        assert [job.cancel(), job.cancel()] == [True, True]

    assert run(job, Job(twice))
    assert isinstance(job.raised_exception(), SelfCancelledError)
    report = run(job2 := nap("hangs"), after(3, job2), timeout=3)
    assert report.reason.cause.name == "TIMEOUT"

"""What can be asked of a job: its state, its times, its result."""

from __future__ import annotations

import asyncio
import functools

import pytest
from jobs import BoomError, Nap, boom, failing, nap, orchestrate, sleeping

from flowdeco import Job, PrintJob, Scheduler
from flowdeco.errors import NotFinishedError, SelfCancelledError


def all_flags(job):
    flags = ("is_idle", "is_scheduled", "is_running", "is_done")
    return [flag for flag in flags if getattr(job, flag)()]


def test_states_exclude_each_other():
    """A job is idle, scheduled, running or done: one of them at any time."""
    seen = {}
    jobs = [nap("first"), boom("failing", 0.125), nap("waiting"), nap("later")]
    jobs[3].requires(jobs[0])
    scheduler = Scheduler(*jobs, window=2)

    async def look():
        for moment in (0.0625, 0.1875, 0.3125, 9.0):
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            seen[moment] = [flag for job in jobs for flag in all_flags(job)]

    assert [all_flags(job) for job in jobs] == [["is_idle"]] * 4
    scheduler.add(Job(look, forever=True))
    orchestrate(scheduler)

    assert seen == {
        0.0625: ["is_running", "is_running", "is_scheduled", "is_idle"],
        0.1875: ["is_running", "is_done", "is_running", "is_idle"],
        0.3125: ["is_done", "is_done", "is_running", "is_running"],
    }
    assert [all_flags(job) for job in jobs] == [["is_done"]] * 4


def test_stopped_job_is_not_done():
    """What the run stopped has started and not completed: as in listings, it counts as running."""
    job, never = nap("a", 9.0), nap("b")
    orchestrate(Scheduler(job >> never, timeout=1))

    assert all_flags(job) == ["is_running"]
    assert all_flags(never) == ["is_idle"]


def test_times():
    """Times are seconds since the start of the run, and None where they have not come."""
    a, b, c = nap("a", 0.5), nap("b", 9.0), nap("c")
    assert (a.started_at, a.ended_at, a.duration) == (None, None, None)

    orchestrate(Scheduler(a >> b >> c, timeout=2))

    assert (a.started_at, a.ended_at, a.duration) == (0.0, 0.5, 0.5)
    assert (b.started_at, b.ended_at, b.duration) == (0.5, 2.0, 1.5)
    assert (c.started_at, c.ended_at, c.duration) == (None, None, None)


@pytest.mark.parametrize("value", [None, 0, False, "", [], BoomError("not raised")])
def test_result(value):
    """The result is what the body returned, falsy or not."""

    async def body():
        return value

    job = Job(body)
    orchestrate(Scheduler(job))

    assert job.result() is value
    assert job.raised_exception() is None


class FalsyError(Exception):
    def __bool__(self):
        return False


@pytest.mark.parametrize("error", [BoomError("boom"), FalsyError("falsy")])
def test_result_of_a_failed_job(error):
    """The job's own exception is raised each time, with a traceback that does not grow."""
    job = Job(lambda: failing(0.25, error))
    orchestrate(Scheduler(job))

    lengths = []
    for _ in range(3):
        with pytest.raises(type(error)) as caught:
            job.result()
        assert caught.value is error
        lengths.append(len(caught.traceback))

    assert job.raised_exception() is error
    assert len(set(lengths)) == 1


@pytest.mark.parametrize("ending", ["never run", "cancelled", "idle"])
def test_result_that_is_not_there(ending):
    """A job without a result raises `NotFinishedError`, which names it and its state."""
    first, second = nap("first", 9.0), nap("second")
    scheduler = Scheduler(first >> second, timeout=1)
    if ending != "never run":
        orchestrate(scheduler)
    job = first if ending == "cancelled" else second
    state = "cancelled" if ending == "cancelled" else "idle"

    with pytest.raises(
        NotFinishedError, match=f"'{job.label}' has no result: it is {state}"
    ) as caught:
        job.result()

    assert caught.value.job is job
    assert isinstance(caught.value, asyncio.InvalidStateError)
    assert job.raised_exception() is None


def test_result_read_by_a_job_that_does_not_come_after():
    """Read too early by another job, the error names both, and the requirement to add."""
    slow = nap("slow", 9.0)

    async def read():
        return slow.result()

    reader = Job(read, label="reader")
    orchestrate(Scheduler(slow, reader))

    assert isinstance(reader.raised_exception(), NotFinishedError)
    assert "'reader', which reads it, does not come after it" in str(reader.raised_exception())
    assert "reader.requires(slow)" in str(reader.raised_exception())


def test_job_that_cancels_itself():
    """A `CancelledError` of the job's own making is a failure like another."""
    job = Job(lambda: failing(0.25, asyncio.CancelledError("mine")), critical=True)
    scheduler = Scheduler(job)

    assert orchestrate(scheduler) is False

    assert isinstance(job.raised_exception(), SelfCancelledError)
    assert str(job.raised_exception().__cause__) == "mine"
    assert scheduler.failed_critical()


def test_repr():
    """The text of a job is its line in a listing, without number and requirements."""
    job = nap("work", critical=True)
    failed = boom("failed")
    before = repr(job)
    orchestrate(Scheduler(failed >> job))

    assert before == "⚠   ⚐   <Job `work`>"
    assert repr(job) == "⚠ ☉ ☓   <Job `work`>[[ -> 0.25]]"
    assert repr(failed) == "  ★ ☓   <Job `failed`>!! exception => BoomError:boom!!"


def test_name():
    """A job goes by its label, else by the name of its function, else by none."""
    assert nap("label").name == "label"
    assert Job(functools.partial(sleeping, 1)).name == "sleeping"
    assert Job(sleeping(1)).name == "sleeping"
    assert Nap(1).name == "NOLABEL"
    assert PrintJob("a", 1).name == "a 1"

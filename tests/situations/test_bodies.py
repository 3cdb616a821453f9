"""Bodies that meet a cancellation in every way that users write (rules 4, 8, 13, 14)."""

import asyncio
import contextlib
import sys

import pytest
from actors import (
    Diary,
    cleans_up,
    co_perform,
    fails,
    in_loop,
    quick,
    sleeps,
    states,
    swallows,
    virtually,
    waits,
)
from ticks import TickLoop

from flowdeco import Flow, Job, Scheduler, State, service, step
from flowdeco.errors import BusyError, SelfCancelledError


def stopped(body, at=1.0, **options):
    """A run that a critical failure ends; its job with that body, and the scheduler."""
    job = Job(body, label="job")
    scheduler = Scheduler(job, Job(fails(at), critical=True), **options)
    assert virtually(scheduler) is False
    assert scheduler.failed_critical()
    return job, scheduler


# Clean-up, and what comes of it


@pytest.mark.parametrize(
    ("seconds", "state", "duration"), [(0.5, State.CANCELLED, 1.5), (60, State.STUCK, 6.0)]
)
def test_a_clean_up_is_waited_for_within_the_grace(seconds, state, duration, caplog):
    """F04 F05: a short one completes before the run returns, a long one is cut and named."""
    body = cleans_up(seconds)
    job = Job(body, label="job")
    scheduler = Scheduler(job, Job(fails(1), critical=True))

    if state is State.STUCK:

        async def stubborn():
            try:
                await waits()
            finally:
                await swallows()

        job = Job(stubborn, label="job")
        scheduler = Scheduler(job, Job(fails(1), critical=True))

    assert virtually(scheduler) is False

    assert (job.state, scheduler.report.duration) == (state, duration)
    assert body.cleaned is (state is State.CANCELLED)
    assert ("'job' is stuck" in caplog.text) is (state is State.STUCK)
    assert scheduler.failed_critical()


async def catches_exceptions():
    try:
        await asyncio.sleep(60)
    except Exception:
        return "not a cancellation"


async def catches_all():
    try:
        await asyncio.sleep(60)
    except BaseException:
        pass
    return "value"


async def catches_bare():
    try:
        await asyncio.sleep(60)
    except:  # noqa: E722
        return "value"


async def suppresses():
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    return "value"


async def catches_and_awaits():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0.5)
    return "value"


async def catches_and_raises():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        raise KeyError("in its place") from None


# Python 3.14 warns of `return` in `finally`, so it is no code of this file.
returns_in_finally: dict = {}
if sys.version_info < (3, 14):
    exec(
        "import asyncio\n"
        "async def returns_in_finally():\n"
        "    try:\n        await asyncio.sleep(60)\n"
        "    finally:\n        return 'value'\n",
        returns_in_finally,
    )


@pytest.mark.parametrize(
    ("body", "state", "value"),
    [
        pytest.param(catches_exceptions, State.CANCELLED, None, id="except Exception"),
        pytest.param(catches_all, State.DONE, "value", id="except BaseException"),
        pytest.param(catches_bare, State.DONE, "value", id="bare except"),
        pytest.param(suppresses, State.DONE, "value", id="suppress"),
        pytest.param(catches_and_awaits, State.DONE, "value", id="awaits"),
        pytest.param(
            returns_in_finally.get("returns_in_finally"),
            State.DONE,
            "value",
            id="return in finally",
            marks=pytest.mark.skipif(not returns_in_finally, reason="Python warns of it"),
        ),
        pytest.param(catches_and_raises, State.FAILED, None, id="raises"),
    ],
)
def test_what_a_body_makes_of_its_cancellation(body, state, value):
    """X07 X10: what it returns or raises is kept; the verdict is that of the cause of the stop."""
    job, scheduler = stopped(body)

    assert job.state is state
    assert scheduler.report.reason.job is not job
    if state is State.DONE:
        assert job.result() == value
    if state is State.FAILED:
        assert isinstance(job.raised_exception(), KeyError)
        assert [record.path for record in scheduler.report.failures] == ["job", "body"]


def stopped_by_timeout(jobs):
    return Scheduler(*jobs, timeout=1), State.CANCELLED


def stopped_by_failure(jobs):
    return Scheduler(*jobs, Job(fails(1), critical=True)), State.CANCELLED


@pytest.mark.parametrize("end", [stopped_by_timeout, stopped_by_failure])
def test_a_body_that_swallows_for_ever_does_not_touch_the_others(end):
    """X08: it is stuck, the others are clean, their hooks are called, and the run ends on time."""
    called = []

    async def hook():
        called.append("hook")

    stuck = Job(swallows, label="bad")
    clean = Job(cleans_up(1), shutdown=hook)
    scheduler, state = end([stuck, clean])

    assert virtually(scheduler) is False
    assert (stuck.state, clean.state, called) == (State.STUCK, state, ["hook"])
    assert scheduler.report.duration == 6.0


def test_a_body_that_swallows_for_ever_does_not_swallow_the_cancel_of_its_run():
    """X08: an outer cancel leaves at the end of the grace, and names what is stuck."""

    class Bad(Flow):
        @step
        async def bad(self):
            while len(seen) < 7:  # the loop asks the last time, as it is closed
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    seen.append(asyncio.get_running_loop().time())

        @step
        async def clean(self):
            await waits()

    seen = []
    flow = Bad()

    async def main():
        with pytest.raises(asyncio.CancelledError, match="why"):
            await co_perform(flow, {1: lambda task: task.cancel("why")})
        return asyncio.get_running_loop().time()

    assert in_loop(main()) == 6.0
    assert [flow.bad.state, flow.clean.state] == [State.STUCK, State.CANCELLED]
    assert seen == pytest.approx([1.0, 5.0, 5.2, 5.4, 5.6, 5.8, 6.0])


# Cancelled before it has begun, or as it ends


def test_what_is_stopped_before_its_first_line_never_runs():
    """X11: it is idle, its hook sees that, and nothing is un-awaited."""
    lines, seen = [], []

    async def fails_at_once():
        raise ValueError

    async def body():
        lines.append("body")

    async def hook():
        seen.append([job.state.name for job in late])

    late = [Job(body, shutdown=hook), Job(body())]
    assert virtually(Scheduler(Job(fails_at_once, critical=True), *late)) is False

    assert lines == []
    assert seen == [["IDLE", "IDLE"]]
    assert [job.started_at for job in late] == [None, None]


def test_a_cancel_that_comes_with_a_result_that_is_ready_claims_no_success():
    """X12: the body has not had the result yet, and never will."""
    job = None

    async def body():
        return await ready

    async def boom():
        await asyncio.sleep(1)
        # In the turn in which the run learns of this failure, and before the body has its turn.
        asyncio.get_running_loop().call_soon(ready.set_result, "value")
        raise ValueError

    async def main():
        nonlocal ready, job
        ready = asyncio.get_running_loop().create_future()
        job = Job(body)
        scheduler = Scheduler(job, Job(boom, critical=True))
        assert await scheduler.co_orchestrate() is False

    ready = None
    in_loop(main())
    assert job.state is State.CANCELLED
    assert job.raised_exception() is None


# Scopes of asyncio within a body


async def in_task_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(waits())
        group.create_task(waits())


async def in_timeout():
    async with asyncio.timeout(60):
        await waits()


async def in_wait_for():
    await asyncio.wait_for(waits(), 60)


async def in_gather():
    await asyncio.gather(waits(), waits())


async def in_all_of_them():
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(in_wait_for())
        await asyncio.wait_for(in_task_group(), 60)


@pytest.mark.parametrize(
    "body", [in_task_group, in_timeout, in_wait_for, in_gather, in_all_of_them]
)
def test_a_scope_of_asyncio_in_a_body_ends_at_once(body):
    """X15: in few turns of the loop, and no time."""
    loop = TickLoop()
    job, boom = Job(body), Job(fails(1), critical=True)
    scheduler = Scheduler(job, boom)

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert job.state is State.CANCELLED
    assert scheduler.report.duration == 1.0
    assert loop.ticks < 50


def test_a_body_that_takes_its_cancel_back_is_no_endless_loop():
    """X16: `uncancel()` changes nothing for the run: it asks again, and gives up in the end."""
    loop = TickLoop()

    async def takes_back():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                asyncio.current_task().uncancel()

    job = Job(takes_back, label="job")
    scheduler = Scheduler(job, timeout=1)

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert job.state is State.STUCK
    assert scheduler.report.duration == 6.0
    assert loop.ticks < 100


def test_a_body_that_takes_its_cancel_back_once_and_returns_is_done():
    """X16: its value is kept."""

    async def takes_back():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
            await asyncio.sleep(0.5)
        return "value"

    job, scheduler = stopped(takes_back)
    assert (job.result(), scheduler.report.duration) == ("value", 1.5)


def test_a_cancel_of_the_task_of_a_job_that_has_ended_has_no_effect():
    """X19: neither on the job nor on the run that goes on."""
    tasks = []

    async def body():
        tasks.append(asyncio.current_task())
        return "value"

    async def later():
        await asyncio.sleep(1)
        return [task.cancel() for task in tasks]

    job, last = Job(body), Job(later)
    assert virtually(Scheduler(job, last))
    assert (job.result(), last.result()) == ("value", [False])


# What bodies return, and what hooks do


@pytest.mark.parametrize("kind", ["coroutine", "future"])
def test_an_awaitable_that_a_body_returns_is_its_result(kind, caplog):
    """F18: a coroutine is a value as any other, but one that was probably to be awaited."""

    async def forgotten():
        return 3

    async def body():
        if kind == "coroutine":
            return forgotten()
        return asyncio.get_running_loop().create_future()

    job = Job(body, label="forgetful")
    assert virtually(Scheduler(job))

    result = job.result()
    if kind == "coroutine":
        result.close()
        assert "'forgetful' is a coroutine; did its body forget an await?" in caplog.text
    else:
        assert isinstance(result, asyncio.Future)
        assert caplog.text == ""


def test_a_hook_cannot_add_jobs_and_its_tasks_are_ended():
    """S10: the run is not over yet; a task that a hook has made ends with the loop."""
    seen = []

    async def forgotten():
        try:
            await waits()
        finally:
            seen.append("ended")

    async def hook():
        with pytest.raises(BusyError):
            scheduler.add(Job(quick))
        seen.append(asyncio.ensure_future(forgotten()))
        await asyncio.sleep(0.1)

    scheduler = Scheduler(Job(quick, shutdown=hook))
    assert virtually(scheduler)
    assert seen[1:] == ["ended"]
    assert seen[0].done()
    assert len(scheduler) == 1


def test_a_critical_service_that_fails_ends_the_run_at_once():
    """V02: although steps run, and others wait."""

    class Served(Flow):
        @service(critical=True)
        async def server(self):
            await asyncio.sleep(1)
            raise ValueError("broken")

        @step
        async def running(self):
            await waits()

        @step(after=running)
        async def waiting(self): ...

    flow = Served()
    assert not virtually(flow.scheduler)
    assert flow.scheduler.report.reason.job is flow.server
    assert flow.scheduler.report.duration == 1.0
    assert states(flow.running, flow.waiting) == ["CANCELLED", "IDLE"]


# What is made outside of the run


@pytest.mark.parametrize("kind", [asyncio.Event, asyncio.Lock, asyncio.Queue])
def test_what_belongs_to_another_loop_is_a_failure_of_the_job_that_uses_it(kind):
    """R06: asyncio's own error, which says what is wrong; the other jobs go on."""

    async def use():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                if kind is asyncio.Lock:
                    await shared.acquire()
                    await shared.acquire()
                else:
                    await getattr(shared, "wait" if kind is asyncio.Event else "get")()

    shared = kind()
    in_loop(use())
    job, other = Job(use), Job(sleeps(2))
    assert virtually(Scheduler(job, other))

    assert isinstance(job.raised_exception(), RuntimeError)
    assert "is bound to a different event loop" in str(job.raised_exception())
    assert other.is_done()


def test_a_future_of_another_job_that_is_cancelled_is_a_failure_of_who_awaits_it():
    """F11: it has failed, and says that nobody asked it to end."""

    async def cancels():
        await asyncio.sleep(1)
        shared[0].cancel("gone")

    async def awaits():
        shared.append(asyncio.get_running_loop().create_future())
        await shared[0]

    shared = []
    job = Job(awaits)
    assert virtually(Scheduler(job, Job(cancels)))
    assert isinstance(job.raised_exception(), SelfCancelledError)
    assert job.raised_exception().__cause__.args == ("gone",)


def test_notes_of_a_run_that_is_stopped_come_in_order():
    """F04: clean-ups of all siblings run at the same time, and the hooks after them."""
    diary = Diary()

    def cleaning(name, seconds):
        async def body():
            try:
                await waits()
            finally:
                await asyncio.sleep(seconds)
                diary.note(name)

        return Job(body, shutdown=diary.hook(name))

    jobs = [cleaning("slow", 2), cleaning("quick", 1)]
    assert virtually(Scheduler(*jobs, Job(fails(1), critical=True))) is False
    assert diary.lines[:2] == [(2.0, "quick"), (3.0, "slow")]
    assert {when for when, _ in diary.lines[2:]} == {3.0}

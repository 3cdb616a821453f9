"""The hooks at the end of a run (rule 10)."""

from __future__ import annotations

import asyncio
import logging

import pytest
from actors import Diary, exit_of_the_log, quick, swallows_times, virtually, waits

from flowdeco import Job, Scheduler
from flowdeco.errors import SelfCancelledError
from flowdeco.testing import VirtualClockLoop


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


def called(loop, *hooks, then=0, timeout=1.0):
    """Run jobs with these hooks, and let some time pass.

    Returns:
        What went wrong in each hook, in their order, and when the run was over.
    """
    jobs = [Job(quick, label=str(number), shutdown=hook) for number, hook in enumerate(hooks)]
    scheduler = Scheduler(*jobs, label="whole", shutdown_timeout=timeout)

    async def main():
        assert await scheduler.co_orchestrate()
        over = loop.time()
        await asyncio.sleep(then)
        return over

    over = loop.run_until_complete(main())
    errors = scheduler.report.shutdown_errors
    return [errors.get(job.label) for job in jobs], over


async def fails_when_cancelled():
    try:
        await waits()
    finally:
        raise ValueError("in the hook")


def test_hooks_run_all_at_the_same_time(loop):
    """S06: each is called once, and nothing went wrong."""
    diary = Diary()

    errors, over = called(loop, diary.hook("a", 0.5), diary.hook("b", 0.25))

    assert diary.lines == [(0, "a shuts down"), (0, "b shuts down")]
    assert (errors, over) == ([None, None], 0.5)


def test_no_hooks_are_no_work(loop):
    """G10: a run without any is over at once."""
    assert called(loop) == ([], 0)


def test_what_a_hook_raises_when_its_time_is_over_is_the_cause(loop):
    """S02 S03: that it took too long is what went wrong."""
    errors, over = called(loop, fails_when_cancelled, waits)

    assert over == 1
    assert [type(error) for error in errors] == [TimeoutError] * 2
    assert isinstance(errors[0].__cause__, ValueError)
    assert "took longer than 1 s" in str(errors[0])


def test_a_hook_that_ends_after_it_was_given_up_is_told_of(loop, caplog):
    """S03: in the log; its error stays what it was."""

    async def late():
        await swallows_times(1)()
        await asyncio.sleep(5)

    (error,), over = called(loop, late, then=10)

    assert over == 1
    assert "did not end within 1 s" in str(error)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == [
        "the shutdown of '0' did not end within 1 s, although it was cancelled",
        "the shutdown of '0' ended late",
    ]


def test_a_run_that_is_abandoned_leaves_its_hooks_the_time_to_react(loop):
    """R09: they are cancelled at once, and waited for no longer than that."""
    hooks = (waits, swallows_times(2))
    jobs = [Job(quick, label=str(number), shutdown=hook) for number, hook in enumerate(hooks)]
    inner = Scheduler(*jobs, shutdown_timeout=50)

    async def body():
        await inner.co_orchestrate()

    async def main():
        assert await Scheduler(Job(body), timeout=1, grace=1).co_orchestrate() is False
        return loop.time()

    assert loop.run_until_complete(main()) == 2
    reacting, stubborn = (inner.report.shutdown_errors[job.label] for job in jobs)
    assert "took longer" in str(reacting)
    assert "did not end" in str(stubborn)
    (task,) = asyncio.all_tasks(loop)
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))


def test_a_hook_that_cancels_itself_has_failed(loop):
    """Rule 13: as a job has."""

    async def cancels():
        raise asyncio.CancelledError("why")

    (error,), _ = called(loop, cancels)

    assert isinstance(error, SelfCancelledError)
    assert error.__cause__.args == ("why",)


@pytest.mark.parametrize("error", [OSError, BaseException, asyncio.CancelledError])
def test_a_hook_for_which_no_task_can_be_made_has_failed(error, loop):
    """The others are called, and nobody waits for it, whatever the factory raises."""
    diary = Diary()

    def factory(loop, coroutine, **options):
        made.append("a task")
        if len(made) == 4:  # after those of the caller and of two bodies
            raise error("no task")
        return asyncio.Task(coroutine, loop=loop, **options)

    made = []
    loop.set_task_factory(factory)
    (raised, other), over = called(loop, quick, diary.hook("b", 0.5))

    assert over == 0.5
    assert diary.texts == ["b shuts down"]
    assert other is None
    if error is asyncio.CancelledError:
        assert isinstance(raised, SelfCancelledError)
        raised = raised.__cause__
    assert (type(raised), str(raised)) == (error, "no task")


def test_the_shutdown_of_a_scheduler_by_hand_tells_whether_all_went_well(loop):
    """S06: it calls the hooks of jobs that have not run, once, and waits for them."""
    diary = Diary()
    jobs = [Job(quick, shutdown=diary.hook("a", 0.5)), Job(quick, shutdown=fails_when_cancelled)]
    scheduler = Scheduler(*jobs)

    async def main():
        return await scheduler.co_shutdown(), await scheduler.co_shutdown(), loop.time()

    assert loop.run_until_complete(main()) == (False, False, 1)
    assert diary.texts == ["a shuts down"]
    assert all(job.is_idle() for job in jobs)


@pytest.mark.parametrize("hook", [fails_when_cancelled, swallows_times(9)])
def test_an_exit_of_the_log_when_it_is_told_of_a_hook_leaves(hook):
    """Rule 12: when the hooks have been called, as one of a body would."""
    diary = Diary()

    with exit_of_the_log("the shutdown of"), pytest.raises(SystemExit):
        virtually(Scheduler(Job(quick, shutdown=hook), Job(quick, shutdown=diary.hook("b", 1))))

    assert diary.texts == ["b shuts down"]


def test_the_drain_of_hooks_is_part_of_the_report():
    """S02: what went wrong is told of, and changes no verdict."""
    job = Job(quick, shutdown=fails_when_cancelled)
    scheduler = Scheduler(job)

    assert virtually(scheduler) is True

    (error,) = scheduler.report.shutdown_errors.values()
    assert isinstance(error.__cause__, ValueError)


def test_the_log_has_the_path_of_a_job_whose_hook_has_failed(caplog):
    """Rule 19: of one in a run that was cut short, or has never begun, as well."""
    late = Job(quick, shutdown=fails_when_cancelled, label="late")
    unbegun = Scheduler(Scheduler(late, label="deeper"), label="unbegun")
    first = Job(waits, label="first", shutdown=Diary().hook("x", error=ValueError("broken")))
    inner = Scheduler(first >> unbegun, label="inner")

    async def body():
        await inner.co_orchestrate()

    assert not virtually(Scheduler(Job(body, label="outer")), timeout=1)

    paths = {record.job for record in caplog.records if "the shutdown of" in record.getMessage()}
    assert paths == {"outer/first", "outer/unbegun/deeper/late"}

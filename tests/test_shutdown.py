"""The hooks at the end of a run, without a run (rule 10)."""

from __future__ import annotations

import asyncio
import contextvars
import logging

import pytest
from actors import Diary, quick, swallows_times, virtually, waits

from flowdeco import Job, Scheduler
from flowdeco.engine.drain import Sleeper
from flowdeco.engine.shutdown import Shutdown
from flowdeco.errors import SelfCancelledError
from flowdeco.testing import VirtualClockLoop


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


def called(loop, shutdown, *hooks, then=0):
    """Call hooks, and let some time pass; return the jobs, and when the call was over."""
    jobs = [Job(quick, shutdown=hook) for hook in hooks]

    async def main():
        await shutdown.call({job: job.name for job in jobs}, Sleeper(loop))
        over = loop.time()
        await asyncio.sleep(then)
        return over

    return jobs, loop.run_until_complete(main())


def make(loop, timeout=1.0):
    return Shutdown(loop, contextvars.copy_context(), timeout, "whole")


async def fails_when_cancelled():
    try:
        await waits()
    finally:
        raise ValueError("in the hook")


def test_hooks_run_all_at_the_same_time(loop):
    """S06: each is called once, and nothing went wrong."""
    diary, shutdown = Diary(), make(loop)

    _, over = called(loop, shutdown, diary.hook("a", 0.5), diary.hook("b", 0.25))

    assert diary.lines == [(0, "a shuts down"), (0, "b shuts down")]
    assert (over, shutdown.errors) == (0.5, {})


def test_no_hooks_are_no_work(loop):
    """G10: and there is nothing to hurry, before or after."""
    shutdown = make(loop)
    shutdown.hurry()

    assert called(loop, shutdown) == ([], 0)

    shutdown.hurry()
    assert shutdown.errors == {}


def test_what_a_hook_raises_when_its_time_is_over_is_the_cause(loop):
    """S02 S03: that it took too long is what went wrong."""
    shutdown = make(loop)

    (failing, patient), over = called(loop, shutdown, fails_when_cancelled, waits)

    assert over == 1
    errors = [shutdown.errors[job] for job in (failing, patient)]
    assert [type(error) for error in errors] == [TimeoutError] * 2
    assert isinstance(errors[0].__cause__, ValueError)
    assert "took longer than 1 s" in str(errors[0])


def test_a_hook_that_ends_after_it_was_given_up_is_told_of(loop, caplog):
    """S03: in the log; its error stays what it was."""

    async def late():
        await swallows_times(1)()
        await asyncio.sleep(5)

    shutdown = make(loop)

    (job,), over = called(loop, shutdown, late, then=10)

    assert over == 1
    assert "did not end within 1 s" in str(shutdown.errors[job])
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == [
        f"the shutdown of {job.name!r} did not end within 1 s, although it was cancelled",
        f"the shutdown of {job.name!r} ended late",
    ]


def test_to_hurry_leaves_hooks_the_time_to_react(loop):
    """R09: they are cancelled at once, and waited for no longer than that."""
    shutdown = make(loop, timeout=50)
    loop.call_at(2, shutdown.hurry)

    (reacting, stubborn), over = called(loop, shutdown, waits, swallows_times(2))

    assert over == 2
    assert "took longer" in str(shutdown.errors[reacting])
    assert "did not end" in str(shutdown.errors[stubborn])
    (task,) = asyncio.all_tasks(loop)
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))


def test_a_hook_that_cancels_itself_has_failed(loop):
    """Rule 13: as a job has."""

    async def cancels():
        raise asyncio.CancelledError("why")

    shutdown = make(loop)
    (job,), _ = called(loop, shutdown, cancels)

    error = shutdown.errors[job]
    assert isinstance(error, SelfCancelledError)
    assert error.__cause__.args == ("why",)


@pytest.mark.parametrize("error", [OSError, BaseException, asyncio.CancelledError, SystemExit])
def test_a_hook_for_which_no_task_can_be_made_has_failed(error, loop):
    """The others are called, and nobody waits for it, whatever the factory raises."""
    diary, shutdown = Diary(), make(loop)

    def factory(loop, coroutine, **options):
        if len(made) == 1:
            made.append(None)
            raise error("no task")
        made.append(None)
        return asyncio.Task(coroutine, loop=loop, **options)

    made = []
    loop.set_task_factory(factory)
    (failing, _), over = called(loop, shutdown, quick, diary.hook("b", 0.5))

    assert over == 0.5
    assert diary.texts == ["b shuts down"]
    assert list(shutdown.errors) == [failing]
    raised = shutdown.errors[failing]
    if error is asyncio.CancelledError:
        assert isinstance(raised, SelfCancelledError)
        raised = raised.__cause__
    assert (type(raised), str(raised)) == (error, "no task")


@pytest.mark.parametrize("hook", [fails_when_cancelled, swallows_times(9)])
def test_an_exit_of_the_log_when_it_is_told_of_a_hook_leaves(hook):
    """Rule 12: when the hooks have been called, as one of a body would."""
    diary = Diary()

    class Exits(logging.Handler):
        def emit(self, record):
            if "the shutdown of" in record.getMessage():
                raise SystemExit(3)

    logger, handler = logging.getLogger("flowdeco"), Exits()
    logger.addHandler(handler)
    try:
        with pytest.raises(SystemExit):
            virtually(Scheduler(Job(quick, shutdown=hook), Job(quick, shutdown=diary.hook("b", 1))))
    finally:
        logger.removeHandler(handler)

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

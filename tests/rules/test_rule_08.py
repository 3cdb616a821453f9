"""Rule 8: A run is bounded."""

import asyncio
import logging
import types

import pytest
from actors import (
    Diary,
    cleans_up,
    fails,
    quick,
    sleeps,
    states,
    swallows,
    swallows_times,
    virtually,
    waits,
)

from flowdeco import Job, Scheduler, State


@pytest.mark.parametrize(
    ("timeout", "others"),
    [
        (1, lambda: []),
        (None, lambda: [Job(fails(1), critical=True)]),
    ],
    ids=["timeout", "critical"],
)
def test_rule_8_a_job_that_swallows_every_cancel_is_stuck_and_the_run_ends(timeout, others, caplog):
    """X08 F05: at the end of the grace, with a warning that names it and its line."""
    stuck, clean = Job(swallows, label="bad"), Job(cleans_up(1))
    scheduler = Scheduler(stuck, clean, *others(), timeout=timeout, grace=3)

    with caplog.at_level(logging.WARNING, "flowdeco"):
        assert virtually(scheduler) is False

    assert scheduler.report.duration == 4.0
    assert states(stuck, clean) == ["STUCK", "CANCELLED"]
    assert [record.path for record in scheduler.report.stuck] == ["bad"]
    assert "'bad' is stuck" in caplog.text
    assert "actors.py" in caplog.text


def test_rule_8_a_job_that_spins_without_waiting_is_stuck_where_it_gives_way(caplog):
    """X08: where it awaits nothing but a turn of the loop, that is the line which is named."""

    @types.coroutine
    def turn():
        yield

    async def spins():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                break
        while True:
            try:
                await turn()
            except asyncio.CancelledError:
                pass

    scheduler = Scheduler(Job(spins, label="bad"), timeout=1, grace=0)
    assert virtually(scheduler) is False
    assert [record.path for record in scheduler.report.stuck] == ["bad"]
    line = turn.__code__.co_firstlineno + 2
    assert f"it stands at {__file__}:{line}" in caplog.text


def test_rule_8_a_service_that_swallows_every_cancel_does_not_hang_the_end():
    """X08: at the end of a run that succeeds; not critical, it changes no verdict (rule 20)."""
    stuck = Job(swallows, forever=True)
    scheduler = Scheduler(stuck, Job(quick), grace=3)

    assert virtually(scheduler) is True
    assert (scheduler.report.duration, stuck.state) == (3.0, State.STUCK)

    critical = Job(swallows, forever=True, critical=True)
    scheduler = Scheduler(critical, Job(quick), grace=3)
    assert virtually(scheduler) is False
    assert "stuck" in scheduler.why()


def test_rule_8_a_job_is_cancelled_once_and_again_only_in_the_last_fifth():
    """X09: five times there, at equal distances."""
    cancels = []

    async def body():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancels.append(round(asyncio.get_running_loop().time(), 6))

    virtually(Scheduler(Job(body), timeout=10, grace=5))

    assert cancels == [10.0, 14.0, 14.2, 14.4, 14.6, 14.8]


def test_rule_8_a_job_that_swallows_three_times_ends_in_the_last_fifth():
    """X09: it is not stuck."""
    job = Job(swallows_times(3))
    scheduler = Scheduler(job, timeout=1, grace=5)

    assert virtually(scheduler) is False
    assert (job.state, job.result()) == (State.DONE, "ended")
    assert scheduler.failed_timeout()
    assert 5.0 < job.ended_at < 6.0


def test_rule_8_steps_have_half_of_the_grace_when_there_are_services_to_stop():
    """And the services what is left; in a run that fails."""
    diary = Diary()
    stuck = Job(swallows)
    server = Job(diary.service("server", down=1.5), forever=True)
    scheduler = Scheduler(server, stuck, timeout=1, grace=4)

    assert virtually(scheduler) is False

    assert diary.lines[1:] == [(3.0, "server going down"), (4.5, "server down")]
    assert scheduler.report.duration == 4.5


def test_rule_8_a_teardown_may_take_all_of_the_grace_in_a_run_that_succeeds():
    """The deadline does not cut it."""
    diary = Diary()
    server = Job(diary.service("server", down=3.9), forever=True)
    scheduler = Scheduler(server, Job(sleeps(1)), timeout=2, grace=5)

    assert virtually(scheduler) is True
    assert diary.lines[-1] == (4.9, "server down")


def test_rule_8_a_teardown_that_does_not_end_is_cut_by_the_grace():
    """Then the next service has its turn."""
    diary = Diary()
    first = Job(diary.service("first"), forever=True)

    async def hanging():
        yield
        await swallows()

    last = Job(hanging, forever=True, required=first)
    scheduler = Scheduler(first, last, Job(quick, required=last), grace=4)

    assert virtually(scheduler) is True
    assert diary.lines[-1] == (2.0, "first down")
    assert states(first, last) == ["CANCELLED", "STUCK"]


def test_rule_8_tasks_and_generators_that_jobs_have_forgotten_are_ended():
    """X13 X14 R19: the verdict is not changed, and `run()` closes what is left."""
    ended = []

    async def background(name):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def generator():
        try:
            yield 1
            yield 2
        finally:
            ended.append("generator")

    async def forgets():
        forgets.task = asyncio.create_task(background("task"))
        forgets.shielded = asyncio.create_task(background("shielded"))
        forgets.generator = generator()
        await anext(forgets.generator)

    assert virtually(Scheduler(Job(forgets))) is True
    assert sorted(ended) == ["generator", "shielded", "task"]


def test_rule_8_a_forgotten_task_that_swallows_cancels_does_not_hang_the_close():
    """Its coroutine is closed, so that it ends."""

    async def forgets():
        forgets.task = asyncio.create_task(swallows())
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets), grace=1)) is True
    assert forgets.task.done()


def test_rule_8_a_timeout_that_comes_during_the_clean_up_changes_nothing():
    """T08: what the run has stopped was stopped by the run."""
    body = cleans_up(2)
    job = Job(body, timeout=2)

    assert virtually(Scheduler(Job(fails(1), critical=True), job)) is False

    assert (job.state, body.cleaned) == (State.CANCELLED, True)


def test_rule_8_without_a_grace_a_run_ends_at_once():
    """X08: what does not react to its cancellation is stuck then."""
    scheduler = Scheduler(Job(swallows), Job(waits), Job(swallows, forever=True), grace=0)

    assert virtually(scheduler, 1) is False

    assert scheduler.report.duration == 1
    assert len(scheduler.report.stuck) == 2


def test_rule_8_what_was_stopped_and_is_stuck_is_not_the_reason():
    """X08: the reason is why it was stopped."""
    timed_out, failed = Scheduler(Job(swallows)), Scheduler(Job(swallows))
    failed.add(Job(fails(1), critical=True))

    assert virtually(timed_out, 1) is virtually(failed) is False

    assert timed_out.failed_timeout()
    assert failed.failed_critical()


def test_rule_8_what_was_stopped_is_not_stopped_again():
    """T08: a job over its timeout cleans up in peace, though the run ends meanwhile."""
    body = cleans_up(2)
    job = Job(body, timeout=1)

    assert virtually(Scheduler(job, Job(waits)), 2) is False

    assert body.cleaned
    assert isinstance(job.raised_exception(), TimeoutError)
    assert job.raised_exception().__cause__ is None
    assert job.ended_at == 3


def test_rule_8_an_exit_during_the_clean_up_leaves():
    """F15: the job was over its timeout, which hides no exit."""
    with pytest.raises(SystemExit) as caught:
        virtually(Scheduler(Job(cleans_up(1, SystemExit(3)), timeout=1), Job(waits)))

    assert caught.value.code == 3


def test_rule_8_a_body_has_its_time_though_the_run_within_it_has_ended():
    """X18: the grace is that of the outer run, and not over with the first thing that has ended."""
    ended = []

    async def body():
        try:
            await Scheduler(Job(waits)).co_orchestrate()
        finally:
            await asyncio.sleep(2)
            ended.append(asyncio.get_running_loop().time())

    job = Job(body)
    assert virtually(Scheduler(job, timeout=1, grace=5)) is False
    assert (job.state, ended) == (State.CANCELLED, [3])


async def shields(run):
    """Begin a run, and keep every cancellation from it."""
    task = asyncio.ensure_future(run)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            pass


@pytest.mark.parametrize(
    ("inner", "state", "reason"),
    [
        (lambda: Scheduler(Job(waits)), "CANCELLED", "from outside"),
        (lambda: Scheduler(Job(swallows), grace=100), "STUCK", "from outside"),
        (
            lambda: Scheduler(Job(swallows), grace=100, timeout=0.5),
            "STUCK",
            "timed out after 0.5 s",
        ),
    ],
)
def test_rule_8_a_run_that_its_body_shields_ends_with_the_grace_around_it(inner, state, reason):
    """X18: whether it has begun to end by itself or not; its hooks are called with those around."""
    diary = Diary()
    run = inner()
    (job,) = run
    run.add(Job(quick, shutdown=diary.hook("inner", 0.5)))
    body = Job(lambda: shields(run.co_orchestrate()), shutdown=diary.hook("outer", 0.5))
    scheduler = Scheduler(body, timeout=1, grace=2)

    assert virtually(scheduler) is False

    assert sorted(diary.lines) == [(3.0, "inner shuts down"), (3.0, "outer shuts down")]
    assert scheduler.report.duration == 3.5
    assert states(body, job) == ["DONE", state]
    assert run.why().endswith(reason)


def test_rule_8_a_body_that_begins_one_run_after_the_other_is_stuck_in_the_end():
    """X18: nothing starts in a run that begins when the time of its body is over."""
    started = []

    async def inner():
        started.append(asyncio.get_running_loop().time())
        await waits()

    async def body():
        while job.state is State.RUNNING:
            try:
                await Scheduler(Job(inner)).co_orchestrate()
            except asyncio.CancelledError:
                pass

    job = Job(body)
    scheduler = Scheduler(job, Job(fails(1), critical=True), grace=2)

    assert virtually(scheduler) is False

    assert scheduler.report.duration == 3.0
    assert job.state is State.STUCK
    assert [round(moment, 6) for moment in started] == [0, 1, 2.6, 2.68, 2.76, 2.84, 2.92]


def test_rule_8_hooks_of_all_runs_within_a_body_end_with_the_grace_around_them():
    """Rule 10: of all those that it has begun and that go on, whichever have ended before."""
    ended = []

    async def hook():
        try:
            await waits()
        finally:
            ended.append(asyncio.get_running_loop().time())

    def slow_to_end():
        return Scheduler(Job(quick, shutdown=hook), shutdown_timeout=1000)

    async def body():
        runs = [slow_to_end(), Scheduler(Job(sleeps(1))), slow_to_end()]
        await asyncio.gather(*(run.co_orchestrate() for run in runs), return_exceptions=True)

    scheduler = Scheduler(Job(body), timeout=2, grace=5)
    assert virtually(scheduler) is False
    assert ended == [7, 7]
    assert scheduler.report.stuck == ()

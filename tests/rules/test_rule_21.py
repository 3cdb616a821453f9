"""Rule 21: Nested runs."""

import asyncio

import pytest
from actors import Diary, fails, quick, sleeps, swallows, swallows_times, virtually, waits

from flowdeco import Job, Observer, Scheduler, State
from flowdeco.testing import VirtualClockLoop


@pytest.mark.parametrize(
    ("inner", "outer", "blamed", "duration"),
    [(1, 2, "inner", 1.0), (2, 1, "outer", 1.0), (2, 2, "outer", 2.0)],
)
def test_rule_21_the_nearest_deadline_wins_and_is_blamed(inner, outer, blamed, duration):
    """T07: of equal ones the outer."""
    nested_ = Scheduler(Job(waits), timeout=inner, label="inner", critical=True)
    scheduler = Scheduler(nested_, timeout=outer, label="outer")

    assert virtually(scheduler) is False

    assert scheduler.report.duration == duration
    assert f"'{blamed}'" in str(scheduler.report.reason)


def test_rule_21_a_nested_scheduler_raises_where_it_would_return_false():
    """The inner critical exception itself, or a group of several."""
    error, second = ValueError("one"), KeyError("two")
    inner = Scheduler(Job(fails(0, error), critical=True))
    virtually(Scheduler(inner))
    assert inner.raised_exception() is error

    inner = Scheduler(Job(fails(1, error)), Job(fails(1, second)), jobs_critical=True)
    virtually(Scheduler(inner))
    assert inner.raised_exception().exceptions == (error, second)


def test_rule_21_a_run_that_begins_after_the_deadline_around_it_is_not_blamed():
    """T07: nothing starts in it, and it has not timed out: it had no deadline of its own."""
    loop = VirtualClockLoop()
    job = Job(quick)
    inner = Scheduler(job, timeout=10)

    async def late():
        loop.leap(2)
        return await inner.co_orchestrate()

    scheduler = Scheduler(Job(late), timeout=1, label="outer")

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert "'outer' timed out after 1 s" in str(scheduler.report.reason)
    assert (job.state, inner.failed_timeout()) == (State.IDLE, False)


def test_rule_21_a_step_that_ends_after_the_deadline_around_it_blames_that():
    """T05 T07: the nested run had no deadline of its own, or a later one."""
    for limit in (None, 50):
        loop = VirtualClockLoop()
        inner = Scheduler(Job(lambda loop=loop: leaps(loop, 2)), timeout=limit)
        outer = Scheduler(inner, timeout=1)

        assert outer.orchestrate(loop_factory=lambda loop=loop: loop) is False

        assert (inner.failed_timeout(), outer.failed_timeout()) == (False, True)


async def leaps(loop, seconds):
    loop.leap(seconds)


class Seen(Observer):
    """Which jobs an observer is told of."""

    def __init__(self):
        self.jobs = []

    def job_started(self, job):
        self.jobs.append(job)


def test_rule_21_a_run_in_the_loop_of_a_thread_is_not_nested():
    """Though its context is a copy of that of a job."""
    inner = Scheduler(Job(quick))
    outer, seen = Job(lambda: asyncio.to_thread(inner.orchestrate)), Seen()

    assert virtually(Scheduler(outer), observers=[seen])

    assert outer.result() is True
    assert seen.jobs == [outer]


def test_rule_21_a_run_within_a_job_that_has_ended_is_not_nested():
    """A task that the job has left behind runs what is its own."""
    tasks, inner = [], Scheduler(Job(quick))

    async def later():
        await asyncio.sleep(1)
        return await inner.co_orchestrate()

    async def leaves():
        tasks.append(asyncio.ensure_future(later()))

    async def hears():
        return await tasks[0]

    first, seen = Job(leaves), Seen()
    second = Job(hears, required=first)

    assert virtually(Scheduler(first, second), observers=[seen])

    assert second.result() is True
    assert seen.jobs == [first, second]


def test_rule_21_the_grace_that_ends_first_counts():
    """An inner run that drains by itself is cut by the enclosing one."""
    inner = Scheduler(Job(swallows), timeout=1, grace=100, label="inner")
    scheduler = Scheduler(inner, timeout=2, grace=3)

    assert virtually(scheduler) is False
    assert scheduler.report.duration == 5.0
    assert [record.path for record in scheduler.report.stuck] == ["inner/swallows"]


@pytest.mark.parametrize("limit", [1, None])
def test_rule_21_nested_jobs_are_cancelled_again_before_the_nearer_end(limit):
    """X09: in the last fifth of the grace that ends first, whether they drained already or not."""
    job = Job(swallows_times(3))
    inner = Scheduler(job, timeout=limit, grace=100)
    scheduler = Scheduler(inner, timeout=2, grace=5)

    assert virtually(scheduler) is False

    assert scheduler.report.stuck == ()
    assert job.ended_at == pytest.approx(6.2)  # after one cancel before: at 6, and at 6.2


def test_rule_21_services_of_a_nested_run_stop_when_its_own_steps_are_done():
    """Not with the enclosing run."""
    diary = Diary()
    inner = Scheduler(Job(diary.service("server"), forever=True), Job(diary.step("step", 1)))

    assert virtually(Scheduler(inner, Job(sleeps(5)))) is True
    assert diary.lines[-1] == (1.0, "server down")


def test_rule_21_a_scheduler_can_be_a_service():
    """V10: its tree is stopped with the steps around it done."""
    diary = Diary()
    inner = Scheduler(Job(diary.service("server", down=1), forever=True), Job(waits), forever=True)
    scheduler = Scheduler(inner, Job(sleeps(2)))

    assert virtually(scheduler) is True
    assert diary.lines[-1] == (3.0, "server down")


def test_rule_21_observers_of_the_outer_run_see_the_nested_jobs():
    """`run_*` are for the outermost run alone."""
    seen = []

    class Scribe(Observer):
        def run_started(self, scheduler):
            seen.append(f"run {scheduler.name}")

        def job_started(self, job):
            seen.append(f"start {job.name}")

        def job_ended(self, job):
            seen.append(f"end {job.name} {job.state.name}")

        def run_ended(self, report):
            seen.append(f"over {report.ok}")

    inner = Scheduler(Job(quick, label="job"), label="inner")
    virtually(Scheduler(inner, label="outer"), observers=[Scribe()])

    assert seen == [
        "run outer",
        "start inner",
        "start job",
        "end job DONE",
        "end inner DONE",
        "over True",
    ]

"""What the log says of ends, word by word (rule 19)."""

from __future__ import annotations

import asyncio
import logging

import pytest
from actors import exit_of_the_log, fails, quick, swallows_times, waits

from flowdeco import Flow, Job, Observer, Scheduler, each, service, step
from flowdeco.errors import StuckError
from flowdeco.testing import VirtualClockLoop


@pytest.fixture
def logged(caplog):
    """Run a scheduler or flow; return the lines from INFO on."""
    caplog.set_level(logging.INFO, "flowdeco")

    def run(subject, **options):
        if isinstance(subject, Flow):
            subject.run(loop_factory=VirtualClockLoop, **options)
        else:
            subject.orchestrate(loop_factory=VirtualClockLoop, **options)
        return [record.getMessage() for record in caplog.records]

    return run


def failing(label, error, **options):
    """Return a job that raises this."""
    return Job(fails(0, error), label=label, **options)


# Failures


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("broken"), "ValueError: broken"),
        (ValueError(), "ValueError"),
        (ExceptionGroup("all", [ValueError(1), KeyError()]), "ValueError: 1, KeyError"),
        (
            ExceptionGroup("all", [ValueError(number) for number in range(3)]),
            "ValueError: 0, ValueError: 1, ValueError: 2",
        ),
        (
            ExceptionGroup("all", [ValueError(1), ExceptionGroup("more", [OSError(2)] * 4)]),
            "ValueError: 1, OSError: 2, OSError: 2 and 2 more",
        ),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_a_failure_that_does_not_end_the_run(logged, error, text):
    """Its exception in a line; of a group those in it, three at most."""
    assert logged(Scheduler(failing("a", error))) == [f"'a' failed with {text}"]


def test_jobs_that_have_not_failed_are_not_worth_a_line(logged):
    """Neither what was stopped nor what is done; the run that timed out is."""
    scheduler = Scheduler(Job(waits), Job(quick), Job(waits, forever=True), label="all")

    assert logged(scheduler, timeout=1) == ["'all' failed after 1.000 s: 'all' timed out after 1 s"]


def test_a_job_that_was_late_and_is_stuck_is_told_of_as_stuck(logged):
    """Once, though it has failed as well."""
    scheduler = Scheduler(Job(swallows_times(9), label="deaf", timeout=1), grace=1, label="all")

    lines = logged(scheduler)

    assert [line.partition(" is stuck:")[0] for line in lines[:1]] == ["'deaf'"]
    assert not [line for line in lines if "'deaf' failed" in line]


@pytest.mark.parametrize(
    ("error", "text"), [(ValueError("broken"), "ValueError: broken"), (KeyError(), "KeyError")]
)
def test_a_failure_that_ends_the_run_is_told_of_with_it(logged, error, text):
    """In one line, and not for itself."""
    scheduler = Scheduler(failing("a", error, critical=True), Job(waits), label="all")

    assert logged(scheduler) == [f"'all' failed after 0.000 s: critical job 'a' failed with {text}"]


def test_a_critical_failure_after_that_which_ended_the_run_has_a_line(logged):
    """It is not the reason, and nobody else tells of it."""

    async def fails_when_stopped():
        try:
            await asyncio.sleep(9)
        finally:
            raise LookupError("second")

    jobs = [
        failing("first", ValueError("broken"), critical=True),
        Job(fails_when_stopped, label="second", critical=True),
    ]

    assert logged(Scheduler(*jobs, label="all")) == [
        "'second' failed with LookupError: second",
        "'all' failed after 0.000 s: critical job 'first' failed with ValueError: broken",
    ]


# Of runs within


@pytest.mark.parametrize("critical", [False, True])
def test_the_failure_of_a_nested_scheduler_is_told_of_once(logged, critical):
    """Where it arose, unless the outermost run fails because of it."""
    inner = Scheduler(
        failing("a", ValueError("broken"), critical=True), label="inner", critical=critical
    )

    lines = logged(Scheduler(inner, label="all"))

    if critical:
        text = "critical job 'inner' failed with ValueError"
        assert lines == [f"'all' failed after 0.000 s: {text}: broken"]
    else:
        assert lines == ["'a' failed with ValueError: broken"]


def test_a_body_does_as_it_likes_with_the_run_that_it_has_begun(logged):
    """So what has failed in there has a line of its own, whatever becomes of the body."""
    inner = Scheduler(failing("a", ValueError("broken"), critical=True), label="inner")

    async def begins():
        assert await inner.co_orchestrate() is False
        raise LookupError("own")

    assert logged(Scheduler(Job(begins, label="begins", critical=True), label="all")) == [
        "'a' failed with ValueError: broken",
        "'all' failed after 0.000 s: critical job 'begins' failed with LookupError: own",
    ]


def test_a_body_that_passes_a_failure_on_has_no_line_of_its_own(logged):
    """Its exception was told of inside; one more in a group is told of."""
    inner = Scheduler(failing("a", ValueError("broken"), critical=True), label="inner")

    async def passes_on():
        await inner.co_orchestrate()
        inner.report.raise_for_failure()

    async def adds():
        await inner.co_orchestrate()
        raise ExceptionGroup("both", [inner.failed_critical_error(), LookupError("own")])

    inner.failed_critical_error = lambda: inner.report.failures[0].exception

    passed = logged(Scheduler(Job(passes_on, label="passes on")))
    assert passed == ["'a' failed with ValueError: broken"]
    added = logged(Scheduler(Job(adds, label="adds")))[len(passed) :]
    assert added == [
        "'a' failed with ValueError: broken",
        "'adds' failed with ValueError: broken, LookupError: own",
    ]


class Sweep(Flow):
    """Goes over numbers, of which some fail."""

    bad: tuple[int, ...]
    numbers_: object = (0, 1, 2, 3)

    @step
    async def numbers(self):
        return self.numbers_

    @each(numbers)
    async def ping(self, number):
        if number in self.bad:
            raise ValueError(number)


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ((1,), "'ping' failed, as an item failed with ValueError: 1"),
        ((1, 3), "'ping' failed, as 2 items failed with ValueError: 1, ValueError: 3"),
    ],
)
def test_a_fan_out_has_one_line_for_all_items(logged, bad, text):
    """With their number."""
    assert logged(Sweep(bad=bad)) == [text]


def test_a_fan_out_that_fails_by_itself(logged):
    """It has no items."""
    (line,) = logged(Sweep(bad=(), numbers_=3))

    assert line.startswith("'ping' failed with TypeError: 'ping' goes over 'numbers'")


# Hooks


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("broken"), "has failed, with ValueError: broken"),
        (
            asyncio.CancelledError(),
            "has failed, with SelfCancelledError: the shutdown of 'a' was cancelled",
        ),
    ],
)
def test_a_hook_that_fails_has_a_line(logged, error, text):
    """One that does not has none."""
    jobs = [Job(quick, label="a", shutdown=fails(0, error)), Job(quick, shutdown=quick)]

    assert logged(Scheduler(*jobs)) == [f"the shutdown of 'a' {text}"]


@pytest.mark.parametrize(
    ("error", "text"), [(ValueError("late"), ", with ValueError: late"), (None, "")]
)
def test_a_hook_that_ends_late_has_another_line(caplog, error, text):
    """With what it has raised, unless that is an answer to the cancellation."""

    async def late():
        await swallows_times(1)()
        await asyncio.sleep(5)
        raise error or asyncio.CancelledError

    async def main():
        await Scheduler(Job(quick, label="a", shutdown=late)).co_orchestrate()
        await asyncio.sleep(10)

    loop = VirtualClockLoop()
    loop.run_until_complete(main())
    loop.close()

    assert [record.getMessage() for record in caplog.records] == [
        "the shutdown of 'a' did not end within 1 s, although it was cancelled",
        f"the shutdown of 'a' ended late{text}",
    ]


def test_the_task_of_a_hook_has_the_path_of_its_job():
    """As that of the body has (rule 18)."""
    names = []

    async def hook():
        names.append(asyncio.current_task().get_name())

    inner = Scheduler(Job(quick, label="a", shutdown=hook), label="inner")
    Scheduler(inner).orchestrate(loop_factory=VirtualClockLoop)

    assert names == ["inner/a"]


# Services


class Held(Flow, grace=1.111):
    """Has a service whose teardown takes too long."""

    error: BaseException | None = None

    @service
    async def db(self):
        yield 1
        try:
            await asyncio.sleep(9)
        finally:
            if self.error is not None:
                raise self.error

    @step(after=db)
    async def use(self, number):
        return number


def test_a_teardown_that_was_cut_short_says_after_how_long_and_where(logged):
    """To hundredths of a second, in the user's line; a cancellation is no cause."""
    flow = Held()

    (line,) = logged(flow)

    line, _, place = line.rpartition("; it stood at ")
    assert line == "the teardown of db was cut short after 0.89 s"
    assert place.startswith(__file__)
    assert flow.db.raised_exception().__cause__ is None


def test_what_a_teardown_raises_when_it_is_cut_short_is_the_cause():
    """It is not lost."""
    flow = Held(error=ValueError("broken"))

    flow.run(loop_factory=VirtualClockLoop)

    assert isinstance(flow.db.raised_exception().__cause__, ValueError)


def test_a_service_that_may_be_stuck_is_not_among_what_is_raised():
    """Only steps and critical services decide (rule 20)."""
    deaf = Job(swallows_times(9), label="deaf")
    quiet = Job(swallows_times(9), label="quiet", forever=True)
    scheduler = Scheduler(deaf, quiet, grace=1)
    scheduler.orchestrate(1, loop_factory=VirtualClockLoop)

    with pytest.raises(StuckError) as caught:
        scheduler.report.raise_for_failure()
    assert caught.value.jobs == (deaf,)


# Observers


class Names(Observer):
    """Notes the jobs that start; raises if it is told to."""

    def __init__(self, error=None):
        self.names = []
        self.error = error

    def job_started(self, job):
        self.names.append(job.name)
        if self.error is not None:
            raise self.error

    def __repr__(self):
        return "names"


def test_observers_of_a_run_within_and_those_around_it_are_told():
    """The own ones of its jobs alone, the outer ones of all."""
    own, outer = Names(), Names()
    inner = Scheduler(Job(quick, label="a"))

    async def begins():
        await inner.co_orchestrate(observers=[own])

    scheduler = Scheduler(Job(begins, label="begins"))
    assert scheduler.orchestrate(observers=[outer], loop_factory=VirtualClockLoop)

    assert (own.names, outer.names) == (["a"], ["begins", "a"])


def test_an_observer_that_raises_is_told_of_nothing_more(logged):
    """The line has the place in its own code; the others go on."""
    broken, fine = Names(ValueError("x")), Names()

    (line,) = logged(
        Scheduler(Job(quick, label="a"), Job(quick, label="b")), observers=[broken, fine]
    )

    assert (broken.names, fine.names) == (["a"], ["a", "b"])
    told, _, place = line.partition(", at ")
    assert told == "observer names raised ValueError: x"
    number = Names.job_started.__code__.co_firstlineno + 3
    assert place == f"{__file__}:{number}; it is disabled for this run"


def test_the_first_exit_of_several_observers_is_the_one_that_leaves():
    """All of them are told."""
    observers = [Names(SystemExit(1)), Names(SystemExit(2))]

    with pytest.raises(SystemExit) as caught:
        Scheduler(Job(quick)).orchestrate(observers=observers, loop_factory=VirtualClockLoop)

    assert caught.value.code == 1
    assert [len(observer.names) for observer in observers] == [1, 1]


def test_an_exit_of_the_log_when_it_is_told_of_an_observer_leaves():
    """As one of the observer itself would."""
    observers = [Names(ValueError("x"))]
    with exit_of_the_log("is disabled", 4), pytest.raises(SystemExit) as caught:
        Scheduler(Job(quick)).orchestrate(observers=observers, loop_factory=VirtualClockLoop)

    assert caught.value.code == 4


# What is seen of a run besides


@pytest.mark.parametrize("options", [{}, {"timeout": 9}])
def test_a_result_that_is_a_coroutine_is_warned_of(logged, options):
    """An await was forgotten; the job is done all the same."""
    inner = quick()

    async def forgets():
        return inner

    job = Job(forgets, label="forgets", **options)

    assert logged(Scheduler(job)) == [
        "the result of 'forgets' is a coroutine; did its body forget an await?"
    ]
    assert job.result() is inner
    inner.close()


def test_a_run_within_knows_when_it_has_started():
    """By the clock on the wall: as much later as its job has started."""
    inner = Scheduler(Job(quick, label="a"))

    async def begins():
        await asyncio.sleep(100)
        await inner.co_orchestrate()

    outer = Scheduler(Job(begins))
    assert outer.orchestrate(loop_factory=VirtualClockLoop)

    later = inner.report.started_at - outer.report.started_at
    assert later.total_seconds() == pytest.approx(100, abs=0.001)

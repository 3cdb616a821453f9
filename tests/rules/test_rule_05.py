"""Rule 5: Time limits."""

import math

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
from flowdeco.errors import StuckError
from flowdeco.testing import VirtualClockLoop


@pytest.mark.parametrize("timeout", [None, math.inf, 1e300, 25 * 24 * 3600.0])
def test_rule_5_no_limit_and_far_limits(timeout):
    """T10 G20: None and infinity are no limit, and huge ones break no timer."""
    assert virtually(Scheduler(Job(sleeps(3)), timeout=timeout)) is True


def test_rule_5_a_timeout_of_zero_fails_at_once_without_running_a_body():
    """G20: nothing starts, and the shutdown hooks are called all the same."""
    diary = Diary()
    job = Job(diary.step("x"), shutdown=diary.hook("x"))
    scheduler = Scheduler(job, timeout=0)

    assert virtually(scheduler) is False

    assert scheduler.failed_timeout()
    assert diary.texts == ["x shuts down"]
    assert job.state is State.IDLE


@pytest.mark.parametrize(
    ("bad", "error"),
    [(-1, ValueError), (math.nan, ValueError), ("5", TypeError), (True, TypeError)],
)
@pytest.mark.parametrize("make", [lambda t: Job(quick, timeout=t), lambda t: Scheduler(timeout=t)])
def test_rule_5_bad_timeouts_are_errors_when_given(make, bad, error):
    """G20: negative, nan, bool and str never reach a run."""
    with pytest.raises(error, match="timeout"):
        make(bad)
    with pytest.raises(error, match="timeout"):
        Scheduler(Job(quick)).orchestrate(bad)


def test_rule_5_the_run_is_stopped_at_the_deadline():
    """T01: exactly then."""
    job = Job(waits)
    scheduler = Scheduler(job, timeout=0.3)

    assert virtually(scheduler) is False

    assert (scheduler.report.duration, job.state) == (0.3, State.CANCELLED)
    with pytest.raises(TimeoutError):
        scheduler.report.raise_for_failure()


def test_rule_5_no_time_at_all_is_a_failure_at_once():
    """Also of a run that has nothing to do, and before services come up."""
    job, server = Job(quick), Job(waits, forever=True)

    assert virtually(Scheduler(timeout=0)) is False
    assert virtually(Scheduler(job, server), 0) is False
    assert states(job, server) == ["IDLE", "IDLE"]


def test_rule_5_a_step_that_ends_at_the_very_deadline_counts():
    """T03: in every order of the two timers."""
    assert virtually(Scheduler(Job(sleeps(1)), timeout=1)) is True
    assert virtually(Scheduler(*(Job(sleeps(1)) for _ in range(50)), timeout=1)) is True


def test_rule_5_a_last_step_that_ends_after_the_deadline_has_timed_out():
    """T05: although nothing was left to stop."""
    loop = VirtualClockLoop()

    async def blocks():
        loop.leap(1.5)

    scheduler = Scheduler(Job(blocks), timeout=0.3)

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False
    assert scheduler.failed_timeout()


def test_rule_5_the_timeout_of_a_job_comes_before_that_of_the_run():
    """T06: when both fall together the job has failed, and the run has not timed out."""
    job = Job(waits, timeout=2)
    scheduler = Scheduler(job, timeout=2)

    assert virtually(scheduler) is True

    assert job.state is State.FAILED
    assert isinstance(job.raised_exception(), TimeoutError)


def test_rule_5_none_is_not_given_and_infinity_lifts_the_limit():
    """A run takes the limit of its scheduler unless it is told another."""
    assert virtually(Scheduler(Job(sleeps(2)), timeout=1), None) is False
    assert virtually(Scheduler(Job(sleeps(2)), timeout=1), math.inf) is True
    assert virtually(Scheduler(Job(sleeps(2)), timeout=1), 3) is True


def test_rule_5_a_timeout_error_of_a_job_is_not_that_of_the_run():
    """T09 F14: it is the failure of that job."""
    job = Job(fails(0, TimeoutError("mine")))
    scheduler = Scheduler(job)

    assert virtually(scheduler) is True
    assert not scheduler.failed_timeout()
    assert job.state is State.FAILED


def test_rule_5_a_job_over_its_timeout_has_failed_whatever_it_then_does():
    """The run goes on; what it raised is the cause, what it returned is gone."""
    returns, raises = (
        Job(swallows_times(1), timeout=1),
        Job(cleans_up(1, KeyError("in clean-up")), timeout=1),
    )
    after = Job(quick, required=[returns, raises])
    scheduler = Scheduler(returns, raises, after)

    assert virtually(scheduler) is True

    assert states(returns, raises, after) == ["FAILED", "FAILED", "DONE"]
    assert str(returns.raised_exception()) == "'body' took longer than 1 s"
    assert returns.raised_exception().__cause__ is None
    assert isinstance(raises.raised_exception().__cause__, KeyError)
    assert raises.ended_at == 2.0


def test_rule_5_a_job_over_its_timeout_that_does_not_end_is_stuck():
    """A step left stuck fails the run, which goes on meanwhile."""
    job, other = Job(swallows, timeout=1), Job(sleeps(20))
    scheduler = Scheduler(job, other, grace=4)

    assert virtually(scheduler) is False

    assert states(job, other) == ["STUCK", "DONE"]
    assert isinstance(job.raised_exception(), TimeoutError)
    assert scheduler.report.duration == 20.0
    with pytest.raises(StuckError, match="'swallows'"):
        scheduler.report.raise_for_failure()


def test_rule_5_the_clean_up_of_a_stopped_job_is_not_over_its_timeout():
    """Once the run has told it to end it has the grace, whatever its own timeout."""
    job = Job(cleans_up(3), timeout=2)
    scheduler = Scheduler(job, timeout=1, grace=10)

    assert virtually(scheduler) is False
    assert states(job) == ["CANCELLED"]
    assert scheduler.report.duration == 4.0
    assert scheduler.report.failures == ()


def test_rule_5_the_clock_of_a_job_starts_with_its_body():
    """W08: waiting for a place does not count."""
    jobs = [Job(sleeps(2), timeout=3) for _ in range(3)]

    assert virtually(Scheduler(*jobs, window=1)) is True
    assert states(*jobs) == ["DONE"] * 3

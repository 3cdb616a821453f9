"""Rule 4: A critical failure ends the run."""

import pytest
from actors import fails, quick, sleeps, states, virtually, waits

from flowdeco import Job, Scheduler


def test_rule_4_a_critical_failure_stops_the_run_and_starts_nothing_more():
    """F01: siblings are stopped and awaited; the same exception object is kept."""
    error = ValueError("broken")
    boom, sibling = Job(fails(1, error), critical=True), Job(waits)
    after = Job(quick, required=boom)
    scheduler = Scheduler(boom, sibling, after)

    assert virtually(scheduler) is False

    assert states(boom, sibling, after) == ["FAILED", "CANCELLED", "IDLE"]
    assert boom.raised_exception() is error
    assert scheduler.failed_critical()
    assert scheduler.report.duration == 1.0


def test_rule_4_of_two_critical_failures_the_first_is_the_reason_and_both_are_kept():
    """F03: equal delays; the one that ended first is the one declared first."""
    first, second = ValueError("first"), KeyError("second")
    a, b = Job(fails(1, first), label="a"), Job(fails(1, second), label="b")
    scheduler = Scheduler(a, b, jobs_critical=True)

    assert virtually(scheduler) is False

    assert scheduler.report.reason.exception is first
    assert [record.exception for record in scheduler.report.failures] == [first, second]
    with pytest.raises(ExceptionGroup) as caught:
        scheduler.report.raise_for_failure()
    assert caught.value.exceptions == (first, second)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_rule_4_nothing_starts_in_nested_runs_either(depth):
    """F03: what becomes ready in the very turn of the failure does not start, at any depth."""
    before = Job(sleeps(1))
    after = Job(quick, required=before)
    level = Scheduler(before, after)
    for _ in range(depth - 1):
        level = Scheduler(level)

    assert virtually(Scheduler(Job(fails(1), critical=True), level)) is False

    assert states(before, after) == ["DONE", "IDLE"]

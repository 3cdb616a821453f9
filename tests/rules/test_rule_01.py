"""Rule 1: Check first."""

import math

import pytest
from actors import Diary, nested, quick, virtually, waits

from flowdeco import Job, Scheduler
from flowdeco.errors import CycleError, NestingError, RequirementError


@pytest.mark.parametrize("length", [2, 3, 50])
def test_rule_1_a_cycle_is_named_in_order_and_nothing_starts(length):
    """G01 G02 G03: a cycle behind a valid job is reported with all its jobs, before any start."""
    diary = Diary()
    first = Job(diary.step("first"))
    ring = [Job(diary.step("x"), label=f"j{i}") for i in range(length)]
    for before, after in zip(ring, [*ring[1:], ring[0]], strict=True):
        after.requires(before)
    ring[0].requires(first)
    scheduler = Scheduler(first, *ring, Job(waits, forever=True))

    with pytest.raises(CycleError) as caught:
        virtually(scheduler)

    names = [f"j{i}" for i in range(length)]
    cycle = list(caught.value.cycle)
    assert cycle[0] == cycle[-1]
    turned = cycle[cycle.index("j0") : -1] + cycle[: cycle.index("j0")]
    assert turned == names
    assert " -> ".join(cycle) in str(caught.value)
    assert diary.lines == []
    assert scheduler.rain_check() is False


def test_rule_1_a_cycle_in_a_nested_scheduler_is_found_before_the_outer_starts():
    """Nested schedulers are checked with the outer one."""
    diary = Diary()
    a, b = Job(quick, label="a"), Job(quick, label="b")
    a.requires(b)
    b.requires(a)
    outer = Scheduler(Job(diary.step("first")), Scheduler(a, b, label="inner"))

    with pytest.raises(CycleError, match="'inner'"):
        virtually(outer)

    assert diary.lines == []


def test_rule_1_a_requirement_outside_names_job_requirement_and_place():
    """G06 G07: a requirement in another scheduler, or in none, never waits."""
    other = Job(quick, label="other")
    elsewhere = Scheduler(other, label="elsewhere")
    job = Job(quick, label="job", required=other)

    with pytest.raises(RequirementError) as caught:
        virtually(Scheduler(job, label="here"))

    assert "'job' in 'here' requires 'other', which is in 'elsewhere'" in str(caught.value)
    assert (caught.value.job, caught.value.requirement) == (job, other)
    assert other in elsewhere


def test_rule_1_a_requirement_across_levels_names_both_levels():
    """G07: an inner job cannot require an outer one."""
    outer_job = Job(quick, label="outer job")
    inner = Scheduler(Job(quick, label="inner job", required=outer_job), label="inner")

    with pytest.raises(RequirementError, match=r"in 'inner' requires 'outer job'.*in 'outer'"):
        virtually(Scheduler(outer_job, inner, label="outer"))


@pytest.mark.parametrize("bad", [-1, -0.5, math.nan])
def test_rule_1_a_timeout_set_later_is_checked_before_the_run(bad):
    """A bad number that was assigned after the job was made is found before anything starts."""
    diary = Diary()
    job = Job(diary.step("x"), label="late")
    job.timeout = bad

    with pytest.raises(ValueError, match="the timeout of 'late'"):
        virtually(Scheduler(Job(diary.step("y")), job))

    assert diary.lines == []


def test_rule_1_nesting_is_limited_with_a_clear_error():
    """G25: 50 levels work; past 200 there is an error, not half a run."""
    assert virtually(nested(quick, 50)) is True
    with pytest.raises(NestingError, match="more than 200 levels"):
        virtually(nested(quick, 1000))

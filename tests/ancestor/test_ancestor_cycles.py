"""What users of asynciojobs rely on: cycles are found before anything runs."""

from __future__ import annotations

import pytest
from jobs import duration, labels, nap, naps, noting, orchestrate, sleeping

from flowdeco import Chain, Job, Scheduler, State
from flowdeco.errors import CycleError, RequirementError


def circle(*jobs):
    for before, after in zip(jobs, [*jobs[1:], jobs[0]], strict=True):
        after.requires(before)
    return jobs


def test_circle_of_coroutines():
    """A cycle is found, and the coroutines that will never run are closed without a warning."""
    a, b, c = Job(sleeping(1.1)), Job(sleeping(1.2)), Job(sleeping(1.3))
    scheduler = Scheduler(*circle(a, b, c))

    assert scheduler.rain_check() is False


def test_cycle_made_later():
    """A scheduler is checked as it is now, not as it was when it was checked last."""
    a, b, c = jobs = naps("abc")
    scheduler = Scheduler(*jobs)
    c.requires(b)
    b.requires(a)
    assert scheduler.rain_check() is True

    a.requires(c)
    assert scheduler.rain_check() is False

    a.requires(c, remove=True)
    assert scheduler.rain_check() is True


def test_cycle_is_reported_before_anything_starts():
    """A run with a cycle anywhere is refused: the error names the jobs in order."""
    log = []
    free = noting(log, "free")
    a, b, c = naps("abc")
    scheduler = Scheduler(free, *circle(a, b, c), label="round")

    with pytest.raises(CycleError, match="a -> b -> c -> a") as caught:
        orchestrate(scheduler)

    assert log == []
    assert caught.value.cycle in {("a", "b", "c", "a"), ("b", "c", "a", "b"), ("c", "a", "b", "c")}
    assert {job.state for job in scheduler} == {State.IDLE}
    assert scheduler.report is None


def test_cycle_in_any_level():
    """`rain_check` looks into nested schedulers, as deep as they go."""
    x, y, z = naps("xyz")
    inner = Scheduler(x >> y >> z, label="inner")
    a, b = naps("ab")
    outer = Scheduler(a >> inner >> b, label="outer")
    assert outer.rain_check() is True

    x.requires(z)
    assert outer.rain_check() is False
    x.requires(z, remove=True)
    assert outer.rain_check() is True

    a.requires(b)
    assert outer.rain_check() is False
    a.requires(b, remove=True)
    assert outer.rain_check() is True

    innermost = Scheduler(Chain(*naps("ijk")), label="innermost")
    inner.remove(y)
    assert inner.sanitize() is False
    inner.add(innermost).requires(x)
    z.requires(innermost)
    assert outer.rain_check() is True
    assert orchestrate(outer) is True
    assert duration(outer) == 0.25 + (0.25 + 0.75 + 0.25) + 0.25

    x.requires(z)
    assert outer.rain_check() is False
    with pytest.raises(CycleError, match="'inner'"):
        orchestrate(outer)


def test_cycle_through_a_nested_scheduler():
    """A nested scheduler is a job like another in the cycles of its level."""
    before, inside = naps(["before", "inside"])
    inner = Scheduler(inside, label="inner")
    scheduler = Scheduler(before >> inner)
    before.requires(inner)

    assert scheduler.rain_check() is False
    assert inner.rain_check() is True


def test_topological_order_keeps_the_order_of_declaration():
    """Each job comes after what it requires, and else where it was declared."""
    a, b, c, d = naps("abcd")
    a.requires(c)
    scheduler = Scheduler(a, b, c, d)

    assert labels(scheduler.topological_order()) == ["c", "a", "b", "d"]


def test_topological_order_of_a_cycle():
    """Of a cycle there is no order: asking for it raises at once."""
    scheduler = Scheduler(*circle(*naps("ab")))

    with pytest.raises(CycleError):
        scheduler.topological_order()


def test_listing_of_a_cycle(capsys):
    """`list`, `debrief` and `to_dot` work on a cycle, in the order of declaration."""
    scheduler = Scheduler(*circle(*naps("ab")))

    scheduler.list()
    scheduler.debrief()
    dot = scheduler.to_dot()

    listing = [
        "01     ⚐   <Job `a`> - requires {02}",
        "02     ⚐   <Job `b`> - requires {01}",
    ]
    assert capsys.readouterr().out.splitlines() == [
        *listing,
        "----- NOLABEL: NOT RUN",
        *listing,
        "===== 2 jobs: 2 idle",
    ]
    assert "1 -> 2;" in dot
    assert "2 -> 1;" in dot


@pytest.mark.parametrize("place", ["nowhere", "another", "nested"])
def test_requirement_out_of_reach(place):
    """A requirement outside of the scheduler is refused before anything starts."""
    log = []
    other = nap("other")
    job = noting(log, "job", required=other)
    scheduler = Scheduler(job, label="here")
    if place == "another":
        holder = Scheduler(other, label="there")
    elif place == "nested":
        holder = scheduler.add(Scheduler(other, label="there"))
    where = "no scheduler" if place == "nowhere" else repr(holder.name)

    with pytest.raises(RequirementError, match=f"'job' in 'here' .*'other', which is in {where}"):
        orchestrate(scheduler)

    assert log == []
    assert scheduler.sanitize() is False
    assert orchestrate(scheduler) is True
    assert log == ["job"]

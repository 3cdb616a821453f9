"""Schedulers: what they tell of their jobs, and how they are run."""

from __future__ import annotations

import asyncio
import math

import attrs
import pytest
from jobs import (
    BoomError,
    boom,
    diamond,
    duration,
    labels,
    nap,
    naps,
    noting,
    orchestrate,
    sleeping,
    virtually,
)

from flowdeco import Chain, Job, Scheduler, State
from flowdeco.errors import CycleError, LoopRunningError
from flowdeco.testing import VirtualClockLoop


def test_entries_and_exits():
    """Entries require nothing, exits are required by nothing; in the order of insertion."""
    a, b, c, d = naps("abcd")
    scheduler = Scheduler(d, c, b, a)
    c.requires(a, b)

    assert labels(scheduler.entry_jobs()) == ["d", "b", "a"]
    assert labels(scheduler.exit_jobs()) == ["d", "c"]


def test_entries_and_exits_of_a_diamond():
    """A diamond has one entry and one exit."""
    scheduler = diamond(1.0)

    assert labels(scheduler.entry_jobs()) == ["top"]
    assert labels(scheduler.exit_jobs()) == ["bottom"]
    assert labels(scheduler.topological_order()) == ["top", "left", "right", "bottom"]


def test_iterate_jobs_one_level_at_a_time():
    """A nested scheduler's jobs come where it stands."""
    a, b, c = naps("abc")
    scheduler = Scheduler(a, Scheduler(b, label="inner"), c, label="outer")

    assert labels(scheduler.iterate_jobs()) == ["a", "b", "c"]
    assert labels(scheduler.iterate_jobs(scan_schedulers=True)) == ["outer", "a", "inner", "b", "c"]


def test_find():
    """`find` returns the first job of a name, on this level before deeper ones."""
    deep, shallow = nap("twice"), nap("twice")
    inner = Scheduler(deep, nap("below"), label="inner")
    scheduler = Scheduler(inner, shallow, Job(sleeping(1)))

    assert scheduler.find("twice") is shallow
    assert scheduler.find("inner") is inner
    assert scheduler.find("below").label == "below"
    assert scheduler.find("sleeping").label is None


def test_find_names_what_is_close():
    """A name that is not there is a `LookupError` that offers those like it."""
    scheduler = Scheduler(*naps(["build", "builds", "deploy"]), label="main")

    with pytest.raises(LookupError, match="no job is called 'buidl' in 'main'") as caught:
        scheduler.find("buidl")
    assert str(caught.value).endswith("; did you mean 'build' or 'builds'?")

    several = Scheduler(*naps(["build", "build"]), label="main")
    with pytest.raises(LookupError, match=r"; did you mean 'build'\?$"):
        several.find("buidl")

    with pytest.raises(LookupError) as caught:
        scheduler.find("something else")
    assert "did you mean" not in str(caught.value)


def test_stats():
    """`stats` counts the jobs that are done, running or about to, and idle."""
    seen = []
    scheduler = Scheduler(*naps("abc"), window=2)
    scheduler.add(nap("d")).requires(scheduler.find("a"))

    async def look():
        seen.append(scheduler.stats())

    scheduler.add(Job(look, forever=True))
    before = scheduler.stats()
    orchestrate(scheduler)

    assert before == "0D + 0R + 5I = 5"
    assert seen == ["0D + 4R + 1I = 5"]
    assert scheduler.stats() == "5D + 0R + 0I = 5"


def test_why():
    """`why` says in a word how the last run ended."""
    fine, failed, late = (
        Scheduler(nap("a")),
        Scheduler(boom("b", critical=True)),
        Scheduler(nap("c")),
    )
    assert fine.why() == "NOT RUN"
    assert (fine.failed_critical(), fine.failed_timeout(), fine.report) == (False, False, None)
    orchestrate(fine)
    orchestrate(failed)
    orchestrate(late, 0.125)

    assert fine.why() == "FINE"
    assert failed.why() == "critical job 'b' failed with BoomError"
    assert late.why() == "the run timed out after 0.125 s"
    verdicts = [(s.failed_critical(), s.failed_timeout()) for s in (fine, failed, late)]
    assert verdicts == [(False, False), (True, False), (False, True)]


def test_second_run_is_fresh():
    """A second run begins as the first did: states, results, times and report are its own."""
    count = iter((1, 2))

    async def counting():
        await asyncio.sleep(0.25)
        number = next(count)
        if number == 1:
            raise BoomError("first")
        return number

    job, after = Job(counting, critical=True), nap("after")
    scheduler = Scheduler(job >> after)

    assert orchestrate(scheduler) is False
    first = scheduler.report
    assert (job.state, after.state) == (State.FAILED, State.IDLE)

    assert orchestrate(scheduler) is True
    assert (job.result(), job.raised_exception()) == (2, None)
    assert (after.state, after.started_at) == (State.DONE, 0.25)
    assert scheduler.why() == "FINE"
    assert duration(scheduler) == 0.5
    assert [record.state for record in first.jobs] == [State.FAILED, State.IDLE]
    assert "BoomError: first" in str(first)


def test_second_run_after_a_change():
    """Between runs a scheduler may be changed at will; the report of the first keeps its own."""
    a, b, c = naps("abc")
    scheduler = Scheduler(a >> b)
    orchestrate(scheduler)
    first = scheduler.report
    b.requires(a, remove=True)
    scheduler.add(c).requires(b)
    orchestrate(scheduler)

    assert (b.started_at, c.started_at) == (0.0, 0.25)
    assert [record.requirements for record in first.jobs] == [(), ("a",)]
    assert [record.requirements for record in scheduler.report.jobs] == [(), (), ("b",)]


def test_timeout_given_for_one_run():
    """`orchestrate(timeout)` counts for that run, instead of the scheduler's own."""
    scheduler = Scheduler(nap("a", 2.0), timeout=1)

    assert orchestrate(scheduler) is False
    assert orchestrate(scheduler, 3) is True
    assert orchestrate(scheduler, math.inf) is True
    assert orchestrate(scheduler) is False
    assert orchestrate(scheduler, 0) is False
    assert duration(scheduler) == 0.0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": -1}, ValueError),
        ({"timeout": math.nan}, ValueError),
        ({"timeout": True}, TypeError),
        ({"timeout": "1"}, TypeError),
        ({"window": 0}, ValueError),
        ({"window": -1}, ValueError),
        ({"window": True}, TypeError),
        ({"window": 2.0}, TypeError),
        ({"grace": -1}, ValueError),
        ({"grace": math.inf}, ValueError),
        ({"grace": None}, TypeError),
        ({"shutdown_timeout": -1}, ValueError),
    ],
)
def test_wrong_numbers(options, error):
    """A number that cannot bound a run is refused when it is given, by its name."""
    (name,) = options

    with pytest.raises(error, match=f"{name} must be"):
        Scheduler(**options)


def test_window_and_failures():
    """A job that fails gives its place back."""
    broken = [boom(number, 0.25) for number in range(3)]
    scheduler = Scheduler(*broken, nap("last"), window=1)

    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 1.0


def test_services_take_no_place():
    """What runs forever takes no place of the window."""
    ticks = []

    async def serving():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.125)

    scheduler = Scheduler(Job(serving, forever=True), nap("a"), nap("b"), window=1)

    assert orchestrate(scheduler) is True
    assert len(ticks) == 5


def test_orchestrate_under_a_running_loop():
    """R04: where a loop is running `orchestrate` is refused with what to await instead."""
    scheduler = Scheduler(Job(sleeping(0.25)))

    async def within():
        with pytest.raises(LoopRunningError, match=r"await scheduler\.co_orchestrate\(\)"):
            scheduler.orchestrate()
        return await scheduler.co_orchestrate()

    assert virtually(within()) is True


def test_co_orchestrate_with_a_timeout():
    """`co_orchestrate` takes the same timeout."""
    scheduler = Scheduler(nap("a", 9.0))

    assert virtually(scheduler.co_orchestrate(1)) is False
    assert scheduler.failed_timeout()


def test_cancellation_from_outside():
    """A cancelled run stops its jobs, and leaves as a cancellation."""
    job = nap("a", 9.0)
    scheduler = Scheduler(job)

    async def cancelling():
        task = asyncio.ensure_future(scheduler.co_orchestrate())
        await asyncio.sleep(0.5)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        return len(asyncio.all_tasks())

    assert virtually(cancelling()) == 1
    assert job.state is State.CANCELLED
    assert scheduler.why() == "cancelled from outside"


def test_real_loop():
    """Without a `loop_factory` the run has a loop of its own, by the real clock."""
    scheduler = Scheduler(Job(lambda: sleeping(0, "done")))

    assert scheduler.orchestrate() is True
    assert scheduler.orchestrate(loop_factory=VirtualClockLoop) is True


def test_check_comes_first_though_the_timeout_is_zero():
    """What is wrong with a scheduler is reported, whatever the deadline."""
    a, b = naps("ab")
    scheduler = Scheduler(a >> b)
    a.requires(b)

    with pytest.raises(CycleError):
        orchestrate(scheduler, 0)


@pytest.mark.parametrize(
    ("job", "jobs", "scheduler", "expected"),
    [
        (None, None, None, False),
        (None, None, True, True),
        (None, None, False, False),
        (None, True, False, True),
        (None, False, True, False),
        (True, False, False, True),
        (False, True, True, False),
    ],
)
def test_default_of_criticality(job, jobs, scheduler, expected):
    """A job's own setting wins, then `jobs_critical`, then `critical`; else it is not critical."""
    member = nap("a", critical=job)
    owner = Scheduler(member, critical=scheduler, jobs_critical=jobs)

    assert owner.find("a").is_critical() is expected


def test_job_without_a_scheduler_is_not_critical():
    """Outside of any scheduler there is no default."""
    assert nap("a").is_critical() is False
    assert nap("a", critical=True).is_critical() is True


def test_chain_of_parallel_starts():
    """A scheduler of `Chain([a, b]) >> [c, d]` runs two by two."""
    log = []
    scheduler = Scheduler(
        Chain([noting(log, "a"), noting(log, "b")]) >> [noting(log, "c"), noting(log, "d")]
    )

    assert orchestrate(scheduler) is True
    assert log == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("timeout", "5", TypeError, r"timeout must be a number of seconds or None, not '5'"),
        ("timeout", -1, ValueError, "timeout must be 0 or more seconds"),
        ("window", 0, ValueError, "window must be 1 or more jobs"),
        ("window", True, TypeError, "window must be a positive int or None"),
        ("grace", None, TypeError, "grace must be a number of seconds, not None"),
        ("shutdown_timeout", math.inf, ValueError, "shutdown_timeout must be finite"),
        ("critical", 1, TypeError, "critical must be True, False or None"),
        ("jobs_critical", "no", TypeError, "jobs_critical must be True, False or None"),
    ],
)
def test_what_a_scheduler_is_set_to_is_checked_at_once(name, value, error, message):
    """A wrong limit is refused by the assignment, in the user's line, and changes nothing."""
    scheduler = Scheduler(timeout=3, window=2, critical=False, jobs_critical=True)
    before = getattr(scheduler, name)

    with pytest.raises(error, match=message):
        setattr(scheduler, name, value)

    assert getattr(scheduler, name) is before


def test_limits_may_be_set_between_runs():
    """A run takes the limits as they are when it begins."""
    scheduler = Scheduler()
    scheduler.timeout, scheduler.window, scheduler.grace, scheduler.shutdown_timeout = 5, 2, 1, 0

    assert attrs.astuple(scheduler.limits) == (5, 2, 1, 0)

"""What users of asynciojobs rely on: schedulers within schedulers."""

from __future__ import annotations

import pytest
from jobs import (
    BoomError,
    boom,
    diamond,
    duration,
    failing,
    labels,
    nap,
    naps,
    noting,
    orchestrate,
    sleeping,
    virtually,
)

from flowdeco import AbstractJob, Job, Scheduler, State, current_job


def states(jobs):
    return [job.state for job in jobs]


@pytest.mark.parametrize("as_object", [True, False])
def test_scheduler_within_a_body(as_object):
    """A body may run a scheduler of its own, which is part of the run that it is in."""
    short, long = nap("short", 0.5), nap("long", 1.0)
    inner = Scheduler(short, long)
    body = inner.co_run() if as_object else inner.co_run
    outer = Scheduler(nap("begin", 0.5) >> Job(body, label="inside") >> nap("end", 0.5))

    assert orchestrate(outer) is True

    assert duration(outer) == 2.0
    assert duration(inner) == 1.0
    assert (short.started_at, long.ended_at) == (0.5, 1.5)
    assert [record.path for record in outer.report.jobs] == [
        "begin",
        "inside",
        "inside/short",
        "inside/long",
        "end",
    ]


def test_schedulers_within_bodies_run_in_parallel():
    """Two schedulers run at the same time, in the bodies of two jobs."""
    begin, end = naps(["begin", "end"], 0.5)
    second = Job(diamond(0.5, "2").co_run, required=begin)
    third = Job(diamond(1.0, "3").co_run, required=begin)
    end.requires(second, third)
    scheduler = Scheduler(begin, second, third, end)

    assert orchestrate(scheduler) is True

    assert [job.duration for job in scheduler] == [0.5, 0.5, 1.0, 0.5]
    assert duration(scheduler) == 2.0


def test_schedulers_as_jobs_run_in_parallel():
    """A scheduler is itself a job: it requires, is required, and has a label of its own."""
    begin, end = naps(["begin", "end"], 0.5)
    outer = Scheduler(begin, label="outer")
    second = outer.add(diamond(0.5, "2", label="second")).requires(begin)
    third = outer.add(diamond(1.0, "3", label="third")).requires(begin)
    outer.add(end).requires(second, third)

    assert outer.sanitize() is True
    assert orchestrate(outer) is True

    assert labels(outer) == ["begin", "second", "third", "end"]
    assert [job.result() for job in outer] == [0.5, True, True, 0.5]
    assert [job.started_at for job in third] == [0.5, 0.75, 0.75, 1.25]
    assert duration(outer) == 2.0
    assert [duration(inner) for inner in (second, third)] == [0.5, 1.0]


def test_listing_of_nested_schedulers(capsys):
    """A listing shows nested jobs indented below their scheduler, numbered through."""
    begin, inner, end = nap("begin"), diamond(1.0, label="inner"), nap("end")
    scheduler = Scheduler(begin >> inner >> end)

    scheduler.list()

    assert capsys.readouterr().out.splitlines() == [
        "01     ⚐   <Job `begin`>",
        "02     ⚐   <Scheduler `inner`> - requires {01}",
        "03     ⚐     <Job `top`>",
        "04     ⚐     <Job `left`> - requires {03}",
        "05     ⚐     <Job `right`> - requires {03}",
        "06     ⚐     <Job `bottom`> - requires {04, 05}",
        "07     ⚐   <Job `end`> - requires {02}",
    ]


def test_nested_sequence():
    """A chain within a chain runs through, level by level."""
    inner = Scheduler(nap("one") >> nap("two") >> nap("three"), label="sub\nin two lines")
    outer = Scheduler(nap("begin") >> inner >> nap("end"))

    assert orchestrate(outer) is True

    assert duration(outer) == 1.25
    assert inner.name == r"sub\nin two lines"


def test_nested_sequence_that_runs_forever():
    """What requires a scheduler that runs forever starts when that is up, and the run stops it."""
    one, two, three = naps(["one", "two", "three"])
    inner = Scheduler(one >> two >> three, critical=True, forever=True)
    begin, end = nap("begin"), nap("end", 0.125)
    outer = Scheduler(begin >> inner >> end)

    assert orchestrate(outer) is True

    assert end.started_at == 0.25
    assert duration(outer) == 0.375
    assert inner.state is State.CANCELLED
    assert one.started_at == 0.25
    assert two.state is three.state is State.IDLE


@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("job_critical", [False, True])
def test_critical_failure(critical, job_critical):
    """Whether a run fails depends on its jobs; `orchestrate` returns False and raises nothing."""
    job = boom(critical=job_critical)
    scheduler = Scheduler(job, critical=critical)

    assert orchestrate(scheduler) is not job_critical

    assert isinstance(job.raised_exception(), BoomError)
    assert scheduler.failed_critical() is job_critical


@pytest.mark.parametrize("outer_critical", [False, True])
@pytest.mark.parametrize("inner_critical", [False, True])
@pytest.mark.parametrize("job_critical", [False, True])
def test_critical_failure_in_a_nested_scheduler(outer_critical, inner_critical, job_critical):
    """A critical failure fails its own scheduler, and the outer one if that one is critical."""
    inner = Scheduler(boom(critical=job_critical), critical=inner_critical, label="inner")
    outer = Scheduler(inner, critical=outer_critical)

    assert orchestrate(outer) is not (inner_critical and job_critical)

    assert inner.failed_critical() is job_critical
    assert isinstance(inner.raised_exception(), BoomError) is job_critical
    assert outer.failed_critical() is (inner_critical and job_critical)


def test_nested_failure_that_is_not_critical():
    """A nested scheduler that fails is a failed job: what comes after it starts."""
    inner = Scheduler(boom(after=0.25, critical=True), nap("stopped", 9.0), label="inner")
    after = nap("after")
    outer = Scheduler(inner >> after)

    assert orchestrate(outer) is True

    assert states(outer) == [State.FAILED, State.DONE]
    assert after.started_at == 0.25
    with pytest.raises(BoomError):
        inner.result()


def test_nested_failures_are_all_kept():
    """Critical jobs that fail together fail their scheduler with a group of their errors."""
    value, key = ValueError("first"), KeyError("second")
    inner = Scheduler(
        Job(failing(0.25, value)), Job(failing(0.25, key)), jobs_critical=True, label="inner"
    )

    assert orchestrate(Scheduler(inner)) is True

    error = inner.raised_exception()
    assert isinstance(error, ExceptionGroup)
    assert error.exceptions == (value, key)


def test_nested_timeout():
    """A nested scheduler that reaches its deadline has failed with `TimeoutError`."""
    inner = Scheduler(nap("inside", 1.0), timeout=0.5, label="inner")
    beside = nap("beside", 0.75)
    outer = Scheduler(inner, beside, critical=False)

    assert orchestrate(outer) is True

    assert isinstance(inner.raised_exception(), TimeoutError)
    assert inner.failed_timeout()
    assert states(inner) == [State.CANCELLED]
    assert duration(outer) == 0.75


def test_outer_timeout_stops_nested_jobs():
    """A deadline stops what runs in nested schedulers, at any depth."""
    job = nap("deep", 10.0)
    inner = Scheduler(Scheduler(job, label="2"), label="1")
    outer = Scheduler(inner, timeout=2)

    assert orchestrate(outer) is False

    assert states([job, inner, *inner]) == [State.CANCELLED] * 3
    assert duration(outer) == 2.0


def test_nested_window():
    """A nested scheduler takes one place of the window; its own jobs take none."""
    first, second = (Scheduler(*naps("ab"), label=label) for label in "12")
    outer = Scheduler(first, second, window=1)

    assert orchestrate(outer) is True

    assert [job.started_at for job in (*first, *second)] == [0.0, 0.0, 0.25, 0.25]


def test_default_of_criticality_is_of_one_level():
    """Jobs take the default of their own scheduler, and not that of those around it."""
    job, inner_job = boom("outer job"), boom("inner job")
    inner = Scheduler(inner_job, jobs_critical=False)
    outer = Scheduler(inner, job, critical=True)

    assert [j.is_critical() for j in (outer, inner, job, inner_job)] == [True, True, True, False]


def test_nested_co_run_raises_where_orchestrate_returns_false():
    """`co_run` is the scheduler as a job: outside of a run it raises what made it fail."""
    failed = Scheduler(boom(critical=True))
    late = Scheduler(nap("long", 9.0), timeout=1)

    with pytest.raises(BoomError):
        virtually(failed.co_run())
    with pytest.raises(TimeoutError):
        virtually(late.co_run())
    assert virtually(Scheduler(nap("fine")).co_run()) is True
    assert virtually(Scheduler(boom(critical=True)).co_orchestrate()) is False


def test_own_scheduler_class():
    """A class derived from `Scheduler` keeps state for its jobs, and nests like any other."""

    class Counting(Scheduler):
        def __init__(self, *jobs, **options):
            super().__init__(*jobs, **options)
            self.count = 0

    class Increment(AbstractJob[int]):
        def __init__(self, counter, **options):
            super().__init__(**options)
            self.counter = counter

        async def co_run(self):
            self.counter.count += 1
            return self.counter.count

    counting = Counting()
    counting.update([Increment(counting), Increment(counting)])

    assert orchestrate(Scheduler(counting)) is True
    assert counting.count == 2
    assert counting.name == "Counting"


def test_sanitize():
    """`sanitize` removes the requirements on what is not in the scheduler, and says so."""
    a, b, c, d, e = naps("abcde")
    scheduler = Scheduler(a, b, c)
    b.requires(d)
    c.requires(e, a)

    assert scheduler.sanitize() is False

    assert labels(b.required) == []
    assert labels(c.required) == ["a"]
    assert scheduler.sanitize() is True


def test_sanitize_nested():
    """`sanitize` works on every level, and leaves alone what is in none."""
    u, v, w, x, y = naps("uvwxy")
    inner = Scheduler(u >> v >> w, label="inner")
    v.requires(x)
    w.requires(y)
    a, b, c, d = naps("abcd")
    outer = Scheduler(a >> inner >> c)
    a.requires(d, u)
    inner.requires(w)
    b.requires(a)

    assert outer.sanitize() is False

    assert [labels(job.required) for job in (u, v, w)] == [[], ["u"], ["v"]]
    assert [labels(job.required) for job in (a, inner, c)] == [[], ["a"], ["inner"]]
    assert labels(b.required) == ["a"]
    assert outer.sanitize() is True


def test_current_job_of_a_nested_run():
    """A body sees itself, and not the scheduler that it is in."""
    seen = []

    async def look():
        seen.append(current_job().label)

    inner = Scheduler(Job(look, label="inside"), label="inner")
    orchestrate(Scheduler(inner, Job(look, label="outside")))

    assert sorted(seen) == ["inside", "outside"]


def test_fifty_levels():
    """Schedulers nest fifty levels deep and more."""
    log = []
    scheduler = Scheduler(noting(log, "deepest"))
    for _ in range(50):
        scheduler = Scheduler(scheduler)

    assert orchestrate(scheduler) is True
    assert log == ["deepest"]


def test_body_of_a_nested_scheduler_is_done_in_order():
    """Nested results are read when the outer job comes after the nested scheduler."""
    inside = Job(lambda: sleeping(0.25, "inside"), label="inside")
    inner = Scheduler(inside, label="inner")
    read = []

    async def reader():
        read.append((inner.result(), inside.result()))

    assert orchestrate(Scheduler(inner >> Job(reader, critical=True))) is True
    assert read == [(True, "inside")]

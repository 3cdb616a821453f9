"""`flowdeco.testing.Recorder`: what ran, in which order."""

import asyncio

import pytest

from flowdeco import Flow, Job, Retry, Scheduler, each, step
from flowdeco.testing import Recorder, VirtualClockLoop


def job(label, seconds=1.0, **options):
    """A job that sleeps."""
    return Job(lambda: asyncio.sleep(seconds), label=label, **options)


def recorded(*jobs, timeout=None):
    """Run jobs; return what was recorded."""
    recorder = Recorder()
    scheduler = Scheduler(*jobs)
    scheduler.orchestrate(timeout, observers=[recorder], loop_factory=VirtualClockLoop)
    return recorder


def test_order_is_that_of_the_starts():
    """Jobs that did not start are not in it."""
    first = job("first", 3)
    recorder = recorded(job("b"), first, job("late", required=first), timeout=2)
    assert recorder.order == ["b", "first"]
    assert not recorder.report


def test_before_and_after_mean_that_one_had_ended_when_the_other_started():
    """Two that overlap are neither."""
    first = job("first")
    recorder = recorded(first, job("second", required=first), job("beside", 5))
    assert recorder.ran("first").before("second")
    assert recorder.ran("second").after("first")
    assert not recorder.ran("second").before("first")
    assert not recorder.ran("beside").before("second")
    assert not recorder.ran("beside").after("second")


def test_what_did_not_run_is_false():
    """And neither before nor after anything."""
    first = job("first", 9)
    late = job("late", required=first)
    recorder = recorded(first, late, timeout=1)
    assert not recorder.ran("late")
    assert not recorder.ran("late").before("first")
    assert not recorder.ran("first").before("late")
    assert repr(recorder.ran("late")) == "<late did not run>"
    assert repr(recorder.ran("first")) == "<first ran from 0 s, until 1 s>"


def test_a_name_that_no_job_has_is_an_error():
    """A test would take it for a job that did not run."""
    recorder = recorded(job("build"))
    with pytest.raises(LookupError, match="no job of the run is called 'biuld'; did you mean 'bu"):
        recorder.ran("biuld")
    with pytest.raises(LookupError, match="nothing was recorded yet"):
        Recorder().attempts("build")


def test_attempts_are_counted():
    """Of a job that was tried again, and of one that never started."""

    async def fails():
        raise ConnectionError

    again = Job(fails, label="again", retry=Retry(on=OSError, attempts=3, wait_jitter=0))
    recorder = recorded(again, job("late", required=again), timeout=2)
    assert recorder.attempts("again") == 2
    assert recorder.attempts("late") == 0


def test_items_have_paths():
    """A name that several jobs have is refused, with their paths."""

    class Two(Flow):
        @step
        async def items(self) -> list[int]:
            return [1, 2]

        @each(items)
        async def ping(self, item: int) -> None:
            await asyncio.sleep(item)

    recorder = Recorder()
    flow = Two()
    assert flow.run(observers=[recorder], loop_factory=VirtualClockLoop)
    assert recorder.ran("ping[1]")
    assert recorder.ran("ping/ping[0]").started_at == 0
    assert recorder.ran("ping/ping[1]").ended_at == 2
    twins = recorded(Scheduler(job("x"), label="one"), Scheduler(job("x"), label="two"))
    with pytest.raises(LookupError, match="several jobs are called 'x': one/x, two/x; give a path"):
        twins.ran("x")


def test_a_step_with_a_label_is_known_by_both_names():
    """By its label, and by that of its method."""

    class Labelled(Flow):
        @step(label="the build")
        async def build(self) -> None: ...

        @step(after=build)
        async def use(self) -> None: ...

    recorder = Recorder()
    Labelled().run(observers=[recorder])
    assert recorder.ran("build")
    assert recorder.ran("the build").before("use")
    Labelled().run(observers=[recorder], start="use")
    assert not recorder.ran("build")


def test_a_new_run_begins_anew():
    """What is recorded is the last run."""
    recorder = Recorder()
    for name in "ab":
        scheduler = Scheduler(job(name))
        scheduler.orchestrate(observers=[recorder], loop_factory=VirtualClockLoop)
    assert recorder.order == ["b"]

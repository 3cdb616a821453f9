"""Size: linear time, no recursion, few tasks. Ratios alone are asserted, never seconds."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import io
import itertools
import operator
import sys
import time

import pytest

from flowdeco import Chain, Flow, Job, Observer, Scheduler, State, step
from flowdeco.testing import VirtualClockLoop

LINEAR = 2.6
"""What is linear takes less than so many times as long for twice as many."""

ATTEMPTS = 5

pytestmark = pytest.mark.usefixtures("short_stacks")


async def quick():
    """A body that has nothing to do."""


def chain(count):
    """So many jobs, each after the one before."""
    jobs = [Job(quick) for _ in range(count)]
    for before, after in itertools.pairwise(jobs):
        after.requires(before)
    return Scheduler(*jobs)


def apart(count):
    """So many jobs that have nothing to do with each other."""
    return Scheduler(*(Job(quick) for _ in range(count)))


def tree(count):
    """So many jobs, each after the one of half its number."""
    jobs = [Job(quick) for _ in range(count)]
    for number in range(1, count):
        jobs[number].requires(jobs[number // 2])
    return Scheduler(*jobs)


def nested(count):
    """So many jobs in schedulers of ten."""
    return Scheduler(*(apart(10) for _ in range(count // 10)))


SHAPES = [chain, apart, tree, nested]


def orchestrate(scheduler):
    return scheduler.orchestrate(loop_factory=VirtualClockLoop)


def listed(scheduler):
    """Print all there is to print, to nowhere."""
    with contextlib.redirect_stdout(io.StringIO()):
        scheduler.list()
        scheduler.debrief()


# Large ones


@pytest.mark.parametrize("turn", [lambda jobs: jobs, reversed], ids=["forward", "backward"])
def test_a_chain_of_ten_thousand(turn):
    """G23: a long chain is checked, run, listed and drawn, in whatever order it was added."""
    jobs = [Job(quick) for _ in range(10_000)]
    Chain(*jobs)
    scheduler = Scheduler(*turn(jobs))

    assert scheduler.rain_check() is True
    assert orchestrate(scheduler) is True
    assert scheduler.stats() == "10000D + 0R + 0I = 10000"
    assert scheduler.to_dot().count("->") == 9_999
    assert len(scheduler.report.jobs) == 10_000
    assert len(str(scheduler.report).splitlines()) == 10_002
    listed(scheduler)


def test_a_hundred_thousand_independent_jobs():
    """G24: they run without recursion, all of them once."""
    started = []

    async def body():
        started.append(None)

    scheduler = Scheduler(*(Job(body) for _ in range(100_000)), window=1000)

    assert orchestrate(scheduler) is True
    assert len(started) == 100_000


def test_a_chain_in_a_small_stack():
    """G23: nothing recurses over the graph: a stack of a few frames is enough."""
    scheduler = chain(2_000)
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 150)
    try:
        verdict = orchestrate(scheduler)
        lines = str(scheduler.report).count("\n")
        edges = scheduler.to_dot().count("->")
    finally:
        sys.setrecursionlimit(limit)

    assert (verdict, lines, edges) == (True, 2_001, 1_999)


class Tasks(Observer):
    """Watches how many tasks there are when a job starts, and how often each starts."""

    def __init__(self):
        self.most = 0
        self.starts = {}

    def job_started(self, job):
        self.most = max(self.most, len(asyncio.all_tasks()))
        self.starts[job] = self.starts.get(job, 0) + 1


async def napping():
    await asyncio.sleep(1)


def test_a_window_bounds_the_tasks():
    """G24: with a window of 100 at most 100 jobs have a task; who waits for a place has none."""
    watching = Tasks()
    scheduler = Scheduler(*(Job(napping) for _ in range(2_000)), window=100)

    scheduler.orchestrate(loop_factory=VirtualClockLoop, observers=[watching])

    # The task of the run itself comes on top.
    assert watching.most <= 101
    assert list(watching.starts.values()) == [1] * 2_000
    assert scheduler.report.duration == 20.0


def test_a_dense_graph_starts_each_job_once():
    """G26: 500 jobs, each after all before it: every one starts once, in order."""
    watching = Tasks()
    jobs = [Job(quick) for _ in range(500)]
    for number, job in enumerate(jobs):
        job.requires(jobs[:number])
    scheduler = Scheduler(*jobs)

    scheduler.orchestrate(loop_factory=VirtualClockLoop, observers=[watching])

    assert list(watching.starts.items()) == [(job, 1) for job in jobs]
    assert {job.state for job in jobs} == {State.DONE}
    assert scheduler.to_dot().count("->") == 500 * 499 // 2


def test_a_run_that_fails_early_lets_the_rest_be():
    """F01 G24: what did not start when a critical job failed never has a task."""
    watching = Tasks()

    async def fail():
        raise ValueError

    first = Job(fail, critical=True)
    rest = [Job(quick, required=first) for _ in range(5_000)]
    scheduler = Scheduler(first, *rest)

    scheduler.orchestrate(loop_factory=VirtualClockLoop, observers=[watching])

    assert watching.starts == {first: 1}
    assert {job.state for job in rest} == {State.IDLE}


def method(number):
    """An undecorated method of a flow."""

    async def body(self):
        return None

    body.__name__ = f"s{number}"
    return body


def steps_in_a_row(count):
    """The body of a flow class: so many steps, each after the one before."""
    body, before = {}, None
    for number in range(count):
        before = body[f"s{number}"] = step(after=before)(method(number))
    return body


def steps_in_a_chain(count):
    """The body of a flow class: so many steps, ordered by one long chain."""
    body = {f"s{number}": step(method(number)) for number in range(count)}
    first, *others = body.values()
    return {**body, "order": functools.reduce(operator.rshift, others, first)}


@pytest.mark.parametrize("body", [steps_in_a_row, steps_in_a_chain])
def test_a_flow_with_many_steps(body):
    """G23: a class with a thousand steps in a row is defined, run and drawn."""
    flow = type("Long", (Flow,), body(1_000))()

    assert flow.run(loop_factory=VirtualClockLoop)
    assert flow.s999.state is State.DONE
    assert flow.to_dot().count("->") == 999


# Ratios


def spent(make, use, count):
    """The processor time of one use."""
    made = make(count)
    gc.collect()
    # A collection in one of two measurements would be most of what is measured.
    gc.disable()
    try:
        begun = time.process_time()
        use(made)
        return time.process_time() - begun
    finally:
        gc.enable()


def least_ratio(make, use, count):
    """How much longer twice as many take, where the machine disturbed the measurement least."""
    ratios = []
    for _ in range(ATTEMPTS):
        # Least of three each: what disturbs makes a measurement longer, never shorter.
        small = min(spent(make, use, count) for _ in range(3))
        large = min(spent(make, use, 2 * count) for _ in range(3))
        ratios.append(large / small)
        if ratios[-1] < LINEAR:
            break
    return min(ratios)


@pytest.mark.parametrize("shape", SHAPES)
def test_building_is_linear(shape):
    """G23 G24: to build twice as many jobs takes twice as long."""
    assert least_ratio(lambda count: count, shape, 2_000) < LINEAR


@pytest.mark.parametrize("shape", SHAPES)
def test_running_is_linear(shape):
    """G23 G24: to run twice as many jobs takes twice as long."""
    assert least_ratio(shape, orchestrate, 1_000) < LINEAR


@pytest.mark.parametrize("shape", SHAPES)
def test_listing_is_linear(shape):
    """G23 G24: to list twice as many jobs takes twice as long."""
    assert least_ratio(shape, listed, 1_000) < LINEAR


@pytest.mark.parametrize("shape", SHAPES)
def test_drawing_is_linear(shape):
    """G23 G24: to draw twice as many jobs takes twice as long."""
    assert least_ratio(shape, Scheduler.to_dot, 1_000) < LINEAR


@pytest.mark.parametrize("shape", SHAPES)
def test_reporting_is_linear(shape):
    """G23 G24: so are the records of a run, asked for afterwards."""

    def ran(count):
        scheduler = shape(count)
        orchestrate(scheduler)
        return scheduler.report

    assert least_ratio(ran, lambda report: report.jobs, 1_000) < LINEAR


def calls(use, made):
    """How many calls one use makes: a measure that no other process disturbs."""
    count = itertools.count()
    previous = sys.getprofile()
    sys.setprofile(lambda *_: next(count))
    try:
        use(made)
    finally:
        sys.setprofile(previous)
    return next(count)


@pytest.mark.parametrize("body", [steps_in_a_row, steps_in_a_chain])
def test_defining_a_flow_is_linear(body):
    """G23: to define a class with twice as many steps makes twice as many calls."""

    def define(members):
        return type("Long", (Flow,), members)().scheduler

    assert calls(define, body(300)) / calls(define, body(150)) < LINEAR


def test_a_window_is_linear():
    """G24: jobs that wait for a place cost nothing beyond themselves."""

    def narrow(count):
        return Scheduler(*(Job(quick) for _ in range(count)), window=2)

    assert least_ratio(narrow, orchestrate, 1_000) < LINEAR


def test_a_failure_among_many_is_linear():
    """G24: to stop twice as many jobs takes twice as long."""

    def failing(count):
        async def fail():
            raise ValueError

        async def wait():
            await asyncio.Event().wait()

        waiting = [Job(wait) for _ in range(count)]
        return Scheduler(*waiting, Job(fail, critical=True))

    assert least_ratio(failing, orchestrate, 500) < LINEAR


def test_a_ratio_tells_what_is_not_linear(monkeypatch):
    """The measure finds quadratic work, or it would be worth nothing; told by a counted clock."""
    spent = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: spent[0])

    def quadratic(count):
        spent[0] += count * count

    assert least_ratio(lambda count: count, quadratic, 100) > LINEAR

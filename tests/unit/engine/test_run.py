"""What a run has of its own, and what runs within it share with it."""

from __future__ import annotations

import asyncio
import functools

import pytest
from actors import virtually, waits

from flowdeco import Job, Scheduler
from flowdeco.base.limits import DEEPEST
from flowdeco.engine.enclosing import enclosing_execution
from flowdeco.engine.phase import Phase
from flowdeco.errors import NestingError
from flowdeco.jobs.threads import threads_in_use


@pytest.fixture
def seen():
    """The runs of the bodies that have looked."""
    return []


@pytest.fixture
def looks(seen):
    async def body():
        seen.append(enclosing_execution().run)

    return body


def test_runs_within_a_run_share_what_there_is_once(seen, looks):
    """Rule 21: the ready queue, the threads, and the beginning; also where their bodies look."""
    threads = []

    async def body():
        await looks()
        threads.append(threads_in_use.get())

    assert virtually(Scheduler(Job(body), Scheduler(Job(body), label="inner")))

    outer, inner = seen
    assert inner.session is outer.session
    assert inner.session.threads is threads[0] is threads[1]
    assert (outer.zero, outer.path, inner.path) == (inner.zero, "", "inner")


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1])
def test_two_hundred_runs_can_be_within_each_other(depth):
    """G25: one more is an error, which says where."""
    ends = []

    async def deep(level):
        if level < depth:
            inner = Scheduler(Job(functools.partial(deep, level + 1)), label=f"run {level + 1}")
            try:
                await inner.co_orchestrate()
            except NestingError as error:
                ends.append(error)
        else:
            ends.append(level)

    assert virtually(Scheduler(Job(functools.partial(deep, 1))))

    (end,) = ends
    if depth == DEEPEST:
        assert end == depth
    else:
        assert end.depth == depth
        assert f"'run {depth}'" in str(end)


@pytest.mark.parametrize(
    ("phase", "next_ones"),
    [
        (Phase.OPEN, {Phase.CLOSED, Phase.OVER}),
        (Phase.CLOSED, {Phase.STOPPING_STEPS, Phase.OVER}),
        (Phase.STOPPING_STEPS, {Phase.STOPPING_SERVICES, Phase.OVER}),
        (Phase.STOPPING_SERVICES, {Phase.HOOKS, Phase.OVER}),
        (Phase.HOOKS, {Phase.OVER}),
        (Phase.OVER, set()),
    ],
)
def test_a_run_moves_from_phase_to_phase(phase, next_ones):
    """A step is the next one, or the last; any other is a mistake of the library."""
    assert {one for one in Phase if one.follows(phase)} == next_ones


def test_the_phases_of_a_run_are_gone_through_in_order(seen, looks):
    """Rules 7 and 10: steps, services, hooks."""
    phases = []

    async def body():
        await looks()
        phases.append(seen[0].phase)
        try:
            await waits()
        finally:
            phases.append(seen[0].phase)

    async def hook():
        phases.append(seen[0].phase)

    step, service = Job(body, shutdown=hook), Job(body, forever=True)
    assert virtually(Scheduler(step, service), timeout=1) is False

    assert phases == [
        Phase.OPEN,
        Phase.OPEN,
        Phase.STOPPING_STEPS,
        Phase.STOPPING_SERVICES,
        Phase.HOOKS,
    ]
    assert seen[0].phase is Phase.OVER


def test_the_bound_is_known_once_bodies_are_to_end(seen, looks):
    """Rule 8: it is the end of the grace and of the time of the hooks."""
    bounds = []

    async def body():
        await looks()
        bounds.append(seen[0].bound)
        try:
            await waits()
        finally:
            await asyncio.sleep(0)
            bounds.append(seen[0].bound)

    assert virtually(Scheduler(Job(body), timeout=1, grace=3, shutdown_timeout=2)) is False
    assert bounds == [None, 6]

"""What a run has of its own, and what runs within it share with it."""

from __future__ import annotations

import asyncio

import pytest
from actors import virtually, waits

from flowdeco import Job, Scheduler
from flowdeco.base.limits import DEEPEST
from flowdeco.engine.execution import enclosing_execution
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
    """Rule 21: its agenda, its threads, and its beginning; also where their bodies look."""
    threads = []

    async def body():
        await looks()
        threads.append(threads_in_use.get())

    assert virtually(Scheduler(Job(body), Scheduler(Job(body))))

    outer, inner = seen
    assert inner.agenda is outer.agenda
    assert inner.threads is outer.threads is threads[0] is threads[1]
    assert (outer.depth, inner.depth) == (1, 2)


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST])
def test_two_hundred_runs_can_be_within_each_other(depth, seen, looks):
    """G25: one more is an error, which says where."""

    async def deep():
        enclosing_execution().run.depth = depth
        await Scheduler(Job(looks), label="inner").co_orchestrate()

    job = Job(deep)
    assert virtually(Scheduler(job))

    if depth < DEEPEST:
        assert [run.depth for run in seen] == [DEEPEST]
    else:
        assert isinstance(job.raised_exception(), NestingError)
        assert job.raised_exception().depth == DEEPEST + 1
        assert "'inner'" in str(job.raised_exception())


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

"""Rule 2: When a job starts."""

import asyncio
import itertools

import pytest
from actors import Diary, quick, sleeps, times, virtually

from flowdeco import Job, Observer, Scheduler
from flowdeco.testing import VirtualClockLoop


def test_rule_2_a_job_starts_as_soon_as_all_it_requires_have_ended():
    """A diamond runs its sides at the same time, and its bottom after the longer one."""
    top, left, right = Job(sleeps(1)), Job(sleeps(2)), Job(sleeps(3))
    bottom = Job(sleeps(1))
    top >> [left, right] >> bottom

    assert virtually(Scheduler(bottom, right, left, top))

    assert times(top, left, right, bottom) == [0.0, 1.0, 1.0, 4.0]


def test_rule_2_jobs_that_become_ready_together_start_in_declaration_order():
    """W05: neither the order of `requires` nor sets decide."""
    diary = Diary()
    top = Job(diary.step("top"))
    jobs = [Job(diary.step(str(i)), required=top) for i in range(20)]
    last = Job(diary.step("last"), required=set(jobs))

    assert virtually(Scheduler(*jobs, last, top))

    starts = [text.split()[0] for text in diary.texts if text.endswith("starts")]
    assert starts == ["top", *map(str, range(20)), "last"]


def test_rule_2_what_comes_after_a_service_starts_when_it_is_ready():
    """G08: it never waits for the end of the service."""
    diary = Diary()
    server = Job(diary.service("server", up=2), forever=True)
    client = Job(diary.step("client", 1), required=server)

    assert virtually(Scheduler(server, client))

    assert diary.lines == [
        (2.0, "server up"),
        (2.0, "client starts"),
        (3.0, "client ends"),
        (3.0, "server going down"),
        (3.0, "server down"),
    ]


def test_rule_2_nothing_starts_after_the_deadline():
    """T02: busy steps one after the other stop at the deadline, although no timer gets a turn."""
    started = []
    loop = VirtualClockLoop()

    async def busy():
        started.append(loop.time())
        loop.leap(0.01)

    jobs = [Job(busy) for _ in range(200)]
    for before, after in itertools.pairwise(jobs):
        after.requires(before)
    scheduler = Scheduler(*jobs, timeout=0.3)

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert scheduler.failed_timeout()
    assert max(started) < 0.3
    assert 29 <= len(started) <= 30


@pytest.mark.parametrize("limit", [None, 0.5])
def test_rule_2_nothing_starts_after_the_deadline_of_the_run_around(limit):
    """T02 T07: not in a nested run either, and the run is blamed whose deadline it was."""
    started = []
    loop = VirtualClockLoop()

    async def busy():
        started.append(loop.time())
        loop.leap(0.01)

    inner = Scheduler(*(Job(busy) for _ in range(200)), timeout=limit, label="inner")
    scheduler = Scheduler(inner, timeout=0.3, label="outer")

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert 29 <= len(started) <= 30
    assert "'outer' timed out after 0.3 s" in str(scheduler.report.reason)
    assert not inner.failed_timeout()


def test_rule_2_the_time_of_a_start_is_that_of_its_first_line():
    """Also after a body that held the thread before it first waited."""
    loop = VirtualClockLoop()

    async def holds():
        loop.leap(2)
        await asyncio.sleep(1)

    first, second = Job(holds), Job(quick)
    assert Scheduler(first, second).orchestrate(loop_factory=lambda: loop)

    assert times(first, second) == [0, 2]
    assert (first.ended_at, second.ended_at) == (3, 2)


def test_rule_2_the_time_of_a_start_is_not_that_of_an_end_before_observers():
    """Who watches may take time, which is not counted as that of the job."""
    loop = VirtualClockLoop()

    class Slow(Observer):
        def job_ended(self, job):
            loop.leap(1)

    first, second = Job(quick), Job(quick)
    second.requires(first)
    assert Scheduler(first, second).orchestrate(loop_factory=lambda: loop, observers=[Slow()])

    assert times(first, second) == [0, 1]


def test_rule_2_a_run_that_begins_later_starts_later():
    """Though a nested run before it has looked at the clock."""
    first, second = Job(sleeps(1)), Job(quick)

    async def body():
        await Scheduler(first).co_orchestrate()
        await asyncio.sleep(2)
        await Scheduler(second).co_orchestrate()

    assert virtually(Scheduler(Job(body)))

    assert times(first, second) == [0, 3]

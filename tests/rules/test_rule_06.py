"""Rule 6: The window."""

import asyncio
import math

import pytest
from actors import fails, quick, sleeps, swallows, swallows_times, times, virtually, waits

from flowdeco import Job, Scheduler, State


@pytest.mark.parametrize(
    ("bad", "error"),
    [(0, ValueError), (-3, ValueError), (1.5, TypeError), (True, TypeError), ("2", TypeError)],
)
def test_rule_6_bad_windows_are_errors_when_given(bad, error):
    """G21: anything but None and a positive int."""
    with pytest.raises(error, match="window"):
        Scheduler(window=bad)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_rule_6_no_more_than_window_jobs_run_at_once(size):
    """W04: and a job that waits for a place has no task."""
    most = running = tasks = 0

    async def body():
        nonlocal most, running, tasks
        running += 1
        most = max(most, running)
        tasks = max(tasks, len(asyncio.all_tasks()))
        await asyncio.sleep(1)
        running -= 1

    jobs = [Job(body) for _ in range(14)]
    scheduler = Scheduler(*jobs, window=size)

    assert virtually(scheduler) is True

    assert most == size
    assert tasks == size + 1  # and the one that conducts the run
    assert scheduler.report.duration == math.ceil(14 / size)
    assert times(*jobs) == [float(i // size) for i in range(14)]


@pytest.mark.parametrize("end", [fails(), sleeps(0), swallows_times(0)])
def test_rule_6_a_place_is_given_back_however_a_job_ends(end):
    """W01: failures, above all, lose no place."""
    jobs = [Job(end) for _ in range(10)]

    assert virtually(Scheduler(*jobs, window=1)) is True
    assert all(job.is_done() for job in jobs)


def test_rule_6_a_place_comes_back_from_a_job_declared_stuck():
    """W07: until then it is held."""
    stuck, after = Job(swallows, timeout=1), Job(quick)
    scheduler = Scheduler(stuck, after, window=1, grace=2)

    virtually(scheduler)

    assert (stuck.state, after.started_at) == (State.STUCK, 3.0)


def test_rule_6_services_take_no_place():
    """V08: they cannot fill the window."""
    services = [Job(waits, forever=True) for _ in range(3)]
    job = Job(quick, required=services)

    assert virtually(Scheduler(*services, job, window=1)) is True


def test_rule_6_a_nested_scheduler_takes_one_place_and_its_jobs_none():
    """W06: a window of one inside a window of one is no deadlock."""
    inner = Scheduler(*(Job(sleeps(1)) for _ in range(3)), window=1)
    other = Job(sleeps(1))

    assert virtually(Scheduler(inner, other, window=1)) is True
    assert other.started_at == 3.0


def test_rule_6_a_job_that_waits_for_a_place_is_scheduled():
    """And idle again when the run ends before its turn (W02)."""
    seen = []
    first, second = Job(waits), Job(quick)

    async def look():
        seen.append((second.is_scheduled(), second.state))

    watcher = Job(look, forever=True)
    assert virtually(Scheduler(first, second, watcher, window=1, timeout=1)) is False

    assert seen == [(True, State.SCHEDULED)]
    assert second.is_idle()

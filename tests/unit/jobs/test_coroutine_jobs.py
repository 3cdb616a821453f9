"""Jobs made of coroutine objects, which run once and are closed if they never do."""

from __future__ import annotations

import gc
import subprocess
import sys
import warnings

import pytest
from jobs import nap, noting, orchestrate, sleeping
from slowness import without_failures

from flowdeco import Job, Scheduler
from flowdeco.errors import StartedError


def test_coroutine_object_that_never_ran():
    """A coroutine object that was given to a job and never ran is closed without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        job = Job(sleeping(1))
        scheduler = Scheduler(job, Job(sleeping(2)))
        scheduler.list()
        del job, scheduler
        gc.collect()


NEVER_AWAITED = """
import asyncio, gc
from flowdeco import Job, Scheduler
from flowdeco.testing import VirtualClockLoop

async def work():
    await asyncio.sleep(1)

def cut_short():
    scheduler = Scheduler(Job(work()) >> Job(work()))
    assert not scheduler.orchestrate(0.5, loop_factory=VirtualClockLoop)

def refused():
    a, b = Job(work()), Job(work())
    scheduler = Scheduler(a >> b)
    a.requires(b)
    try:
        scheduler.orchestrate()
    except ValueError:
        pass

def in_a_loop():
    async def within():
        try:
            Scheduler(Job(work())).orchestrate()
        except RuntimeError:
            pass
    asyncio.run(within())

def alone_in_a_loop():
    async def within():
        try:
            Job(work()).standalone_run()
        except RuntimeError:
            pass
    asyncio.run(within())

def not_a_job():
    try:
        Scheduler(work())
    except TypeError:
        pass

def forgotten():
    Scheduler(Job(work()), Scheduler(Job(work())))

class Knowing(Job):
    pass

def in_a_circle():
    job = Knowing(work())
    job.itself = job

def at_exit():
    global kept
    kept = Scheduler(Job(work()))

SITUATION()
gc.collect()
"""


@pytest.mark.process
@pytest.mark.parametrize(
    "situation",
    [
        *("cut_short", "refused", "in_a_loop", "not_a_job", "forgotten", "in_a_circle", "at_exit"),
        "alone_in_a_loop",
    ],
)
def test_nothing_is_left_un_awaited(situation):
    """No situation ends with Python's warning that a coroutine was never awaited."""
    code = NEVER_AWAITED.replace("SITUATION", situation)

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, without_failures(run.stderr)) == (0, "")


def test_a_coroutine_object_in_two_jobs():
    """The second job is refused when it is made, and the first is not disturbed."""
    coroutine = sleeping(0.25, "value")
    job = Job(coroutine)

    with pytest.raises(TypeError, match="sleeping is the body of another job already"):
        Job(coroutine)

    assert orchestrate(Scheduler(job))
    assert job.result() == "value"


def test_second_run_of_a_coroutine_object():
    """A second run is refused before anything starts, and says what to write instead."""
    log = []
    scheduler = Scheduler(noting(log, "function"), Job(sleeping(0.25), label="once"))
    assert orchestrate(scheduler) is True

    with pytest.raises(StartedError, match=r"Job\(sleeping\) or Job\(lambda: sleeping") as caught:
        orchestrate(scheduler)

    assert log == ["function"]
    assert caught.value.job.label == "once"
    assert "'once' cannot run again" in str(caught.value)


def test_second_run_of_a_nested_coroutine_object():
    """The same holds when the coroutine object is in a nested scheduler."""
    log = []
    inner = Scheduler(Job(sleeping(0.25), label="once"), label="inner")
    scheduler = Scheduler(noting(log, "function"), inner)
    assert orchestrate(scheduler) is True

    with pytest.raises(StartedError, match="'once'"):
        orchestrate(scheduler)
    assert log == ["function"]


def test_coroutine_object_that_did_not_start():
    """A coroutine object that a first run did not come to may run in the second."""
    a, b = nap("a"), Job(sleeping(0.25, "b"), label="b")
    scheduler = Scheduler(a >> b)
    assert orchestrate(scheduler, 0.125) is False

    assert orchestrate(scheduler) is True
    assert b.result() == "b"

"""Rule 13: What counts as a failure."""

import asyncio

import pytest
from actors import fails, in_loop, quick, sleeps, states, virtually, waits

from flowdeco import Job, Scheduler, State
from flowdeco.errors import SelfCancelledError


class Falsy(Exception):
    def __bool__(self):
        return False

    def __len__(self):
        return 0

    def __eq__(self, other):
        raise RuntimeError("compared")

    __hash__ = None


async def cancels_itself():
    asyncio.current_task().cancel()
    await asyncio.sleep(1)


async def awaits_what_was_cancelled():
    await asyncio.sleep(0)
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@pytest.mark.parametrize(
    "body", [fails(0, asyncio.CancelledError("own")), cancels_itself, awaits_what_was_cancelled]
)
def test_rule_13_a_cancellation_of_its_own_is_a_failure(body):
    """F08 F09 F11: an `Exception` whose cause is the cancellation."""
    job, other = Job(body, critical=True), Job(waits)
    scheduler = Scheduler(job, other)

    assert virtually(scheduler) is False

    assert states(job, other) == ["FAILED", "CANCELLED"]
    assert isinstance(job.raised_exception(), SelfCancelledError)
    assert isinstance(job.raised_exception().__cause__, asyncio.CancelledError)


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_rule_13_a_job_cancelled_by_somebody_else_has_failed(turns):
    """F10: also when that came before its first line, where tasks start late; the run goes on."""
    victim, after = Job(waits, label="victim"), Job(quick)
    after.requires(victim)

    async def murderer():
        for _ in range(turns):
            await asyncio.sleep(0)
        while not (victims := others_performing()):
            await asyncio.sleep(0)  # where bodies start at once, this one was first
        for task in victims:
            task.cancel()

    def others_performing():
        return asyncio.all_tasks() - {asyncio.current_task(), main.task}

    async def main():
        main.task = asyncio.current_task()
        return await scheduler.co_orchestrate()

    scheduler = Scheduler(Job(murderer), victim, after)
    assert in_loop(main()) is True
    assert isinstance(victim.raised_exception(), SelfCancelledError)
    assert after.state is State.DONE


def test_rule_13_a_falsy_exception_is_a_failure():
    """F15: whatever its truth, its length and its equality are."""
    error = Falsy()
    job = Job(fails(0, error), critical=True)

    assert virtually(Scheduler(job)) is False
    assert job.raised_exception() is error


@pytest.mark.parametrize(
    "error",
    [
        GeneratorExit(),
        StopAsyncIteration(),
        ExceptionGroup("g", [ValueError()]),
        BaseExceptionGroup("g", [SystemExit(1)]),
        MemoryError(),
        RecursionError(),
    ],
    ids=repr,
)
def test_rule_13_any_other_exception_is_an_ordinary_failure(error):
    """F14 F23: of whatever base."""
    job, other = Job(fails(0, error)), Job(sleeps(1))

    assert virtually(Scheduler(job, other)) is True
    assert (job.raised_exception(), other.state) == (error, State.DONE)


def test_rule_13_a_stop_iteration_appears_as_python_has_it():
    """F14: a `RuntimeError` with the cause."""
    job = Job(fails(0, StopIteration(3)))
    assert virtually(Scheduler(job)) is True
    assert isinstance(job.raised_exception().__cause__, StopIteration)

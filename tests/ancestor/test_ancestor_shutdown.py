"""What users of asynciojobs rely on: every run ends with a call of `co_shutdown` of all jobs."""

from __future__ import annotations

import asyncio

import pytest
from jobs import BoomError, duration, failing, nap, orchestrate, sleeping, virtually

from flowdeco import AbstractJob, Chain, Job, Scheduler, State


class Counter:
    """What goes up when a job has run, and down when it has been shut down."""

    def __init__(self):
        self.count = 0
        self.calls = []


class Counted(AbstractJob[None]):
    """A job that counts up in its body, and down in its shutdown if it has run."""

    def __init__(self, counter, delay, shutdown_delay=0.0, **options):
        super().__init__(**options)
        self.counter = counter
        self.delay = delay
        self.shutdown_delay = shutdown_delay

    async def co_run(self):
        await asyncio.sleep(self.delay)
        self.counter.count += 1

    async def co_shutdown(self):
        self.counter.calls.append((self.label, self.state))
        if self.is_done():
            await asyncio.sleep(self.shutdown_delay)
            self.counter.count -= 1


@pytest.mark.parametrize(
    ("timeout", "ended_at", "calls"),
    [
        pytest.param(
            None,
            2.5,
            [("0", State.DONE), ("1", State.DONE), ("2", State.DONE), ("3", State.DONE)],
            id="success",
        ),
        pytest.param(
            1.0,
            1.0,
            [("0", State.DONE), ("1", State.DONE), ("2", State.CANCELLED), ("3", State.IDLE)],
            id="timeout",
        ),
    ],
)
def test_shutdown_of_a_sequence(timeout, ended_at, calls):
    """At the end of a run every job is shut down once, and can see how it has fared."""
    counter = Counter()
    jobs = [Counted(counter, (i + 1) / 4, label=str(i)) for i in range(4)]
    scheduler = Scheduler(Chain(*jobs), timeout=timeout)

    assert orchestrate(scheduler) is (timeout is None)

    assert counter.count == 0
    assert counter.calls == calls
    assert duration(scheduler) == ended_at


@pytest.mark.parametrize(
    ("timeout", "ran", "called"),
    [
        pytest.param(None, 9, 9, id="success"),
        pytest.param(1.0, 4, 9, id="timeout"),
    ],
)
def test_shutdown_of_nested_schedulers(timeout, ran, called):
    """The jobs of nested schedulers are shut down once too, started or not."""
    counter = Counter()
    nested = [
        Scheduler(Chain(*(Counted(counter, (i + j) / 4, label=f"{i}{j}") for j in range(3))))
        for i in range(3)
    ]
    scheduler = Scheduler(Chain(*nested), timeout=timeout)

    assert orchestrate(scheduler) is (timeout is None)

    assert counter.count == 0
    assert len(counter.calls) == len(dict(counter.calls)) == called
    assert sum(state is State.DONE for _, state in counter.calls) == ran


SHORT, LONG = 0.125, 0.5


@pytest.mark.parametrize(("timeout", "ran"), [(None, 4), (0.3125, 2)])
@pytest.mark.parametrize(("shutdown_timeout", "pipes_left"), [(0.0625, 2), (0.25, 1), (0.75, 0)])
def test_shutdown_timeout(timeout, ran, shutdown_timeout, pipes_left):
    """`shutdown_timeout` bounds all shutdowns together; those that are slower are cut short."""
    counter = Counter()
    chains = [
        Chain(*(Counted(counter, 0.125, delay, label=f"{delay} {i}") for i in range(4)))
        for delay in (SHORT, LONG)
    ]
    scheduler = Scheduler(*chains, timeout=timeout, shutdown_timeout=shutdown_timeout)

    assert orchestrate(scheduler) is (timeout is None)

    assert counter.count == ran * pipes_left
    assert len(scheduler.report.shutdown_errors) == ran * pipes_left
    run_for = 0.5 if timeout is None else timeout
    assert run_for < duration(scheduler) <= run_for + min(shutdown_timeout, LONG)


def test_shutdowns_run_at_the_same_time():
    """Shutdowns take as long as the slowest of them."""
    counter = Counter()
    jobs = [Counted(counter, 0.0, shutdown_delay, label="x") for shutdown_delay in (0.25, 0.5)]
    scheduler = Scheduler(*jobs)

    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.5
    assert counter.count == 0


def test_nested_jobs_are_shut_down_when_their_scheduler_ends():
    """The hooks of a nested run are called when it ends, not when the outer one does."""
    at = {}

    class Timed(AbstractJob[None]):
        async def co_run(self):
            await asyncio.sleep(0.25)

        async def co_shutdown(self):
            at[self.label] = asyncio.get_running_loop().time()

    inner = Scheduler(Timed(label="inside"), label="inner")

    assert orchestrate(Scheduler(inner >> Timed(label="outside"))) is True
    assert at == {"inside": 0.25, "outside": 0.5}


def test_shutdown_of_a_job_made_of_functions():
    """`Job(body, shutdown=...)` is for those who write no class."""
    log = []

    async def bye():
        log.append("bye")

    job = Job(lambda: sleeping(0.25), shutdown=bye)

    assert orchestrate(Scheduler(job)) is True
    assert log == ["bye"]


@pytest.mark.parametrize("ending", ["success", "critical", "timeout", "exit", "cancelled"])
def test_shutdown_whatever_ended_the_run(ending):
    """Every job is shut down exactly once, the one that never started included."""
    log = []

    def job(label, body, **options):
        async def bye():
            log.append(label)

        return Job(body, label=label, shutdown=bye, **options)

    error = {"critical": BoomError("boom"), "exit": SystemExit(3)}.get(ending)
    bodies = {
        "success": lambda: sleeping(0.5),
        "critical": lambda: failing(0.5, error),
        "exit": lambda: failing(0.5, error),
    }
    first = job("first", bodies.get(ending, lambda: sleeping(9.0)), critical=True)
    scheduler = Scheduler(first >> job("second", lambda: sleeping(0.0)))

    async def cancelled():
        task = asyncio.ensure_future(scheduler.co_orchestrate())
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    if ending == "exit":
        with pytest.raises(SystemExit) as caught:
            orchestrate(scheduler)
        assert caught.value is error
    elif ending == "cancelled":
        virtually(cancelled())
    else:
        timeout = 0.5 if ending == "timeout" else None
        assert orchestrate(scheduler, timeout) is (ending == "success")

    assert log == ["first", "second"]


def test_shutdown_that_raises():
    """An error in one shutdown stops no other, is in the report, and does not fail the run."""
    log = []

    class Broken(AbstractJob[None]):
        async def co_run(self):
            pass

        async def co_shutdown(self):
            log.append(self.label)
            raise BoomError(self.label)

    scheduler = Scheduler(Broken(label="a", critical=True), Broken(label="b"))

    assert orchestrate(scheduler) is True

    assert log == ["a", "b"]
    errors = scheduler.report.shutdown_errors
    assert {name: str(error) for name, error in errors.items()} == {"a": "a", "b": "b"}
    assert "shutdown of a: BoomError: a" in str(scheduler.report)
    assert scheduler.shutdown() is False


def test_shutdown_by_hand_after_a_run_does_nothing():
    """`shutdown()` after a run calls nothing again, and says how it went."""
    counter = Counter()
    scheduler = Scheduler(Counted(counter, 0.25, label="a"))
    orchestrate(scheduler)

    assert scheduler.shutdown() is True
    assert counter.calls == [("a", State.DONE)]


def test_shutdown_by_hand_before_a_run():
    """Without a run `shutdown()` shuts down all jobs, nested ones too; a run does so again."""
    counter = Counter()
    inner = Scheduler(Counted(counter, 0.25, label="inside"))
    scheduler = Scheduler(Counted(counter, 0.25, label="outside"), inner)

    assert scheduler.shutdown() is True
    assert counter.calls == [("outside", State.IDLE), ("inside", State.IDLE)]
    assert scheduler.shutdown() is True
    assert len(counter.calls) == 2

    assert orchestrate(scheduler) is True
    assert len(counter.calls) == 4


def test_shutdown_by_hand_that_is_cancelled():
    """The hooks have their time all the same; then the cancellation leaves as it came."""
    ended = []

    async def hook():
        await asyncio.sleep(0.5)
        ended.append("hook")

    async def cancelled():
        task = asyncio.ensure_future(Scheduler(Job(hook, shutdown=hook)).co_shutdown())
        asyncio.get_running_loop().call_later(0.25, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended

    assert virtually(cancelled()) == ["hook"]


def test_shutdown_of_a_scheduler_that_has_its_own():
    """A nested scheduler may extend `co_shutdown`; its jobs are shut down by it, and once."""
    counter = Counter()

    class Extended(Scheduler):
        async def co_shutdown(self):
            counter.calls.append(("own", self.state))
            return await super().co_shutdown()

    inside = Counted(counter, 0.25, label="inside")
    scheduler = Scheduler(Extended(inside, label="inner"))

    assert orchestrate(scheduler) is True
    assert [name for name, _ in counter.calls] == ["inside", "own"]
    assert scheduler.shutdown() is True
    assert len(counter.calls) == 2


def test_shutdown_of_every_run():
    """A second run shuts its jobs down again."""
    counter = Counter()
    scheduler = Scheduler(Counted(counter, 0.25, label="a"))

    assert [orchestrate(scheduler), orchestrate(scheduler)] == [True, True]
    assert counter.calls == [("a", State.DONE)] * 2


def test_shutdown_in_a_running_loop():
    """Where a loop is running, `shutdown()` refuses and says what to await."""
    scheduler = Scheduler(nap("a"))

    async def within():
        with pytest.raises(RuntimeError, match=r"await scheduler\.co_shutdown\(\)"):
            scheduler.shutdown()
        return await scheduler.co_shutdown()

    assert virtually(within()) is True

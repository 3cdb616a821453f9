"""Jobs made of what can be awaited: futures, tasks, and objects of other kinds."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import types
import warnings

import pytest
from jobs import BoomError, failing, nap, noting, orchestrate, sleeping, virtually

from flowdeco import Job, Scheduler, State
from flowdeco.errors import SelfCancelledError, StartedError


class Ticket:
    """Something to await that is neither coroutine nor future."""

    def __await__(self):
        return sleeping(0.25, "ticket").__await__()


class LazyError(Exception):
    """What a lazy object raises where it is asked for more than its type."""


class Lazy:
    """Something to await of which only the type may be asked."""

    def __getattribute__(self, name):
        raise LazyError(name)

    def __await__(self):
        yield from sleeping(0.25, "lazy").__await__()
        return "lazy"


@types.coroutine
def based_on_a_generator():
    """Sleep, as a coroutine of the old kind."""
    yield from sleeping(0.25).__await__()
    return "generator"


def future():
    made = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.25, made.set_result, "future")
    return made


AWAITABLES = {
    "future": (future, "future", "Future"),
    "task": (lambda: asyncio.ensure_future(sleeping(0.25)), 0.25, "sleeping"),
    "gather": (lambda: asyncio.gather(sleeping(0.1), sleeping(0.25)), [0.1, 0.25], None),
    "gather nothing": (lambda: asyncio.gather(), [], "Future"),
    "shield": (lambda: asyncio.shield(sleeping(0.25)), 0.25, "Future"),
    "wait_for": (lambda: asyncio.wait_for(sleeping(0.25), 1), 0.25, "wait_for"),
    "object": (Ticket, "ticket", "Ticket"),
    "lazy": (Lazy, "lazy", "Lazy"),
    "coroutine": (lambda: sleeping(0.25), 0.25, "sleeping"),
    "generator": (based_on_a_generator, "generator", "based_on_a_generator"),
    "wrapped": (
        lambda: asyncio.wrap_future(done(concurrent.futures.Future(), "wrapped")),
        "wrapped",
        "Future",
    ),
}


def done(made, value):
    made.set_result(value)
    return made


@pytest.mark.parametrize(("make", "value", "name"), AWAITABLES.values(), ids=AWAITABLES)
def test_awaitables(make, value, name):
    """A job is made of whatever can be awaited, and named for it."""

    async def run():
        job = Job(make(), critical=True)
        after = nap("after")
        assert await Scheduler(job >> after).co_orchestrate() is True
        return job

    job = virtually(run())

    assert job.result() == value
    assert name is None or job.name == name
    assert repr(job).startswith("⚠ ☉ ☓   <Job `")


def test_name_of_a_gathering():
    """What `asyncio.gather` returns has a name that can be read."""

    async def run():
        gathering = asyncio.gather(sleeping(0))
        await gathering
        return Job(gathering).name, Job(gathering, label="both").name

    assert virtually(run()) == ("GatheringFuture", "both")


def test_failure_of_what_is_awaited():
    """The exception of a future is the failure of its job."""

    async def run():
        job = Job(asyncio.gather(failing(0.25), sleeping(1)))
        assert await Scheduler(job).co_orchestrate() is True
        return job

    assert isinstance(virtually(run()).raised_exception(), BoomError)


def test_future_in_a_second_run():
    """A future that is done gives its result in every run, and a failed one its failure."""

    async def run():
        good, bad = Job(future()), Job(asyncio.ensure_future(failing(0.25)))
        scheduler = Scheduler(good, bad)
        depths = []
        for _ in range(3):
            assert await scheduler.co_orchestrate() is True
            assert good.result() == "future"
            assert isinstance(bad.raised_exception(), BoomError)
            depths.append(len(list(frames(bad.raised_exception()))))
        return depths, good.duration

    depths, seconds = virtually(run())

    assert len(set(depths[1:])) == 1
    assert seconds == 0


def frames(error):
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def test_future_of_two_jobs():
    """Two jobs can await one future."""

    async def run():
        shared = future()
        one, two = Job(shared), Job(shared)
        assert await Scheduler(one, two).co_orchestrate() is True
        return one.result(), two.result()

    assert virtually(run()) == ("future", "future")


def test_generator_based_coroutine_runs_once():
    """A second run of a coroutine that is based on a generator is refused before it starts."""
    log = []
    job = Job(based_on_a_generator())
    scheduler = Scheduler(job, noting(log, "other"))

    assert orchestrate(scheduler) is True
    with pytest.raises(StartedError, match=r"Job\(based_on_a_generator\)"):
        orchestrate(scheduler)
    assert log == ["other"]


@pytest.mark.parametrize("make", [future, lambda: asyncio.ensure_future(sleeping(9))])
def test_cancelled_with_its_job(make):
    """Where the run stops a job, what it awaits is cancelled, as `await` does."""

    async def run():
        awaited = make()
        asyncio.get_running_loop().call_later(9, lambda: None)
        job = Job(awaited)
        assert await Scheduler(job).co_orchestrate(timeout=0.125) is False
        assert job.state is State.CANCELLED
        return awaited.cancelled()

    assert virtually(run()) is True


def test_timeout_of_an_awaited_task():
    """The timeout of a job holds for what it awaits."""

    async def run():
        task = asyncio.ensure_future(sleeping(9))
        job = Job(task, timeout=0.5)
        assert await Scheduler(job).co_orchestrate() is True
        return job, task

    job, task = virtually(run())

    assert isinstance(job.raised_exception(), TimeoutError)
    assert task.cancelled()


def test_cancelled_by_others():
    """A task that somebody else cancels is a failure of the job that awaits it."""

    async def run():
        task = asyncio.ensure_future(sleeping(9))
        asyncio.get_running_loop().call_later(0.25, task.cancel)
        job = Job(task)
        assert await Scheduler(job).co_orchestrate() is True
        return job

    assert isinstance(virtually(run()).raised_exception(), SelfCancelledError)


def test_future_of_another_loop():
    """A job whose future belongs to another loop has failed, and says what to write instead."""
    loop = asyncio.new_event_loop()
    try:
        pending, settled = loop.create_future(), loop.create_future()
        settled.set_result("settled")
        strange, fine, after = Job(pending), Job(settled), nap("after")
        assert orchestrate(Scheduler(strange >> after, fine)) is True
    finally:
        loop.close()

    assert isinstance(strange.raised_exception(), RuntimeError)
    assert "the Future that this job awaits belongs to another event loop" in str(
        strange.raised_exception()
    )
    assert "Job(lambda: ...)" in str(strange.raised_exception())
    assert fine.result() == "settled"
    assert after.is_done()


def test_advice_for_another_loop():
    """A function that makes the future is called in the loop of the run, each time."""
    job = Job(lambda: asyncio.gather(sleeping(0.1), sleeping(0.25)))
    scheduler = Scheduler(job, critical=True)

    assert orchestrate(scheduler) is True
    assert orchestrate(scheduler) is True
    assert job.result() == [0.1, 0.25]


def test_service_of_a_task():
    """A task can be a service, which is stopped when the steps are done."""

    async def run():
        service = Job(asyncio.ensure_future(sleeping(99)), forever=True)
        assert await Scheduler(service >> nap("step")).co_orchestrate() is True
        return service

    service = virtually(run())

    assert (service.state, service.duration) == (State.CANCELLED, 0.25)


def test_standalone_awaitable():
    """A job of an awaitable object can be run alone, like any other."""
    assert Job(Ticket()).standalone_run() == "ticket"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: concurrent.futures.Future(), r"asyncio\.wrap_future"),
        (lambda: Job(Ticket()), "not of the job 'Ticket'"),
        (lambda: Scheduler(label="inner"), "not of the job 'inner'"),
        (lambda: Scheduler(), "not of an? .*Scheduler without a label"),
        (lambda: iter("abc"), "must be an async function"),
        (lambda: (number for number in "abc"), "must be an async function"),
        (object, "must be an async function"),
    ],
)
def test_what_cannot_be_awaited(wrong, message):
    """What can neither be called nor awaited is refused where it is given."""
    with pytest.raises(TypeError, match=message):
        Job(wrong())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda one: Job(corun=one), r"no argument 'corun'; write Job\(sleeping\(\), \.\.\.\)"),
        (lambda one: Job(corun=one, label="x", coshutdown=sleeping(1)), "no argument 'corun'"),
        (lambda one: Job(one, coshutdown=sleeping(1)), "write shutdown=, with a function"),
        (lambda one: Job(one, scheduler=Scheduler()), r"write scheduler\.add\(Job\(\.\.\.\)\)"),
        (lambda one: Job(one, labl="x"), r"did you mean label=\?"),
        (lambda one: Job(one, zzz=1), "there are label, critical, forever"),
        (lambda one: Job(one, "label"), r"takes 1 positional argument, and 2 were given"),
        (lambda one: Job(one, sleeping(2)), "takes 1 positional argument"),
        (lambda one: Job(shutdown=one), "is missing its body"),
        (lambda one: Job(one, shutdown=sleeping(1)), "the shutdown of a job must be a function"),
        (lambda one: Job(one, timeout="3"), "timeout must be"),
        (lambda one: Job(one, required="x"), "a requirement is a job"),
    ],
)
def test_wrong_arguments_close_coroutines(make, message):
    """Arguments that are refused leave no coroutine un-awaited, and say what to write."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match=message):
            make(sleeping(1))
        gc.collect()


def test_subclass_with_wrong_arguments():
    """A class that derives from `Job` is named in the error."""

    class Own(Job):
        """Passes on what it is given."""

    with pytest.raises(TypeError, match=r"Own\(\) has no argument 'corun'"):
        Own(corun=sleeping(1))

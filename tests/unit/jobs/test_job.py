"""Jobs: what they are made of, classes of one's own, jobs that are run alone."""

from __future__ import annotations

import asyncio
import functools

import pytest
from jobs import BoomError, Nap, boom, nap, orchestrate, sleeping

from flowdeco import AbstractJob, Job, PrintJob, Scheduler, State


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(functools.partial(sleeping, 0.25), id="partial"),
        pytest.param(lambda: sleeping(0.25), id="lambda"),
        pytest.param(lambda: asyncio.ensure_future(sleeping(0.25)), id="task"),
        pytest.param(Nap(0.25).co_run, id="method"),
    ],
)
def test_bodies(body):
    """A body is whatever is called without arguments and returns something to await."""
    job = Job(body)

    assert orchestrate(Scheduler(job)) is True
    assert (job.result(), job.duration) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, r"the body of a job must be an async function or a coroutine, not 3 \(int\)"),
        ("name", "the body of a job must be an async function or a coroutine, not 'name'"),
        (None, "must be an async function or a coroutine"),
        (sleeping, r"sleeping needs seconds; give them with Job\(lambda: sleeping\(\.\.\.\)\)"),
        (lambda *, a, b=1: sleeping(0), r"<lambda> needs a; give them with"),
    ],
)
def test_wrong_bodies(wrong, message):
    """What cannot be called without arguments is refused where it is given."""
    with pytest.raises(TypeError, match=message):
        Job(wrong)


def test_plain_function_as_a_body():
    """A body that returns what cannot be awaited fails, and says so."""
    job = Job(lambda: 3, label="three")

    assert orchestrate(Scheduler(job)) is True
    assert isinstance(job.raised_exception(), TypeError)
    assert str(job.raised_exception()) == (
        "the body of 'three' returned 3, which cannot be awaited; make it an async function"
    )


def test_generator_needs_forever():
    """An async generator is a service: without `forever` it is refused with the right line."""

    async def serving():
        yield 1

    with pytest.raises(TypeError, match=r"did you mean Job\(serving, forever=True\)\?"):
        Job(serving)


def test_generator_service():
    """A generator with `forever=True` gives its value from its yield on, and is torn down."""
    log = []

    async def serving():
        log.append("up")
        yield "address"
        log.append("down")

    service = Job(serving, forever=True)

    async def using():
        log.append(service.result())

    assert orchestrate(Scheduler(service >> Job(using, critical=True))) is True
    assert log == ["up", "address", "down"]


def test_options_are_keywords():
    """What a job is made of is positional, all options are keywords."""
    with pytest.raises(TypeError, match="positional argument"):
        Job(lambda: sleeping(1), "label")
    with pytest.raises(TypeError, match="positional argument"):
        AbstractJob("label")


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(-1, ValueError), (float("nan"), ValueError), (True, TypeError), ("1", TypeError)],
)
def test_wrong_timeouts(timeout, error):
    """The timeout of a job is None or a number of seconds."""
    with pytest.raises(error, match="timeout must be"):
        nap("a", timeout=timeout)


def test_job_timeout():
    """A job that takes too long has failed with `TimeoutError`, and the run goes on."""
    slow, after = nap("slow", 9.0, timeout=0.5), nap("after")

    assert orchestrate(Scheduler(slow >> after)) is True

    assert isinstance(slow.raised_exception(), TimeoutError)
    assert (slow.state, slow.duration) == (State.FAILED, 0.5)
    assert after.started_at == 0.5


def test_own_init_that_forgets_its_base():
    """A class whose `__init__` does not call that of the base is refused when it is added."""

    class Forgetful(AbstractJob[None]):
        def __init__(self):
            pass

    with pytest.raises(TypeError, match=r"Forgetful.__init__ does not call super\(\).__init__\(\)"):
        Scheduler(Forgetful())


def test_own_slots_are_of_no_concern():
    """What a class of one's own has not set yet is Python's own error."""

    class Own(AbstractJob[None]):
        __slots__ = ("host",)

    for name in ("host", "port"):
        with pytest.raises(AttributeError) as caught:
            getattr(Own(), name)
        assert "super()" not in str(caught.value)


def test_class_without_co_run():
    """A class without `co_run` fails with an error that says what to write."""
    job = AbstractJob(label="bare")
    orchestrate(Scheduler(job))

    assert isinstance(job.raised_exception(), NotImplementedError)
    assert "write `async def co_run(self)`" in str(job.raised_exception())


def test_jobs_compare_by_identity():
    """Two jobs are never equal, and can be keys."""
    a, b = Nap(1, label="same"), Nap(1, label="same")

    assert a != b
    assert len({a, b}) == 2


def test_standalone_run():
    """A job can be run alone, without a scheduler and without what it requires."""
    before = boom("before")
    job = Job(lambda: sleeping(0, "value"), required=before)

    assert job.standalone_run() == "value"
    assert before.state is State.IDLE
    with pytest.raises(BoomError):
        before.standalone_run()


def test_standalone_run_of_a_service():
    """A generator service that is run alone goes up and down, and gives its value."""
    log = []

    async def serving():
        log.append("up")
        yield "address"
        log.append("down")

    assert Job(serving, forever=True).standalone_run() == "address"
    assert log == ["up", "down"]


def test_standalone_run_of_a_service_that_yields_twice():
    """It is the error that it would be in a run."""

    async def serving():
        yield "address"
        yield "again"

    with pytest.raises(RuntimeError, match="must yield once, and this one yielded twice"):
        Job(serving, forever=True).standalone_run()


def test_own_shutdown_that_calls_the_one_of_its_base():
    """A subclass of `Job` may extend `co_shutdown`, whether or not `shutdown` was given."""
    log = []

    class Extended(Job[object]):
        async def co_shutdown(self):
            await super().co_shutdown()
            log.append(self.name)

    async def hook():
        log.append("hook")

    async def body(): ...

    with_hook, without = Extended(body, shutdown=hook, label="a"), Extended(body, label="b")
    assert orchestrate(Scheduler(with_hook >> without))
    assert sorted(log) == ["a", "b", "hook"]


def test_print_job(capsys):
    """`PrintJob` prints its banner and its messages, then sleeps."""
    first = PrintJob("one", 2, None, banner="====", sleep=0.5, label="first")
    second = PrintJob(required=first)

    assert orchestrate(Scheduler(first, second)) is True

    assert capsys.readouterr().out == "====\none 2 None\n\n"
    assert (first.duration, second.started_at) == (0.5, 0.5)
    assert [first.name, second.name] == ["first", "NOLABEL"]
    assert first.result() is None


def test_print_job_takes_the_options_of_all_jobs():
    """`PrintJob` may be critical, run forever, have a timeout and requirements."""
    a = nap("a")
    job = PrintJob("x", sleep=9, critical=True, timeout=0.5, required=[a])
    scheduler = Scheduler(a, job)

    assert orchestrate(scheduler) is False
    assert isinstance(job.raised_exception(), TimeoutError)
    assert PrintJob("x", forever=True).forever is True

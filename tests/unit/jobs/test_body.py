"""What jobs are made of: what can be called without arguments, and what cannot."""

from __future__ import annotations

import asyncio
import functools
import gc
import warnings

import pytest
from jobs import orchestrate, sleeping

from flowdeco import Job, Scheduler


async def work():
    """A body."""
    return "value"


async def needs(first, *, second):
    """What cannot be a body as it is."""
    return first, second


async def serving():
    """What is a service."""
    yield "up"


class Worker:
    """Bodies of all kinds."""

    async def method(self):
        return "value"

    async def hungry(self, first, second=1):
        return first, second

    @staticmethod
    async def static():
        return "value"

    @classmethod
    async def of_class(cls):
        return "value"

    async def __call__(self):
        return "value"


class Hungry:
    """A callable that needs an argument."""

    async def __call__(self, first):
        return first


class Waiting:
    """A class that makes something to await."""

    def __await__(self):
        return work().__await__()


class Making:
    """A class whose instances need an argument to be made."""

    def __init__(self, first):
        self.first = first


@functools.wraps(needs)
async def wrapped():
    return await needs(1, second=2)


async def optional(*rest, first=1, **options):
    return first, rest, options


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        pytest.param(work, "work", "value", id="function"),
        pytest.param(lambda: work(), "<lambda>", "value", id="lambda"),
        pytest.param(Worker().method, "method", "value", id="bound method"),
        pytest.param(Worker.static, "static", "value", id="static method"),
        pytest.param(Worker.of_class, "of_class", "value", id="class method"),
        pytest.param(Worker(), "Worker", "value", id="callable object"),
        pytest.param(Waiting, "Waiting", "value", id="class of awaitables"),
        pytest.param(wrapped, "needs", (1, 2), id="wrapper"),
        pytest.param(optional, "optional", (1, (), {}), id="optional arguments"),
        pytest.param(functools.partial(needs, 1, second=2), "needs", (1, 2), id="partial"),
        pytest.param(
            functools.partial(functools.partial(needs, 1), second=2), "needs", (1, 2), id="twice"
        ),
        pytest.param(functools.partial(Worker().hungry, 5), "hungry", (5, 1), id="partial method"),
    ],
)
def test_what_can_be_called_without_arguments(body, name, expected):
    """Anything that gives something to await is a body; the job has the name of the function."""
    job = Job(body)

    assert orchestrate(Scheduler(job))
    assert (job.name, job.result()) == (name, expected)


@pytest.mark.parametrize(
    ("body", "missing", "mend"),
    [
        pytest.param(needs, "needs needs first, second", "needs", id="function"),
        pytest.param(functools.partial(needs, 1), "needs needs second", "needs", id="partial"),
        pytest.param(
            functools.partial(needs, second=1), "needs needs first", "needs", id="keyword partial"
        ),
        pytest.param(Worker().hungry, "hungry needs first", "hungry", id="bound method"),
        pytest.param(Worker.method, "method needs self", "method", id="method of the class"),
        pytest.param(lambda x, /: work(), "<lambda> needs x", "<lambda>", id="lambda"),
        pytest.param(Hungry(), "Hungry needs first", "Hungry", id="callable object"),
        pytest.param(Making, "Making needs first", "Making", id="class"),
        pytest.param(asyncio.sleep, "sleep needs delay", "sleep", id="asyncio's own"),
        pytest.param(
            functools.partial(functools.partial(needs)),
            *("needs needs first, second", "needs"),
            id="empty partials",
        ),
    ],
)
def test_what_needs_arguments(body, missing, mend):
    """G12: the error names the function and what is missing, and shows the right line."""
    with pytest.raises(TypeError) as caught:
        Job(body)
    with pytest.raises(TypeError) as of_shutdown:
        Job(work, shutdown=body)

    assert missing in str(caught.value)
    assert f"Job(lambda: {mend}(...))" in str(caught.value)
    assert missing in str(of_shutdown.value)
    assert f"shutdown=lambda: {mend}(...)" in str(of_shutdown.value)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        pytest.param(serving, "serving", id="function"),
        pytest.param(functools.partial(serving), "serving", id="partial"),
    ],
)
def test_generators_are_services(body, name):
    """G13: an async generator function needs `forever=True`, and the error says so."""
    with pytest.raises(TypeError) as caught:
        Job(body)

    assert f"{name} yields" in str(caught.value)
    assert f"Job({name}, forever=True)" in str(caught.value)
    service = Job(body, forever=True)
    assert orchestrate(Scheduler(service >> Job(work)))
    assert service.result() == "up"


@pytest.mark.parametrize("options", [{}, {"forever": True}])
def test_generator_objects_are_refused(options):
    """A generator that was called already can come up only once: the function is wanted."""
    with pytest.raises(TypeError, match="must be an async function or a coroutine, not <async_gen"):
        Job(serving(), **options)


@pytest.mark.parametrize("wrong", [3, "work", None, object(), [work]])
def test_what_is_no_function(wrong):
    """What cannot be called is refused with its class, as a body and as a shutdown."""
    kind = type(wrong).__name__
    message = rf"must be an async function.*, not .* \({kind}\)$"

    with pytest.raises(TypeError, match=f"the body of a job {message}"):
        Job(wrong)
    if wrong is not None:
        with pytest.raises(TypeError, match=f"the shutdown of a job {message}"):
            Job(work, shutdown=wrong)


@pytest.mark.parametrize("wrong", ["\x1b[2J\n", "x" * 100_000])
def test_errors_are_printable_and_short(wrong):
    """O03 O06: what was given is shown in a line, whatever it is."""
    with pytest.raises(TypeError) as caught:
        Job(wrong)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_builtins_that_do_not_say_what_they_take():
    """Nothing can be known of them in advance: a run shows it, as the failure of the job."""
    job = Job(dict)

    assert orchestrate(Scheduler(job))
    assert "returned {}, which cannot be awaited" in str(job.raised_exception())


def test_a_shutdown_is_no_coroutine_object():
    """Every run calls it, so the error says to give the function; the coroutine is closed."""
    with pytest.raises(TypeError, match="write work without the parentheses"):
        Job(work, shutdown=work())


def test_a_shutdown_is_no_generator():
    """What cannot be awaited cannot be a shutdown."""
    with pytest.raises(TypeError, match="serving"):
        Job(work, shutdown=serving)


def test_a_body_is_called_anew_in_each_run():
    """R01: a function makes a new coroutine for each run."""
    count = iter(range(10))

    async def counting():
        return next(count)

    job = Job(counting)
    scheduler = Scheduler(job)
    results = []
    for _ in range(3):
        orchestrate(scheduler)
        results.append(job.result())

    assert results == [0, 1, 2]


def test_a_body_that_raises_when_it_is_called():
    """F14: what is raised before there is anything to await is the failure of the job."""

    def broken():
        raise KeyError("at once")

    job = Job(broken)

    assert orchestrate(Scheduler(job, Job(lambda: sleeping(1))))
    assert str(job.raised_exception()) == "'at once'"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Job(work(), timeout=-1), id="negative timeout"),
        pytest.param(lambda: Job(work(), timeout="1"), id="timeout"),
        pytest.param(lambda: Job(work(), critical="yes"), id="critical"),
        pytest.param(lambda: Job(work(), forever="yes"), id="forever"),
        pytest.param(lambda: Job(work(), required="job"), id="required"),
        pytest.param(lambda: Job(work(), required=[Job(work()), 3]), id="one of the required"),
        pytest.param(lambda: Job(work(), shutdown=3), id="shutdown"),
        pytest.param(lambda: Job(work(), shutdown=work()), id="coroutine as a shutdown"),
        pytest.param(lambda: Job(work(), required=work()), id="required coroutine"),
        pytest.param(lambda: Job(work()).requires(work()), id="requires"),
        pytest.param(lambda: Scheduler(Job(work()), work()), id="coroutine in a scheduler"),
        pytest.param(lambda: Scheduler(Job(work()), timeout=-1), id="timeout of a scheduler"),
        pytest.param(lambda: Scheduler(Job(work()), window=0), id="window"),
        pytest.param(lambda: Scheduler(Job(work()), [Job(work())]), id="list in a scheduler"),
    ],
)
def test_a_constructor_that_fails_leaves_nothing_un_awaited(make):
    """A coroutine object that was given to what raises is closed without a warning."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises((TypeError, ValueError)) as caught:
            make()
        del caught
        gc.collect()

    assert [str(warning.message) for warning in seen] == []

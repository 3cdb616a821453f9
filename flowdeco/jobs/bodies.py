"""What a job is made of: functions, coroutine objects, methods of flows."""

from __future__ import annotations

import asyncio
import atexit
import functools
import inspect
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import attrs

from flowdeco.base.annotations import is_async_function
from flowdeco.base.text import class_name
from flowdeco.errors import StartedError

from .callables import AnyCoroutine, function_name, yields
from .outcome import MISSING
from .plain import call_plainly, close_unstarted
from .retry import Retry
from .threads import in_thread

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobLike

__all__ = [
    "GENERATOR",
    "NESTED",
    "PLAIN",
    "AwaitableBody",
    "Body",
    "CoroutineBody",
    "MethodBody",
    "RetriedBody",
    "awaiting",
    "up_and_down",
]

R = TypeVar("R")
T = TypeVar("T")


class Body:
    """What a run must know of a body before it starts: here, that there is nothing to know."""

    __slots__ = ()

    inputs: Sequence[JobLike] = ()
    """The jobs whose values it takes when it starts."""
    is_generator: bool = False
    """Whether it is a generator service, ready at its yield."""
    is_threaded: bool = False
    """Whether it runs in a thread."""
    takes_slot: bool = True
    """Whether its job needs a slot of the window, unless it is a service."""
    is_stateful: bool = False
    """Whether it keeps something that is to be checked or renewed when a run begins."""
    raises_nested_failures: bool = False
    """Whether it fails for sure where a run inside of it does."""
    retry: Retry | None = None
    """When it is run again after a failure."""
    makes_flows: bool = False
    """Whether there are jobs inside of it that nobody knows before it runs."""
    is_job_set: bool = False
    """Whether its job is a set of jobs."""


class RetriedBody(Body):
    """The traits of a function that is called again when it fails."""

    __slots__ = ("retry",)

    def __init__(self, retry: Retry) -> None:
        self.retry = retry


class NestedBody(Body):
    """The traits of a set of jobs."""

    __slots__ = ()

    is_stateful = True
    raises_nested_failures = True
    is_job_set = True


class GeneratorBody(Body):
    """The traits of an async generator function."""

    __slots__ = ()

    is_generator = True


PLAIN: Final = Body()
NESTED: Final = NestedBody()
GENERATOR: Final = GeneratorBody()


def _yields(body: MethodBody) -> bool:
    return yields(body.method)


def _threaded(body: MethodBody) -> bool:
    return not body.is_generator and not is_async_function(body.method)


@attrs.define(eq=False, repr=False)
class MethodBody(Body):
    """A method of a flow, which is called with the values of the jobs that it takes."""

    method: Callable[..., Any]
    flow: object
    name: str
    inputs: Sequence[JobLike] = ()
    made: object = attrs.field(default=MISSING, init=False)
    """What the method of a subflow has returned."""
    reached_as: Any = attrs.field(default=None, init=False)
    """The declaration through which its job was last reached, if it is an inherited one."""

    is_generator: bool = attrs.field(default=attrs.Factory(_yields, takes_self=True), kw_only=True)
    """Whether it is a generator service."""
    is_threaded: bool = attrs.field(default=attrs.Factory(_threaded, takes_self=True), kw_only=True)
    """Whether it runs in a thread."""
    retry: Retry | None = attrs.field(default=None, kw_only=True)

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def is_plain(self) -> bool:
        """Whether the method is a plain one, not async."""
        return self.is_threaded

    @property
    def counts(self) -> tuple[int, int | None] | None:
        """Of a fan-out, how many items have ended, and how many there are, where it is known."""
        return None

    def refused(self, _value: object) -> str | None:
        """Say why a value cannot be that of the job."""
        return None

    def take_value(self, value: object) -> None:
        """Take a value that is given in place of what the method would return."""

    @property
    def traits(self) -> Body:
        """What a run must know of it."""
        special = self.inputs or self.is_generator or self.is_threaded or self.is_stateful
        return self if special or self.retry or not self.takes_slot else PLAIN

    @property
    def arguments(self) -> Sequence[object]:
        """What the method takes beside the flow."""
        return [job.__flow_output__() for job in self.inputs]

    def start(self) -> Any:
        """Start the work."""
        if self.inputs or self.is_threaded:
            return self.call(*self.arguments)
        return self.method(self.flow)

    def __call__(self, *given: object) -> Any:
        """Start the work, as what a job is made of can be called.

        Raises:
            TypeError: it was given arguments, as the method of the class takes them.
        """
        if given:
            # Give good error for: await super().build.body(self), or self.build.body(self).
            caller = sys._getframe(1).f_code  # pyright: ignore[reportPrivateUsage]  # has no public name
            flow: Any = self.flow
            instead = flow.__flow_instead_of_call__(self.name, caller, False)
            raise TypeError(f"`body` of the job {self.name!r} takes no arguments; {instead}")
        return self.start()

    def call(self, *arguments: object) -> Any:
        if self.is_threaded:
            call = functools.partial(call_plainly, self.name, self.method, self.flow, *arguments)
            return in_thread(call)
        return self.method(self.flow, *arguments)

    def passed_on(self, _value: object) -> object:
        """What those get who take the value."""
        return _value

    @property
    def children(self) -> Sequence[Any]:
        """The jobs inside of this one."""
        return ()

    def renew(self) -> None:
        """Forget an earlier run, as a new one begins."""


async def awaiting(awaitable: Awaitable[R]) -> R:
    """Make a coroutine of an awaitable."""
    return await awaitable


async def up_and_down(generator: AsyncIterator[R]) -> R:
    """Run a generator service outside of a run: up, and down again."""
    value = await anext(generator)
    async for _ in generator:
        raise RuntimeError("a service must yield once, and this one yielded twice")
    return value


class _Claim(weakref.ref["CoroutineBody"]):
    """The claim of a body on its coroutine: it keeps that alive, so that no other has its id."""

    __slots__ = ("coroutine",)

    coroutine: AnyCoroutine


_claims: dict[int, _Claim] = {}
"""The claims of all bodies there are, by the id of the coroutine."""


def _release(claim: weakref.ref[CoroutineBody]) -> None:
    # Not __del__: where the job is part of a reference cycle, the collector might finalise the
    # coroutine first, with a warning that it was never awaited.
    coroutine = cast("_Claim", claim).coroutine
    _claims.pop(id(coroutine), None)
    close_unstarted(coroutine)


@atexit.register
def _release_all() -> None:
    for claim in tuple(_claims.values()):
        _release(claim)


class CoroutineBody(Body):
    """A coroutine object where others have a function: it can be called once."""

    __slots__ = ("__weakref__", "coroutine")

    is_stateful = True

    def __init__(self, coroutine: AnyCoroutine) -> None:
        if id(coroutine) in _claims:
            raise TypeError(
                f"the coroutine {function_name(coroutine)} is the body of another job already;"
                " call the function once for each job"
            )
        self.coroutine = coroutine
        claim = _Claim(self, _release)
        claim.coroutine = coroutine
        _claims[id(coroutine)] = claim

    def check(self, job: JobLike) -> None:
        """Refuse a second start.

        Raises:
            StartedError: the coroutine has been started.
        """
        if _has_started(self.coroutine):
            name = function_name(self)
            raise StartedError(
                f"{job.name!r} cannot run again: it was made of a coroutine object, which runs"
                f" once; give the function itself, as in Job({name}) or Job(lambda: {name}(...))",
                job,
            )

    def start(self) -> AnyCoroutine:
        """Return the coroutine, which is to be awaited at once: there is nothing left to close."""
        _claims.pop(id(self.coroutine), None)
        return self.coroutine

    def __call__(self) -> AnyCoroutine:
        return self.coroutine

    @property
    def __name__(self) -> str:
        return function_name(self.coroutine)


def _has_started(coroutine: Any) -> bool:
    if type(coroutine) is CoroutineType:
        # As inspect.getcoroutinestate does, which most of such jobs would call.
        return coroutine.cr_suspended or coroutine.cr_running or coroutine.cr_frame is None
    return inspect.getgeneratorstate(coroutine) != inspect.GEN_CREATED


class AwaitableBody(Body):
    """An awaitable where others have a function, such as a future: each run awaits it."""

    __slots__ = ("awaitable",)

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self.awaitable = awaitable

    async def __call__(self) -> Any:
        """Await it.

        Raises:
            RuntimeError: it is a future of another event loop, and still pending.
        """
        awaitable = self.awaitable
        if issubclass(type(awaitable), asyncio.Future):
            self._check_loop(cast("asyncio.Future[Any]", awaitable))
        return await awaitable

    @property
    def __name__(self) -> str:
        if issubclass(type(self.awaitable), asyncio.Task):
            return function_name(cast("asyncio.Task[Any]", self.awaitable).get_coro())
        return _kind(self.awaitable)

    def _check_loop(self, future: asyncio.Future[Any]) -> None:
        # Give good error for: scheduler.orchestrate(), which makes a loop of its own.
        if future.done() or future.get_loop() is asyncio.get_running_loop():
            return
        raise RuntimeError(
            f"the {_kind(future)} that this job awaits belongs to another event loop than the one"
            " that runs the job; make it there, with Job(lambda: ...), or run the scheduler in"
            " the loop of the future, with `await scheduler.co_orchestrate()`"
        )


def _kind(value: object) -> str:
    """The name of a type, which for what `asyncio.gather` returns is a private one."""
    return class_name(value).lstrip("_")

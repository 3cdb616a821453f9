"""What a job is made of: functions, coroutine objects, methods of flows."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from .annotations import parameters
from .errors import StartedError
from .text import line
from .threads import in_thread

if TYPE_CHECKING:
    from .job import AbstractJob

__all__ = [
    "NESTED",
    "PLAIN",
    "YIELDING",
    "Bound",
    "Once",
    "Traits",
    "awaiting",
    "check_callable",
    "function_name",
    "is_plain",
    "up_and_down",
    "yields",
]

R = TypeVar("R")


class Traits:
    """What a run must know of a body before it starts: here, that there is nothing to know."""

    __slots__ = ()

    takes: Sequence[AbstractJob[object]] = ()
    """The jobs whose values it takes when it starts."""
    yields: bool = False
    """Whether it is a generator service, ready at its yield."""
    threaded: bool = False
    """Whether it runs in a thread."""
    takes_place: bool = True
    """Whether it takes a place of the window, unless it is a service."""
    is_stateful: bool = False
    """Whether it keeps something that is to be checked or renewed when a run begins."""


class Nested(Traits):
    """The traits of a set of jobs."""

    __slots__ = ()

    is_stateful = True


class Yielding(Traits):
    """The traits of an async generator function."""

    __slots__ = ()

    yields = True


PLAIN: Final = Traits()
NESTED: Final = Nested()
YIELDING: Final = Yielding()


def _yields(body: Bound) -> bool:
    return yields(body.method)


def _threaded(body: Bound) -> bool:
    return not body.yields and not inspect.iscoroutinefunction(body.method)


@attrs.define(eq=False, repr=False)
class Bound(Traits):
    """A method of a flow, which is called with the values of the jobs that it takes."""

    method: Callable[..., Any]
    flow: object
    name: str
    takes: Sequence[AbstractJob[object]] = ()
    made: object = attrs.field(default=None, init=False)
    """What the method of a subflow has returned."""

    yields: bool = attrs.field(default=attrs.Factory(_yields, takes_self=True), kw_only=True)
    """Whether it is a generator service."""
    threaded: bool = attrs.field(default=attrs.Factory(_threaded, takes_self=True), kw_only=True)
    """Whether it runs in a thread."""

    @property
    def traits(self) -> Traits:
        """What a run must know of it."""
        special = self.takes or self.yields or self.threaded or self.is_stateful
        return self if special or not self.takes_place else PLAIN

    @property
    def arguments(self) -> Sequence[object]:
        """What the method takes beside the flow."""
        return [job._passed_on() for job in self.takes]

    def start(self) -> Any:
        """Start the work."""
        if self.takes or self.threaded:
            return self._call(*self.arguments)
        return self.method(self.flow)

    def __call__(self) -> Any:
        """Start the work, as what a job is made of can be called."""
        return self.start()

    def _call(self, *arguments: object) -> Any:
        if self.threaded:
            return in_thread(functools.partial(self.method, self.flow, *arguments))
        return self.method(self.flow, *arguments)

    def passed_on(self, _value: object) -> object:
        """What those get who take the value."""
        return _value

    def children(self) -> Sequence[AbstractJob[object]]:
        """The jobs inside of this one."""
        return ()

    def renew(self) -> None:
        """Forget an earlier run, as a new one begins."""


def is_plain(function: object) -> bool:
    """Tell whether something is a function that needs nothing and does not yield asynchronously.

    It is what most jobs are made of, and the other questions take their time.
    """
    if not isinstance(function, FunctionType):
        return False
    code: CodeType = function.__code__
    if code.co_kwonlyargcount or code.co_flags & inspect.CO_ASYNC_GENERATOR:
        return False
    return not code.co_argcount or code.co_argcount == len(function.__defaults__ or ())


def yields(function: object) -> bool:
    """Tell whether something is an async generator function."""
    return inspect.isasyncgenfunction(function)


async def awaiting(awaitable: Awaitable[R]) -> R:
    """Make a coroutine of an awaitable."""
    return await awaitable


async def up_and_down(generator: AsyncIterator[R]) -> R:
    """Run a generator service outside of a run: up, and down again."""
    value = await anext(generator)
    async for _ in generator:
        raise RuntimeError("a service must yield once, and this one yielded twice")
    return value


_claimed: weakref.WeakSet[Coroutine[Any, Any, Any]] = weakref.WeakSet()


class Once(Traits):
    """A coroutine object in the place of a function: it can be called a single time."""

    __slots__ = ("__weakref__", "coroutine")

    is_stateful = True

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        if coroutine in _claimed:
            raise TypeError(
                f"the coroutine {function_name(coroutine)} is the body of another job already;"
                " call the function once for each job"
            )
        _claimed.add(coroutine)
        self.coroutine = coroutine
        # Not __del__: where the job is part of a reference cycle, the collector might finalise
        # the coroutine first, with a warning. The finalizer keeps it alive until then.
        weakref.finalize(self, _close_unstarted, coroutine)

    def check(self, job: AbstractJob[object]) -> None:
        """Refuse a second start.

        Raises:
            StartedError: the coroutine has been started.
        """
        if inspect.getcoroutinestate(self.coroutine) != inspect.CORO_CREATED:
            name = function_name(self)
            raise StartedError(
                f"{job.name!r} cannot run again: it was made of a coroutine object, which runs"
                f" once; give the function itself, as in Job({name}) or Job(lambda: {name}(...))",
                job,
            )

    def __call__(self) -> Coroutine[Any, Any, Any]:
        return self.coroutine


def _close_unstarted(coroutine: Coroutine[Any, Any, Any]) -> None:
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()


def check_callable(function: object, what: str, usage: str, *, or_coroutine: bool) -> None:
    """Refuse what cannot be called without arguments.

    Raises:
        TypeError: it cannot; the message says so of `what`, and shows the `usage` instead.
    """
    if inspect.iscoroutine(function):
        function.close()
        raise TypeError(
            f"{what} must be a function, for every run calls it;"
            f" write {function_name(function)} without the parentheses"
        )
    if not callable(function):
        raise TypeError(
            f"{what} must be an async function{' or a coroutine' if or_coroutine else ''},"
            f" not {line(repr(function))} ({type(function).__name__})"
        )
    if not or_coroutine and inspect.isasyncgenfunction(function):
        raise TypeError(f"{what} must be awaitable, and {function_name(function)} yields")
    missing = _missing_arguments(function)
    if missing:
        name = function_name(function)
        raise TypeError(
            f"{what} is called without arguments, and {name} needs {', '.join(missing)};"
            f" give them with {usage.format(name)}"
        )


def _missing_arguments(function: object) -> list[str]:
    """Name the parameters that a call without arguments would leave unfilled."""
    bound = 0
    if isinstance(function, MethodType):
        bound, function = 1, function.__func__
    if isinstance(function, FunctionType):
        # The usual case, and an inspect.signature costs more than the rest of a job.
        code: CodeType = function.__code__
        optional = len(function.__defaults__ or ())
        positional = code.co_varnames[bound : code.co_argcount - optional]
        first_keyword = code.co_argcount
        keywords = code.co_varnames[first_keyword : first_keyword + code.co_kwonlyargcount]
        return [*positional, *(k for k in keywords if k not in (function.__kwdefaults__ or ()))]
    try:
        found = parameters(function)
    except (TypeError, ValueError):
        return []  # some builtins have none: what they need shows when they are called
    return [
        parameter.name
        for parameter in found
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def function_name(function: object) -> str:
    """Return the name of what a job is made of, in printable characters."""
    if isinstance(function, Once):
        function = function.coroutine
    if isinstance(function, Bound):
        return function.name
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return line(name)

"""What a job is made of: functions, coroutine objects, methods of flows."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import inspect
import os
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
from types import CodeType, CoroutineType, FunctionType, GeneratorType, MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, TypeGuard, TypeVar, cast

import attrs

from flowdeco.base.annotations import is_async_function, parameters
from flowdeco.base.text import class_name, line, repr_line
from flowdeco.errors import StartedError

from .plain import call_plainly, close_unstarted
from .threads import in_thread

if TYPE_CHECKING:
    from flowdeco.flows.declaration import Declaration

    from .job import AbstractJob

__all__ = [
    "GENERATOR",
    "NESTED",
    "PLAIN",
    "AwaitableBody",
    "Body",
    "CoroutineBody",
    "MethodBody",
    "awaiting",
    "check_callable",
    "close_unstarted",
    "defined_at",
    "function_name",
    "is_awaitable",
    "is_coroutine",
    "is_plain",
    "isinstance_of",
    "up_and_down",
    "yields",
]

R = TypeVar("R")
T = TypeVar("T")


class Body:
    """What a run must know of a body before it starts: here, that there is nothing to know."""

    __slots__ = ()

    inputs: Sequence[AbstractJob[object]] = ()
    """The jobs whose values it takes when it starts."""
    is_generator: bool = False
    """Whether it is a generator service, ready at its yield."""
    is_threaded: bool = False
    """Whether it runs in a thread."""
    takes_slot: bool = True
    """Whether it takes a place of the window, unless it is a service."""
    is_stateful: bool = False
    """Whether it keeps something that is to be checked or renewed when a run begins."""
    raises_nested_failures: bool = False
    """Whether it fails for sure where a run inside of it does."""


class NestedBody(Body):
    """The traits of a set of jobs."""

    __slots__ = ()

    is_stateful = True
    raises_nested_failures = True


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
    inputs: Sequence[AbstractJob[object]] = ()
    made: object = attrs.field(default=None, init=False)
    """What the method of a subflow has returned."""
    has_after: ClassVar[bool] = True
    """Whether what declares it can be given `after=`."""
    reached_as: Declaration[object] | None = attrs.field(default=None, init=False)
    """The declaration through which its job was last reached, if it is an inherited one."""

    is_generator: bool = attrs.field(default=attrs.Factory(_yields, takes_self=True), kw_only=True)
    """Whether it is a generator service."""
    is_threaded: bool = attrs.field(default=attrs.Factory(_threaded, takes_self=True), kw_only=True)
    """Whether it runs in a thread."""

    @property
    def traits(self) -> Body:
        """What a run must know of it."""
        special = self.inputs or self.is_generator or self.is_threaded or self.is_stateful
        return self if special or not self.takes_slot else PLAIN

    @property
    def arguments(self) -> Sequence[object]:
        """What the method takes beside the flow."""
        return [job.__flow_output__() for job in self.inputs]

    def start(self) -> Any:
        """Start the work."""
        if self.inputs or self.is_threaded:
            return self._call(*self.arguments)
        return self.method(self.flow)

    def __call__(self, *given: object) -> Any:
        """Start the work, as what a job is made of can be called.

        Raises:
            TypeError: it was given arguments, as the method of the class takes them.
        """
        if given:
            # Give good error for: await super().build.body(self), or self.build.body(self).
            caller = sys._getframe(1).f_code
            flow: Any = self.flow
            instead = flow.__flow_instead_of_call__(self.name, caller, False)
            raise TypeError(f"`body` of the job {self.name!r} takes no arguments; {instead}")
        return self.start()

    def _call(self, *arguments: object) -> Any:
        if self.is_threaded:
            call = functools.partial(call_plainly, self.name, self.method, self.flow, *arguments)
            return in_thread(call)
        return self.method(self.flow, *arguments)

    def passed_on(self, _value: object) -> object:
        """What those get who take the value."""
        return _value

    @property
    def children(self) -> Sequence[AbstractJob[object]]:
        """The jobs inside of this one."""
        return ()

    def renew(self) -> None:
        """Forget an earlier run, as a new one begins."""


def isinstance_of(value: object, kind: type[T]) -> TypeGuard[T]:
    """Tell whether the type of something is this one, or derives from it; ask it nothing more."""
    return issubclass(type(value), kind)


def is_coroutine(value: object) -> bool:
    """Tell whether something is a coroutine object, one based on a generator included.

    It asks for the type alone, as `is_awaitable` does: lazy objects load what they stand for when
    they are asked for more.
    """
    kind = type(value)
    if kind is GeneratorType:
        code: CodeType = cast("GeneratorType[Any, Any, Any]", value).gi_code
        return bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
    return kind is CoroutineType


def is_awaitable(value: object) -> bool:
    """Tell whether something can be awaited."""
    return hasattr(type(value), "__await__") or is_coroutine(value)


def is_plain(function: object) -> bool:
    """Tell whether something is a function that needs nothing and does not yield asynchronously.

    It is what most jobs are made of, and the other questions take their time.
    """
    if type(function) is not FunctionType:
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


AnyCoroutine: TypeAlias = "Coroutine[Any, Any, Any] | Generator[Any, Any, Any]"

_claimed: weakref.WeakSet[AnyCoroutine] = weakref.WeakSet()


class CoroutineBody(Body):
    """A coroutine object in the place of a function: it can be called a single time."""

    __slots__ = ("__weakref__", "coroutine")

    is_stateful = True

    def __init__(self, coroutine: AnyCoroutine) -> None:
        if coroutine in _claimed:
            raise TypeError(
                f"the coroutine {function_name(coroutine)} is the body of another job already;"
                " call the function once for each job"
            )
        _claimed.add(coroutine)
        self.coroutine = coroutine
        # Not __del__: where the job is part of a reference cycle, the collector might finalise
        # the coroutine first, with a warning. The finalizer keeps it alive until then.
        weakref.finalize(self, close_unstarted, coroutine)

    def check(self, job: AbstractJob[object]) -> None:
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

    def __call__(self) -> AnyCoroutine:
        return self.coroutine


def _has_started(coroutine: AnyCoroutine) -> bool:
    if type(coroutine) is GeneratorType:
        generator = cast("Generator[Any, Any, Any]", coroutine)
        return inspect.getgeneratorstate(generator) != inspect.GEN_CREATED
    state = inspect.getcoroutinestate(cast("Coroutine[Any, Any, Any]", coroutine))
    return state != inspect.CORO_CREATED


class AwaitableBody(Body):
    """An awaitable object in the place of a function, such as a future: each run awaits it."""

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

    def _check_loop(self, future: asyncio.Future[Any]) -> None:
        # Give good error for: scheduler.orchestrate(), which makes a loop of its own.
        if future.done() or future.get_loop() is asyncio.get_running_loop():
            return
        raise RuntimeError(
            f"the {_kind(future)} that this job awaits belongs to another event loop than the one"
            " that runs the job; make it there, with Job(lambda: ...), or run the scheduler in"
            " the loop of the future, with `await scheduler.co_orchestrate()`"
        )


def check_callable(function: object, what: str, usage: str, *, or_coroutine: bool) -> None:
    """Refuse what cannot be called without arguments.

    Raises:
        TypeError: it cannot; the message says so of `what`, and shows the `usage` instead.
    """
    if is_coroutine(function):
        cast("AnyCoroutine", function).close()
        raise TypeError(
            f"{what} must be a function, for every run calls it;"
            f" write {function_name(function)} without the parentheses"
        )
    if not callable(function):
        raise _not_callable(function, what, or_coroutine=or_coroutine)
    if not or_coroutine and inspect.isasyncgenfunction(function):
        raise TypeError(f"{what} must be awaitable, and {function_name(function)} yields")
    missing = _missing_arguments(function)
    if missing:
        name = function_name(function)
        raise TypeError(
            f"{what} is called without arguments, and {name} needs {', '.join(missing)};"
            f" give them with {usage.format(name)}"
        )


def _not_callable(value: object, what: str, *, or_coroutine: bool) -> TypeError:
    wanted = "an async function" + (" or a coroutine" if or_coroutine else "")
    hint = ""
    # Give good error for: Job(pool.submit(work))
    if or_coroutine and issubclass(type(value), concurrent.futures.Future):
        hint = "; write Job(lambda: asyncio.wrap_future(...))"
    return TypeError(f"{what} must be {wanted}, not {repr_line(value)} ({class_name(value)}){hint}")


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
    if isinstance_of(function, CoroutineBody):
        function = function.coroutine
    if isinstance_of(function, AwaitableBody):
        return _name_of_awaitable(function.awaitable)
    if isinstance_of(function, MethodBody):
        return function.name
    while isinstance_of(function, functools.partial):
        function = cast("functools.partial[object]", function).func
    try:
        name = getattr(function, "__name__", None)
    except BaseException:  # it is a lazy object, which could not load what it stands for
        name = None
    return class_name(function) if name is None else line(name)


def _name_of_awaitable(awaitable: object) -> str:
    if issubclass(type(awaitable), asyncio.Task):
        return function_name(cast("asyncio.Task[Any]", awaitable).get_coro())
    return _kind(awaitable)


def _kind(value: object) -> str:
    """The name of a type, which for what `asyncio.gather` returns is a private one."""
    return class_name(value).lstrip("_")


def defined_at(function: object) -> str:
    """Return file and line of a function without a name of its own, as `deploy.py:12`; or ''."""
    while isinstance_of(function, functools.partial):
        function = cast("functools.partial[object]", function).func
    if type(function) is not FunctionType or function.__name__ != "<lambda>":
        return ""
    code: CodeType = function.__code__
    return line(f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}")

"""Jobs: what runs, with what it requires and how it last fared."""

from __future__ import annotations

import asyncio
import functools
import inspect
import weakref
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    KeysView,
    Sequence,
)
from contextvars import ContextVar
from types import CodeType, CoroutineType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, cast

import attrs
from typing_extensions import Self, TypeVar

from .chain import Atom, Chain, Link
from .errors import BusyError, NotFinishedError, StartedError
from .limits import seconds
from .marks import described
from .outcome import MISSING, Outcome, State
from .text import line, printable, value_line

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["AbstractJob", "Job", "PrintJob", "Requirement", "RequirementSet"]

R = TypeVar("R", covariant=True, default=object)

Requirement: TypeAlias = "Link[AbstractJob[object]] | None"
# Checkers follow three levels; at run time any depth is taken. A recursive alias would let a
# string through in mypy.
RequirementSet: TypeAlias = (
    "Requirement | Iterable[Requirement | Iterable[Requirement | Iterable[Requirement]]]"
)

NEVER_RUN = Outcome()
"""The outcome of every job that was in no run yet; nothing writes to it."""


class Activity(Protocol):
    """What is known of the job that runs in a context."""

    @property
    def job(self) -> AbstractJob[object]: ...


current_activity: ContextVar[Activity | None] = ContextVar("flowdeco.current_activity", default=None)


def current_job() -> AbstractJob[object] | None:
    """Return the job in whose body this is called (or in a task started there), else None."""
    activity = current_activity.get()
    return None if activity is None else activity.job


@attrs.define(eq=False, repr=False, kw_only=True, on_setattr=attrs.setters.NO_OP)
class AbstractJob(Atom["AbstractJob[object]"], Generic[R]):
    """A piece of work in a scheduler. Subclasses write `async def co_run(self)`.

    A subclass may also write `async def co_shutdown(self)`, which is called once at the end of
    every run, whether the job has run or not, and `details(self)`, a text for listings.

    Args:
        label: the name in listings; by default that of the function.
        critical: whether its failure ends the run; None takes the default of its scheduler.
        forever: whether the run ends without waiting for it, by stopping it.
        timeout: the seconds it may take from its start; over it, it is cancelled and has failed
            with `TimeoutError`. None and infinity are no limit.
        required: what it comes after: jobs, chains, None, and collections of them.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: the timeout is negative or nan, or the job requires itself.
    """

    label: str | None = None
    critical: bool | None = None
    forever: bool = False
    timeout: float | None = attrs.field(default=None, validator=seconds)
    _given: RequirementSet = attrs.field(default=None, alias="required")
    _required: dict[AbstractJob[object], None] = attrs.field(factory=dict, init=False)
    _outcome: Outcome = attrs.field(default=NEVER_RUN, init=False)
    _owner: Callable[[], Scheduler | None] | None = attrs.field(default=None, init=False)
    _takes: Sequence[AbstractJob[object]] = attrs.field(default=(), init=False)
    """The jobs whose values it takes when it starts."""
    _yields: bool = attrs.field(default=False, init=False)
    """Whether it is a generator service, ready at its yield."""

    def __attrs_post_init__(self) -> None:
        if self._given is not None:
            given, self._given = self._given, None
            self.requires(given)

    # What a job does

    async def co_run(self) -> R:
        """Do the work, and return the result. Subclasses write it."""
        raise NotImplementedError(
            f"{type(self).__name__} has no co_run; write `async def co_run(self)` in it"
        )

    async def co_shutdown(self) -> object:
        """Release what the job holds, at the end of a run. Subclasses may write it."""

    def details(self) -> str | None:
        """Return what listings show in addition, when asked for details."""
        return None

    def standalone_run(self) -> R:
        """Run this job alone, without its requirements, in an event loop made for it.

        Returns:
            The result of `co_run`.

        Raises:
            Exception: what `co_run` raises.
        """

        async def alone() -> R:
            return await self.co_run()

        return asyncio.run(alone())

    # What it comes after

    @property
    def required(self) -> KeysView[AbstractJob[object]]:
        """What it comes after, in the order in which that was said."""
        return self._required.keys()

    def requires(self, *jobs: RequirementSet, remove: bool = False) -> Self:
        """Let this job come after others, or (with `remove`) no longer after them.

        Args:
            jobs: jobs, chains (which stand for what ends them), None, and nested collections.
            remove: forget these requirements; those that are not there do not matter.

        Returns:
            This job.

        Raises:
            TypeError: something is neither of these; a string above all.
            ValueError: the job would require itself.
            BusyError: the scheduler of this job is running.
        """
        others = list(_flattened(jobs))
        if self in others:
            raise ValueError(f"{self.name!r} cannot require itself")
        self._refuse_while_running("change the requirements of")
        if self._required is self._outcome.required:
            # The report of the last run goes on to speak of what was required then.
            self._required = dict(self._required)
        for other in others:
            if remove:
                self._required.pop(other, None)
            else:
                self._required[other] = None
        return self

    def _follow(self, before: Sequence[Atom[AbstractJob[object]]]) -> None:
        self.requires(cast("Sequence[AbstractJob[object]]", before))

    @property
    def _scheduler(self) -> Scheduler | None:
        return None if self._owner is None else self._owner()

    def _refuse_while_running(self, what: str) -> None:
        scheduler = self._scheduler
        if scheduler is not None and scheduler.is_busy():
            raise BusyError(f"cannot {what} {self.name!r} while {scheduler.name!r} is running")

    def _check_ready(self) -> None:
        """Raise what would prevent this job from running, before anything has started."""

    def _renew(self) -> None:
        """Forget an earlier run, as a new one begins."""

    def _own_timeout(self) -> float | None:
        """The seconds after which the run is to cancel the body."""
        return self.timeout

    def _children(self) -> Iterable[AbstractJob[object]]:
        """The jobs inside of this one."""
        return ()

    def _hooks(self) -> Iterator[AbstractJob[object]]:
        """The jobs whose `co_shutdown` is to be called for this one: none or itself."""
        if type(self).co_shutdown is not AbstractJob.co_shutdown:
            yield self

    # How it fares

    @property
    def name(self) -> str:
        """The label, else the name of the function, else `NOLABEL`; in one printable line."""
        return line(self.label) if self.label is not None else self._default_name()

    def _default_name(self) -> str:
        return "NOLABEL"

    @property
    def state(self) -> State:
        """Where the job stands in the last run of its scheduler, or in the present one."""
        return self._outcome.state

    @property
    def started_at(self) -> float | None:
        """When the job started: seconds since the start of the run, by the clock of the loop."""
        return self._outcome.started_at

    @property
    def ended_at(self) -> float | None:
        """When the job ended: seconds since the start of the run, by the clock of the loop."""
        return self._outcome.ended_at

    @property
    def duration(self) -> float | None:
        """The seconds from start to end; None where one of them has not come."""
        outcome = self._outcome
        if outcome.started_at is None or outcome.ended_at is None:
            return None
        return outcome.ended_at - outcome.started_at

    def is_idle(self) -> bool:
        """Tell whether it has not started, or never did."""
        return self._outcome.state in (State.IDLE, State.SKIPPED)

    def is_scheduled(self) -> bool:
        """Tell whether it is ready to start, and waits for a place."""
        return self._outcome.state is State.SCHEDULED

    def is_running(self) -> bool:
        """Tell whether it has started and not completed: what was stopped has not."""
        return self._outcome.state in (State.RUNNING, State.CANCELLED, State.STUCK)

    def is_done(self) -> bool:
        """Tell whether it has completed, with a value or an exception."""
        return self._outcome.state in (State.DONE, State.FAILED)

    def is_critical(self) -> bool:
        """Tell whether its failure ends the run: its own setting, else its scheduler's default."""
        if self.critical is not None:
            return self.critical
        scheduler = self._scheduler
        return scheduler is not None and scheduler.default_critical

    def raised_exception(self) -> BaseException | None:
        """Return the exception that the job failed with, None if it has not."""
        return self._outcome.exception if self._outcome.failed else None

    def result(self) -> R:
        """Return the value of the job in the last run of its scheduler.

        Returns:
            What `co_run` returned; of a generator service what it yielded, from then on.

        Raises:
            BaseException: the job's own exception, if it failed.
            SkippedError: it was skipped; the cause is what made its value missing.
            NotFinishedError: there is no value, for any other reason.
        """
        outcome = self._outcome
        if outcome.state is State.DONE or (self._yields and outcome.value is not MISSING):
            return cast("R", outcome.value)
        if outcome.exception is not None:
            raise outcome.exception.with_traceback(outcome.traceback)
        raise NotFinishedError(self._why_no_result(), self)

    def _why_no_result(self) -> str:
        message = f"{self.name!r} has no result: it is {self.state.value}"
        activity = current_activity.get()
        if activity is None or self in activity.job.required:
            return message
        reader = activity.job
        return (
            f"{message}, and {reader.name!r}, which reads it, does not come after it;"
            f" add after={self.name} to the declaration of {reader.name!r},"
            f" or {reader.name}.requires({self.name})"
        )

    def __repr__(self) -> str:
        return described(self, self._outcome)


def _flattened(given: object) -> Iterator[AbstractJob[object]]:
    """Walk through nested collections of requirements to the jobs."""
    levels: list[Iterator[object]] = [iter((given,))]
    while levels:
        for item in levels[-1]:
            if isinstance(item, AbstractJob):
                yield item
            elif isinstance(item, Chain):
                levels.append(iter(item.tails))
                break
            elif item is None:
                continue
            elif isinstance(item, Iterable) and not isinstance(item, (str, bytes)):
                levels.append(iter(item))
                break
            else:
                raise _no_requirement(item)
        else:
            levels.pop()


def _no_requirement(item: object) -> TypeError:
    if isinstance(item, (str, bytes)):
        return TypeError(
            f"a requirement is a job, not its name {item!r}; give the job itself,"
            " which scheduler.find() returns by name"
        )
    if inspect.iscoroutine(item) or callable(item):
        return TypeError(f"a requirement is a job, not {item!r}; make one with Job(...)")
    return TypeError(f"a requirement is a job or a chain, not {item!r} ({type(item).__name__})")


Body: TypeAlias = (
    "Callable[[], Awaitable[R] | AsyncIterator[R]] | Coroutine[Any, Any, R]"
)


@attrs.define(eq=False, repr=False, on_setattr=attrs.setters.NO_OP)
class Job(AbstractJob[R]):
    """A job made of a function, or of a coroutine.

    Args:
        body: a callable without arguments that returns an awaitable (an async function, a
            lambda, a `partial`), or a coroutine object, which can run only once. With
            `forever=True` also an async generator function: a service, ready at its `yield`,
            which goes on from there at the end of the run.
        shutdown: a callable without arguments that returns an awaitable, for `co_shutdown`.

    The others are those of `AbstractJob`. A coroutine object that never started is closed with
    the job, without a warning that it was never awaited.

    Raises:
        TypeError: the body is not callable, needs arguments, or is a generator without `forever`.
    """

    body: Body[R] = attrs.field(kw_only=False)
    shutdown: Callable[[], Awaitable[object]] | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        body: object = self.body
        if body.__class__ is CoroutineType or inspect.iscoroutine(body):
            self.body = cast("Callable[[], Awaitable[R]]", _Once(self, cast("Any", body)))
        else:
            _check_callable(body, "the body of a job", "Job(lambda: {}(...))")
            if inspect.isasyncgenfunction(body):
                if not self.forever:
                    raise TypeError(
                        f"{_function_name(body)} yields, so it is a service; did you mean"
                        f" Job({_function_name(body)}, forever=True)?"
                    )
                self._yields = True
        if self.shutdown is not None:
            _check_callable(self.shutdown, "the shutdown of a job", "shutdown=lambda: {}(...)")
        AbstractJob.__attrs_post_init__(self)

    def co_run(self) -> Coroutine[Any, Any, R]:
        """Return the work: a new awaitable of the body."""
        started = cast("Callable[[], Any]", self.body)()
        if started.__class__ is CoroutineType:
            return cast("Coroutine[Any, Any, R]", started)
        if self._yields:
            return _up_and_down(started)
        if not inspect.isawaitable(started):
            raise TypeError(
                f"the body of {self.name!r} returned {value_line(started)}, which cannot be"
                " awaited; make it an async function"
            )
        return _awaiting(started)

    def generator(self) -> AsyncGenerator[object, None]:
        """Return the work of a generator service: a new asynchronous generator of the body."""
        return cast("Callable[[], AsyncGenerator[object, None]]", self.body)()

    async def co_shutdown(self) -> None:
        """Await what `shutdown` returns, if it was given."""
        if self.shutdown is not None:
            await self.shutdown()

    def _hooks(self) -> Iterator[AbstractJob[object]]:
        if self.shutdown is not None or type(self).co_shutdown is not Job.co_shutdown:
            yield self

    def _check_ready(self) -> None:
        if isinstance(self.body, _Once):
            self.body.check()

    def _default_name(self) -> str:
        return _function_name(self.body)


async def _awaiting(awaitable: Awaitable[R]) -> R:
    return await awaitable


async def _up_and_down(generator: AsyncIterator[R]) -> R:
    """Run a generator service outside of a run: up, and down again."""
    value = await anext(generator)
    async for _ in generator:
        raise RuntimeError("a service must yield once, and this one yielded twice")
    return value


class _Once:
    """A coroutine object in the place of a function: it can be called a single time."""

    __slots__ = ("__weakref__", "coroutine", "job", "started")

    def __init__(self, job: Job[Any], coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine = coroutine
        self.job = weakref.ref(job)
        self.started = False
        # Not __del__: where the job is part of a reference cycle, the collector might finalise
        # the coroutine first, with a warning. The finalizer keeps it alive until then.
        weakref.finalize(self, _close_unstarted, coroutine)

    def check(self) -> None:
        if self.started or inspect.getcoroutinestate(self.coroutine) != inspect.CORO_CREATED:
            job = self.job()
            name = _function_name(self)
            assert job is not None  # it is the one that asks
            raise StartedError(
                f"{job.name!r} cannot run again: it was made of a coroutine object, which runs"
                f" once; give the function itself, as in Job({name}) or Job(lambda: {name}(...))",
                job,
            )

    def __call__(self) -> Coroutine[Any, Any, Any]:
        self.check()
        self.started = True
        return self.coroutine


def _close_unstarted(coroutine: Coroutine[Any, Any, Any]) -> None:
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()


def _check_callable(function: object, what: str, usage: str) -> None:
    """Refuse what cannot be called without arguments."""
    if not callable(function):
        raise TypeError(
            f"{what} must be an async function or a coroutine, not {line(repr(function))}"
            f" ({type(function).__name__})"
        )
    missing = _missing_arguments(function)
    if missing:
        name = _function_name(function)
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
        parameters = inspect.signature(cast("Callable[..., object]", function)).parameters
    except (TypeError, ValueError):
        return []  # some builtins have none: what they need shows when they are called
    return [
        parameter.name
        for parameter in parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _function_name(function: object) -> str:
    if isinstance(function, _Once):
        function = function.coroutine
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return printable(str(name))


class PrintJob(AbstractJob[None]):
    """A job that prints its messages when its turn comes.

    Args:
        messages: what to print, separated by a space, as `print` does.
        sleep: the seconds to wait after that, before the job is done.
        banner: a line to print before the messages.

    The others are those of `AbstractJob`.
    """

    def __init__(
        self,
        *messages: object,
        sleep: float | None = None,
        banner: str | None = None,
        label: str | None = None,
        critical: bool | None = None,
        forever: bool = False,
        timeout: float | None = None,
        required: RequirementSet = None,
    ) -> None:
        super().__init__(
            label=label, critical=critical, forever=forever, timeout=timeout, required=required
        )
        seconds_or_none = sleep
        self.messages = messages
        self.sleep = seconds_or_none
        self.banner = banner

    async def co_run(self) -> None:
        """Print, then sleep."""
        if self.banner is not None:
            print(self.banner)
        print(*self.messages)
        if self.sleep is not None:
            await asyncio.sleep(self.sleep)

    def _default_name(self) -> str:
        return line(" ".join(str(message) for message in self.messages)) or "NOLABEL"

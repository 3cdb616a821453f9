"""Jobs: what runs, with what it requires and how it last fared."""

from __future__ import annotations

import asyncio
import sys
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
from types import CodeType, CoroutineType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, cast

import attrs

from flowdeco.base.graph import closure
from flowdeco.base.limits import check_flag, check_seconds
from flowdeco.base.text import alike, class_name, line, path_within, repr_line, value_line
from flowdeco.errors import BusyError, NotFinishedError

from .bodies import (
    GENERATOR,
    PLAIN,
    AwaitableBody,
    Body,
    CoroutineBody,
    MethodBody,
    awaiting,
    check_callable,
    defined_at,
    function_name,
    is_awaitable,
    is_coroutine,
    is_plain,
    isinstance_of,
    up_and_down,
    yields,
)
from .chain import Chain, Chainable, ChainMember
from .current import CurrentExecution, current_execution
from .loops import refuse_running_loop
from .marks import described
from .outcome import MISSING, Outcome, State

if sys.version_info >= (3, 13):  # not asked of the other, which takes longer to import
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    from flowdeco.scheduler import Scheduler
    from flowdeco.views.report import Report

__all__ = ["AbstractJob", "Job", "PrintJob", "Requirement", "RequirementSet"]

R = TypeVar("R", covariant=True, default=object)

Requirement: TypeAlias = "Chainable[AbstractJob[object]] | None"
# Checkers follow three levels; at run time any depth is taken. A recursive alias would let a
# string through in mypy.
RequirementSet: TypeAlias = (
    "Requirement | Iterable[Requirement | Iterable[Requirement | Iterable[Requirement]]]"
)

Jobs: TypeAlias = "tuple[AbstractJob[object], ...] | dict[AbstractJob[object], None]"
"""Each once, in order: a tuple of one at most, which takes half of the memory, or a dict."""

UNNAMED = "NOLABEL"
"""The name of what has none."""

NEVER_RUN = Outcome()
"""The outcome of every job that was in no run yet; nothing writes to it."""


@attrs.define(eq=False, repr=False, kw_only=True, on_setattr=attrs.setters.NO_OP)
class AbstractJob(ChainMember["AbstractJob[object]"], Generic[R]):
    """A piece of work in a scheduler. Subclasses write `async def co_run(self)`.

    A subclass may also write `async def co_shutdown(self)`, which is called once at the end of
    every run, whether the job has run or not, and `details(self)`, a text for listings.

    Args:
        label: the name in listings; by default that of the function.
        critical: whether its failure ends the run; None takes the default of its scheduler.
        forever: whether the run ends without waiting for it, by stopping it.
        timeout: the seconds it may take from its start; over it, it is cancelled and has failed
            with `TimeoutError`. None and infinity are no limit. What a class of one's own does
            with its attribute of that name later on is its own affair.
        required: what it comes after: jobs, chains, None, and collections of them.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: the timeout is negative or nan, or the job requires itself.
    """

    label: str | None = None
    critical: bool | None = None
    forever: bool = False
    timeout: float | None = None
    __flow_given__: RequirementSet = attrs.field(default=None, alias="required")
    __flow_required__: Jobs = attrs.field(init=False)
    __flow_outcome__: Outcome = attrs.field(init=False)
    __flow_timeout__: float | None = attrs.field(init=False)
    """The one that it was made with."""
    __flow_owner__: Callable[[], Scheduler | None] | None = attrs.field(init=False)
    __flow_body__: Body = attrs.field(init=False)
    """What a run must know of its body."""

    def __attrs_pre_init__(self) -> None:
        # Not as defaults: attrs takes its time over those of what is no argument.
        self.__flow_outcome__ = NEVER_RUN
        self.__flow_owner__ = None
        self.__flow_required__ = ()
        self.__flow_body__ = PLAIN

    def __attrs_post_init__(self) -> None:
        # Not validators: these would run before a job keeps its coroutine, and leave it un-awaited.
        self.__flow_timeout__ = self.timeout
        if self.timeout is not None:
            check_seconds(self.timeout, "timeout")
        if self.critical is not None:
            check_flag(self.critical, "critical")
        if self.forever is not False:
            check_flag(self.forever, "forever")
        if self.__flow_given__ is not None:
            self.__flow_required__ = _jobs_in(self.__flow_given__)
            self.__flow_given__ = None

    # What a job does

    def co_run(self) -> Coroutine[Any, Any, R]:
        """Do the work and return the result: subclasses write it, as an async method."""
        raise NotImplementedError(
            f"{class_name(self)} has no co_run; write `async def co_run(self)` in it"
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
            LoopRunningError: a loop is running in this thread.
            Exception: what `co_run` raises.
        """
        refuse_running_loop("await job.co_run()")

        async def alone() -> R:
            return await self.co_run()

        return asyncio.run(alone())

    # What it comes after

    @property
    def required(self) -> KeysView[AbstractJob[object]]:
        """What it comes after, in the order in which that was said."""
        return dict.fromkeys(self.__flow_required__).keys()

    if not TYPE_CHECKING:

        @required.setter
        def required(self, _value: object) -> None:
            # Give good error for: job.required = {a, b}
            raise AttributeError(
                f"the requirements of {self.__flow_called__()} cannot be assigned; write"
                " job.requires(...), and job.requires(..., remove=True) for those to drop"
            )

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
        others = _jobs_in(jobs)
        if self in others and not remove:
            raise ValueError(f"{self.__flow_called__()} cannot require itself")
        scheduler = self.__flow_home__
        if scheduler is not None:
            if scheduler.is_busy():
                raise BusyError(
                    f"cannot change the requirements of {self.__flow_called__()} while"
                    f" {scheduler.__flow_called__()} is running"
                )
            scheduler.__flow_graph_changed__()
        required = self._own_requirements()
        if remove:
            for other in others:
                required.pop(other, None)
        else:
            required.update(dict.fromkeys(others))
        return self

    def _own_requirements(self) -> dict[AbstractJob[object], None]:
        """The requirements, to be changed."""
        required = self.__flow_required__
        if not isinstance(required, dict) or required is self.__flow_outcome__.required:
            # The report of the last run goes on to speak of what was required then.
            self.__flow_required__ = changed = dict.fromkeys(required)
            return changed
        return required

    def __flow_follow__(self, before: Sequence[AbstractJob[object]]) -> None:
        self.requires(before)

    @property
    def __flow_home__(self) -> Scheduler | None:
        return None if self.__flow_owner__ is None else self.__flow_owner__()

    def __flow_check_ready__(self) -> None:
        """Raise what would prevent this job from running, before anything has started."""

    def __flow_renew__(self) -> None:
        """Forget an earlier run, as a new one begins."""

    def __flow_own_timeout__(self) -> float | None:
        """The seconds after which the run is to cancel the body."""
        # A class of one's own may have a `timeout` that is something else: of a packet, perhaps.
        return self.timeout if type(self) in (Job, PrintJob) else self.__flow_timeout__

    @property
    def children(self) -> Iterable[AbstractJob[object]]:
        """The jobs inside of this one."""
        return ()

    def __flow_output__(self) -> object:
        """The value that those get who take it."""
        # A coroutine service gives None, whatever it may return in the end.
        return (
            None
            if self.forever and not self.__flow_body__.is_generator
            else self.__flow_outcome__.value
        )

    def __flow_hooks__(self, around: str) -> Iterable[tuple[AbstractJob[object], str]]:
        """The jobs whose `co_shutdown` is to be called for this one, with their paths.

        Args:
            around: the path of what it is inside of; empty at the outermost level.
        """
        if type(self).co_shutdown is AbstractJob.co_shutdown:
            return ()
        return ((self, path_within(around, self.name)),)

    # How it fares

    @property
    def name(self) -> str:
        """The label, else what `default_label()` says, else `NOLABEL`; in one printable line."""
        return line(self.label) if self.label is not None else self.__flow_unlabelled__()

    def default_label(self) -> str:
        """Return the name of a job that was given no label: subclasses may write it."""
        return UNNAMED

    def __flow_unlabelled__(self) -> str:
        try:
            label = cast("object", self.default_label())  # it may forget to return
        except BaseException as error:  # an exit, too: no run ends because a job is named
            return f"<default_label() raised {class_name(error)}>"
        return UNNAMED if label is None else line(label)

    def __flow_called__(self) -> str:
        """The name for an error; for what has none, words that tell which job is meant."""
        name = self.name
        if self.label is not None or name != UNNAMED:
            return repr(name)
        kind = class_name(self)
        home = self.__flow_home__
        if home is None:
            return f"a {kind} without a label"
        number = next(number for number, job in enumerate(home, 1) if job is self)
        around = "" if home.name == UNNAMED else f" of {home.name!r}"
        return f"the {kind} that is job {number}{around}"

    @property
    def state(self) -> State:
        """Where the job stands in the last run of its scheduler, or in the present one."""
        return self.__flow_outcome__.state

    @property
    def started_at(self) -> float | None:
        """The start of the job, in seconds since that of the run, by the clock of the loop."""
        return self.__flow_outcome__.started_at

    @property
    def ended_at(self) -> float | None:
        """The end of the job, in seconds since the start of the run, by the clock of the loop."""
        return self.__flow_outcome__.ended_at

    @property
    def duration(self) -> float | None:
        """The seconds from start to end; None where one of them has not come."""
        outcome = self.__flow_outcome__
        if outcome.started_at is None or outcome.ended_at is None:
            return None
        return outcome.ended_at - outcome.started_at

    def is_idle(self) -> bool:
        """Tell whether it has not started, or never did."""
        return self.__flow_outcome__.state in (State.IDLE, State.SKIPPED)

    def is_scheduled(self) -> bool:
        """Tell whether it is ready to start, and waits for a place."""
        return self.__flow_outcome__.state is State.SCHEDULED

    def is_running(self) -> bool:
        """Tell whether it has started and not completed: what was stopped has not."""
        return self.__flow_outcome__.state in (State.RUNNING, State.CANCELLED, State.STUCK)

    def is_done(self) -> bool:
        """Tell whether it has completed, with a value or an exception."""
        return self.__flow_outcome__.state in (State.DONE, State.FAILED)

    def is_critical(self) -> bool:
        """Tell whether its failure ends the run: its own setting, else its scheduler's default."""
        if self.critical is not None:
            return self.critical
        scheduler = self.__flow_home__
        return scheduler is not None and scheduler.default_critical

    def raised_exception(self) -> BaseException | None:
        """Return the exception that the job failed with, None if it has not."""
        return self.__flow_outcome__.exception if self.__flow_outcome__.failed else None

    def result(self) -> R:
        """Return the value of the job in the last run of its scheduler.

        Returns:
            What `co_run` returned; of a generator service what it yielded, from then on.

        Raises:
            BaseException: the job's own exception, if it failed.
            SkippedError: it was skipped; the cause is what made its value missing.
            NotFinishedError: there is no value, for any other reason.
        """
        outcome = self.__flow_outcome__
        if outcome.state is State.DONE or (
            self.__flow_body__.is_generator and outcome.value is not MISSING
        ):
            return cast("R", outcome.value)
        if outcome.exception is not None:
            # Not its own method, which a class may have made another.
            raise BaseException.with_traceback(outcome.exception, outcome.traceback)
        raise NotFinishedError(self._why_no_result(), self)

    def _why_no_result(self) -> str:
        message = f"{self.__flow_called__()} has no result: {self._whereabouts()}"
        execution = current_execution.get()
        if execution is None or execution.job is self or self in execution.job.required:
            return message
        return message + _how_to_wait(self, execution)

    def _whereabouts(self) -> str:
        """Say how far the job has come, and after a run how that ended without it."""
        return self.__flow_why_unfinished__() or f"it is {self.state.value}"

    def __flow_why_unfinished__(self) -> str | None:
        """Say why a run has ended without a result of the job, None before and during one."""
        state = self.state
        error = self.__flow_outcome__.exception
        if error is not None:
            failed = f"it has failed with {class_name(error)}: {line(error)}"
            return line(error) if state is State.SKIPPED else failed
        ended = self._last_report()
        how = _AFTER_A_RUN.get(state)
        if ended is None or how is None:
            return None
        how = f"it is {state.value}, for {how}"
        return how if ended.reason is None else f"{how}: {ended.reason}"

    def _last_report(self) -> Report | None:
        """The report of the run that ended without it; None before and during one."""
        report: Report | None = None
        scheduler = self.__flow_home__
        while scheduler is not None and not scheduler.is_busy():
            # A nested run that was stopped has little to say: the one around it knows why.
            if report is None or report.reason is None or report.reason.cause.name == "CANCELLED":
                report = report if scheduler.report is None else scheduler.report
            scheduler = scheduler.__flow_home__
        return report

    def __repr__(self) -> str:
        return described(self, self.__flow_outcome__)


def _how_to_wait(awaited: AbstractJob[object], reader: CurrentExecution) -> str:
    """Say which job is to come after one whose result is read too early.

    That is the reader, or the job on the level of the other one that the reader is inside of.
    """
    level = awaited.__flow_home__
    around: CurrentExecution | None = reader
    while around is not None and around.job.__flow_home__ is not level:
        around = around.around
    whose = f"{reader.job.name!r}, which reads it,"
    if around is None or level is None:
        return f", and {whose} does not come after it"
    waiter = around.job
    edges = {job: [one for one in job.required if one in level] for job in level}
    if awaited in closure(edges, [waiter]):
        return ""
    if waiter is awaited:
        return f", and {whose} is inside of it"
    if waiter in closure(edges, [awaited]):
        return f", for it comes after {waiter.name!r}, which reads it"
    if waiter is not reader.job:
        whose = f"{waiter.name!r}, inside of which {reader.job.name!r} reads it,"
    return f", and {whose} does not come after it; {_coming_after(waiter, awaited)}"


def _coming_after(waiter: AbstractJob[object], awaited: AbstractJob[object]) -> str:
    names: list[str] = []
    for job in (waiter, awaited):
        body: object = job.body if isinstance(job, Job) else None
        names.append(line(body.name) if isinstance(body, MethodBody) else job.name)
    later, earlier = names
    required = f"{later}.requires({earlier})"
    declared: object = waiter.body if isinstance(waiter, Job) else None
    if not isinstance(declared, MethodBody):
        return f"write {required}"
    if not declared.has_after:
        return f"write `{earlier} >> {later}` in the class, or {required}"
    return f"add after={earlier} to the declaration of {later!r}, or {required}"


_AFTER_A_RUN = {
    State.IDLE: "the run ended before it started",
    State.CANCELLED: "the run stopped it when it ended",
    State.STUCK: "it did not stop when the run ended",
}
"""What became of a job that was not done when its run ended."""


def _jobs_in(given: object) -> Jobs:
    """Collect the jobs in what was given as requirements, in order, each once."""
    # A cast would take longer than the rest.
    items: Any = given if isinstance(given, (list, tuple)) else (given,)  # pyright: ignore[reportUnknownVariableType]
    if not items:
        return ()
    if len(items) == 1 and isinstance(items[0], AbstractJob):
        return (items[0],)
    found: dict[AbstractJob[object], None] = {}
    for item in items:
        if isinstance(item, AbstractJob):
            found[item] = None
        else:
            found.update(dict.fromkeys(_flattened(item)))
    return found


def _flattened(given: object) -> Iterator[AbstractJob[object]]:
    """Walk through nested collections of requirements to the jobs."""
    levels: list[Iterator[object]] = [iter((given,))]
    while levels:
        for item in levels[-1]:
            if isinstance(item, AbstractJob):
                yield item
            elif isinstance(item, Chain):
                levels.append(iter(cast("Chain[AbstractJob[object]]", item).tails))
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


def _no_requirement(item: Any) -> TypeError:
    shown = repr_line(item)
    if isinstance(item, (str, bytes)):
        return TypeError(
            f"a requirement is a job, not its name {shown}; give the job itself,"
            " which scheduler.find() returns by name"
        )
    if is_coroutine(item) or callable(item):
        if is_coroutine(item):
            cast("Coroutine[Any, Any, object]", item).close()
        return TypeError(f"a requirement is a job, not {shown}; make one with Job(...)")
    return TypeError(f"a requirement is a job or a chain, not {shown} ({class_name(item)})")


Work: TypeAlias = "Callable[[], Awaitable[R] | AsyncIterator[R]] | Awaitable[R]"


@attrs.define(eq=False, repr=False, on_setattr=attrs.setters.NO_OP)
class Job(AbstractJob[R]):
    """A job made of a function, or of something to await.

    Args:
        body: a callable without arguments that returns an awaitable (an async function, a
            lambda, a `partial`); or a coroutine object, which can run only once; or any other
            awaitable, such as a future, a task or what `asyncio.gather` returns, which each run
            awaits again. With `forever=True` also an async generator function: a service, ready
            at its `yield`, which goes on from there at the end of the run.
        shutdown: a callable without arguments that returns an awaitable, for `co_shutdown`.

    The others are those of `AbstractJob`. A coroutine object that never started is closed with
    the job, without a warning that it was never awaited.

    Raises:
        TypeError: the body is not callable, needs arguments, or is a generator without `forever`.
    """

    body: Work[R] = attrs.field(kw_only=False)
    shutdown: Callable[[], Awaitable[object]] | None = attrs.field(default=None, kw_only=True)

    if not TYPE_CHECKING:  # checkers have the one of attrs

        def __init__(
            self,
            body: object = MISSING,
            *others: object,
            label: str | None = None,
            critical: bool | None = None,
            forever: bool = False,
            timeout: float | None = None,
            required: RequirementSet = None,
            shutdown: Callable[[], Awaitable[object]] | None = None,
            **unknown: object,
        ) -> None:
            # By hand, to close a coroutine among arguments that Python would refuse by itself.
            if others or unknown or body is MISSING:
                raise _wrong_arguments(type(self), body, others, unknown, shutdown)
            self.__flow_outcome__ = NEVER_RUN
            self.__flow_owner__ = None
            self.__flow_required__ = ()
            self.__flow_body__ = PLAIN
            self.label = label
            self.critical = critical
            self.forever = forever
            self.timeout = timeout
            self.__flow_given__ = required
            self.body = body
            self.shutdown = shutdown
            self.__attrs_post_init__()

    def __attrs_post_init__(self) -> None:
        body: object = self.body
        if not is_plain(body):
            self.__flow_take_body__(body)
        if self.shutdown is not None:
            usage = "shutdown=lambda: {}(...)"
            check_callable(self.shutdown, "the shutdown of a job", usage, or_coroutine=False)
        AbstractJob.__attrs_post_init__(self)

    def __flow_take_body__(self, body: object) -> None:
        # The types alone are asked for: lazy objects load what they stand for when asked for more.
        kind = type(body)
        if issubclass(kind, MethodBody):
            self.__flow_body__ = cast("MethodBody", body).traits
        elif issubclass(kind, AbstractJob):
            called = cast("AbstractJob[object]", body).__flow_called__()
            which = f"the job {called}" if called.startswith(("'", '"')) else called
            raise TypeError(f"a job is made of an async function, not of {which}")
        elif is_coroutine(body):
            self.__flow_body__ = once = CoroutineBody(cast("Coroutine[Any, Any, R]", body))
            self.body = cast("Callable[[], Awaitable[R]]", once)
        elif is_awaitable(body) and not callable(body):
            self.body = AwaitableBody(cast("Awaitable[R]", body))
        else:
            check_callable(body, "the body of a job", "Job(lambda: {}(...))", or_coroutine=True)
            if not yields(body):
                return
            if not self.forever:
                raise TypeError(
                    f"{function_name(body)} yields, so it is a service; did you mean"
                    f" Job({function_name(body)}, forever=True)?"
                )
            self.__flow_body__ = GENERATOR

    if not TYPE_CHECKING:

        def __call__(self, *_: object, **_keywords: object) -> object:
            # Give good error for: `await self.build()` in another step.
            raise self._not_called(sys._getframe(1).f_code)

        def __await__(self) -> object:
            # Give good error for: `await self.build`.
            raise self._not_called(sys._getframe(1).f_code)

    def _not_called(self, caller: CodeType) -> TypeError:
        execution = current_execution.get()
        is_own = execution is not None and execution.job is self
        instead: str | None = None
        if isinstance(self.body, MethodBody):
            flow: Any = self.body.flow  # None, where it is there to be drawn only
            if flow is not None:
                instead = flow.__flow_instead_of_call__(self.body.name, caller, is_own)
        if instead is None:
            instead = f"require it, and read its result with {self.name}.result()"
        return TypeError(f"{self.name!r} is a job, which a run starts; {instead}")

    def co_run(self) -> Coroutine[Any, Any, R]:
        """Return the work: a new coroutine of the body."""
        if self.__flow_body__.is_stateful:
            self.__flow_check_ready__()
        body: Any = self.body
        # A method is inlined by the interpreter, the call of an object with __call__ is not.
        started: Any = body.start() if type(body) is MethodBody else body()
        if type(started) is CoroutineType:
            return started  # pyright: ignore[reportUnknownVariableType]  # a cast is one more call
        if self.__flow_body__.is_generator:
            return up_and_down(started)
        return self.__flow_awaitable__(started)

    def __flow_awaitable__(self, started: Any) -> Coroutine[Any, Any, R]:
        """Return a coroutine that awaits what the body has returned, if that can be awaited."""
        if not is_awaitable(started):
            raise TypeError(
                f"the body of {self.name!r} returned {value_line(started)}, which cannot be"
                " awaited; make it an async function"
            )
        return awaiting(started)

    def generator(self) -> AsyncGenerator[object, None]:
        """Return the work of a generator service: a new asynchronous generator of the body."""
        return cast("Callable[[], AsyncGenerator[object, None]]", self.body)()

    async def co_shutdown(self) -> None:
        """Await what `shutdown` returns, if it was given."""
        if self.shutdown is not None:
            await self.shutdown()

    def __flow_hooks__(self, around: str) -> Iterable[tuple[AbstractJob[object], str]]:
        if self.shutdown is None and type(self).co_shutdown is Job.co_shutdown:
            return ()
        return ((self, path_within(around, self.name)),)

    def __flow_output__(self) -> object:
        value = super().__flow_output__()
        return self.body.passed_on(value) if isinstance_of(self.body, MethodBody) else value

    @property
    def children(self) -> Iterable[AbstractJob[object]]:
        """The items of a fan-out, or the schedulers of the flows of a subflow."""
        return self.body.children if isinstance_of(self.body, MethodBody) else ()

    def __flow_renew__(self) -> None:
        if isinstance_of(self.body, MethodBody):
            self.body.renew()

    def __flow_check_ready__(self) -> None:
        if isinstance_of(self.body, CoroutineBody):
            self.body.check(self)

    def default_label(self) -> str:
        """Return the name of what the job is made of."""
        return function_name(self.body)

    def __flow_called__(self) -> str:
        place = defined_at(self.body) if self.label is None else ""
        return super().__flow_called__() + (f" ({place})" if place else "")


if not TYPE_CHECKING:
    Job.__init__.__wrapped__ = Job.__attrs_init__  # for help(): it is what the arguments are

_OPTIONS = ("label", "critical", "forever", "timeout", "required", "shutdown")


def _wrong_arguments(
    kind: type,
    body: object,
    others: tuple[object, ...],
    unknown: dict[str, object],
    shutdown: object,
) -> TypeError:
    """Say what a job was given and does not take, and close the coroutines among it."""
    given = (body, *others, *unknown.values(), shutdown)
    names = [function_name(value) for value in given if is_coroutine(value)]
    for value in given:
        if is_coroutine(value):
            cast("Coroutine[Any, Any, object]", value).close()
    name = line(kind.__name__)
    if others:
        return TypeError(
            f"{name}() takes 1 positional argument, and {1 + len(others)} were given; the"
            f" others are keywords: {', '.join(f'{option}=' for option in _OPTIONS)}"
        )
    if not unknown:
        return TypeError(f"{name}() is missing its body; write {name}(function)")
    first = next(iter(unknown))
    called = f"{names[0]}()" if names else "function"
    # Give good error for: Job(corun=f(), coshutdown=g(), scheduler=s), as of asynciojobs
    advice = {
        "corun": f"write {name}({called}, ...), without the name",
        "coshutdown": "write shutdown=, with a function that each run calls",
        "scheduler": f"write scheduler.add({name}(...))",
        "verbose": "see what happens with logging.getLogger('flowdeco')",
    }
    close = alike(first, _OPTIONS)
    hint = f"did you mean {close[0]}=?" if close else f"there are {', '.join(_OPTIONS)}"
    return TypeError(f"{name}() has no argument {first!r}; {advice.get(first, hint)}")


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
        self.messages = messages
        self.sleep = sleep
        self.banner = banner

    async def co_run(self) -> None:
        """Print, then sleep."""
        if self.banner is not None:
            print(self.banner)
        print(*self.messages)
        if self.sleep is not None:
            await asyncio.sleep(self.sleep)

    def default_label(self) -> str:
        """Return the messages."""
        return " ".join(line(message) for message in self.messages) or UNNAMED

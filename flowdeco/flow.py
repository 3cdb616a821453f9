"""Flows: classes whose methods are jobs."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, dataclass_transform

import attrs

from .annotations import only_fields, unannotated
from .body import Bound
from .changes import check_unchanged, refuse_dataclass
from .checks import place
from .declaration import Declaration, Each, Subflow, instead_on
from .definition import EMPTY, Definition, define
from .errors import DefinitionError
from .inner import ForEach, Subflows
from .instead import instead_of_inherited
from .job import Job
from .limits import Limits
from .report import Report
from .scheduler import Scheduler
from .tasks import refuse_running_loop

if TYPE_CHECKING:
    import asyncio
    from types import CodeType

    from .observer import Observer

__all__ = ["Flow"]


logger = logging.getLogger("flowdeco")

_INHERITED: Any = object()

_CLS = inspect.Parameter("cls", inspect.Parameter.POSITIONAL_ONLY)


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(attrs.field,))
class Flow:
    """A scenario: a class whose decorated methods are jobs, and whose annotations are fields.

    Fields are keyword-only arguments, as attrs makes them (`attrs.field` has a default, a
    factory, a validator). Flows compare by identity. On an instance each declared name is the
    `Job` of that instance; on the class it is the declaration.

    The keywords of the class statement are inherited:

        class Deploy(Flow, critical=True, timeout=60): ...

    Args:
        critical: whether the failure of a step ends the run, unless the step says otherwise.
        timeout: the seconds until the deadline of a run; None and infinity are no limit.
        window: how many steps run at once; None is no limit.
        grace: the seconds that running jobs have to end when the run does.
        shutdown_timeout: the seconds that shutdown hooks have after that.

    Raises:
        DefinitionError: the class is declared wrongly; it names every mistake.
    """

    _flow_definition: ClassVar[Definition] = EMPTY
    _flow_critical: ClassVar[bool] = False
    _flow_default_limits: ClassVar[Limits] = Limits()

    def __init_subclass__(
        cls,
        *,
        critical: bool = _INHERITED,
        timeout: float | None = _INHERITED,
        window: int | None = _INHERITED,
        grace: float = _INHERITED,
        shutdown_timeout: float = _INHERITED,
    ) -> None:
        super().__init_subclass__()
        given = {"timeout": timeout, "window": window, "grace": grace}
        given["shutdown_timeout"] = shutdown_timeout
        changes: dict[str, Any] = {k: v for k, v in given.items() if v is not _INHERITED}
        # The mistakes are the user's, and so is what a traceback is to show: raised again like
        # this, not even this frame is in it.
        try:
            limits = attrs.evolve(cls._flow_default_limits, **changes)
        except (TypeError, ValueError) as error:
            error.__traceback__ = None
            raise
        try:
            cls._flow_definition = _defined(cls)
        except DefinitionError as error:
            error.__traceback__ = None
            raise
        cls._flow_default_limits = limits
        if critical is not _INHERITED:
            cls._flow_critical = critical
        _make_fields(cls)
        _make_abstract(cls)

    if not TYPE_CHECKING:

        def __new__(cls, *args: object, **keywords: object) -> Self:
            # @dataclass works on a class that is made: this is where its work can be seen first.
            refuse_dataclass(cls)
            new = super().__new__
            return new(cls) if new is object.__new__ else new(cls, *args, **keywords)

        __new__.__signature__ = inspect.Signature([_CLS])  # what it takes is up to `__init__`

    def run(
        self,
        timeout: float | None = None,
        *,
        window: int | None = None,
        observers: Sequence[Observer] = (),
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> Report:
        """Run the flow in an event loop made for that.

        The first SIGINT or SIGTERM ends the run as a cancellation would, the second skips the
        rest of the grace, the third raises where the code stands (rule 12). The call ends within
        `timeout + grace + shutdown_timeout`, whatever the steps do, short of blocking the thread
        (rule 8).

        Args:
            timeout: the seconds until the deadline, instead of the class's; None is not given,
                infinity lifts it.
            window: how many steps run at once, instead of the class's.
            observers: who watches.
            loop_factory: makes the loop.

        Returns:
            The report, which is true if and only if the run has succeeded.

        Raises:
            LoopRunningError: a loop is running in this thread.
            BusyError: the flow is running already, and goes on.
            KeyboardInterrupt, SystemExit: raised in a step, or asked for by a signal.
        """
        refuse_running_loop("await flow.co_run()")
        self._flow_begin()
        return self._flow_scheduler.perform(
            self._flow_limits(timeout, window), observers, loop_factory
        )

    async def co_run(
        self,
        timeout: float | None = None,
        *,
        window: int | None = None,
        observers: Sequence[Observer] = (),
    ) -> Report:
        """Run the flow in the running loop.

        Args, result and errors are those of `run`; no signal is handled. A cancellation leaves as
        it came, after the clean-up (rule 11).
        """
        self._flow_begin()
        return await self._flow_scheduler.co_perform(self._flow_limits(timeout, window), observers)

    def _flow_limits(self, timeout: float | None, window: int | None) -> Limits:
        return self._flow_scheduler.limits.overridden(timeout, window)

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of this flow, which has the jobs and the rest of the interface."""
        self._flow_check()
        return self._flow_scheduler

    @property
    def _flow_scheduler(self) -> Scheduler:
        return self._flow_parts[0]

    def _flow_check(self) -> None:
        """Refuse a class that was changed after it was made."""
        check_unchanged(type(self), type(self)._flow_definition)

    def _flow_begin(self) -> None:
        """Look at the class before a run, and warn where there is nothing to run."""
        self._flow_check()
        scheduler = self._flow_scheduler
        if not len(scheduler):
            logger.warning(
                "the flow %s declares no job, so a run of it does nothing; decorate its methods"
                " with @step",
                scheduler.name,
            )

    def _flow_job(self, declared: Declaration[object]) -> Job[object]:
        declarations = type(self)._flow_definition.declarations
        known = declarations.get(declared.name)
        # The start of a run has looked at all of them, and bodies may ask many times.
        if known is None or "_flow_parts" not in vars(self) or not self._flow_scheduler.is_busy():
            self._flow_check()
        job = self._flow_parts[1][declared.name]
        # Who goes through super() means the inherited method.
        cast("Bound", job.body).reached_as = None if declared is known else declared
        return job

    def _flow_instead_of_call(self, name: str, caller: CodeType, is_own: bool) -> str | None:
        """Say what to write in place of the call of a job, None if it is that of no declaration."""
        declared = type(self)._flow_definition.declarations.get(name)
        if declared is None:
            return None
        job = self._flow_parts[1][name]
        reached_as = cast("Bound", job.body).reached_as
        if reached_as is not None:
            return instead_of_inherited(reached_as, caller)
        return instead_on(type(self), declared, caller, is_own=is_own)

    @functools.cached_property
    def _flow_parts(self) -> tuple[Scheduler, Mapping[str, Job[object]]]:
        # Both at once: without its scheduler a job does not know whether it is critical.
        jobs = _make_jobs(self, type(self)._flow_definition)
        limits = type(self)._flow_default_limits
        scheduler = Scheduler(
            *jobs.values(),
            jobs_critical=type(self)._flow_critical,
            label=type(self).__name__,
            timeout=limits.timeout,
            window=limits.window,
            grace=limits.grace,
            shutdown_timeout=limits.shutdown_timeout,
        )
        # Another thread may have made them meanwhile: all have those of the first one.
        parts: tuple[Scheduler, Mapping[str, Job[object]]]
        parts = vars(self).setdefault("_flow_parts", (scheduler, jobs))
        return parts

    def list(self, details: bool = False) -> None:
        """Print a line for each job; see `Scheduler.list`."""
        self._flow_check()
        self._flow_scheduler.list(details)

    def debrief(self, details: bool = False, silence_done_jobs: bool = False) -> None:
        """Print how the last run went; see `Scheduler.debrief`."""
        self._flow_check()
        self._flow_scheduler.debrief(details, silence_done_jobs)

    def to_dot(self) -> str:
        """Draw the graph in Graphviz's language; see `Scheduler.to_dot`."""
        self._flow_check()
        return self._flow_scheduler.to_dot()

    def __getstate__(self) -> dict[str, Any]:
        """Its fields travel, its run does not."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_flow")}


def _defined(cls: type[Flow]) -> Definition:
    refuse_dataclass(cls)  # one with slots makes the class a second time
    if "__attrs_attrs__" in vars(cls):
        problem = (
            f"{cls.__qualname__} ({place(cls)}): a decorator has made the class a second"
            " time, as @attrs.define does; drop it, for a flow has its fields already"
        )
        raise DefinitionError(cls.__qualname__, [problem])
    return define(cls, _definition_of)


def _make_abstract(cls: type[Flow]) -> None:
    """Let Python refuse an instance where a step is left abstract.

    Where the class has `abc.ABC` as a base, that sees to it by itself, a moment later.
    """
    declarations = cls._flow_definition.declarations.items()
    abstract = frozenset(name for name, one in declarations if one.__isabstractmethod__)
    if abstract:
        cast("Any", cls).__abstractmethods__ = abstract


def _definition_of(cls: type) -> Definition | None:
    return cls._flow_definition if issubclass(cls, Flow) else None


def _make_jobs(flow: Flow, definition: Definition) -> dict[str, Job[object]]:
    jobs: dict[str, Job[object]] = {}
    bodies: dict[str, Bound] = {}
    for name, declared in definition.declarations.items():
        options = declared.options
        bodies[name] = body = _make_body(flow, name, declared)
        jobs[name] = Job(
            body,
            label=options.label,
            critical=options.critical,
            forever=declared.forever,
            # The timeout of a fan-out is that of each of its items.
            timeout=None if isinstance(body, ForEach) else options.timeout,
            shutdown=_hook(flow, definition.hooks.get(name, ())),
        )
    for name, job in jobs.items():
        bodies[name].takes = tuple(jobs[other] for other in definition.takes[name])
        job._take_body(bodies[name])
        job.requires(*(jobs[other] for other in definition.edges[name]))
    return jobs


def _make_body(flow: Flow, name: str, declared: Declaration[object]) -> Bound:
    method = cast("Callable[..., Any]", declared.method)
    options = declared.options
    if isinstance(declared, Each):
        return ForEach(
            method,
            flow,
            name,
            window=options.window,
            timeout=options.timeout,
            in_threads=declared.threaded,
        )
    if isinstance(declared, Subflow):
        return Subflows(method, flow, name, preview=_preview)
    return Bound(method, flow, name, yields=declared.yields, threaded=declared.threaded)


def _preview(flow: type[Flow]) -> Scheduler:
    """The jobs of a flow class without a flow, to be drawn and never to be run."""
    jobs = _make_jobs(cast("Flow", None), flow._flow_definition)
    for job in jobs.values():
        if isinstance(job.body, Subflows):
            job.body.preview = None  # it may name the class it is in
    return Scheduler(*jobs.values(), jobs_critical=flow._flow_critical, label=flow.__name__)


def _hook(flow: Flow, names: Sequence[str]) -> Callable[[], Awaitable[object]] | None:
    if not names:
        return None

    async def call_all() -> None:
        errors: list[BaseException] = []
        for name in names:
            try:
                await getattr(flow, name)()
            except BaseException as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup("several shutdown hooks failed", errors)

    return call_all


# The fields


def _make_fields(cls: type) -> None:
    """Let attrs make the fields, the repr and the `__init__` of a flow class."""
    with only_fields(cls):
        attrs.define(
            cls,
            slots=False,  # a class with slots is made again, and would come here again
            kw_only=True,
            auto_attribs=True,  # not guessed: one bare attrs.field() would drop the others
            eq=False,
            field_transformer=_as_written,
        )
    equal = next(base for base in cls.__mro__ if "__eq__" in vars(base))
    made_by = {"__dataclass_fields__", "__attrs_attrs__"} & vars(equal).keys()
    if made_by and not issubclass(equal, Flow):
        # A mixin without fields was made by them: all flows with it would be equal.
        cast("Any", cls).__eq__, cast("Any", cls).__hash__ = object.__eq__, object.__hash__


def _as_written(_: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    # attrs would call the argument of `_token` token, and checkers call it _token. Before 26.1
    # it set that name after this; since then it tells whether the name is its own choice.
    return [
        field.evolve(
            alias=field.name if _is_alias_guessed(field) else field.alias,
            converter=unannotated(cast("Any", field).converter),
        )
        for field in fields
    ]


def _is_alias_guessed(field: attrs.Attribute[Any]) -> bool:
    return field.alias is None or getattr(field, "alias_is_default", False)

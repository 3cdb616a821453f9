"""Flows: classes whose methods are jobs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, dataclass_transform

import attrs

from flowdeco.base import log
from flowdeco.base.annotations import only_fields, unannotated
from flowdeco.base.limits import Limits, check_flag
from flowdeco.errors import DefinitionError
from flowdeco.jobs.bodies import MethodBody
from flowdeco.jobs.job import Job
from flowdeco.jobs.loops import refuse_running_loop
from flowdeco.jobs.override import Override
from flowdeco.jobs.part import Targets
from flowdeco.jobs.request import Request
from flowdeco.scheduler import Scheduler
from flowdeco.views.report import Report

from .base import FlowBase
from .changes import check_unchanged, refuse_dataclass
from .checks import place
from .declaration import Declaration, instead_on
from .definition import EMPTY, Definition, define
from .instead import instead_of_inherited
from .making import jobs_of

if TYPE_CHECKING:
    import asyncio
    from types import CodeType

    from flowdeco.observers.base import Observer

__all__ = ["Flow"]


_INHERITED: Any = object()

_CLS = inspect.Parameter("cls", inspect.Parameter.POSITIONAL_ONLY)


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(attrs.field,))
class Flow(FlowBase):
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

    __flow_definition__: ClassVar[Definition] = EMPTY
    __flow_critical__: ClassVar[bool] = False
    __flow_default_limits__: ClassVar[Limits] = Limits()

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
            limits = attrs.evolve(cls.__flow_default_limits__, **changes)
            if critical is not _INHERITED:
                check_flag(critical, "critical")
        except (TypeError, ValueError) as error:
            error.__traceback__ = None
            raise
        try:
            cls.__flow_definition__ = _defined(cls)
        except DefinitionError as error:
            error.__traceback__ = None
            raise
        cls.__flow_default_limits__ = limits
        if critical is not _INHERITED:
            cls.__flow_critical__ = critical
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
        overrides: Iterable[Override] = (),
        start: Targets = None,
        until: Targets = None,
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
            overrides: what jobs are given in this run, in place of their bodies: made by
                `Deploy.build.returns(...)`, for instance.
            start: run only these jobs, and what comes after them, with the services that they need:
                a declaration, a job, a name, or several.
            until: run only these jobs, and what comes before them.
            observers: who watches.
            loop_factory: makes the loop.

        Returns:
            The report, which is true if and only if the run has succeeded.

        Raises:
            LoopRunningError: a loop is running in this thread.
            BusyError: the flow is running already, and goes on.
            OverrideError, PartError: the run cannot start, and nothing has.
            KeyboardInterrupt, SystemExit: raised in a step, or asked for by a signal.
        """
        refuse_running_loop("await flow.co_run()")
        self.__flow_begin__()
        scheduler = self.__flow_scheduler__
        limits = scheduler.limits.overridden(timeout, window)
        request = Request(limits, observers, overrides, start, until)
        return scheduler.perform(request, loop_factory)

    async def co_run(
        self,
        timeout: float | None = None,
        *,
        window: int | None = None,
        overrides: Iterable[Override] = (),
        start: Targets = None,
        until: Targets = None,
        observers: Sequence[Observer] = (),
    ) -> Report:
        """Run the flow in the running loop.

        Args, result and errors are those of `run`; no signal is handled. A cancellation leaves as
        it came, after the clean-up (rule 11).
        """
        self.__flow_begin__()
        scheduler = self.__flow_scheduler__
        limits = scheduler.limits.overridden(timeout, window)
        request = Request(limits, observers, overrides, start, until)
        return await scheduler.co_perform(request)

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of this flow, which has the jobs and the rest of the interface."""
        self.__flow_check__()
        return self.__flow_scheduler__

    @property
    def __flow_scheduler__(self) -> Scheduler:
        return self.__flow_parts__[0]

    def __flow_check__(self) -> None:
        """Refuse a class that was changed after it was made."""
        check_unchanged(type(self), type(self).__flow_definition__)

    def __flow_begin__(self) -> None:
        """Look at the class before a run, and warn where there is nothing to run."""
        self.__flow_check__()
        scheduler = self.__flow_scheduler__
        if not len(scheduler):
            text = "declares no job, so a run of it does nothing; decorate its methods with @step"
            log.write(log.WARNING, f"the flow {scheduler.name} {text}", scheduler.name)

    def __flow_job__(self, declared: Declaration[object]) -> Job[object]:
        declarations = type(self).__flow_definition__.declarations
        known = declarations.get(declared.name)
        # The start of a run has looked at all of them, and bodies may ask many times.
        if (
            known is None
            or "__flow_made__" not in vars(self)
            or not self.__flow_scheduler__.is_busy()
        ):
            self.__flow_check__()
        job = self.__flow_parts__[1][declared.name]
        # Who goes through super() means the inherited method.
        cast("MethodBody", job.body).reached_as = None if declared is known else declared
        return job

    def __flow_instead_of_call__(self, name: str, caller: CodeType, is_own: bool) -> str | None:
        """Say what to write in place of the call of a job, None if it is that of no declaration."""
        declared = type(self).__flow_definition__.declarations.get(name)
        if declared is None:
            return None
        job = self.__flow_parts__[1][name]
        reached_as = cast("MethodBody", job.body).reached_as
        if reached_as is not None:
            return instead_of_inherited(reached_as, caller)
        return instead_on(type(self), declared, caller, is_own=is_own)

    @property
    def __flow_parts__(self) -> tuple[Scheduler, Mapping[str, Job[object]]]:
        made: tuple[Scheduler, Mapping[str, Job[object]]] | None = vars(self).get("__flow_made__")
        # Of several threads that come first the first one counts, and all get what it has made.
        return (
            vars(self).setdefault("__flow_made__", self.__flow_make__()) if made is None else made
        )

    def __flow_make__(self) -> tuple[Scheduler, Mapping[str, Job[object]]]:
        # Both at once: without its scheduler a job does not know whether it is critical.
        jobs = jobs_of(self, type(self).__flow_definition__)
        limits = type(self).__flow_default_limits__
        scheduler = Scheduler(
            *jobs.values(),
            jobs_critical=type(self).__flow_critical__,
            label=type(self).__name__,
            timeout=limits.timeout,
            window=limits.window,
            grace=limits.grace,
            shutdown_timeout=limits.shutdown_timeout,
        )
        return scheduler, jobs

    def list(self, details: bool = False) -> None:
        """Print a line for each job; see `Scheduler.list`."""
        self.__flow_check__()
        self.__flow_scheduler__.list(details)

    def debrief(self, details: bool = False, silence_done_jobs: bool = False) -> None:
        """Print how the last run went; see `Scheduler.debrief`."""
        self.__flow_check__()
        self.__flow_scheduler__.debrief(details, silence_done_jobs)

    def to_dot(self) -> str:
        """Draw the graph in Graphviz's language; see `Scheduler.to_dot`."""
        self.__flow_check__()
        return self.__flow_scheduler__.to_dot()

    def __getstate__(self) -> dict[str, Any]:
        """Its fields travel, its run does not."""
        return {name: value for name, value in vars(self).items() if not name.startswith("__flow_")}


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
    declarations = cls.__flow_definition__.declarations.items()
    abstract = frozenset(name for name, one in declarations if one.__isabstractmethod__)
    if abstract:
        cast("Any", cls).__abstractmethods__ = abstract


def _definition_of(cls: type) -> Definition | None:
    return cls.__flow_definition__ if issubclass(cls, Flow) else None


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

"""The base of all jobs: what a job requires, and how it last fared."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, KeysView, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, cast

import attrs

from flowdeco.base.limits import check_flag, check_seconds
from flowdeco.base.text import class_name, line, path_within
from flowdeco.errors import BusyError, NotFinishedError, SelfCancelledError

from .attempts import Attempt, attempts_of
from .bodies import PLAIN, Body
from .chain import Chainable, ChainMember
from .loops import refuse_running_loop
from .marks import described
from .outcome import MISSING, Outcome, State
from .requirements import collected
from .whereabouts import why_no_result

if sys.version_info >= (3, 13):  # not asked of the other, which takes longer to import
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobSetLike

__all__ = ["NEVER_RUN", "UNNAMED", "AbstractJob", "Requirement", "RequirementSet"]

R = TypeVar("R", covariant=True, default=object)

Requirement: TypeAlias = "Chainable[AbstractJob[object]] | None"
# Checkers follow three levels; at run time any depth is taken. A recursive alias would let a
# string through in mypy.
RequirementSet: TypeAlias = (
    "Requirement | Iterable[Requirement | Iterable[Requirement | Iterable[Requirement]]]"
)

Jobs: TypeAlias = "tuple[AbstractJob[object], ...] | dict[AbstractJob[object], None]"
"""In order: a tuple, which takes half of the memory, or a dict, which is quick to change."""

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
    __flow_owner__: Callable[[], JobSetLike | None] | None = attrs.field(init=False)
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
            self.__flow_required__ = collected(self.__flow_given__, AbstractJob)
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

    def cancel(self) -> bool:
        """Cancel this job, in the run that goes on; may be called from any thread.

        A job that waits for a place has failed without starting. One at work is ended as when it is
        over its timeout, in the next turn of the loop, and has failed with `SelfCancelledError`,
        without another attempt; a generator service that is up gets its teardown first, and what is
        inside of a fan-out or a subflow is stopped. The run goes on, unless the job is critical. Of
        the outermost scheduler, it ends the run, which returns a report that says so: that is how
        a run is ended that was left behind in a notebook, by `flow.scheduler.cancel()`.

        Returns:
            Whether there was anything to cancel.
        """
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # has no public name
        return self.__flow_cancel_from__(f"{frame.f_code.co_filename}:{frame.f_lineno}")

    def __flow_cancel_from__(self, place: str) -> bool:
        home = self.__flow_home__
        error = SelfCancelledError(f"{self.name}: cancel() at {place}")
        return home is not None and home.__flow_cancel__(self, error)

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
        others = collected(jobs, AbstractJob)
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
    def __flow_home__(self) -> JobSetLike | None:
        return None if self.__flow_owner__ is None else self.__flow_owner__()

    def __flow_check_ready__(self) -> None:
        """Raise what would prevent this job from running, before anything has started."""

    def __flow_renew__(self) -> None:
        """Forget an earlier run, as a new one begins."""

    def __flow_own_timeout__(self) -> float | None:
        """The seconds after which the run is to cancel the body."""
        # A class of one's own may have a `timeout` that is something else: of a packet, perhaps.
        return self.__flow_timeout__

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

    def __flow_counts__(self) -> tuple[int, int | None] | None:
        """Of a fan-out, how many items have ended, and how many there are, where it is known."""
        return None

    def __flow_take_value__(self, value: object) -> None:
        """Take a value that an override gives."""

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

    def __flow_source_name__(self) -> str:
        """The name by which the user's code is likely to know it."""
        return self.name

    def __flow_declared__(self) -> bool:
        """Whether it has a declaration, which can be given `after=`."""
        return False

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

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Its attempts in the last run, the present one included: one, unless it has a `Retry`."""
        return attempts_of(self.__flow_outcome__)

    def is_idle(self) -> bool:
        """Tell whether it has not started, or never did."""
        return self.__flow_outcome__.state in (State.IDLE, State.SKIPPED)

    def is_scheduled(self) -> bool:
        """Tell whether it is ready to start, and waits for a slot."""
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
        raise NotFinishedError(why_no_result(self, outcome), self)

    def __repr__(self) -> str:
        return described(self, self.__flow_outcome__)

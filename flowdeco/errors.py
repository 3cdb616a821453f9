"""What can go wrong, one small class a cause, each with the offender as an attribute."""

from __future__ import annotations

from asyncio import InvalidStateError
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base.text import line, printable

if TYPE_CHECKING:
    from .base.protocols import JobLike

__all__ = [
    "BusyError",
    "CycleError",
    "DefinitionError",
    "FlowdecoError",
    "LoopRunningError",
    "NestingError",
    "NoSubflowError",
    "NotFinishedError",
    "OverrideError",
    "OwnershipError",
    "PartError",
    "RecordedError",
    "ReplacedError",
    "RequirementError",
    "SelfCancelledError",
    "Skip",
    "SkippedError",
    "StartedError",
    "StuckError",
]


class FlowdecoError(Exception):
    """The base of all errors that flowdeco raises of its own."""

    def __reduce__(self) -> tuple[object, ...]:
        # By default it would be made anew from its message alone.
        return _made_again, (type(self), self.args, vars(self))


def _made_again(
    cls: type[FlowdecoError], args: tuple[object, ...], state: dict[str, object]
) -> FlowdecoError:
    error = cls.__new__(cls, *args)
    vars(error).update(state)
    return error


class RecordedError(FlowdecoError):
    """Stands for an exception in a report that came from another process, or from a file.

    The exception itself could not be pickled, or not be read back. `type` is the name of its
    class, `message` its text, and `traceback` what was printed of it.
    """

    def __init__(self, type: str, message: str, traceback: str = "") -> None:  # noqa: A002
        self.type = type
        self.message = message
        self.traceback = traceback
        super().__init__(f"{type}: {message}" if message else type)


class CycleError(FlowdecoError, ValueError):
    """Jobs require each other in a circle, so that none of them could ever start.

    `cycle` holds the names in the order in which they would run, the first one repeated at the end.
    """

    def __init__(self, cycle: Sequence[str], where: str = "") -> None:
        self.cycle = tuple(cycle)
        place = f" in {where}" if where else ""
        super().__init__(
            f"jobs wait for each other{place}: {' -> '.join(self.cycle)};"
            " remove one of these requirements"
        )


class RequirementError(FlowdecoError, ValueError):
    """A job requires one that is not in the same scheduler, and so would wait for ever.

    `job` is the one that requires, `requirement` the one that is out of reach.
    """

    def __init__(self, message: str, job: JobLike, requirement: JobLike) -> None:
        self.job = job
        self.requirement = requirement
        super().__init__(message)


class OwnershipError(FlowdecoError, ValueError):
    """A job was given to a second scheduler. `job` is that job."""

    def __init__(self, message: str, job: JobLike) -> None:
        self.job = job
        super().__init__(message)


class NestingError(FlowdecoError, ValueError):
    """Schedulers are nested too deep, or one inside itself. `depth` is the depth reached."""

    def __init__(self, message: str, depth: int) -> None:
        self.depth = depth
        super().__init__(message)


class DefinitionError(FlowdecoError, TypeError):
    """A flow is declared wrongly. `problems` holds every mistake of the class, in order."""

    def __init__(self, flow: str, problems: Sequence[str]) -> None:
        self.flow = flow
        # Their texts are made of names and of code, which may have anything in them.
        self.problems = tuple(_printable(problem) for problem in problems)
        count = "a mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        super().__init__("\n".join([_printable(f"flow {flow} has {count}:"), *self.problems]))


def _printable(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


class ReplacedError(DefinitionError, AttributeError):
    """Something was put in place of a declaration, where no run would heed it.

    `problems` holds what was, one by one. It is an `AttributeError` as well, for that is what an
    assignment to something that cannot be assigned raises.
    """

    def __init__(self, flow: str, problems: Sequence[str]) -> None:
        super().__init__(flow, problems)
        self.args = ("\n".join(self.problems),)


class OverrideError(FlowdecoError, ValueError):
    """An override cannot be: there are two for one job, or none that it could be meant for."""


class PartError(FlowdecoError, ValueError):
    """A part of a flow cannot run: a name is unknown, or a value is missing that is taken."""


class BusyError(FlowdecoError, RuntimeError):
    """Something was asked of a scheduler that cannot be done while it runs."""


class LoopRunningError(FlowdecoError, RuntimeError):
    """A call that makes its own event loop came from where one is running."""


class StartedError(FlowdecoError, RuntimeError):
    """A job made of a coroutine object was to run again; such an object runs once.

    `job` is that job.
    """

    def __init__(self, message: str, job: JobLike) -> None:
        self.job = job
        super().__init__(message)


class SelfCancelledError(FlowdecoError):
    """A job ended by a cancellation that was not the run's; its cause is the `CancelledError`.

    It is an `Exception` where `asyncio.CancelledError` is not, so that it counts as a failure.
    """


class Skip(Exception):  # noqa: N818  # nothing is wrong
    """Raised in the body of a job: there is nothing to do, and that is no failure (rule 3).

    The job is then skipped, with the text as the reason, as in `raise Skip("nothing to deploy")`.
    So are the jobs that take its value, for the same reason; those that only come after it start. A
    fan-out leaves the item out of its result. Critical or not makes no difference.

    It is an ordinary failure where the job cannot be said to have been skipped: in a service that
    was ready, in a group of exceptions, in a shutdown hook, after the job was stopped, and after
    its own timeout.
    """


class SkippedError(FlowdecoError):
    """A job was skipped: a value that it takes does not exist, or its body has raised `Skip`.

    `job` is the skipped job, and `missing` the one whose value is missing, None where the body of
    the job itself has raised `Skip`. `skip` is the `Skip` that it all goes back to, None where that
    is a failure. The cause is what made the value missing, or the `Skip`.
    """

    def __init__(self, job: JobLike, missing: JobLike | None, skip: Skip | None = None) -> None:
        self.job = job
        self.missing = missing
        self.skip = skip
        parts = [f"{job.name!r} was skipped"]
        if missing is not None:
            how = "which has none" if skip is None else "which was skipped"
            parts.append(f"it takes the value of {missing.name!r}, {how}")
        if skip is not None:
            parts.append(line(skip))
        super().__init__(": ".join(filter(None, parts)))


class NotFinishedError(FlowdecoError, InvalidStateError):
    """A result was asked of a job that has none yet. `job` is that job."""

    def __init__(self, message: str, job: JobLike) -> None:
        self.job = job
        super().__init__(message)


class NoSubflowError(NotFinishedError, AttributeError):
    """A flow was asked of a subflow whose method has not been called yet. `job` is its job."""


class StuckError(FlowdecoError, RuntimeError):
    """Jobs did not end within the grace, although they were cancelled. `jobs` are these jobs."""

    def __init__(self, jobs: Sequence[JobLike]) -> None:
        self.jobs = tuple(jobs)
        names = ", ".join(job.__flow_called__() for job in self.jobs)
        super().__init__(
            f"still running after they were cancelled and the grace was over: {names};"
            " let CancelledError pass, and keep clean-up shorter than the grace"
        )

"""What can go wrong, one small class a cause, each with the offender as an attribute."""

from __future__ import annotations

from asyncio import InvalidStateError
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .job import AbstractJob

__all__ = [
    "BusyError",
    "CycleError",
    "DefinitionError",
    "FlowdecoError",
    "LoopRunningError",
    "NestingError",
    "NoSubflowError",
    "NotFinishedError",
    "OwnershipError",
    "RequirementError",
    "SelfCancelledError",
    "SkippedError",
    "StartedError",
    "StuckError",
]


class FlowdecoError(Exception):
    """The base of all errors that flowdeco raises of its own."""


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

    def __init__(
        self, message: str, job: AbstractJob[object], requirement: AbstractJob[object]
    ) -> None:
        self.job = job
        self.requirement = requirement
        super().__init__(message)


class OwnershipError(FlowdecoError, ValueError):
    """A job was given to a second scheduler. `job` is that job."""

    def __init__(self, message: str, job: AbstractJob[object]) -> None:
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
        self.problems = tuple(problems)
        count = "a mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        super().__init__("\n".join([f"flow {flow} has {count}:", *self.problems]))


class BusyError(FlowdecoError, RuntimeError):
    """Something was asked of a scheduler that cannot be done while it runs."""


class LoopRunningError(FlowdecoError, RuntimeError):
    """A call that makes its own event loop came from where one is running."""


class StartedError(FlowdecoError, RuntimeError):
    """A job made of a coroutine object was to run again; such an object runs once.

    `job` is that job.
    """

    def __init__(self, message: str, job: AbstractJob[object]) -> None:
        self.job = job
        super().__init__(message)


class SelfCancelledError(FlowdecoError):
    """A job ended by a cancellation that was not the run's; its cause is the `CancelledError`.

    It is an `Exception` where `asyncio.CancelledError` is not, so that it counts as a failure.
    """


class SkippedError(FlowdecoError):
    """A job did not run because a value that it takes does not exist.

    `job` is the skipped job, `missing` the one whose value is missing. The cause is what made it
    missing.
    """

    def __init__(self, job: AbstractJob[object], missing: AbstractJob[object]) -> None:
        self.job = job
        self.missing = missing
        super().__init__(
            f"{job.name!r} was skipped: it takes the value of {missing.name!r}, which has none"
        )


class NotFinishedError(FlowdecoError, InvalidStateError):
    """A result was asked of a job that has none yet. `job` is that job."""

    def __init__(self, message: str, job: AbstractJob[object]) -> None:
        self.job = job
        super().__init__(message)


class NoSubflowError(NotFinishedError, AttributeError):
    """A flow was asked of a subflow whose method has not been called yet. `job` is its job."""


class StuckError(FlowdecoError, RuntimeError):
    """Jobs did not end within the grace, although they were cancelled. `jobs` are these jobs."""

    def __init__(self, jobs: Sequence[AbstractJob[object]]) -> None:
        self.jobs = tuple(jobs)
        names = ", ".join(job._flow_called() for job in self.jobs)
        super().__init__(
            f"still running after they were cancelled and the grace was over: {names};"
            " let CancelledError pass, and keep clean-up shorter than the grace"
        )

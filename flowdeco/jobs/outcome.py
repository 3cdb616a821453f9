"""How a job fared in one run."""

from __future__ import annotations

import enum
from collections.abc import Collection
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Final, cast

from flowdeco.errors import Skip, SkippedError

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobLike

__all__ = ["MISSING", "LeftOut", "Missing", "Outcome", "State"]


class State(enum.Enum):
    """Where a job stands in a run."""

    IDLE = "idle"
    """The run has not started it, or never did, however it ended."""
    SCHEDULED = "scheduled"
    """Ready to start, and waiting for a slot."""
    RUNNING = "running"
    """Started, and not ended."""
    DONE = "done"
    """Ended with a value."""
    FAILED = "failed"
    """Ended with an exception."""
    SKIPPED = "skipped"
    """Not started, because a value that it takes does not exist; or its body has raised `Skip`."""
    CANCELLED = "cancelled"
    """Stopped by the run, and by nothing else; for a service a good end."""
    STUCK = "stuck"
    """Still there after it was cancelled and the grace was over."""


class Missing(enum.Enum):
    """The type of `MISSING`, which stands where there is no value, for None is one."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


_IDLE = State.IDLE  # an attribute of an enumeration is slow on Python 3.11


class Outcome:
    """What became of a job in one run; a run makes new ones.

    Times are seconds since the start of the outermost run, by the clock of its loop.

    Args:
        required: the requirements at the time of the run.
        critical: whether it was critical in that run.
    """

    __slots__ = (
        "critical",
        "ended_at",
        "exception",
        "required",
        "started_at",
        "state",
        "traceback",
        "value",
    )

    is_left_out: ClassVar[bool] = False
    """Whether it was left out of the run, of which only a part was wanted."""

    def __init__(
        self,
        required: Collection[JobLike] | None = None,
        critical: bool | None = None,
    ) -> None:
        self.state = _IDLE
        self.value: object = MISSING
        self.exception: BaseException | None = None
        self.traceback: TracebackType | None = None
        """As it was when the job ended: raising the exception again does not grow it."""
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.required = required
        self.critical = critical

    @property
    def failed(self) -> bool:
        """Whether an exception is the job's own, be it stuck afterwards or not."""
        return self.exception is not None and self.state is not State.SKIPPED

    @property
    def skip(self) -> Skip | None:
        """The `Skip` for which it was skipped, by its own body or another's."""
        error = self.exception
        is_skipped = self.state is State.SKIPPED and type(error) is SkippedError
        return cast("SkippedError", error).skip if is_skipped else None


class LeftOut(Outcome):
    """The outcome of a job that was left out of a run."""

    __slots__ = ()

    is_left_out = True

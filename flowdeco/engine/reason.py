"""Why a run did not succeed."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from flowdeco.base.text import class_name
from flowdeco.jobs.marks import name_of

if TYPE_CHECKING:
    from flowdeco.jobs.abstract_job import AbstractJob

__all__ = ["Cause", "Reason"]


SHORTEST_BLOCK: Final = 0.05
"""Seconds that a busy machine may be late by, with nothing that blocks the loop."""


class Cause(enum.IntEnum):
    """The kinds of reasons; of two that meet, the lower one counts (rule 15)."""

    EXIT = 1
    """`SystemExit` or `KeyboardInterrupt`, raised in a job or by a signal."""
    CANCELLED = 2
    """The task that runs the flow was cancelled from outside."""
    CRITICAL = 3
    """A critical job failed or was skipped."""
    TIMEOUT = 4
    """The deadline of the run came before the last step ended."""
    STUCK = 5
    """A step, or a critical service, did not end although it was cancelled."""


@attrs.frozen(eq=False)
class Reason:
    """Why a run failed: its cause, the job (where it is one), and the exception.

    As text it is an English phrase.
    """

    cause: Cause
    text: str
    exception: BaseException | None = None
    job: AbstractJob[object] | None = None

    @classmethod
    def exit(cls, error: BaseException, job: AbstractJob[object] | None = None) -> Reason:
        where = "" if job is None else f" in {name_of(job)!r}"
        return cls(Cause.EXIT, f"{class_name(error)}{where}", error, job)

    @classmethod
    def cancelled(cls, error: BaseException, text: str = "cancelled from outside") -> Reason:
        return cls(Cause.CANCELLED, text, error)

    @classmethod
    def critical(cls, job: AbstractJob[object], error: BaseException) -> Reason:
        text = f"critical job {name_of(job)!r} failed with {class_name(error)}"
        return cls(Cause.CRITICAL, text, error, job)

    @classmethod
    def skipped(cls, job: AbstractJob[object], error: BaseException) -> Reason:
        return cls(Cause.CRITICAL, f"critical job {name_of(job)!r} was skipped", error, job)

    @classmethod
    def timeout(cls, name: str, seconds: float, late: float = 0.0) -> Reason:
        """Name the run, its timeout, and how late this was seen, for the loop was blocked."""
        text = f"{name} timed out after {seconds:g} s"
        if late > max(seconds / 2, SHORTEST_BLOCK):
            text += (
                f"; a body blocked the loop, so that this was seen {late:.3f} s late"
                " (asyncio's debug mode tells which one, and where)"
            )
        return cls(Cause.TIMEOUT, text, TimeoutError(text))

    @classmethod
    def stuck(cls, jobs: Sequence[AbstractJob[object]]) -> Reason:
        return cls(Cause.STUCK, "stuck: " + ", ".join(repr(name_of(job)) for job in jobs))

    def outranks(self, other: Reason | None) -> bool:
        """Tell whether this one is to replace the other."""
        return other is None or (
            self.cause < other.cause and self.cause in (Cause.EXIT, Cause.CANCELLED)
        )

    def __str__(self) -> str:
        return self.text

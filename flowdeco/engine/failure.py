"""What a body, or a hook, has failed with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, TypeGuard, cast

from flowdeco.base import locations, log
from flowdeco.base.exceptions import is_cancellation, traceback_of, with_traceback
from flowdeco.base.protocols import JobLike
from flowdeco.base.text import class_name, line
from flowdeco.errors import SelfCancelledError, Skip, SkippedError
from flowdeco.jobs.abstract_job import AbstractJob

from .specification import Specification

__all__ = [
    "is_skip",
    "is_value",
    "late_end",
    "leaves",
    "own_failure",
    "raised",
    "skipped_by",
    "skipped_without",
    "users_traceback",
]


_MOST_NAMED = 3
"""How many exceptions of a group are named."""


def own_failure(error: BaseException, text: str) -> BaseException:
    """Return the failure for what was raised: of a cancellation, one that says so (rule 13).

    Args:
        error: what was raised, and not because the run has asked for it.
        text: what has happened, if it is a cancellation.
    """
    if not is_cancellation(error):
        return error
    cancelled = SelfCancelledError(text)
    cancelled.__cause__ = error
    return cancelled


def is_skip(error: BaseException) -> TypeGuard[Skip]:
    """Tell whether a body has raised `Skip`."""
    return issubclass(type(error), Skip)


def is_value(specification: Specification, error: BaseException) -> bool:
    """Tell whether what a job of a run has failed with is a value (of a fan-out)."""
    return specification.returns_exceptions and issubclass(type(error), Exception)


def skipped_by(job: JobLike, skip: Skip) -> SkippedError:
    """Return what a job is skipped with whose body has raised `Skip`."""
    skipped = SkippedError(job, None, skip)
    skipped.__cause__ = with_traceback(skip, users_traceback(skip))
    return skipped


def skipped_without(job: JobLike, missing: Sequence[AbstractJob[object]]) -> SkippedError:
    """Return what a job is skipped with, as there are no values of these."""
    # One that is missing through a failure counts more than those skipped on purpose.
    first = min(missing, key=lambda one: one.__flow_outcome__.skip is not None)
    outcome = first.__flow_outcome__
    skipped = SkippedError(job, first, outcome.skip)
    skipped.__cause__ = outcome.exception
    return skipped


def users_traceback(error: BaseException) -> TracebackType | None:
    """Return the traceback without the frames of the library that come first."""
    traceback = traceback_of(error)
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(locations.OWN):
        traceback = traceback.tb_next
    return traceback


def late_end(name: str, error: BaseException | None) -> tuple[int, str]:
    """Say how a body has ended that was stuck, and at which level."""
    if error is None or is_cancellation(error) or type(error) is GeneratorExit:
        return log.INFO, f"{name}, which was stuck, has ended"
    text = f"which was stuck, has failed with {class_name(error)}: {line(error)}"
    return log.WARNING, f"{name}, {text}"


def raised(error: BaseException) -> str:
    """Name an exception and its message; of a group the exceptions in it."""
    found = [*leaves(error)]
    named = [f"{class_name(one)}: {line(one)}".removesuffix(": ") for one in found[:_MOST_NAMED]]
    more = len(found) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in a group, and in groups within it; or the one that is no group."""
    found: list[Any] = [error]
    while found:
        one = found.pop()
        if issubclass(type(one), BaseExceptionGroup):
            # Not by its attribute, which a subclass may have made something else.
            found += reversed(cast("Any", BaseExceptionGroup.exceptions).__get__(one))
        else:
            yield one

"""What a set of jobs refuses, and the name by which it finds a job."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, cast

from flowdeco.base.text import class_name, value_line
from flowdeco.errors import RequirementError

from .abstract_job import AbstractJob
from .callables import function_name, is_coroutine

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobSetLike

__all__ = ["is_called", "is_text", "no_job", "not_told_apart", "out_of_reach"]


def not_told_apart(job: AbstractJob[object]) -> TypeError:
    """Say that a class of jobs compares them by value."""
    # Give good error for: a class of jobs under @dataclass or @attrs.define.
    cls = class_name(job)
    return TypeError(
        f"jobs are told apart by identity, and {cls} compares them by value; write eq=False in the"
        f" decorator of {cls}, as in @dataclass(eq=False) or @attrs.define(eq=False), or drop its"
        " __eq__"
    )


def no_job(value: object) -> TypeError:
    """Say what was added that is no job, and how to make one."""
    if is_coroutine(value):
        cast("Coroutine[object, object, object]", value).close()
        return TypeError(
            f"a scheduler takes jobs, not the coroutine {function_name(value)}; write Job(...)"
        )
    shown = f"{value_line(value)} ({class_name(value)})"
    mend = ""
    if isinstance(value, (list, tuple, set)):
        mend = "; write Scheduler(*jobs), or scheduler.update(jobs)"
    return TypeError(f"a scheduler takes jobs and chains of them, not {shown}{mend}")


def is_text(value: object, text: str) -> bool:
    """Tell whether a label is that text; one of another type may compare as it likes."""
    return issubclass(type(value), str) and str.__eq__(cast("str", value), text) is True


def is_called(job: AbstractJob[object], name: str) -> bool:
    """Tell whether that is the name of a job, or what it would be without its label."""
    return name == job.name or is_text(job.label, name) or name == job.__flow_unlabelled__()


def out_of_reach(jobs: JobSetLike) -> RequirementError:
    """Say which job requires one that is not in the same set."""
    job, other = next((job, other) for job in jobs for other in job.required if other not in jobs)
    where = other.__flow_home__
    place = "no scheduler" if where is None else where.__flow_called__()
    return RequirementError(
        f"{job.__flow_called__()} in {jobs.__flow_called__()} requires"
        f" {other.__flow_called__()}, which is in {place}; requirements stay within one"
        " scheduler: add it here, or drop it with sanitize()",
        job,
        other,
    )

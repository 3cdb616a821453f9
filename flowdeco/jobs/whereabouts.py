"""Why a job has no result, and what to write so that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowdeco.base.graph import closure
from flowdeco.base.text import class_name, line

from .current import CurrentExecution, current_execution
from .outcome import Outcome, State

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobLike, ReportLike

__all__ = ["why_no_result", "why_unfinished"]

_AFTER_A_RUN = {
    State.IDLE: "the run ended before it started",
    State.CANCELLED: "the run stopped it when it ended",
    State.STUCK: "it did not stop when the run ended",
}
"""What became of a job that was not done when its run ended."""


def why_no_result(job: JobLike, outcome: Outcome) -> str:
    """Say how far a job has come, and to the body of another job how to wait for it."""
    how_far = why_unfinished(job, outcome) or f"it is {outcome.state.value}"
    message = f"{job.__flow_called__()} has no result: {how_far}"
    execution = current_execution.get()
    if execution is None or execution.job is job or job in execution.job.required:
        return message
    return message + _how_to_wait(job, execution)


def why_unfinished(job: JobLike, outcome: Outcome) -> str | None:
    """Say why a run has ended without a result of the job; None before and during one."""
    state, error = outcome.state, outcome.exception
    if error is not None:
        failed = f"it has failed with {class_name(error)}: {line(error)}"
        return line(error) if state is State.SKIPPED else failed
    if outcome.is_left_out:
        return "it is idle, for it was left out of the run"
    ended = _last_report(job)
    how = _AFTER_A_RUN.get(state)
    if ended is None or how is None:
        return None
    how = f"it is {state.value}, for {how}"
    return how if ended.reason is None else f"{how}: {ended.reason}"


def _last_report(job: JobLike) -> ReportLike | None:
    """Return the report of the run that ended without the job; None before and during one."""
    report: ReportLike | None = None
    scheduler = job.__flow_home__
    while scheduler is not None and not scheduler.is_busy():
        # A nested run that was stopped has little to say: the one around it knows why.
        if report is None or report.reason is None or report.reason.cause.name == "CANCELLED":
            report = report if scheduler.report is None else scheduler.report
        scheduler = scheduler.__flow_home__
    return report


def _how_to_wait(awaited: JobLike, reader: CurrentExecution) -> str:
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


def _coming_after(waiter: JobLike, awaited: JobLike) -> str:
    later, earlier = waiter.__flow_source_name__(), awaited.__flow_source_name__()
    required = f"{later}.requires({earlier})"
    if not waiter.__flow_declared__():
        return f"write {required}"
    return f"add after={earlier} to the declaration of {later!r}, or {required}"

"""A job in a line: its marks, its name, how it fared."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from flowdeco.base.text import class_name, encodable, line, value_line
from flowdeco.errors import RecordedError

from .outcome import MISSING, Outcome, State

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobLike

__all__ = [
    "critical",
    "described",
    "ending",
    "error_text",
    "fitting",
    "marked",
    "name_of",
    "named",
    "plain",
    "word",
]

MARKS = "⚠★☉☓↺⚑⚐∞…"
ASCII_MARKS = "!*o#~>.8_"
"""What stands for the marks where a stream cannot encode them, one by one."""

_TO_ASCII = str.maketrans(MARKS, ASCII_MARKS)

_progress = {
    State.IDLE: "⚐",
    State.SKIPPED: "⚐",
    State.SCHEDULED: "⚑",
    State.RUNNING: "↺",
    State.CANCELLED: "↺",
    State.STUCK: "↺",
    State.DONE: "☓",
    State.FAILED: "☓",
}


def critical(job: JobLike, outcome: Outcome) -> bool:
    """Tell whether the job was critical in that run; before a run, whether it is."""
    return job.is_critical() if outcome.critical is None else outcome.critical


def marked(job: JobLike, outcome: Outcome) -> str:
    """Return the four marks: critical, raised or started, progress, forever."""
    if outcome.failed:
        begun = "★"
    else:
        begun = "☉" if outcome.started_at is not None else " "
    return " ".join(
        (
            "⚠" if critical(job, outcome) else " ",
            begun,
            _progress[outcome.state],
            "∞" if job.forever else " ",
        )
    )


def described(job: JobLike, outcome: Outcome) -> str:
    """Return the line of a job without its number and its requirements."""
    return f"{marked(job, outcome)} {named(job)}{ending(job, outcome)}{word(job, outcome)}"


def named(job: JobLike) -> str:
    """Return the class and the name of the job."""
    return f"<{class_name(job)} `{name_of(job)}`>"


def name_of(job: JobLike) -> str:
    """Return the name of the job; a placeholder where a subclass makes one that raises."""
    try:
        return line(job.name)
    except BaseException as error:
        return f"<{class_name(job)} whose name raised {class_name(error)}>"


def ending(job: JobLike, outcome: Outcome) -> str:
    """Return the value or the exception of the job, if it has one."""
    error = outcome.exception
    if outcome.failed and error is not None:
        title = "CRIT. EXC." if critical(job, outcome) else "exception"
        return f"!! {title} => {error_text(error)}!!"
    if outcome.state is State.DONE and outcome.value is not MISSING:
        return f"[[ -> {value_line(outcome.value)}]]"
    return ""


def error_text(error: BaseException, between: str = ":") -> str:
    """Return the class and the message of an exception."""
    if type(error) is RecordedError:  # which shows what it stands for
        return f"{error.type}{between}{line(error.message)}"
    return f"{class_name(error)}{between}{line(error)}"


def word(job: JobLike, outcome: Outcome) -> str:
    """Return the word for an end that the marks do not tell."""
    if outcome.state is State.CANCELLED and job.forever:
        return ""
    if outcome.is_left_out:
        return " LEFT OUT"
    if outcome.state in (State.CANCELLED, State.STUCK, State.SKIPPED):
        reason = "" if outcome.skip is None else line(outcome.skip)
        return f" {outcome.state.name}" + (f": {reason}" if reason else "")
    return ""


def plain(text: str) -> str:
    """Replace the marks by characters of ASCII."""
    return text.translate(_TO_ASCII)


def fitting(text: str, stream: TextIO | None = None) -> str:
    """Return a line as the stream (standard output by default) can encode it.

    Where it lacks a character, the marks are of ASCII, and the rest of what it lacks is escaped.
    """
    fits = encodable(text, stream)
    return text if fits == text else encodable(plain(text), stream)

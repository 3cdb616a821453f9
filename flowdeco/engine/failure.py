"""What a body, or a hook, has failed with."""

from __future__ import annotations

from types import TracebackType

from flowdeco.base import locations, log
from flowdeco.base.exceptions import is_cancellation, traceback_of
from flowdeco.base.text import class_name, line
from flowdeco.errors import SelfCancelledError

__all__ = ["late_end", "own_failure", "users_traceback"]


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

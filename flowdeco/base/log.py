"""What the library writes to its log; a log that raises disturbs nothing (rules 9, 17 and 19)."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

from .exceptions import traceback_of

__all__ = ["DEBUG", "ERROR", "INFO", "WARNING", "is_enabled", "write"]

DEBUG: Final = logging.DEBUG
INFO: Final = logging.INFO
WARNING: Final = logging.WARNING
ERROR: Final = logging.ERROR

_logger = logging.getLogger("flowdeco")

is_enabled = _logger.isEnabledFor


def write(
    level: int,
    text: str,
    flow: str = "",
    job: str = "",
    error: BaseException | None = None,
) -> BaseException | None:
    """Write a line to the log.

    Handlers and filters belong to the program. Where one raises, that is noted in the way of the
    standard library (`logging.raiseExceptions`), and no caller has to expect it.

    Args:
        level: that of the `logging` module.
        text: the line, in printable characters.
        flow: the name of the outermost flow or scheduler, an attribute of the record.
        job: the path of the job, an attribute of the record.
        error: something that went wrong in the library, whose traceback is to be shown.

    Returns:
        A `SystemExit` or `KeyboardInterrupt` that a handler or filter raised, or that a signal
        raised meanwhile: the run is to end with it.
    """
    if not _logger.isEnabledFor(level):
        return None
    try:
        # Not as a format: there is nothing to fill in, whatever a name looks like.
        shown = None if error is None else (type(error), error, traceback_of(error))
        names = {"flow": flow, "job": job}
        _logger.log(level, text, exc_info=shown, extra=names, stacklevel=3)
    except (SystemExit, KeyboardInterrupt) as leaving:
        return leaving
    except BaseException:
        _note_broken_log(text)
    return None


def _note_broken_log(text: str) -> None:
    # Where standard error is broken as well, there is nobody left to tell.
    with contextlib.suppress(BaseException):
        record = logging.makeLogRecord({"name": _logger.name, "msg": text})
        logging.Handler().handleError(record)

"""Who watches a run or writes its log, and raises: nothing of the run changes (rule 17)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging

from flowdeco import Observer

__all__ = ["BLIND", "DISTURBED", "Blind", "disturbed"]


class UnusualError(BaseException):
    """Not an `Exception`."""


ERRORS = {
    "Exception": lambda: ValueError("no eyes"),
    "BaseException": lambda: UnusualError("no eyes"),
    "CancelledError": lambda: asyncio.CancelledError("no eyes"),
    "nameless": lambda: ValueError("no eyes"),
}

BLIND = list(ERRORS)
"""The kinds of observers that raise; one has no text to be named with, either."""


class Blind(Observer):
    """Raises when it is told of something for the n-th time."""

    def __init__(self, kind, raises_at):
        self.kind = kind
        self.raises_at = raises_at
        self.calls = 0

    def __repr__(self):
        if self.kind == "nameless":
            raise ValueError("no name")
        return f"<Blind {self.kind}>"

    def _called(self):
        self.calls += 1
        if self.calls == self.raises_at:
            raise ERRORS[self.kind]()

    def run_started(self, scheduler):
        self._called()

    def job_started(self, job):
        self._called()

    def job_ended(self, job):
        self._called()

    def run_ended(self, report):
        self._called()


class _Away(logging.Handler):
    """Raises for each n-th record, as one does that writes to a server that is away."""

    def __init__(self, every=1):
        super().__init__()
        self.every = every
        self.count = itertools.count(1)

    def emit(self, record):
        record.getMessage()
        if next(self.count) % self.every == 0:
            raise ConnectionError("the log server is away")


def _refuse(record):
    raise LookupError("no filter")


@contextlib.contextmanager
def disturbed(disturbance):
    """Let something in the log raise: what, and for records of which level on."""
    logger = logging.getLogger("flowdeco")
    if disturbance is None:
        yield
        return
    kind, level = disturbance
    handler = _Away({"handler": 1, "handler, at times": 3}.get(kind, 1_000_000))
    if kind == "filter of the handler":
        handler.addFilter(_refuse)
    before = logger.level, logger.propagate
    logger.setLevel(level)
    logger.propagate = False
    logger.addHandler(handler)
    if kind == "filter of the logger":
        logger.addFilter(_refuse)
    try:
        yield
    finally:
        logger.removeFilter(_refuse)
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


DISTURBED = [
    (kind, level)
    for kind in ("handler", "handler, at times", "filter of the handler", "filter of the logger")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING)
]
"""What can raise in the log, for records of which level on."""

"""The runs that go on within the body of a job."""

from __future__ import annotations

from typing import Protocol

from .ending import Sleeper

__all__ = ["NestedRun", "NestedRuns"]


class NestedRun(Protocol):
    """A run within the body of a job."""

    def close(self) -> object:
        """Start nothing more."""

    def shorten_ending(self) -> object:
        """Take no more time to end than the job has."""

    def end_with_job(self) -> object:
        """End, as the body of the job has ended."""

    def abandon(self) -> object:
        """End now, as the time of the job is over."""


class NestedRuns:
    """The runs within the body of one job."""

    __slots__ = ("runs", "sleeper")

    def __init__(self) -> None:
        self.runs: dict[NestedRun, None] = {}
        self.sleeper: Sleeper | None = None
        """The place where the job waits for them, once its body has ended."""

    async def end(self, sleeper: Sleeper) -> None:
        """End the runs, which the body has left behind, and wait for them (rule 9)."""
        self.sleeper = sleeper
        for run in tuple(self.runs):
            run.end_with_job()
        while self.runs:
            if await sleeper.sleep():
                for run in tuple(self.runs):
                    run.shorten_ending()

    def discard(self, run: NestedRun) -> None:
        """Note the end of a run."""
        self.runs.pop(run, None)
        if self.sleeper is not None:
            self.sleeper.wake()

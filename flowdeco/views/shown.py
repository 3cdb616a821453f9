"""Sets of jobs that show themselves: as a listing, a debrief, a graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowdeco.engine.reason import Cause
from flowdeco.jobs.entries import entries
from flowdeco.jobs.hooked_set import HookedJobSet

from . import diagram, listing
from .dot import Graph
from .printing import show
from .report import Report, debrief

if TYPE_CHECKING:
    import os

__all__ = ["ShownJobSet"]


class ShownJobSet(HookedJobSet):
    """A set of jobs, which tells how its last run went, and draws itself."""

    __flow_report__: Report | None = None

    @property
    def report(self) -> Report | None:
        """The record of the last run; None before."""
        return self.__flow_report__

    def failed_critical(self) -> bool:
        """Tell whether the last run failed because of a critical job."""
        return self._failed_by(Cause.CRITICAL)

    def failed_timeout(self) -> bool:
        """Tell whether the last run failed because its deadline came."""
        return self._failed_by(Cause.TIMEOUT)

    def _failed_by(self, cause: Cause) -> bool:
        reason = None if self.__flow_report__ is None else self.__flow_report__.reason
        return reason is not None and reason.cause is cause

    def why(self) -> str:
        """Tell in a word how the last run ended: `FINE`, or the reason why it failed."""
        if self.__flow_report__ is None:
            return "NOT RUN"
        return "FINE" if self.__flow_report__.reason is None else str(self.__flow_report__.reason)

    def stats(self) -> str:
        """Count the jobs of this scheduler: done, running or about to, idle, and all."""
        jobs = tuple(self)
        done = sum(job.is_done() for job in jobs)
        idle = sum(job.is_idle() for job in jobs)
        return f"{done}D + {len(jobs) - done - idle}R + {idle}I = {len(jobs)}"

    def list(self, details: bool = False) -> None:
        """Print a line for each job, in topological order, those of nested schedulers indented.

        Args:
            details: add what `details()` of each job says.
        """
        show(lambda: listing.lines(entries(self), details=details))

    def debrief(self, details: bool = False, silence_done_jobs: bool = False) -> None:
        """Print how the last run went: verdict, listing, counts, and the traceback of failures.

        Args:
            details: add what `details()` of each job says.
            silence_done_jobs: leave out the jobs that have completed without an exception.
        """
        options = {"details": details, "without_done": silence_done_jobs}
        if self.__flow_report__ is not None and not self.is_busy():
            report = self.__flow_report__
            show(lambda: report.text(**options))
        else:
            show(lambda: self._interim(**options))

    def _interim(self, *, details: bool, without_done: bool) -> Iterator[str]:
        listed = entries(self)
        yield f"----- {self.name}: {'RUNNING' if self.is_busy() else self.why()}"
        yield from listing.lines(listed, details=details, without_done=without_done)
        yield from debrief(listed)

    def to_dot(self) -> str:
        """Draw the graph in Graphviz's language, nested schedulers as clusters."""
        return diagram.to_dot(self.name, entries(self))

    def graph(self) -> Graph:
        """Return the graph as an object that notebooks show as a picture.

        Its `source` is `to_dot()`; Graphviz's `dot` makes the picture, where that is installed.
        """
        return Graph(self.to_dot())

    def export_as_dotfile(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dot()` to a file, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        diagram.write(path, self.to_dot())

"""Those who watch a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowdeco.jobs.abstract_job import AbstractJob
    from flowdeco.scheduler import Scheduler
    from flowdeco.views.report import Report

__all__ = ["Observer"]


class Observer:
    """Watches a run; subclasses override what they are interested in.

    The methods are called in the thread of the loop, so they should be quick. One that raises is
    logged, and its observer is not called again in this run (rule 17); but `SystemExit` and
    `KeyboardInterrupt` end the run as if a job had raised them.
    """

    def run_started(self, scheduler: Scheduler) -> None:
        """Note that the outermost run has started, before any job."""

    def job_started(self, job: AbstractJob[object]) -> None:
        """Note that the body of a job is about to start."""

    def job_retried(self, job: AbstractJob[object]) -> None:
        """Note that an attempt of a job has failed and another will follow, before the wait."""

    def job_ended(self, job: AbstractJob[object]) -> None:
        """Note that a job has ended, was skipped, or was left stuck."""

    def run_ended(self, report: Report) -> None:
        """Note that the outermost run has ended."""

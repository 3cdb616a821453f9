"""The graph of a scheduler, laid out for its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .abstract_job import AbstractJob

__all__ = ["Plan"]


class Plan:
    """Jobs by number, with how many each waits for, and who waits for it.

    It is kept from run to run, for as long as the graph stays as it is but for new jobs.

    Args:
        numbers: the jobs; their numbers are written here.
    """

    __slots__ = ("is_outdated", "jobs", "numbers", "successors", "unordered", "waiting")

    def __init__(self, numbers: dict[AbstractJob[object], int]) -> None:
        self.numbers = numbers
        self.jobs: list[AbstractJob[object]] = list(numbers)
        self.waiting: list[int] = []
        """How many jobs each requires."""
        self.successors: list[list[int] | None] = []
        """The numbers of those that require it; None for nobody."""
        self.unordered = False
        """Whether one comes before what it requires, so that there may be a cycle."""
        self.is_outdated = False
        """Whether another one must be made, as the graph has changed."""
        numbers.update((job, number) for number, job in enumerate(self.jobs))

    def add(self, job: AbstractJob[object]) -> None:
        """Take in another job; `lay_out` sees to what it requires."""
        self.numbers[job] = len(self.jobs)
        self.jobs.append(job)

    def lay_out(self) -> None:
        """Find out who waits for whom, of those added since the last time.

        Raises:
            KeyError: one requires something that is not among the jobs; the plan is outdated then.
        """
        self.is_outdated = True
        numbers, waiting, successors = self.numbers, self.waiting, self.successors
        first = len(waiting)
        new = self.jobs[first:] if first else self.jobs
        waiting.extend([len(job.__flow_required__) for job in new])
        successors.extend([None] * len(new))
        for job in new:
            number = numbers[job]  # the same object as there: a new int takes memory
            for before in job.__flow_required__:
                earlier = numbers[before]
                if earlier >= number:
                    self.unordered = True
                waits = successors[earlier]
                if waits is None:
                    successors[earlier] = [number]
                else:
                    waits.append(number)
        self.is_outdated = False

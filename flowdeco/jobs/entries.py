"""Jobs as they fared, with those inside of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from flowdeco.base.graph import CircularError, topological_order

from .abstract_job import AbstractJob
from .outcome import Outcome

__all__ = ["Entry", "entries", "group", "unrun"]


@attrs.define(eq=False, repr=False)
class Entry:
    """A job as it fared in one run, with what ran inside of it.

    A job that ran several times has as many entries.
    """

    job: AbstractJob[object]
    outcome: Outcome
    required: Sequence[Entry] = ()
    """What it came after in that run; before a run, what it comes after now."""
    inner: list[Entry] = attrs.field(factory=list)
    """Those of one run after those of the other, each run in topological order."""
    counts: tuple[int, int | None] | None = None
    """Of a fan-out, how many items have ended, and how many there were, where that is known."""
    returned: bool = False
    """Whether its exception is a value of a fan-out, and no failure."""
    printed: Sequence[str] | None = None
    """The lines of its traceback, where that itself is not there any more."""


def group(jobs: Iterable[tuple[AbstractJob[object], Outcome]]) -> list[Entry]:
    """Make the entries of one run, each after what it requires, as far as there is such an order.

    Args:
        jobs: those of the run, with how they fared.
    """
    by_job: dict[object, Entry] = {job: Entry(job, outcome) for job, outcome in jobs}
    for entry in by_job.values():
        required = entry.outcome.required
        if required is None:
            required = entry.job.required
        entry.required = [by_job[other] for other in dict.fromkeys(required) if other in by_job]
    try:
        return topological_order({entry: entry.required for entry in by_job.values()})
    except CircularError:
        return list(by_job.values())


def entries(jobs: Iterable[AbstractJob[object]]) -> tuple[Entry, ...]:
    """Return the present state of jobs, and of those inside of them."""
    return _nested(jobs, lambda job: job.__flow_outcome__)


def unrun(jobs: Iterable[AbstractJob[object]]) -> tuple[Entry, ...]:
    """Return jobs, and those inside of them, as they were when a run ended without them."""
    return _nested(jobs, lambda job: Outcome(required=tuple(job.__flow_required__)))


def _nested(
    jobs: Iterable[AbstractJob[object]], outcome_of: Callable[[AbstractJob[object]], Outcome]
) -> tuple[Entry, ...]:
    roots: list[Entry] = []
    levels = [_Level(jobs, roots)]
    for level in levels:
        level.entries.extend(group((job, outcome_of(job)) for job in level.jobs))
        for entry in level.entries:
            inside = entry.job.children
            entry.counts = entry.job.__flow_counts__()
            # A flow may have itself inside, as long as nobody has run it.
            if inside != () and not level.is_inside(entry.job):
                levels.append(_Level(inside, entry.inner, entry.job, level))
    return tuple(roots)


@attrs.frozen(eq=False, repr=False)
class _Level:
    """Jobs inside of another, and where their entries go."""

    jobs: Iterable[AbstractJob[object]]
    entries: list[Entry]
    of: AbstractJob[object] | None = None
    outer: _Level | None = None

    def is_inside(self, job: AbstractJob[object]) -> bool:
        level: _Level | None = self
        while level is not None:
            if level.of is job:
                return True
            level = level.outer
        return False

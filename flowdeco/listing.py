"""Jobs and how they fare, a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CoroutineType
from typing import Any

import attrs

from .graph import CircularError, topological_order
from .job import AbstractJob
from .marks import ending, marked, named, word
from .outcome import Outcome, State
from .text import class_name, printable
from .traces import traced

__all__ = ["Entry", "Numbered", "details_of", "entries", "group", "lines", "numbered", "unrun"]


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
    printed: Sequence[str] | None = None
    """The lines of its traceback, where that itself is not there any more."""

    def trace(self) -> Iterable[str]:
        """Return the traceback of a job that has failed, as lines, from the user's frame on."""
        if self.printed is not None:
            return self.printed
        error = self.outcome.exception
        return () if error is None else traced(error, self.outcome.traceback)


def group(jobs: Iterable[tuple[AbstractJob[object], Outcome]]) -> list[Entry]:
    """Make the entries of one run, each after what it requires, as far as there is such an order.

    Args:
        jobs: those of the run, with how they fared.
    """
    by_job = {job: Entry(job, outcome) for job, outcome in jobs}
    for entry in by_job.values():
        required = entry.outcome.required
        if required is None:
            required = entry.job.required
        entry.required = [by_job[other] for other in required if other in by_job]
    try:
        return topological_order({entry: entry.required for entry in by_job.values()})
    except CircularError:
        return list(by_job.values())


def entries(jobs: Iterable[AbstractJob[object]]) -> tuple[Entry, ...]:
    """Return the present state of jobs, and of those inside of them."""
    return _nested(jobs, lambda job: job._outcome)


def unrun(jobs: Iterable[AbstractJob[object]]) -> tuple[Entry, ...]:
    """Return jobs, and those inside of them, as they were when a run ended without them."""
    return _nested(jobs, lambda job: Outcome(required=tuple(job._required)))


def _nested(
    jobs: Iterable[AbstractJob[object]], outcome_of: Callable[[AbstractJob[object]], Outcome]
) -> tuple[Entry, ...]:
    roots: list[Entry] = []
    levels = [_Level(jobs, roots)]
    for level in levels:
        level.entries.extend(group((job, outcome_of(job)) for job in level.jobs))
        for entry in level.entries:
            inside = entry.job._children()
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


@attrs.frozen(eq=False, repr=False)
class Numbered:
    """An entry with its number and its depth."""

    number: int
    depth: int
    entry: Entry


def numbered(listed: Iterable[Entry]) -> list[Numbered]:
    """Number entries in their order, each followed by what is inside of it."""
    found: list[Numbered] = []
    levels: list[Iterator[Entry]] = [iter(listed)]
    while levels:
        for entry in levels[-1]:
            found.append(Numbered(len(found) + 1, len(levels) - 1, entry))
            if entry.inner:
                levels.append(iter(entry.inner))
                break
        else:
            levels.pop()
    return found


def lines(
    listed: Iterable[Entry], *, details: bool = False, without_done: bool = False
) -> Iterator[str]:
    """Lay out entries, a line each, those inside of others indented.

    Args:
        listed: what to lay out.
        details: add what `details()` of each job says.
        without_done: leave out the jobs that have completed without an exception.
    """
    rows = numbered(listed)
    width = max(2, len(str(len(rows))))
    numbers = {row.entry: f"{row.number:0{width}}" for row in rows}
    for row in rows:
        job, outcome = row.entry.job, row.entry.outcome
        if without_done and outcome.state is State.DONE:
            continue
        indent = "  " * row.depth
        required = [numbers[other] for other in row.entry.required]
        needs = f" - requires {{{', '.join(sorted(required))}}}" if required else ""
        yield (
            f"{numbers[row.entry]} {marked(job, outcome)} {indent}{named(job)}"
            f"{ending(job, outcome)}{needs}{word(job, outcome)}"
        )
        if details:
            yield from (f"{' ' * (width + 9)}{indent}{part}" for part in details_of(job))


def details_of(job: AbstractJob[object]) -> list[str]:
    """Return the lines of what `details()` of a job says; a placeholder where that raises."""
    try:
        details: Any = job.details()
        if details is None:
            return []
        if type(details) is CoroutineType:
            details.close()
            return ["<details() must not be async>"]
        # A subclass of str may override every method; only its characters count.
        text = str.__str__(details if issubclass(type(details), str) else str(details))
        return [printable(part) for part in text[:2000].splitlines()]
    except BaseException as error:
        return [f"<details() raised {class_name(error)}>"]

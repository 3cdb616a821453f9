"""Jobs and how they fare, a line each."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping

import attrs

from .graph import CircularError, topological_order
from .job import AbstractJob
from .marks import ending, marked, named, word
from .outcome import Outcome, State
from .text import class_name, printable

__all__ = ["Entry", "Numbered", "entries", "lines", "numbered", "unrun"]


@attrs.frozen(eq=False, repr=False)
class Entry:
    """A job as it fared in one run, with what ran inside of it."""

    job: AbstractJob[object]
    outcome: Outcome
    inner: tuple[Entry, ...] = ()

    @property
    def required(self) -> Iterable[AbstractJob[object]]:
        """What it came after in that run; before a run, what it comes after now."""
        required = self.outcome.required
        return self.job.required if required is None else required


def entries(
    jobs: Iterable[AbstractJob[object]], _above: tuple[AbstractJob[object], ...] = ()
) -> tuple[Entry, ...]:
    """Return the present state of jobs, and of those inside of them."""
    return tuple(
        Entry(job, job._outcome, entries(job._children(), (*_above, job)))
        for job in jobs
        # Flows that have run one in the other, by turns, are each inside of the other.
        if job not in _above
    )


def unrun(
    jobs: Iterable[AbstractJob[object]], _above: tuple[AbstractJob[object], ...] = ()
) -> tuple[Entry, ...]:
    """Return jobs, and those inside of them, as they were when a run ended without them."""
    return tuple(
        Entry(job, Outcome(required=tuple(job._required)), unrun(job._children(), (*_above, job)))
        for job in jobs
        if job not in _above
    )


def in_order(listed: Iterable[Entry]) -> list[Entry]:
    """Order entries so that each comes after what it requires, as far as there is such an order."""
    by_job = {entry.job: entry for entry in listed}
    required: Mapping[AbstractJob[object], list[AbstractJob[object]]] = {
        job: [other for other in entry.required if other in by_job] for job, entry in by_job.items()
    }
    try:
        order = topological_order(required)
    except CircularError:
        order = list(by_job)
    return [by_job[job] for job in order]


@attrs.frozen(eq=False, repr=False)
class Numbered:
    """An entry with its number and its depth."""

    number: int
    depth: int
    entry: Entry


def numbered(listed: Iterable[Entry]) -> list[Numbered]:
    """Number entries in topological order, each followed by what is inside of it."""
    found: list[Numbered] = []
    levels: list[Iterator[Entry]] = [iter(in_order(listed))]
    while levels:
        for entry in levels[-1]:
            found.append(Numbered(len(found) + 1, len(levels) - 1, entry))
            if entry.inner:
                levels.append(iter(in_order(entry.inner)))
                break
        else:
            levels.pop()
    return found


def lines(
    listed: Iterable[Entry], *, details: bool = False, without_done: bool = False
) -> Iterator[str]:
    """Lay out entries, a line each, in topological order, those inside of others indented.

    Args:
        listed: what to lay out.
        details: add what `details()` of each job says.
        without_done: leave out the jobs that have completed without an exception.
    """
    rows = numbered(listed)
    width = max(2, len(str(len(rows))))
    numbers = {row.entry.job: f"{row.number:0{width}}" for row in rows}
    for row in rows:
        job, outcome = row.entry.job, row.entry.outcome
        if without_done and outcome.state is State.DONE:
            continue
        indent = "  " * row.depth
        required = [numbers[other] for other in row.entry.required if other in numbers]
        needs = f" - requires {{{', '.join(sorted(required))}}}" if required else ""
        yield (
            f"{numbers[job]} {marked(job, outcome)} {indent}{named(job)}"
            f"{ending(job, outcome)}{needs}{word(job, outcome)}"
        )
        if details:
            yield from _details(job, " " * (width + 9) + indent)


def _details(job: AbstractJob[object], indent: str) -> Iterator[str]:
    try:
        details: object = job.details()
        if details is None:
            return
        if inspect.iscoroutine(details):
            details.close()
            details = "<details() must not be async>"
        parts = str(details)[:2000].splitlines()
    except Exception as error:
        parts = [f"<details() raised {class_name(error)}>"]
    for part in parts:
        yield indent + printable(part)

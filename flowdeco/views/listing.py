"""Jobs and how they fare, a line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import CoroutineType
from typing import Any

import attrs

from flowdeco.base.text import class_name, printable
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.attempts import attempts_of
from flowdeco.jobs.entries import Entry
from flowdeco.jobs.marks import ending, error_text, marked, named, word
from flowdeco.jobs.outcome import Outcome, State

__all__ = ["Numbered", "details_of", "lines", "numbered"]


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
    more: list[tuple[int, str]] = []
    for row in rows:
        while more and more[-1][0] >= row.depth:
            yield more.pop()[1]
        hidden = _hidden(row.entry)
        if hidden:
            text = f"... and {hidden} more, which have ended"
            more.append((row.depth, f"{' ' * (width + 9)}{'  ' * (row.depth + 1)}{text}"))
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
            said = [*details_of(job), *_attempts(outcome)]
            yield from (f"{' ' * (width + 9)}{indent}{part}" for part in said)
    yield from (text for _, text in reversed(more))


def _hidden(entry: Entry) -> int:
    """Count the items of a fan-out that have ended and are not kept."""
    if entry.counts is None:
        return 0
    return entry.counts[0] - sum(one.outcome.ended_at is not None for one in entry.inner)


def _attempts(outcome: Outcome) -> Iterator[str]:
    """Say how the attempts have failed that were not the last one."""
    for number, attempt in enumerate(attempts_of(outcome), 1):
        if attempt.exception is not None and attempt.exception is not outcome.exception:
            seconds = "" if attempt.duration is None else f" after {attempt.duration:.3f} s"
            yield f"attempt {number} failed{seconds}: {error_text(attempt.exception, ': ')}"


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

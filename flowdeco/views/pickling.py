"""What a report takes along when it is pickled.

Jobs stay where they are: a record stands for each. An exception travels as itself if it can be
pickled and read back, else as a `RecordedError`. Values travel as the text that is shown of them,
tracebacks as their lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import attrs

from flowdeco.base.graph import topological_order
from flowdeco.base.text import class_name, line, value_line
from flowdeco.errors import RecordedError
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.attempts import Attempt, RetriedOutcome, attempts_of
from flowdeco.jobs.entries import Entry
from flowdeco.jobs.marks import critical, name_of
from flowdeco.jobs.outcome import MISSING, LeftOut, Outcome, State

from .layout import Layout
from .listing import Numbered, details_of, numbered
from .luggage import Contents, Kept, Luggage, PackedError, Row
from .pickles import pickled_with, read_with
from .traces import chained, frames_of, link, links, members, trace_of, traced

__all__ = ["packed", "unpacked"]

_LONGEST: Final = 2000
"""The most characters that travel of the message of an exception that cannot."""

# Packing


def packed(contents: Contents, *, as_text: type) -> Luggage:
    """Return what is to be pickled of a report.

    Args:
        contents: what is in it.
        as_text: what is of this type within an exception travels as its text. It is that of
            reports, which might have the same exception in them.
    """
    layout = contents.layout
    rows = numbered(layout.entries)
    places = {row.entry: row.number - 1 for row in rows}
    own = {row.entry.job: places[row.entry] for row in rows if not row.depth}
    jobs = _Jobs({row.entry.job: places[row.entry] for row in rows} | own)
    errors = _Errors(jobs, as_text, _printed(contents, rows))
    reason = contents.reason
    return Luggage(
        name=contents.name,
        reason=None if reason is None else attrs.evolve(reason, exception=None, job=None),
        reason_error=None if reason is None else errors.place(reason.exception),
        reason_job=None if reason is None or reason.job is None else jobs.kept(reason.job),
        duration=contents.duration,
        wall_time=contents.wall_time,
        part=contents.part,
        rows=tuple(_row(row, places, errors) for row in rows),
        ran=tuple(own[job] for job in contents.ran),
        failed=tuple(own[job] for job in contents.failed),
        stuck=tuple(own[job] for job in contents.stuck),
        hooks=tuple(
            (None if entry is None else places[entry], name, errors.add(error))
            for entry, name, error in layout.hooks
        ),
        errors=tuple(errors.packed()),  # the last: now all are known
    )


def _printed(contents: Contents, rows: Sequence[Numbered]) -> dict[int, tuple[str, ...]]:
    """The tracebacks of the exceptions that count, by their identity."""
    # Of several jobs that have failed with the same one, it is the innermost that shows it.
    entries = {id(row.entry.outcome.exception): row.entry for row in rows}
    printed = {error: tuple(trace_of(entry)) for error, entry in entries.items()}
    others = [error for _, _, error in contents.layout.hooks]
    attempts = [one for row in rows for one in _attempts(row.entry.outcome)]
    others += [one.exception for one in attempts if one.exception is not None]
    if contents.reason is not None and contents.reason.exception is not None:
        others.append(contents.reason.exception)
    for error in others:
        if id(error) not in printed:
            printed[id(error)] = tuple(traced(error, frames_of(error)))
    return printed


def _row(row: Numbered, places: Mapping[Entry, int], errors: _Errors) -> Row:
    job, outcome = row.entry.job, row.entry.outcome
    is_shown = outcome.state is State.DONE and outcome.value is not MISSING
    return Row(
        depth=row.depth,
        kind=class_name(job),
        name=name_of(job),
        critical=critical(job, outcome),
        forever=job.forever,
        left_out=outcome.is_left_out,
        state=outcome.state,
        started_at=outcome.started_at,
        ended_at=outcome.ended_at,
        value=value_line(outcome.value) if is_shown else None,
        error=errors.place(outcome.exception),
        attempts=tuple(
            (one.started_at, one.ended_at, errors.place(one.exception))
            for one in _attempts(outcome)
        ),
        returned=row.entry.returned,
        counts=row.entry.counts,
        required=tuple(places[other] for other in row.entry.required),
        details=tuple(details_of(job)),
    )


def _attempts(outcome: Outcome) -> tuple[Attempt, ...]:
    return attempts_of(outcome) if isinstance(outcome, RetriedOutcome) else ()


class _Jobs:
    """What stands for jobs, in what travels."""

    def __init__(self, places: Mapping[AbstractJob[object], int]) -> None:
        self._places = places
        self._jobs: dict[Kept, AbstractJob[object]] = {}

    def kept(self, job: AbstractJob[object]) -> Kept:
        place = self._places.get(job)
        kept = (class_name(job), name_of(job)) if place is None else place
        self._jobs[kept] = job
        return kept

    def of(self, kept: Kept) -> AbstractJob[object]:
        """Return a job that something stands for."""
        return self._jobs[kept]


class _Errors:
    """All exceptions of a report, and those that they come from, each once.

    Args:
        jobs: what stands for jobs in them.
        as_text: the type of what travels as its text.
        printed: the tracebacks of some, by their identity.
    """

    def __init__(self, jobs: _Jobs, as_text: type, printed: Mapping[int, tuple[str, ...]]) -> None:
        self._jobs = jobs
        self._as_text = as_text
        self._printed = printed
        self._places: dict[int, int] = {}
        self._errors: list[BaseException] = []

    def place(self, error: BaseException | None) -> int | None:
        """Return the place of an exception, if there is one."""
        return None if error is None else self.add(error)

    def add(self, error: BaseException) -> int:
        """Return the place of an exception, which is new or not."""
        if id(error) not in self._places:
            for one in chained(error):
                if id(one) not in self._places:
                    self._places[id(one)] = len(self._errors)
                    self._errors.append(one)
        return self._places[id(error)]

    def packed(self) -> Iterator[PackedError]:
        for error in self._errors:
            cause, context, suppressed = links(error)
            is_group = type(error) in _GROUPS
            yield PackedError(
                kind=error.type if type(error) is RecordedError else class_name(error),
                message=line(error.message if type(error) is RecordedError else error, _LONGEST),
                printed=self._printed.get(id(error), ()),
                pickled=None if is_group else _pickled(error, self._jobs, self._as_text),
                group=str.__str__(_MESSAGE.__get__(error)) if is_group else "",
                members=tuple(map(self.add, members(error))) if is_group else (),
                cause=self.place(cause),
                context=self.place(context),
                suppressed=suppressed,
            )


_GROUPS: Final = (ExceptionGroup, BaseExceptionGroup)
_MESSAGE: Any = vars(BaseExceptionGroup)["message"]


def _pickled(error: BaseException, jobs: _Jobs, as_text: type) -> bytes | None:
    """Pickle an exception, if that can be undone."""

    def stand_in(value: object) -> Kept | str | None:
        if issubclass(type(value), AbstractJob):
            return jobs.kept(cast("AbstractJob[object]", value))
        return str(value) if type(value) is as_text else None

    try:
        pickled = pickled_with(stand_in, error)
        back = _read(pickled, jobs.of)
        is_same = type(back) is type(error) and line(back, _LONGEST) == line(error, _LONGEST)
    except BaseException:  # whatever it is like, its text travels, and the others are not lost
        return None
    return pickled if is_same else None


# Unpacking


class _Past(AbstractJob[object]):
    """Stands for a job that is in another process, or was."""

    def __init__(self, name: str, critical: bool = False, forever: bool = False) -> None:
        super().__init__(label=name, critical=critical, forever=forever)
        self.shown: Sequence[str] = ()

    def details(self) -> str | None:
        return "\n".join(self.shown) or None


def unpacked(luggage: Luggage) -> Contents:
    """Return what was packed."""
    jobs = _PastJobs(luggage.rows)
    errors = _unpacked_errors(luggage.errors, jobs.of)
    for row, job in zip(luggage.rows, jobs.all, strict=True):
        kind = LeftOut if row.left_out else RetriedOutcome if row.attempts else Outcome
        outcome = kind([jobs.all[place] for place in row.required], row.critical)
        job.__flow_outcome__ = outcome
        if isinstance(outcome, RetriedOutcome):
            outcome.earlier += [
                Attempt(start, end, None if error is None else errors[error])
                for start, end, error in row.attempts
            ]
        outcome.state = row.state
        outcome.started_at, outcome.ended_at = row.started_at, row.ended_at
        outcome.exception = None if row.error is None else errors[row.error]
        if row.value is not None:
            outcome.value = row.value
    entries = _unpacked_entries(luggage, jobs.all)
    roots = [entry for entry, row in zip(entries, luggage.rows, strict=True) if not row.depth]
    hooks = [
        (None if place is None else entries[place], name, errors[error])
        for place, name, error in luggage.hooks
    ]
    reason = luggage.reason
    if reason is not None:
        cause = None if luggage.reason_error is None else errors[luggage.reason_error]
        blamed = None if luggage.reason_job is None else jobs.of(luggage.reason_job)
        reason = attrs.evolve(reason, exception=cause, job=blamed)
    return Contents(
        name=luggage.name,
        reason=reason,
        duration=luggage.duration,
        wall_time=luggage.wall_time,
        layout=Layout(roots, hooks),
        part=luggage.part,
        ran=[jobs.all[place] for place in luggage.ran],
        failed=[jobs.all[place] for place in luggage.failed],
        stuck=[jobs.all[place] for place in luggage.stuck],
    )


def _unpacked_entries(luggage: Luggage, jobs: Sequence[AbstractJob[object]]) -> list[Entry]:
    entries = [Entry(job, job.__flow_outcome__) for job in jobs]
    above: list[Entry] = []
    for entry, row in zip(entries, luggage.rows, strict=True):
        entry.required = [entries[place] for place in row.required]
        entry.returned, entry.counts = row.returned, row.counts
        entry.printed = () if row.error is None else luggage.errors[row.error].printed
        del above[row.depth :]
        if above:
            above[-1].inner.append(entry)
        above.append(entry)
    return entries


class _PastJobs:
    """Makes what stands for jobs."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._kinds: dict[str, type[_Past]] = {}
        self.all: list[AbstractJob[object]] = [self._row(row) for row in rows]

    def _row(self, row: Row) -> AbstractJob[object]:
        job = self._kind(row.kind)(row.name, row.critical, row.forever)
        job.shown = row.details
        return job

    def _kind(self, name: str) -> type[_Past]:
        # It has the class of the job for its name, so that it is shown as the job is.
        if name not in self._kinds:
            self._kinds[name] = type(name, (_Past,), {})
        return self._kinds[name]

    def of(self, kept: Kept) -> AbstractJob[object]:
        return self.all[kept] if isinstance(kept, int) else self._kind(kept[0])(kept[1])


def _unpacked_errors(
    packed: Sequence[PackedError], job_of: Callable[[Kept], AbstractJob[object]]
) -> list[BaseException]:
    made: dict[int, BaseException] = {}
    for place in topological_order({place: one.members for place, one in enumerate(packed)}):
        one = packed[place]
        made[place] = _unpacked_error(one, [made[member] for member in one.members], job_of)
    for place, one in enumerate(packed):
        cause = None if one.cause is None else made[one.cause]
        context = None if one.context is None else made[one.context]
        link(made[place], cause, context, one.suppressed)
    return [made[place] for place in range(len(packed))]


def _unpacked_error(
    packed: PackedError,
    inside: Sequence[BaseException],
    job_of: Callable[[Kept], AbstractJob[object]],
) -> BaseException:
    if inside:
        made: object = BaseExceptionGroup(packed.group, inside)
    else:
        made = None if packed.pickled is None else _read(packed.pickled, job_of)
    if issubclass(type(made), BaseException) and class_name(made) == packed.kind:
        return cast("BaseException", made)
    return RecordedError(packed.kind, packed.message, "\n".join(packed.printed))


def _read(pickled: bytes, job_of: Callable[[Kept], AbstractJob[object]]) -> object:
    """Read an exception back; None where its class, say, is not to be found here."""

    def stood_for(kept: Kept | str) -> object:
        return kept if isinstance(kept, str) else job_of(kept)

    try:
        return read_with(stood_for, pickled)
    except BaseException:
        return None

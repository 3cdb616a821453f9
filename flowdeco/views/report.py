"""The record of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Self

import attrs

from flowdeco.base.text import class_name, cut, printable
from flowdeco.engine.reason import Reason
from flowdeco.engine.record import Record
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.attempts import Attempt, attempts_of
from flowdeco.jobs.entries import Entry, group
from flowdeco.jobs.marks import critical, described, error_text, fitting, name_of
from flowdeco.jobs.outcome import State

from . import listing
from .layout import Hook, Layout, Paths
from .traces import trace_of

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from .luggage import Luggage

__all__ = ["JobRecord", "Report"]


@attrs.frozen(kw_only=True)
class JobRecord:
    """What became of one job. Times are seconds since the start of the run."""

    path: str
    """The names of the job and of those it is inside of, joined by slashes."""
    kind: str
    """The name of its class."""
    state: State
    critical: bool
    forever: bool
    left_out: bool
    """Whether it was left out of the run, of which only a part was wanted."""
    started_at: float | None
    ended_at: float | None
    exception: BaseException | None
    returned: bool
    """Whether that is a value of the fan-out (`return_exceptions=True`), and no failure."""
    attempts: tuple[Attempt, ...]
    """The attempts of its body: one, unless it has a `Retry`; none where it never started."""
    requirements: tuple[str, ...]
    """The paths of what it came after."""
    ended: int | None = None
    """Of a fan-out, how many items have ended: more than there are records of, perhaps."""
    total: int | None = None
    """Of a fan-out, how many items there were, where that is known."""


class Report:
    """The report of one run: true if and only if the run has succeeded (rule 20).

    Its text is what `debrief()` prints. It stands on the record of its run, whatever is run or
    changed later, and is laid out when first asked. It can be pickled; what cannot travel of it,
    jobs above all, is replaced by its text.
    """

    __slots__ = ("_laid_out", "_record")

    def __init__(self, record: Record, laid_out: Layout | None = None) -> None:
        self._record = record
        self._laid_out = laid_out
        """Of a report that has travelled, all that is in it."""

    @property
    def name(self) -> str:
        """The name of the scheduler or flow."""
        return self._record.name

    @property
    def reason(self) -> Reason | None:
        """Why the run failed, None if it succeeded; as text an English phrase."""
        return self._record.reason

    @property
    def duration(self) -> float:
        """The seconds that the run took, by the clock of its loop."""
        return self._record.duration

    @property
    def ok(self) -> bool:
        """Whether the run has succeeded."""
        return self.reason is None

    def __bool__(self) -> bool:
        return self.reason is None

    @property
    def started_at(self) -> datetime.datetime:
        """When the run started, an aware date."""
        import datetime  # noqa: PLC0415  # only here, and its import costs a millisecond

        return datetime.datetime.fromtimestamp(self._record.wall_time, datetime.UTC)

    @property
    def jobs(self) -> tuple[JobRecord, ...]:
        """What became of each job, in topological order, those of nested runs included.

        A job that ran several times, as in a nested run that was tried again, has a record of
        each time.
        """
        paths = Paths(self._layout().entries)
        return tuple(_record(entry, paths) for entry in paths)

    @property
    def failures(self) -> tuple[JobRecord, ...]:
        """The jobs that have failed."""
        return tuple(
            record
            for record in self.jobs
            if not (record.exception is None or record.returned or record.state is State.SKIPPED)
        )

    @property
    def stuck(self) -> tuple[JobRecord, ...]:
        """The jobs that were still there when the grace was over, at any level."""
        return tuple(record for record in self.jobs if record.state is State.STUCK)

    @property
    def shutdown_errors(self) -> Mapping[str, BaseException]:
        """What went wrong in shutdown hooks, by the path of the job, nested runs included."""
        layout = self._layout()
        paths = Paths(layout.entries)
        return {paths.another(entry, name): error for entry, name, error in layout.hooks}

    def raise_for_failure(self) -> Self:
        """Raise what made the run fail; return this report if it has succeeded.

        So `Deploy().run(timeout=60).raise_for_failure()` is all that a script needs which wants
        an exception.

        Raises:
            BaseExceptionGroup: the exceptions of critical jobs, in the order in which they came;
                an `ExceptionGroup` whenever it can be.
            StuckError: steps or critical services did not end.
            TimeoutError: the deadline came before the last step ended.
        """
        self._record.raise_for_failure()
        return self

    def raise_as_nested(self) -> None:
        """Raise as `raise_for_failure` does, but a single exception as it is (rule 21)."""
        self._record.raise_for_failure(unwrap=True)

    # As text

    def __str__(self) -> str:
        # Printing it raises nothing either: what standard output lacks is escaped.
        try:
            return "\n".join(map(fitting, self.text()))
        except Exception as error:  # rule 17: a report never raises
            return fitting(f"<the report of {self.name!r} raised {class_name(error)}>")

    def __repr__(self) -> str:
        verdict = "ok" if self.reason is None else str(self.reason)
        return f"<Report of `{self.name}`: {cut(printable(verdict))}>"

    def text(self, *, details: bool = False, without_done: bool = False) -> Iterator[str]:
        """Lay out the debrief: verdict, listing, counts, and each failure with its traceback."""
        listed = self._layout().entries
        verdict = "FINE" if self.reason is None else cut(printable(str(self.reason)))
        part = f" (part: {printable(self._record.part)})" if self._record.part else ""
        yield f"----- {printable(self.name)}: {verdict}{part}, after {self.duration:.3f} s"
        yield from listing.lines(listed, details=details, without_done=without_done)
        yield from debrief(listed)
        for name, error in self.shutdown_errors.items():
            yield f"shutdown of {name}: {error_text(error, ': ')}"

    def _layout(self) -> Layout:
        """Return all that ran, nested runs included, each job once for each time that it ran."""
        if self._laid_out is not None:
            return self._laid_out
        roots: list[Entry] = []
        hooks: list[tuple[Entry | None, AbstractJob[object], BaseException]] = []
        records: list[tuple[Record, list[Entry]]] = [(self._record, roots)]
        for record, entries in records:
            ran = group(zip(record.jobs, record.outcomes, strict=True))
            entries.extend(ran)
            for entry in ran:
                error = entry.outcome.exception
                entry.returned = record.returns_exceptions and issubclass(type(error), Exception)
                nested = record.nested.get(entry.job, ())
                entry.counts = next((one.counts for one in nested if one.counts), None)
                records += [(one, entry.inner) for one in nested]
                if not any(one.jobs for one in nested):
                    entry.inner += record.unrun.get(entry.job, ())
            if record.shutdown_errors:
                own = {entry.job: entry for entry in ran}
                hooks += [
                    (own.get(job), job, error) for job, error in record.shutdown_errors.items()
                ]
        return Layout(roots, _found(hooks, roots))

    # As something that travels

    def __reduce__(self) -> tuple[object, ...]:
        from .luggage import Contents  # noqa: PLC0415  # most reports stay where they are
        from .pickling import packed  # noqa: PLC0415  # most reports stay where they are

        record = self._record
        contents = Contents(
            name=record.name,
            reason=record.reason,
            duration=record.duration,
            wall_time=record.wall_time,
            layout=self._layout(),
            part=record.part,
            ran=record.jobs,
            failed=record.failures,
            stuck=record.stuck,
        )
        return _from_luggage, (packed(contents, as_text=Report),)

    def __copy__(self) -> Self:
        return self  # nobody can change it

    def __deepcopy__(self, _: object) -> Self:
        return self


def _from_luggage(luggage: Luggage) -> Report:
    from .pickling import unpacked  # noqa: PLC0415  # most reports stay where they are

    contents = unpacked(luggage)
    record = Record(
        name=contents.name,
        reason=contents.reason,
        wall_time=contents.wall_time,
        duration=contents.duration,
        jobs=contents.ran,
        outcomes=[job.__flow_outcome__ for job in contents.ran],
        nested={},
        unrun={},
        failures=contents.failed,
        stuck=contents.stuck,
        shutdown_errors={},
        part=contents.part,
    )
    return Report(record, contents.layout)


def _found(
    hooks: Sequence[tuple[Entry | None, AbstractJob[object], BaseException]],
    roots: Sequence[Entry],
) -> list[Hook]:
    """Find those jobs whose hooks were called by a run around theirs, which it had cut short."""
    latest: dict[AbstractJob[object], Entry] = {}
    if any(entry is None for entry, _, _ in hooks):
        latest = {row.entry.job: row.entry for row in listing.numbered(roots)}
    return [(entry or latest.get(job), name_of(job), error) for entry, job, error in hooks]


def _record(entry: Entry, paths: Paths) -> JobRecord:
    job, outcome = entry.job, entry.outcome
    return JobRecord(
        path=paths[entry],
        kind=class_name(job),
        state=outcome.state,
        critical=critical(job, outcome),
        forever=job.forever,
        left_out=outcome.is_left_out,
        started_at=outcome.started_at,
        ended_at=outcome.ended_at,
        exception=outcome.exception,
        returned=entry.returned,
        attempts=attempts_of(outcome),
        requirements=tuple(paths[other] for other in entry.required),
        ended=None if entry.counts is None else entry.counts[0],
        total=None if entry.counts is None else entry.counts[1],
    )


def debrief(listed: Iterable[Entry]) -> Iterator[str]:
    """Lay out the counts, and each failure with its traceback, critical ones first."""
    rows = [row.entry for row in listing.numbered(listed)]
    counts = {state: sum(row.outcome.state is state for row in rows) for state in State}
    shown = (f"{count} {state.value}" for state, count in counts.items() if count)
    yield f"===== {len(rows)} jobs: {', '.join(shown) or 'none'}"
    failed = [row for row in rows if row.outcome.failed and not row.returned]
    if not failed:
        return
    decisive = [row for row in failed if critical(row.job, row.outcome)]
    others = [row for row in failed if not critical(row.job, row.outcome)]
    yield f"===== {len(failed)} with an exception, {len(decisive)} of them critical"
    # A nested run fails with the exception of its job: its traceback is shown there alone.
    innermost = {id(row.outcome.exception): row for row in failed}
    for kind, entries in (("critical", decisive), ("non-critical", others)):
        for entry in entries:
            yield f"{kind}: {described(entry.job, entry.outcome)}"
            if innermost[id(entry.outcome.exception)] is entry:
                yield from (f"    {part}" for part in trace_of(entry))

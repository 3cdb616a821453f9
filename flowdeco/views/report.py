"""The record of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Self

import attrs

from flowdeco.base.text import class_name, cut, printable
from flowdeco.engine.reason import Cause, Reason
from flowdeco.errors import StuckError
from flowdeco.jobs.entries import Entry, group
from flowdeco.jobs.job import AbstractJob
from flowdeco.jobs.marks import critical, described, error_text, fitting, name_of
from flowdeco.jobs.outcome import Outcome, State

from . import listing
from .layout import Hook, Layout, Paths
from .pickling import Contents, Luggage, packed, unpacked
from .traces import trace_of

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

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
    started_at: float | None
    ended_at: float | None
    exception: BaseException | None
    requirements: tuple[str, ...]
    """The paths of what it came after."""


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Report:
    """The record of one run: true if and only if the run has succeeded (rule 20).

    Its text is what `debrief()` prints. It keeps the outcomes of its run, whatever is run or
    changed later, and lays them out when first asked. It can be pickled; what cannot travel of it,
    jobs above all, is replaced by its text.
    """

    name: str
    """The name of the scheduler or flow."""
    reason: Reason | None
    """Why the run failed, None if it succeeded; as text an English phrase."""
    duration: float
    """The seconds that the run took, by the clock of its loop."""
    _wall_time: float = attrs.field(alias="wall_time")
    _ran: Sequence[AbstractJob[object]] = attrs.field(alias="ran")
    _outcomes: Sequence[Outcome] = attrs.field(alias="outcomes")
    """Those of the jobs that ran, in the same order."""
    _inner: Mapping[AbstractJob[object], Sequence[Report]] = attrs.field(alias="inner")
    _unrun: Mapping[AbstractJob[object], tuple[Entry, ...]] = attrs.field(alias="unrun")
    _failed: Sequence[AbstractJob[object]] = attrs.field(alias="failed")
    _own_stuck: Sequence[AbstractJob[object]] = attrs.field(alias="own_stuck")
    _shutdown: Mapping[AbstractJob[object], BaseException] = attrs.field(alias="shutdown")
    _laid_out: Layout | None = attrs.field(default=None, alias="laid_out")
    """Of a report that has travelled, all that is in it."""

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

        return datetime.datetime.fromtimestamp(self._wall_time, datetime.UTC)

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
            if record.exception is not None and record.state is not State.SKIPPED
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
        if self.reason is None:
            return self
        errors = self._critical_errors()
        if errors:
            raise BaseExceptionGroup(f"{self.name!r} failed: {self.reason}", errors)
        raise self._other_error(self.reason)

    def raise_inner(self) -> None:
        """Raise as `raise_for_failure` does, but a single exception as it is (rule 21)."""
        if self.reason is None:
            return
        errors = self._critical_errors()
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup(f"{self.name!r} failed: {self.reason}", errors)
        raise self._other_error(self.reason)

    def _critical_errors(self) -> list[BaseException]:
        outcomes = dict(zip(self._ran, self._outcomes, strict=True))
        jobs = dict.fromkeys(self._failed)
        jobs.update(
            (job, None) for job, outcome in outcomes.items() if outcome.exception is not None
        )
        errors = (outcomes[job].exception for job in jobs if outcomes[job].critical)
        return [error for error in errors if error is not None]

    def _other_error(self, reason: Reason) -> BaseException:
        stuck = [job for job in self._own_stuck if not job.forever or job.is_critical()]
        if stuck and reason.cause in (Cause.STUCK, Cause.TIMEOUT):
            return StuckError(stuck)
        assert reason.exception is not None  # only being stuck has none
        return reason.exception

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
        yield f"----- {printable(self.name)}: {verdict}, after {self.duration:.3f} s"
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
        reports: list[tuple[Report, list[Entry]]] = [(self, roots)]
        for report, entries in reports:
            ran = group(zip(report._ran, report._outcomes, strict=True))
            entries.extend(ran)
            for entry in ran:
                inner = report._inner.get(entry.job, ())
                reports += [(one, entry.inner) for one in inner]
                if not any(one._ran for one in inner):
                    entry.inner += report._unrun.get(entry.job, ())
            if report._shutdown:
                own = {entry.job: entry for entry in ran}
                hooks += [(own.get(job), job, error) for job, error in report._shutdown.items()]
        return Layout(roots, _found(hooks, roots))

    # As something that travels

    def __reduce__(self) -> tuple[object, ...]:
        contents = Contents(
            name=self.name,
            reason=self.reason,
            duration=self.duration,
            wall_time=self._wall_time,
            layout=self._layout(),
            ran=self._ran,
            failed=self._failed,
            stuck=self._own_stuck,
        )
        return _from_luggage, (packed(contents, as_text=Report),)

    def __copy__(self) -> Self:
        return self  # nobody can change it

    def __deepcopy__(self, _: object) -> Self:
        return self


def _from_luggage(luggage: Luggage) -> Report:
    contents = unpacked(luggage)
    return Report(
        name=contents.name,
        reason=contents.reason,
        duration=contents.duration,
        wall_time=contents.wall_time,
        ran=contents.ran,
        outcomes=[job.__flow_outcome__ for job in contents.ran],
        inner={},
        unrun={},
        failed=contents.failed,
        own_stuck=contents.stuck,
        shutdown={},
        laid_out=contents.layout,
    )


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
        started_at=outcome.started_at,
        ended_at=outcome.ended_at,
        exception=outcome.exception,
        requirements=tuple(paths[other] for other in entry.required),
    )


def debrief(listed: Iterable[Entry]) -> Iterator[str]:
    """Lay out the counts, and each failure with its traceback, critical ones first."""
    rows = [row.entry for row in listing.numbered(listed)]
    counts = {state: sum(row.outcome.state is state for row in rows) for state in State}
    shown = (f"{count} {state.value}" for state, count in counts.items() if count)
    yield f"===== {len(rows)} jobs: {', '.join(shown) or 'none'}"
    failed = [row for row in rows if row.outcome.failed]
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

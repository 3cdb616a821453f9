"""The record of one run."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from . import listing
from .errors import StuckError
from .job import AbstractJob
from .marks import critical, described
from .outcome import Outcome, State
from .reason import Cause, Reason
from .text import LIMIT, class_name, cut, line, printable

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
    changed later, and lays them out when first asked.
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
    _unrun: Mapping[AbstractJob[object], tuple[listing.Entry, ...]] = attrs.field(alias="unrun")
    _failed: Sequence[AbstractJob[object]] = attrs.field(alias="failed")
    _own_stuck: Sequence[AbstractJob[object]] = attrs.field(alias="own_stuck")
    _shutdown: Mapping[AbstractJob[object], BaseException] = attrs.field(alias="shutdown")

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
        """What became of each job, in topological order, those of nested runs included."""
        paths = self._paths()
        return tuple(_record(row.entry, paths) for row in listing.numbered(self._listed()))

    def _paths(self) -> dict[AbstractJob[object], str]:
        """The path of each job, unique also where jobs have the same name."""
        paths: dict[AbstractJob[object], str] = {}
        taken: dict[str, int] = {}
        above: list[str] = []
        for row in listing.numbered(self._listed()):
            del above[row.depth :]
            path = "/".join([*above[-1:], row.entry.job.name])
            taken[path] = taken.get(path, 0) + 1
            if taken[path] > 1:
                path = f"{path} ({taken[path]})"
            above.append(path)
            paths[row.entry.job] = path
        return paths

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
        paths = self._paths()
        return {paths.get(job, job.name): error for job, error in self._shutdown_errors()}

    def _shutdown_errors(self) -> Iterator[tuple[AbstractJob[object], BaseException]]:
        yield from self._shutdown.items()
        for reports in self._inner.values():
            for report in reports:
                yield from report._shutdown_errors()

    def raise_for_failure(self) -> None:
        """Raise what made the run fail; do nothing if it has succeeded.

        Raises:
            BaseExceptionGroup: the exceptions of critical jobs, in the order in which they came;
                an `ExceptionGroup` whenever it can be.
            StuckError: steps or critical services did not end.
            TimeoutError: the deadline came before the last step ended.
        """
        if self.reason is None:
            return
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
        outcomes = dict(self._entries())
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
        try:
            return "\n".join(self.text())
        except Exception as error:  # rule 17: a report never raises
            return f"<the report of {self.name!r} raised {type(error).__name__}>"

    def __repr__(self) -> str:
        verdict = "ok" if self.reason is None else str(self.reason)
        return f"<Report of `{self.name}`: {cut(printable(verdict))}>"

    def text(self, *, details: bool = False, without_done: bool = False) -> Iterator[str]:
        """Lay out the debrief: verdict, listing, counts, and each failure with its traceback."""
        listed = self._listed()
        verdict = "FINE" if self.reason is None else cut(printable(str(self.reason)))
        yield f"----- {printable(self.name)}: {verdict}, after {self.duration:.3f} s"
        yield from listing.lines(listed, details=details, without_done=without_done)
        yield from debrief(listed)
        for name, error in self.shutdown_errors.items():
            yield f"shutdown of {name}: {class_name(error)}: {line(error)}"

    def _listed(self) -> tuple[listing.Entry, ...]:
        return tuple(
            listing.Entry(job, outcome, self._inside(job)) for job, outcome in self._entries()
        )

    def _entries(self) -> Iterator[tuple[AbstractJob[object], Outcome]]:
        return zip(self._ran, self._outcomes, strict=True)

    def _inside(self, job: AbstractJob[object]) -> tuple[listing.Entry, ...]:
        reports = self._inner.get(job, ())
        ran = tuple(entry for report in reports for entry in report._listed())
        return ran or self._unrun.get(job, ())


def _record(entry: listing.Entry, paths: Mapping[AbstractJob[object], str]) -> JobRecord:
    job, outcome = entry.job, entry.outcome
    return JobRecord(
        path=paths[job],
        kind=type(job).__name__,
        state=outcome.state,
        critical=critical(job, outcome),
        forever=job.forever,
        started_at=outcome.started_at,
        ended_at=outcome.ended_at,
        exception=outcome.exception,
        requirements=tuple(paths[other] for other in entry.required if other in paths),
    )


def debrief(listed: Iterable[listing.Entry]) -> Iterator[str]:
    """Lay out the counts, and each failure with its traceback, critical ones first."""
    rows = [row.entry for row in listing.numbered(listed)]
    counts = {state: sum(row.outcome.state is state for row in rows) for state in State}
    shown = (f"{count} {state.value}" for state, count in counts.items() if count)
    yield f"===== {len(rows)} jobs: {', '.join(shown) or 'none'}"
    failed = [row for row in rows if row.outcome.failed]
    decisive = [row for row in failed if critical(row.job, row.outcome)]
    if not failed:
        return
    yield f"===== {len(failed)} with an exception, {len(decisive)} of them critical"
    # A nested run fails with the exception of its job: its traceback is shown there alone.
    innermost = {id(row.outcome.exception): row for row in failed}
    for row in [*decisive, *(row for row in failed if row not in decisive)]:
        kind = "critical" if critical(row.job, row.outcome) else "non-critical"
        yield f"{kind}: {described(row.job, row.outcome)}"
        if innermost[id(row.outcome.exception)] is row:
            yield from _traceback(row.outcome)


def _traceback(outcome: Outcome) -> Iterator[str]:
    """The traceback of a failure, from the user's frame on."""
    error = outcome.exception
    assert error is not None  # it is that of a job that has failed
    try:
        summary = traceback.TracebackException(type(error), error, outcome.traceback)
        _without_own_frames(summary)
        shown = "".join(summary.format())
    except Exception as broken:
        shown = f"<a traceback that raised {type(broken).__name__}>"
    for part in shown.splitlines():
        # Cut before as well: a message of 50 MB is not made printable to show a line of it.
        yield "    " + cut(printable(part[: LIMIT + 1]))


def _without_own_frames(summary: traceback.TracebackException) -> None:
    seen: set[int] = set()
    found: list[traceback.TracebackException | None] = [summary]
    while found:
        one = found.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.stack[:] = [frame for frame in one.stack if not frame.filename.startswith(_OWN)]
        found += [one.__cause__, one.__context__, *(one.exceptions or ())]


_OWN = os.path.dirname(__file__) + os.sep

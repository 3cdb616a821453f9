"""What ran, in which order: for the assertions of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowdeco.base.text import alike
from flowdeco.jobs.current import current_execution
from flowdeco.observers.base import Observer

if TYPE_CHECKING:
    from flowdeco.jobs.abstract_job import AbstractJob
    from flowdeco.scheduler import Scheduler
    from flowdeco.views.report import Report

__all__ = ["Ran", "Recorder"]


class Ran:
    """Whether and when a job ran; true if its body was started."""

    def __init__(self, recorder: Recorder, path: str) -> None:
        self._recorder = recorder
        self.path = path
        """The path of the job, as in the report."""
        self.started_at: float | None = None
        """Its first start, in seconds since that of the run."""
        self.ended_at: float | None = None
        """Its last end, in seconds since the start of the run; None for a job that is stuck."""
        self.place = -1
        """The place of its start among all starts and ends."""
        self.end_place = -1
        """The place of its end among them."""

    def __bool__(self) -> bool:
        return self.started_at is not None

    def before(self, name: str) -> bool:
        """Tell whether both have run, and this one had ended when the other was started.

        Args:
            name: the name of the other, or its path.

        Raises:
            LookupError: no job of the run is called so.
        """
        other = self._recorder.ran(name)
        if not (self and other) or self.ended_at is None:
            return False
        return self.end_place < other.place

    def after(self, name: str) -> bool:
        """Tell whether both have run, and the other had ended when this one was started.

        Args and errors are those of `before`.
        """
        return self._recorder.ran(name).before(self.path)

    def __repr__(self) -> str:
        if self.started_at is None:
            return f"<{self.path} did not run>"
        ended = "has not ended" if self.ended_at is None else f"until {self.ended_at:g} s"
        return f"<{self.path} ran from {self.started_at:g} s, {ended}>"


class Recorder(Observer):
    """An observer that keeps what ran, for the assertions of a test.

        recorder = Recorder()
        Deploy().run(observers=[recorder])
        assert recorder.ran("build").before("migrate")

    A name is that of a job, or its path (`ping/ping[3]`) where several jobs have one name. A new
    run begins anew.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.report: Report | None = None
        """The report of the run, once it is over."""
        self._scheduler: Scheduler | None = None
        self._ran: dict[str, Ran] = {}
        self._attempts: dict[str, list[int]] = {}
        """By path; of a job that ran several times, those of each time."""
        self._places = 0

    @property
    def order(self) -> list[str]:
        """The paths of the jobs that ran, in the order in which they were started."""
        started = sorted((one for one in self._ran.values() if one), key=lambda one: one.place)
        return [one.path for one in started]

    def ran(self, name: str) -> Ran:
        """Tell whether and when a job ran.

        Args:
            name: its name or path.

        Raises:
            LookupError: no job of the run is called so, or several are.
        """
        return self._ran[self._path_of(name)]

    def attempts(self, name: str) -> int:
        """Tell how often the body of a job was run.

        Args and errors are those of `ran`.
        """
        return sum(self._attempts.get(self._path_of(name), ()))

    def _path_of(self, name: str) -> str:
        if name in self._ran:
            return name
        paths = [path for path in self._ran if path.rpartition("/")[2] == name]
        if len(paths) > 1:
            raise LookupError(f"several jobs are called {name!r}: {', '.join(paths)}; give a path")
        if not paths:
            own_name = self._find(name).name
            if own_name != name:  # it has a label
                return self._path_of(own_name)
            self._ran[name] = Ran(self, name)
            return name
        return paths[0]

    def _find(self, name: str) -> AbstractJob[object]:
        """Return a job; refuse the name of none, which a test would take for one that did not run.

        Raises:
            LookupError: no job of the run is called so.
        """
        if self._scheduler is None:
            raise LookupError("nothing was recorded yet; run a flow with observers=[recorder]")
        try:
            return self._scheduler.find(name)
        except LookupError:
            close = alike(name, (path.rpartition("/")[2] for path in self._ran))
            hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise LookupError(f"no job of the run is called {name!r}{hint}") from None

    # What it is told

    def run_started(self, scheduler: Scheduler) -> None:
        """Forget the run before."""
        self._forget()
        self._scheduler = scheduler

    def job_started(self, job: AbstractJob[object]) -> None:
        """Note a start."""
        ran = self._of(job)
        if not ran:
            ran.started_at = job.started_at
            ran.place = self._next_place()
        self._attempts.setdefault(ran.path, []).append(1)

    def job_retried(self, job: AbstractJob[object]) -> None:
        """Note an attempt that has failed."""
        self._count(self._of(job), job)

    def job_ended(self, job: AbstractJob[object]) -> None:
        """Note an end."""
        ran = self._of(job)
        self._count(ran, job)
        ran.ended_at = job.ended_at
        ran.end_place = self._next_place()

    def run_ended(self, report: Report) -> None:
        """Keep the report."""
        self.report = report

    def _count(self, ran: Ran, job: AbstractJob[object]) -> None:
        if ran.path in self._attempts:
            self._attempts[ran.path][-1] = max(1, len(job.attempts))

    def _of(self, job: AbstractJob[object]) -> Ran:
        execution = current_execution.get()
        path = job.name if execution is None else execution.path
        return self._ran.setdefault(path, Ran(self, path))

    def _next_place(self) -> int:
        self._places += 1
        return self._places

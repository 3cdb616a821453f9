"""Surgery on schedulers: looking around in a graph, and cutting parts out of it."""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Mapping

from .base.graph import closure as reachable
from .jobs.abstract_job import AbstractJob
from .scheduler import Scheduler

__all__ = ["bypass_and_remove", "keep_only", "keep_only_between", "predecessors", "successors"]

Jobs = AbstractJob[object] | Iterable[AbstractJob[object]]


def predecessors(
    scheduler: Scheduler, jobs: Jobs, *, closure: bool = False
) -> KeysView[AbstractJob[object]]:
    """Return what jobs require within a scheduler.

    Args:
        scheduler: where to look.
        jobs: one job, or several.
        closure: not only what they require, but all that is upstream of them.

    Returns:
        An ordered set, which compares equal to a set.

    Raises:
        KeyError: a job is not in the scheduler.
    """
    return _around(scheduler, scheduler.requirements(), jobs, closure)


def successors(
    scheduler: Scheduler, jobs: Jobs, *, closure: bool = False
) -> KeysView[AbstractJob[object]]:
    """Return what requires jobs within a scheduler.

    Args:
        scheduler: where to look.
        jobs: one job, or several.
        closure: not only what requires them, but all that is downstream of them.

    Returns:
        An ordered set, which compares equal to a set.

    Raises:
        KeyError: a job is not in the scheduler.
    """
    return _around(scheduler, scheduler.dependents(), jobs, closure)


def bypass_and_remove(scheduler: Scheduler, job: AbstractJob[object]) -> None:
    """Remove a job, and let what comes after it come after what it required.

    Raises:
        KeyError: the job is not in the scheduler.
        BusyError: a run is going on.
    """
    after = successors(scheduler, job)
    before = predecessors(scheduler, job)
    scheduler.remove(job)
    for successor in after:
        successor.requires(job, remove=True)
        successor.requires(before)


def keep_only(scheduler: Scheduler, jobs: Iterable[AbstractJob[object]]) -> None:
    """Remove all jobs but these, and the requirements on what was removed.

    Raises:
        KeyError: a job is not in the scheduler.
        BusyError: a run is going on.
    """
    kept = dict.fromkeys(_known(scheduler, jobs))
    for job in scheduler:
        if job not in kept:
            scheduler.remove(job)
    scheduler.sanitize()


def keep_only_between(
    scheduler: Scheduler,
    *,
    starts: Iterable[AbstractJob[object]] = (),
    ends: Iterable[AbstractJob[object]] = (),
    keep_starts: bool = True,
    keep_ends: bool = True,
) -> None:
    """Remove all jobs but those on a way from `starts` to `ends`.

    Args:
        scheduler: where to cut.
        starts: what is downstream of one of them stays; none is no restriction.
        ends: what is upstream of one of them stays; none is no restriction.
        keep_starts: whether these stay themselves, on such a way or not.
        keep_ends: whether these stay themselves, on such a way or not.

    Raises:
        KeyError: a job is not in the scheduler.
        BusyError: a run is going on.
    """
    first, last = _known(scheduler, starts), _known(scheduler, ends)
    kept = set(scheduler)
    if first:
        kept &= reachable(scheduler.dependents(), first).keys()
    if last:
        kept &= reachable(scheduler.requirements(), last).keys()
    if keep_starts:
        kept.update(first)
    if keep_ends:
        kept.update(last)
    keep_only(scheduler, kept)


def _around(
    scheduler: Scheduler,
    edges: Mapping[AbstractJob[object], Iterable[AbstractJob[object]]],
    jobs: Jobs,
    closure: bool,
) -> KeysView[AbstractJob[object]]:
    starts = _known(scheduler, (jobs,) if isinstance(jobs, AbstractJob) else jobs)
    if closure:
        return reachable(edges, starts).keys()
    return dict.fromkeys(other for job in starts for other in edges[job]).keys()


def _known(scheduler: Scheduler, jobs: Iterable[AbstractJob[object]]) -> list[AbstractJob[object]]:
    known = list(jobs)
    for job in known:
        if job not in scheduler:
            raise KeyError(f"{job.__flow_called__()} is not in {scheduler.__flow_called__()}")
    return known

"""Parts of a set of jobs, which run without the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from flowdeco.base.graph import closure, reverse
from flowdeco.base.text import alike
from flowdeco.errors import PartError

from .abstract_job import AbstractJob
from .bodies import MethodBody
from .callables import isinstance_of
from .job import Job
from .outcome import LeftOut
from .override import Override, Target, check_target, is_meant, named

if TYPE_CHECKING:
    from .job_set import JobSet

__all__ = ["Part", "Targets", "part_of"]

Targets: TypeAlias = "Target | Iterable[Target] | None"
Jobs: TypeAlias = "dict[AbstractJob[object], None]"
Edges: TypeAlias = "Mapping[AbstractJob[object], Sequence[AbstractJob[object]]]"


class Part:
    """The jobs that run, with what they wait for, and a phrase for the verdict.

    Args:
        edges: those that run, each with what it comes after, of those that run.
        left_out: those that do not.
        said: which part it is.
    """

    def __init__(self, edges: Edges, left_out: Collection[AbstractJob[object]], said: str) -> None:
        self.jobs = tuple(edges)
        self.left_out = left_out
        self.said = said
        numbers = {job: number for number, job in enumerate(edges)}
        self.waiting = [len(before) for before in edges.values()]
        self.successors: list[list[int] | None] = [None] * len(numbers)
        for job, before in edges.items():
            for one in before:
                after = self.successors[numbers[one]] or []
                after.append(numbers[job])
                self.successors[numbers[one]] = after

    def leave_out(self) -> None:
        """Give the jobs that do not run the outcome that says so."""
        for job in self.left_out:
            job.__flow_outcome__ = LeftOut(job.__flow_required__, critical=job.is_critical())
            if job.__flow_body__.is_stateful:
                job.__flow_renew__()


def part_of(
    jobs: JobSet,
    start: Targets,
    until: Targets,
    overrides: Mapping[AbstractJob[object], Override],
    *,
    is_bounded: bool,
) -> Part | None:
    """Return the part of a set of jobs that is to run; None for all of them.

    Args:
        jobs: all of them.
        start: what it begins with.
        until: what it ends with.
        overrides: those of the jobs.
        is_bounded: whether the run has a timeout.

    Raises:
        PartError: a name is unknown, or not one of a job of this level; a job that runs takes the
            value of one that does not; only services would run, without an end.
    """
    if start is None and until is None:
        return None
    edges = jobs.requirements()
    given = {job for job, override in overrides.items() if override.is_given}
    starts, ends = _meant(jobs, start, "start"), _meant(jobs, until, "until")
    said = " ".join(
        f"{word} {_names(named)}" for word, named in (("from", starts), ("until", ends)) if named
    )
    kept = _between(edges, starts, ends, given)
    if not kept:
        raise PartError(f"no job of {jobs.__flow_called__()} is in the part {said}")
    if ends and not is_bounded and all(job.forever for job in kept):
        raise PartError(
            f"until={_names(ends)} has services alone, which would go on for ever; give the run a"
            " timeout, or name a step"
        )
    if starts:
        kept.update(_services(kept, edges, given))
    at_once = _inputs(kept, given, jobs)
    kept = {job: None for job in edges if job in kept or job in at_once}
    needed = {
        job: [] if job in at_once else [one for one in edges[job] if one in kept] for job in kept
    }
    return Part(needed, [job for job in edges if job not in kept], said)


def _between(edges: Edges, starts: Jobs, ends: Jobs, given: Collection[object]) -> Jobs:
    """Find what comes after some jobs, and before others, these included; no jobs set no limit."""
    kept: Jobs = dict.fromkeys(edges)
    if ends:
        taken = {one for job in edges for one in job.__flow_body__.inputs}
        before = {job: () if job in given and job in taken else edges[job] for job in edges}
        above = closure(before, ends)
        kept = {job: None for job in kept if job in above or job in ends}
    if starts:
        below = closure(reverse(edges), starts)
        kept = {job: None for job in kept if job in below or job in starts}
    return kept


def _meant(jobs: JobSet, targets: Targets, option: str) -> Jobs:
    """Find the jobs that are meant."""
    if targets is None:
        return {}
    single = isinstance(targets, str) or isinstance_of(targets, AbstractJob)
    if single or hasattr(type(targets), "__flow_declares__"):
        targets = cast("Iterable[Target]", (targets,))
    if not isinstance(targets, Iterable):
        check_target(targets, f"{option}=")
    found: Jobs = {}
    for target in cast("Iterable[Target]", targets):
        check_target(target, f"{option}=")
        meant = [job for job in jobs if is_meant(target, job, by_name=True)]
        if not meant:
            raise PartError(f"{option}={named(target)}: {_unknown(jobs, target)}")
        found.update(dict.fromkeys(meant))
    if not found:
        raise PartError(f"{option}= names no job")
    return found


def _unknown(jobs: JobSet, target: Target) -> str:
    name = target if isinstance(target, str) else target.name
    below = [one for job in jobs for one in job.children if one.name == name or one is target]
    where = jobs.__flow_called__()
    if below:
        return f"it is inside of another job of {where}; a part is made of jobs of one level"
    close = alike(name, (job.name for job in jobs))
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    return f"{where} has no such job{hint}"


def _services(kept: Jobs, edges: Edges, given: Collection[object]) -> Jobs:
    """Find the services that jobs require directly, with the services that these require."""
    found: Jobs = {}
    asked = list(kept)
    for job in asked:
        for one in () if job in given and job not in kept else edges[job]:
            if one.forever and one not in kept and one not in found:
                found[one] = None
                asked.append(one)
    return found


def _inputs(kept: Jobs, given: Collection[AbstractJob[object]], jobs: JobSet) -> Jobs:
    """Find the overridden jobs whose values are taken; refuse other values that are not there."""
    found: Jobs = {}
    for job in kept:
        if job in given:
            continue
        for one in cast("Sequence[AbstractJob[object]]", job.__flow_body__.inputs):
            if one in given:
                found[one] = None
            elif one not in kept:
                write = _returns(one)
                raise PartError(
                    f"{job.__flow_called__()} takes the value of {one.__flow_called__()}, which is"
                    f" not in this part of {jobs.__flow_called__()}; give it one:"
                    f" overrides=[{write}]"
                )
    return found


def _returns(job: AbstractJob[object]) -> str:
    body: object = job.body if isinstance(job, Job) else None
    if not isinstance_of(body, MethodBody):
        return f"Override({job.name!r}, returns=...)"
    return f"{type(body.flow).__name__}.{job.__flow_source_name__()}.returns(...)"


def _names(jobs: Iterable[AbstractJob[object]]) -> str:
    return ", ".join(job.name for job in jobs)

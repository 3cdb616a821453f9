"""What a run gives a job, or lets it do, in place of its body."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from flowdeco.base.annotations import is_async_function
from flowdeco.base.exceptions import traceback_of
from flowdeco.base.text import alike, class_name, line, repr_line
from flowdeco.errors import OverrideError

from .abstract_job import AbstractJob
from .bodies import MethodBody
from .callables import function_name, isinstance_of, yields
from .job import Job
from .membership import is_called
from .outcome import MISSING

if TYPE_CHECKING:
    from flowdeco.base.protocols import Declared

__all__ = ["Override", "Overrides", "Target", "check_target", "is_meant", "named"]

Target: TypeAlias = "Declared | AbstractJob[object] | str"


class Override:
    """What one run gives a job, or lets it do, in place of its body.

    `Deploy.build.returns(...)`, `.raises(...)` and `.replaced_by(...)` make one, whose type is
    checked; this is for jobs, and for names. `flow.run(overrides=[...])` takes them.

    Args:
        target: a declaration, which means its job in every flow of the run, nested ones included,
            and what redefines it; a job; or a name, which means one of the outermost level.
        returns: the value of the job; its body does not run, nor do its hooks.
        raises: the exception that it fails with instead; of a `Skip`, it is skipped.
        replaced_by: a function that is its body for this run, with all else as it is declared.

    Raises:
        TypeError: not exactly one of these three was given, or something is of a wrong type.
    """

    __slots__ = ("raises", "replaced_by", "returns", "target", "traceback")

    def __init__(
        self,
        target: Target,
        *,
        returns: object = MISSING,
        raises: BaseException | None = None,
        replaced_by: Callable[..., object] | None = None,
    ) -> None:
        check_target(target, "the target of an override")
        given = [returns is not MISSING, raises is not None, replaced_by is not None]
        if sum(given) != 1:
            raise TypeError(
                f"an override has one of returns=, raises= and replaced_by=, and that of"
                f" {named(target)} has {sum(given) or 'none'}"
            )
        if raises is not None and not isinstance_of(raises, BaseException):
            kind = isinstance(cast("object", raises), type)
            meant = f"raises={function_name(raises)}()" if kind else "raises=ValueError('...')"
            raise TypeError(f"raises must be an exception, not {_shown(raises)}; write {meant}")
        if replaced_by is not None and not callable(replaced_by):
            raise TypeError(f"replaced_by must be a function, not {_shown(replaced_by)}")
        self.target = target
        self.returns = returns
        self.raises = raises
        self.replaced_by = replaced_by
        # As it is now: whoever raises it in between does not add to it.
        self.traceback = None if raises is None else traceback_of(raises)

    @property
    def is_given(self) -> bool:
        """Whether the end of the job is given, so that it has nothing to do."""
        return self.replaced_by is None

    def check(self, job: AbstractJob[object]) -> None:
        """Refuse a value, or a function, that cannot stand for the body of a job.

        Raises:
            OverrideError: it cannot.
        """
        body: object = job.body if isinstance(job, Job) else None
        problem: str | None = None
        if self.replaced_by is not None:
            problem = _wrong_function(job, body, self.replaced_by)
        elif self.raises is None and isinstance_of(body, MethodBody):
            problem = body.refused(self.returns)
        if problem is not None:
            raise OverrideError(f"the override of {job.__flow_called__()}: {problem}")

    def __repr__(self) -> str:
        if self.replaced_by is not None:
            what = f"replaced_by {function_name(self.replaced_by)}"
        elif self.raises is not None:
            what = f"raises {repr_line(self.raises)}"
        else:
            what = f"returns {repr_line(self.returns)}"
        return f"<Override of {named(self.target)}: {what}>"


def _wrong_function(
    job: AbstractJob[object], body: object, function: Callable[..., object]
) -> str | None:
    """Say what is wrong with what is to replace a body, as far as that can be seen."""
    if not isinstance(job, Job) or type(job).co_run is not Job.co_run:
        return f"a {class_name(job)} has no function that could be replaced; give returns= instead"
    traits, name = job.__flow_body__, function_name(function)
    if traits.is_generator is not yields(function) and isinstance(function, FunctionType):
        if traits.is_generator:
            return f"it is a service with a `yield`, and {name} has none"
        return f"{name} yields, and only a service does that"
    if isinstance_of(body, MethodBody) and body.is_plain:
        is_wrong, colours = is_async_function(function), ("a plain method", "async")
    else:
        # A lambda may well return something to await.
        is_plain = isinstance(function, FunctionType) and function.__name__ != "<lambda>"
        is_wrong = is_plain and not is_async_function(function) and not traits.is_generator
        colours = ("async", "plain")
    return f"it is {colours[0]}, and {name} is {colours[1]}" if is_wrong else None


class Overrides:
    """The overrides of a run, and of the runs that it is part of.

    Args:
        given: those of the run itself.
        around: those of the run around it.

    Raises:
        TypeError: something is no override.
    """

    def __init__(self, given: Iterable[Override] = (), around: Overrides | None = None) -> None:
        if isinstance_of(given, Override):
            raise TypeError(f"overrides is a list; write overrides=[{named(given.target)}...]")
        self._given = tuple(given)
        self._around = around
        self._met: set[Override] = set()
        for one in self._given:
            if not isinstance_of(one, Override):
                raise TypeError(
                    f"overrides must be a list of overrides, and has {_shown(one)}; write"
                    " Deploy.build.returns(...), or Override('build', returns=...)"
                )

    def __bool__(self) -> bool:
        return bool(self._given) or bool(self._around)

    def of(
        self, jobs: Iterable[AbstractJob[object]], *, is_own: bool = True
    ) -> dict[AbstractJob[object], Override]:
        """Return the overrides of some jobs, those of the run itself before those around it.

        Args:
            jobs: the jobs.
            is_own: whether they are of the outermost level, where names count.

        Raises:
            OverrideError: there are two for one job, or one that it cannot have.
        """
        jobs = tuple(jobs)
        found = {} if self._around is None else self._around.of(jobs, is_own=False)
        own: dict[AbstractJob[object], Override] = {}
        for one in self._given:
            for job in jobs:
                if not is_meant(one.target, job, by_name=is_own):
                    continue
                if job in own:
                    raise OverrideError(
                        f"there are two overrides for {job.__flow_called__()}: {own[job]!r} and"
                        f" {one!r}; drop one of them"
                    )
                one.check(job)
                own[job] = one
                self._met.add(one)
        return {**found, **own}

    def check_targets(self, jobs: Iterable[AbstractJob[object]]) -> None:
        """Refuse an override that can be that of no job of the run.

        Args:
            jobs: those of the outermost level.

        Raises:
            OverrideError: there is one.
        """
        top = tuple(jobs)
        inside = _inside(top)
        makes_flows = any(job.__flow_body__.makes_flows for job in inside)
        for one in self._given:
            by_name = isinstance(one.target, str)
            among = top if by_name else inside
            if any(is_meant(one.target, job, by_name=by_name) for job in among):
                continue
            if not makes_flows or by_name or isinstance(one.target, AbstractJob):
                raise OverrideError(f"{one!r} is that of no job in this run{_hint(one, top)}")

    def unmet(self) -> list[Override]:
        """Return those that no job of the run has had."""
        return [one for one in self._given if one not in self._met]


def _inside(top: Iterable[AbstractJob[object]]) -> list[AbstractJob[object]]:
    """All jobs, those of nested schedulers included, as far as they are made."""
    found = list(top)
    for job in found:
        if job.__flow_body__.is_job_set:
            found += job.children
    return found


def _hint(override: Override, top: Iterable[AbstractJob[object]]) -> str:
    if not isinstance(override.target, str):
        return ""
    close = alike(override.target, (job.name for job in top))
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return "; a name is that of a job of the outermost level"


def is_meant(target: Target, job: AbstractJob[object], *, by_name: bool) -> bool:
    """Tell whether a declaration, a job, or a name means a job.

    Args:
        target: what may mean it.
        job: the job.
        by_name: whether names count.
    """
    if isinstance(target, str):
        return by_name and is_called(job, target)
    if isinstance_of(target, AbstractJob):
        return target is job
    return cast("Declared", target).__flow_declares__(job)


def check_target(target: object, what: str) -> None:
    """Refuse what can mean no job.

    Raises:
        TypeError: it is neither a declaration, a job, nor a name.
    """
    kind: Any = type(target)
    if not (issubclass(kind, (str, AbstractJob)) or hasattr(kind, "__flow_declares__")):
        raise TypeError(f"{what} is a declaration, a job or a name, not {_shown(target)}")


def named(target: Target) -> str:
    """Return the name of what means a job."""
    return repr(target) if isinstance(target, str) else line(target.name)


def _shown(value: object) -> str:
    return f"{repr_line(value)} ({class_name(value)})"

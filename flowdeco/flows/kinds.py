"""The kinds of declarations, and what each is on an instance."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Never,
    ParamSpec,
    Self,
    cast,
    overload,
)

from flowdeco.base.text import class_name, line
from flowdeco.errors import NoSubflowError
from flowdeco.jobs.outcome import MISSING
from flowdeco.jobs.override import Override
from flowdeco.jobs.whereabouts import why_unfinished

from .base import FlowBase
from .declaration import Declaration, instead_on
from .instead import instead_of_inherited

if sys.version_info >= (3, 13):  # not asked of the other, which takes longer to import
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    from flowdeco.jobs.bodies import MethodBody
    from flowdeco.jobs.job import Job

__all__ = ["Each", "Method", "Service", "Step", "Subflow"]

R = TypeVar("R", covariant=True, default=object)
Body = TypeVar("Body", covariant=True, default=Callable[..., Any])
I = TypeVar("I", default=object)  # noqa: E741
T = TypeVar("T")
P = ParamSpec("P")


class Method(Declaration[R], Generic[R, Body]):
    """A declaration whose undecorated method has a type."""

    @property
    def body(
        self: Method[object, Callable[Concatenate[Never, P], T]],
    ) -> Callable[Concatenate[FlowBase, P], T]:
        """The undecorated method, for tests and for overrides that call the inherited one."""
        return cast("Callable[Concatenate[FlowBase, P], T]", self.method)

    def returns(self, value: R) -> Override:  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
        """Return an override for the runs that are given it: the job has this value, and no work.

        Args:
            value: what its method would return; of a service, what it would yield.
        """
        return Override(self, returns=value)

    def raises(self, error: BaseException) -> Override:
        """Return an override for the runs that are given it: the job fails with this.

        Args:
            error: the exception; of a `Skip` the job is skipped.
        """
        return Override(self, raises=error)

    def replaced_by(self, body: Body) -> Override:  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
        """Return an override for the runs that are given it: the job has another body.

        Args:
            body: a function that takes what the method takes, `self` included, and is async if and
                only if the method is. Of a fan-out it is that of each item.
        """
        return Override(self, replaced_by=cast("Callable[..., object]", body))


class _OfJob(Method[R, Body]):
    """A declaration that on an instance is the job."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: FlowBase, owner: type) -> Job[R]: ...
    def __get__(self, instance: FlowBase | None, owner: type) -> Self | Job[R]:
        if instance is None:
            return self
        return cast("Job[R]", _job_of(instance, self))


class Step(_OfJob[R, Body]):
    """A declared step; R is its result, Body the method that was decorated."""


class Service(_OfJob[R, Body]):
    """A declared service; R is what it gives when it is ready."""

    forever = True
    kind = "service"


class Each(_OfJob[list[I], Body], Generic[I, Body]):
    """A declared fan-out; I is the result for one item."""

    kind = "each"


class Subflow(Method[R, Body]):
    """A declared subflow; R is what its method returns: a flow, a list of flows, or None."""

    kind = "subflow"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: FlowBase, owner: type) -> R: ...
    def __get__(self, instance: FlowBase | None, owner: type) -> Self | R:
        if instance is None:
            return self
        job = _job_of(instance, self)
        made = cast("MethodBody", job.body).made
        if made is MISSING:
            caller = sys._getframe(1).f_code  # pyright: ignore[reportPrivateUsage]  # has no public name
            cause = job.__flow_outcome__.exception
            raise NoSubflowError(self._why_no_flow(job, owner, caller), job) from cause
        return cast("R", made)

    def _why_no_flow(self, job: Job[object], cls: type, caller: CodeType) -> str:
        ended = why_unfinished(job, job.__flow_outcome__)
        if ended is not None:
            return f"{line(self.name)} gives no flow: {ended}"
        instead = f"come after={line(self.name)} to get it"
        if caller.co_name == self.name:  # an override that asks for what is inherited
            reached_as = cast("MethodBody", job.body).reached_as
            if reached_as is not None:
                instead = instead_of_inherited(self, caller)
            else:
                instead = instead_on(cls, self, caller)
        name = line(self.name)
        return f"{name} has not been called in this run, so there is no flow yet; {instead}"


def _job_of(instance: FlowBase, declared: Declaration[object]) -> Job[object]:
    if not issubclass(type(instance), FlowBase):
        # Give good error for: a decorated method in a class that is no flow.
        name = class_name(instance)
        raise TypeError(
            f"{line(declared.name)} is a {declared.kind}, and {name} is no flow; write"
            f" `class {name}(Flow)`"
        )
    return instance.__flow_job__(declared)

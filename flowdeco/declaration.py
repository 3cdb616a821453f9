"""Declarations: what decorators make of methods, before there is any flow to run."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, cast, overload

import attrs

from .annotations import parameters
from .chain import Atom, Chain
from .errors import NoSubflowError

if sys.version_info >= (3, 13):  # not asked of the other, which takes longer to import
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    from .body import Bound
    from .flow import Flow
    from .job import Job

__all__ = [
    "AsyncMethod",
    "Declaration",
    "Decorator",
    "Each",
    "Method",
    "Options",
    "Service",
    "Step",
    "Subflow",
    "parameters_of",
]

R = TypeVar("R", covariant=True, default=object)
Body = TypeVar("Body", covariant=True, default=Callable[..., Any])
I = TypeVar("I", default=object)  # noqa: E741
AsyncMethod = TypeVar("AsyncMethod", bound=Callable[[Any], Coroutine[Any, Any, object]])


@attrs.frozen(eq=False, repr=False)
class Options:
    """What a decorator was given beside the method."""

    after: object = None
    critical: bool | None = None
    timeout: float | None = None
    label: str | None = None
    window: int | None = None


class Declaration(Atom["Declaration[object]"], Generic[R]):
    """A method that a decorator has marked: what the flow makes a job of.

    It only notes; what is wrong with it is reported when the class is made.
    """

    forever: ClassVar[bool] = False
    kind: ClassVar[str] = "step"

    def __init__(self, method: object, options: Options) -> None:
        self.method = method
        self.options = options
        self.name: str = getattr(method, "__name__", None) or "?"
        self.owner: type[Flow] | None = None
        self.chains: list[Chain[Declaration[object]]] = []
        self.hooks: list[Callable[..., Any]] = []

    def __set_name__(self, owner: type, name: str) -> None:
        # `z = a` in a class body is no new name for a, and must not take it from it.
        if self.owner is None:
            self.owner = cast("type[Flow]", owner)
            self.name = name

    if not TYPE_CHECKING:

        def __call__(self, *_: object) -> object:
            if isinstance(self.method, Declaration):
                # Give good error for: `@step(build)` over a method.
                name, kind = self.method.name, self.kind
                raise TypeError(f"@{kind} was given {name}; write @{kind}(after={name})")
            raise TypeError(
                f"{self.name} is a declaration, which a run calls; come after={self.name} to get"
                f" its result, or call the method itself: {_owner_of(self)}.{self.name}.body(flow)"
            )

    @functools.cached_property
    def yields(self) -> bool:
        """Whether the method is an async generator function."""
        return inspect.isasyncgenfunction(self.method)

    @functools.cached_property
    def threaded(self) -> bool:
        """Whether the method runs in a thread, where it is the body of a job."""
        return not self.yields and not inspect.iscoroutinefunction(self.method)

    @functools.cached_property
    def parameters(self) -> Sequence[inspect.Parameter]:
        """The parameters of the method, self included."""
        return parameters_of(self.method)

    @property
    def before(self) -> tuple[object, ...]:
        """What was given as `after`, one by one."""
        after = self.options.after
        if after is None:
            return ()
        if isinstance(after, (tuple, list)):
            return tuple(cast("Sequence[object]", after))
        return (after,)

    @property
    def passes_values(self) -> bool:
        """Whether the results of what it comes after are offered to the method."""
        return self.options.after is not None and not isinstance(self.options.after, list)

    def shutdown(self, hook: AsyncMethod) -> AsyncMethod:
        """Register an async method, to be called at the end of every run (rule 10).

        Args:
            hook: the method, of another name than the step. It is found by name, so that a
                subclass may override it.

        Returns:
            The method as it was.
        """
        self.hooks.append(hook)
        hides_this = self.owner is None and getattr(hook, "__name__", None) == self.name
        # The step is kept, so that the mistake can be reported.
        return cast("AsyncMethod", self) if hides_this else hook

    def _follow(self, before: Sequence[Declaration[object]]) -> None:
        for other in before:
            if not isinstance(other, Declaration):
                raise TypeError(
                    f"{self!r} is a declaration and {other!r} is not: they cannot be chained"
                )

    def _chained(self, _chain: Chain[Declaration[object]]) -> bool:
        if self.owner is not None:
            return False  # declared in a class that is made already
        self.chains.append(_chain)
        return True

    def __repr__(self) -> str:
        parts = [type(self).__name__, self.name]
        names = [getattr(other, "name", repr(other)) for other in self.before]
        if names:
            parts.append(f"after=({', '.join(names)})")
        if self.options.critical:
            parts.append("critical")
        return f"<{' '.join(parts)}>"


class Method(Declaration[R], Generic[R, Body]):
    """A declaration whose undecorated method has a type."""

    @property
    def body(self) -> Body:
        """The undecorated method, for tests and for overrides that call the inherited one."""
        return cast("Body", self.method)


class _OfJob(Method[R, Body]):
    """A declaration that on an instance is the job."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Flow, owner: type) -> Job[R]: ...
    def __get__(self, instance: Flow | None, owner: type) -> Self | Job[R]:
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
    """A declared subflow; R is the flow, or the list of flows, that its method returns."""

    kind = "subflow"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Flow, owner: type) -> R: ...
    def __get__(self, instance: Flow | None, owner: type) -> Self | R:
        if instance is None:
            return self
        job = _job_of(instance, self)
        made = cast("Bound", job.body).made
        if made is None:
            raise NoSubflowError(
                f"{self.name} has not been called in this run, so there is no flow yet; come"
                f" after={self.name} to get it",
                job,
            )
        return cast("R", made)


@attrs.frozen(eq=False, repr=False)
class Decorator:
    """A decorator that has its options, and not yet its method."""

    kind: type[Declaration[object]]
    options: Options

    def __call__(self, method: object) -> Declaration[object]:
        """Declare the method."""
        return self.kind(method, self.options)


def parameters_of(method: object) -> Sequence[inspect.Parameter]:
    """The parameters of a method, self included; of the one that other decorators stand on."""
    try:
        return parameters(method)
    except ValueError:  # a decorator stands on something without a signature
        return parameters(method, follow_wrapped=False)


def _job_of(instance: Flow, declared: Declaration[object]) -> Job[object]:
    if not hasattr(type(instance), "_flow_definition"):
        # Give good error for: a decorated method in a class that is no flow.
        name = type(instance).__name__
        raise TypeError(
            f"{declared.name} is a {declared.kind}, and {name} is no flow; write"
            f" `class {name}(Flow)`"
        )
    return instance._flow_jobs[declared.name]


def _owner_of(declared: Declaration[object]) -> str:
    return "Flow" if declared.owner is None else declared.owner.__qualname__

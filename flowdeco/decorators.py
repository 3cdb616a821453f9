"""The decorators, and how a checker is told what goes with what.

`step(after=(build, database))` returns one small class for each number of prerequisites, whose
`__call__` accepts the methods that take their results, or none. mypy reports a wrong method
against the first overload of `__call__`, pyright against the last: so methods that take values
stand at both ends, and those that take none in the middle.
"""

# Its overloads are more, not fewer, than those of the class it extends, which pyright does not see.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Never,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeVar,
    cast,
    overload,
)

import attrs
from typing_extensions import Unpack

from .declaration import Declaration, Options, Service, Step

if TYPE_CHECKING:
    from .flow import Flow

__all__ = ["service", "step"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
R = TypeVar("R")
P = ParamSpec("P")

Declared: TypeAlias = "Declaration[object]"
# What a body gives, without Any: with one in it, mypy finds overloads ambiguous, and gives up.
Work: TypeAlias = "Coroutine[object, Never, R]"


class Common(TypedDict, total=False):
    """The options of all decorators."""

    critical: bool | None
    timeout: float | None
    label: str | None


@attrs.frozen
class _Decorator:
    options: Options


class StepAfter(_Decorator):
    """Accepts methods that take no values."""

    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Work[R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Step(method, self.options)


class StepAfter1(StepAfter, Generic[A]):
    """Accepts methods that take the value, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A], Work[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Work[R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(self, method: Callable[[Any, A], R], /) -> Step[R, Callable[[Flow, A], R]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Step(method, self.options)


class StepAfter2(StepAfter, Generic[A, B]):
    """Accepts methods that take the 2 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B], Work[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Work[R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B], R], /
    ) -> Step[R, Callable[[Flow, A, B], R]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Step(method, self.options)


class StepAfter3(StepAfter, Generic[A, B, C]):
    """Accepts methods that take the 3 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B, C], Work[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Work[R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], R], /
    ) -> Step[R, Callable[[Flow, A, B, C], R]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Step(method, self.options)


class StepAfter4(StepAfter, Generic[A, B, C, D]):
    """Accepts methods that take the 4 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B, C, D], Work[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Work[R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], R], /
    ) -> Step[R, Callable[[Flow, A, B, C, D], R]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Step(method, self.options)


class StepAfter5(StepAfter, Generic[A, B, C, D, E]):
    """Accepts methods that take the 5 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B, C, D, E], Work[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Work[R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], R], /
    ) -> Step[R, Callable[[Flow, A, B, C, D, E], R]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Step(method, self.options)


class StepAfterMany(StepAfter):
    """Accepts methods that take any values, unchecked."""

    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[Concatenate[Flow, P], Work[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], R], /
    ) -> Step[R, Callable[Concatenate[Flow, P], R]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Step(method, self.options)


class ServiceAfter(_Decorator):
    """Accepts methods that take no values."""

    @overload
    def __call__(
        self, method: Callable[[Any], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow], Work[None]]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Service(method, self.options)


class ServiceAfter1(ServiceAfter, Generic[A]):
    """Accepts methods that take the value, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow, A], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow], Work[None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A], Work[None]]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Service(method, self.options)


class ServiceAfter2(ServiceAfter, Generic[A, B]):
    """Accepts methods that take the 2 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow, A, B], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow], Work[None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B], Work[None]]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Service(method, self.options)


class ServiceAfter3(ServiceAfter, Generic[A, B, C]):
    """Accepts methods that take the 3 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow, A, B, C], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow], Work[None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B, C], Work[None]]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Service(method, self.options)


class ServiceAfter4(ServiceAfter, Generic[A, B, C, D]):
    """Accepts methods that take the 4 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow, A, B, C, D], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow], Work[None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B, C, D], Work[None]]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Service(method, self.options)


class ServiceAfter5(ServiceAfter, Generic[A, B, C, D, E]):
    """Accepts methods that take the 5 values, or none."""

    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow, A, B, C, D, E], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow], Work[None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B, C, D, E], Work[None]]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Service(method, self.options)


class ServiceAfterMany(ServiceAfter):
    """Accepts methods that take any values, unchecked."""

    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], AsyncIterator[R]], /
    ) -> Service[R, Callable[Concatenate[Flow, P], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[Concatenate[Flow, P], Work[None]]]: ...
    def __call__(self, method: Any, /) -> Any:
        return Service(method, self.options)


@overload
def step(
    method: Callable[[Any], Coroutine[Any, Any, R]], /
) -> Step[R, Callable[[Flow], Work[R]]]: ...
@overload
def step(method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
@overload
def step(*, after: None = None, **common: Unpack[Common]) -> StepAfter: ...
@overload
def step(
    *, after: Declaration[A] | tuple[Declaration[A]], **common: Unpack[Common]
) -> StepAfter1[A]: ...
@overload
def step(
    *, after: tuple[Declaration[A], Declaration[B]], **common: Unpack[Common]
) -> StepAfter2[A, B]: ...
@overload
def step(
    *, after: tuple[Declaration[A], Declaration[B], Declaration[C]], **common: Unpack[Common]
) -> StepAfter3[A, B, C]: ...
@overload
def step(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D]],
    **common: Unpack[Common],
) -> StepAfter4[A, B, C, D]: ...
@overload
def step(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D], Declaration[E]],
    **common: Unpack[Common],
) -> StepAfter5[A, B, C, D, E]: ...
@overload
def step(
    *,
    after: tuple[Declared, Declared, Declared, Declared, Declared, Declared, *tuple[Declared, ...]],
    **common: Unpack[Common],
) -> StepAfterMany: ...
@overload
def step(*, after: Sequence[Declaration[object]], **common: Unpack[Common]) -> StepAfter: ...
def step(
    method: object = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
    label: str | None = None,
) -> Any:
    """Declare a step: a method that a flow runs when its turn comes.

    Args:
        method: an async method, or a plain one, which runs in a thread.
        after: what it comes after: one declaration, or a tuple of them, whose results the method
            receives in this order, or takes none of; a list is an ordering alone.
        critical: whether its failure ends the run; None is the default of the flow.
        timeout: the seconds that it may take from its start.
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance of the flow it is the job.
    """
    decorator = StepAfter(Options(after, critical, timeout, label))
    if method is None:
        return decorator
    return cast("Any", decorator)(method)


@overload
def service(
    method: Callable[[Any], AsyncIterator[R]], /
) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
@overload
def service(
    method: Callable[[Any], Coroutine[Any, Any, object]], /
) -> Service[None, Callable[[Flow], Work[None]]]: ...
@overload
def service(*, after: None = None, **common: Unpack[Common]) -> ServiceAfter: ...
@overload
def service(
    *, after: Declaration[A] | tuple[Declaration[A]], **common: Unpack[Common]
) -> ServiceAfter1[A]: ...
@overload
def service(
    *, after: tuple[Declaration[A], Declaration[B]], **common: Unpack[Common]
) -> ServiceAfter2[A, B]: ...
@overload
def service(
    *, after: tuple[Declaration[A], Declaration[B], Declaration[C]], **common: Unpack[Common]
) -> ServiceAfter3[A, B, C]: ...
@overload
def service(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D]],
    **common: Unpack[Common],
) -> ServiceAfter4[A, B, C, D]: ...
@overload
def service(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D], Declaration[E]],
    **common: Unpack[Common],
) -> ServiceAfter5[A, B, C, D, E]: ...
@overload
def service(
    *,
    after: tuple[Declared, Declared, Declared, Declared, Declared, Declared, *tuple[Declared, ...]],
    **common: Unpack[Common],
) -> ServiceAfterMany: ...
@overload
def service(*, after: Sequence[Declaration[object]], **common: Unpack[Common]) -> ServiceAfter: ...
def service(
    method: object = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
    label: str | None = None,
) -> Any:
    """Declare a service: it runs until the steps are done, and is then stopped.

    Args:
        method: an async method. With a `yield` (annotated `AsyncIterator[T]`) it is ready there,
            gives what it yields, and goes on for its teardown however the run ends. Without, it
            is ready at its first suspension, and is cancelled at the end.
        after: what it comes after, as for `step`.
        critical: whether its failure ends the run; None is the default of the flow.
        timeout: the seconds until it is ready; only where there is a `yield`.
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance of the flow it is the job.
    """
    decorator = ServiceAfter(Options(after, critical, timeout, label))
    if method is None:
        return decorator
    return cast("Any", decorator)(method)

"""How a checker is told what goes with what.

`step(after=(build, database))` returns one small class for each number of prerequisites, whose
`__call__` accepts the methods that take their results, or none. mypy reports a wrong method
against the first overload of `__call__`, pyright against the last: so methods that take values
stand at both ends, and those that take none in the middle.

mypy names the type variable where a subflow returns no flow: hence `OneFlow` and `Flows`, whose
overloads are two only to stand at both ends.

A `Body` has no Any in it: mypy would find the overloads of the next decorator ambiguous, and give
up. What is awaited is therefore a `Coroutine[object, Never, R]`.
"""

# The overloads of a subclass are more than those of its base, not fewer, which pyright misses.
# pyright: reportIncompatibleMethodOverride=false

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from typing import (
    Any,
    Concatenate,
    Generic,
    Never,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeVar,
    overload,
)

from typing_extensions import Unpack

from .declaration import Declaration, Each, Service, Step, Subflow
from .flow import Flow

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
OneFlow = TypeVar("OneFlow", bound=Flow)
Flows = TypeVar("Flows", bound=Flow | Sequence[Flow])
R = TypeVar("R")
P = ParamSpec("P")

Declared: TypeAlias = Declaration[object]

class Common(TypedDict, total=False):
    critical: bool | None
    timeout: float | None
    label: str | None

class StepAfter:
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...

class StepAfter1(StepAfter, Generic[A]):
    @overload
    def __call__(
        self, method: Callable[[Any, A], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(self, method: Callable[[Any, A], R], /) -> Step[R, Callable[[Flow, A], R]]: ...

class StepAfter2(StepAfter, Generic[A, B]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B], R], /
    ) -> Step[R, Callable[[Flow, A, B], R]]: ...

class StepAfter3(StepAfter, Generic[A, B, C]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B, C], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], R], /
    ) -> Step[R, Callable[[Flow, A, B, C], R]]: ...

class StepAfter4(StepAfter, Generic[A, B, C, D]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B, C, D], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], R], /
    ) -> Step[R, Callable[[Flow, A, B, C, D], R]]: ...

class StepAfter5(StepAfter, Generic[A, B, C, D, E]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, B, C, D, E], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], R], /
    ) -> Step[R, Callable[[Flow, A, B, C, D, E], R]]: ...

class StepAfterMany(StepAfter):
    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[Concatenate[Flow, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], R], /
    ) -> Step[R, Callable[Concatenate[Flow, P], R]]: ...

class ServiceAfter:
    @overload
    def __call__(
        self, method: Callable[[Any], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...

class ServiceAfter1(ServiceAfter, Generic[A]):
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
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A], Coroutine[object, Never, None]]]: ...

class ServiceAfter2(ServiceAfter, Generic[A, B]):
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
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B], Coroutine[object, Never, None]]]: ...

class ServiceAfter3(ServiceAfter, Generic[A, B, C]):
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
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B, C], Coroutine[object, Never, None]]]: ...

class ServiceAfter4(ServiceAfter, Generic[A, B, C, D]):
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
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B, C, D], Coroutine[object, Never, None]]]: ...

class ServiceAfter5(ServiceAfter, Generic[A, B, C, D, E]):
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
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[[Flow, A, B, C, D, E], Coroutine[object, Never, None]]]: ...

class ServiceAfterMany(ServiceAfter):
    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], AsyncIterator[R]], /
    ) -> Service[R, Callable[Concatenate[Flow, P], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, object]], /
    ) -> Service[None, Callable[Concatenate[Flow, P], Coroutine[object, Never, None]]]: ...

class SubflowAfter:
    def __call__(
        self, method: Callable[[Any], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...

class SubflowAfter1(SubflowAfter, Generic[A]):
    @overload
    def __call__(
        self, method: Callable[[Any, A], OneFlow], /
    ) -> Subflow[OneFlow, Callable[[Flow, A], OneFlow]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A], Flows], /
    ) -> Subflow[Flows, Callable[[Flow, A], Flows]]: ...

class SubflowAfter2(SubflowAfter, Generic[A, B]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B], OneFlow], /
    ) -> Subflow[OneFlow, Callable[[Flow, A, B], OneFlow]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B], Flows], /
    ) -> Subflow[Flows, Callable[[Flow, A, B], Flows]]: ...

class SubflowAfter3(SubflowAfter, Generic[A, B, C]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], OneFlow], /
    ) -> Subflow[OneFlow, Callable[[Flow, A, B, C], OneFlow]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C], Flows], /
    ) -> Subflow[Flows, Callable[[Flow, A, B, C], Flows]]: ...

class SubflowAfter4(SubflowAfter, Generic[A, B, C, D]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], OneFlow], /
    ) -> Subflow[OneFlow, Callable[[Flow, A, B, C, D], OneFlow]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D], Flows], /
    ) -> Subflow[Flows, Callable[[Flow, A, B, C, D], Flows]]: ...

class SubflowAfter5(SubflowAfter, Generic[A, B, C, D, E]):
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], OneFlow], /
    ) -> Subflow[OneFlow, Callable[[Flow, A, B, C, D, E], OneFlow]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
    @overload
    def __call__(
        self, method: Callable[[Any, A, B, C, D, E], Flows], /
    ) -> Subflow[Flows, Callable[[Flow, A, B, C, D, E], Flows]]: ...

class SubflowAfterMany(SubflowAfter):
    def __call__(
        self, method: Callable[Concatenate[Any, P], Flows], /
    ) -> Subflow[Flows, Callable[Concatenate[Flow, P], Flows]]: ...

class EachOver(Generic[A]):
    @overload
    def __call__(
        self, method: Callable[[Any, A], Coroutine[Any, Any, R]], /
    ) -> Each[R, Callable[[Flow, A], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[Any, A], R], /) -> Each[R, Callable[[Flow, A], R]]: ...

@overload
def step(
    method: Callable[[Any], Coroutine[Any, Any, R]], /
) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
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
@overload
def service(
    method: Callable[[Any], AsyncIterator[R]], /
) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
@overload
def service(
    method: Callable[[Any], Coroutine[Any, Any, object]], /
) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
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
@overload
def subflow(method: Callable[[Any], Flows], /) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
@overload
def subflow(*, after: None = None, **common: Unpack[Common]) -> SubflowAfter: ...
@overload
def subflow(
    *, after: Declaration[A] | tuple[Declaration[A]], **common: Unpack[Common]
) -> SubflowAfter1[A]: ...
@overload
def subflow(
    *, after: tuple[Declaration[A], Declaration[B]], **common: Unpack[Common]
) -> SubflowAfter2[A, B]: ...
@overload
def subflow(
    *, after: tuple[Declaration[A], Declaration[B], Declaration[C]], **common: Unpack[Common]
) -> SubflowAfter3[A, B, C]: ...
@overload
def subflow(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D]],
    **common: Unpack[Common],
) -> SubflowAfter4[A, B, C, D]: ...
@overload
def subflow(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D], Declaration[E]],
    **common: Unpack[Common],
) -> SubflowAfter5[A, B, C, D, E]: ...
@overload
def subflow(
    *,
    after: tuple[Declared, Declared, Declared, Declared, Declared, Declared, *tuple[Declared, ...]],
    **common: Unpack[Common],
) -> SubflowAfterMany: ...
@overload
def subflow(*, after: Sequence[Declaration[object]], **common: Unpack[Common]) -> SubflowAfter: ...
def each(
    over: Declaration[Iterable[A]], *, window: int | None = None, **common: Unpack[Common]
) -> EachOver[A]: ...

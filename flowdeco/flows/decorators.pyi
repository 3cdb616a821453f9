"""How a checker is told what goes with what.

`step(after=(build, database))` returns a `StepTaking[Path, str]`, whose `__call__` accepts the
methods that take these results, or none. mypy reports a wrong method against the first overload of
`__call__`, pyright against the last: so methods that take values stand at both ends, and those that
take none in the middle. Overloads count up to five prerequisites only where the declarations are
unpacked.

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
    TypeVar,
    overload,
)

from typing_extensions import TypedDict, TypeVarTuple, Unpack

from .declaration import Declaration, Each, Service, Step, Subflow
from .flow import Flow

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
OneFlow = TypeVar("OneFlow", bound=Flow | None)
Flows = TypeVar("Flows", bound=Flow | Sequence[Flow] | None)
R = TypeVar("R")
S = TypeVar("S", bound=Flow)
P = ParamSpec("P")
Values = TypeVarTuple("Values")

Declared: TypeAlias = Declaration[object]

class Common(TypedDict, total=False, closed=True):
    critical: bool | None
    timeout: float | None
    label: str | None

class StepAfter:
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S], R], /) -> Step[R, Callable[[Flow], R]]: ...

class StepTaking(StepAfter, Generic[A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow, A, *Values], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S], R], /) -> Step[R, Callable[[Flow], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], R], /
    ) -> Step[R, Callable[[Flow, A, *Values], R]]: ...

class StepAfterMany(StepAfter):
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[Concatenate[Flow, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], R], /
    ) -> Step[R, Callable[Concatenate[Flow, P], R]]: ...

class ServiceAfter:
    @overload
    def __call__(
        self, method: Callable[[S], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...

class ServiceTaking(ServiceAfter, Generic[A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow, A, *Values], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[[Flow, A, *Values], Coroutine[object, Never, None]]]: ...

class ServiceAfterMany(ServiceAfter):
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], AsyncIterator[R]], /
    ) -> Service[R, Callable[Concatenate[Flow, P], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[Concatenate[Flow, P], Coroutine[object, Never, None]]]: ...

class SubflowAfter:
    def __call__(
        self, method: Callable[[S], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...

class SubflowTaking(SubflowAfter, Generic[A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], OneFlow], /
    ) -> Subflow[OneFlow, Callable[[Flow, A, *Values], OneFlow]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Flows], /
    ) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], Flows], /
    ) -> Subflow[Flows, Callable[[Flow, A, *Values], Flows]]: ...

class SubflowAfterMany(SubflowAfter):
    def __call__(
        self, method: Callable[Concatenate[S, P], Flows], /
    ) -> Subflow[Flows, Callable[Concatenate[Flow, P], Flows]]: ...

class EachOver(Generic[A]):
    @overload
    def __call__(
        self, method: Callable[[S, A], Coroutine[Any, Any, R]], /
    ) -> Each[R, Callable[[Flow, A], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S, A], R], /) -> Each[R, Callable[[Flow, A], R]]: ...

@overload
def step(
    method: Callable[[S], Coroutine[Any, Any, R]], /
) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
@overload
def step(method: Callable[[S], R], /) -> Step[R, Callable[[Flow], R]]: ...
@overload
def step(*, after: None = None, **common: Unpack[Common]) -> StepAfter: ...
@overload
def step(
    *, after: Declaration[A] | tuple[Declaration[A]], **common: Unpack[Common]
) -> StepTaking[A]: ...
@overload
def step(
    *, after: tuple[Declaration[A], Declaration[B]], **common: Unpack[Common]
) -> StepTaking[A, B]: ...
@overload
def step(
    *, after: tuple[Declaration[A], Declaration[B], Declaration[C]], **common: Unpack[Common]
) -> StepTaking[A, B, C]: ...
@overload
def step(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D]],
    **common: Unpack[Common],
) -> StepTaking[A, B, C, D]: ...
@overload
def step(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D], Declaration[E]],
    **common: Unpack[Common],
) -> StepTaking[A, B, C, D, E]: ...
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
    method: Callable[[S], AsyncIterator[R]], /
) -> Service[R, Callable[[Flow], AsyncIterator[R]]]: ...
@overload
def service(
    method: Callable[[S], Coroutine[Any, Any, None]], /
) -> Service[None, Callable[[Flow], Coroutine[object, Never, None]]]: ...
@overload
def service(*, after: None = None, **common: Unpack[Common]) -> ServiceAfter: ...
@overload
def service(
    *, after: Declaration[A] | tuple[Declaration[A]], **common: Unpack[Common]
) -> ServiceTaking[A]: ...
@overload
def service(
    *, after: tuple[Declaration[A], Declaration[B]], **common: Unpack[Common]
) -> ServiceTaking[A, B]: ...
@overload
def service(
    *, after: tuple[Declaration[A], Declaration[B], Declaration[C]], **common: Unpack[Common]
) -> ServiceTaking[A, B, C]: ...
@overload
def service(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D]],
    **common: Unpack[Common],
) -> ServiceTaking[A, B, C, D]: ...
@overload
def service(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D], Declaration[E]],
    **common: Unpack[Common],
) -> ServiceTaking[A, B, C, D, E]: ...
@overload
def service(
    *,
    after: tuple[Declared, Declared, Declared, Declared, Declared, Declared, *tuple[Declared, ...]],
    **common: Unpack[Common],
) -> ServiceAfterMany: ...
@overload
def service(*, after: Sequence[Declaration[object]], **common: Unpack[Common]) -> ServiceAfter: ...
@overload
def subflow(method: Callable[[S], Flows], /) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
@overload
def subflow(*, after: None = None, **common: Unpack[Common]) -> SubflowAfter: ...
@overload
def subflow(
    *, after: Declaration[A] | tuple[Declaration[A]], **common: Unpack[Common]
) -> SubflowTaking[A]: ...
@overload
def subflow(
    *, after: tuple[Declaration[A], Declaration[B]], **common: Unpack[Common]
) -> SubflowTaking[A, B]: ...
@overload
def subflow(
    *, after: tuple[Declaration[A], Declaration[B], Declaration[C]], **common: Unpack[Common]
) -> SubflowTaking[A, B, C]: ...
@overload
def subflow(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D]],
    **common: Unpack[Common],
) -> SubflowTaking[A, B, C, D]: ...
@overload
def subflow(
    *,
    after: tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D], Declaration[E]],
    **common: Unpack[Common],
) -> SubflowTaking[A, B, C, D, E]: ...
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

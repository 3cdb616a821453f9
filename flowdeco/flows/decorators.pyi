"""How a checker is told what goes with what.

`step(after=(build, database))` returns a `StepTaking[Path, str]`, whose `__call__` accepts the
methods that take these results, or none. mypy reports a wrong method against the first overload of
`__call__`, pyright against the last: so methods that take values stand at both ends, and those that
take none in the middle. Overloads count up to five prerequisites only where the declarations are
unpacked.

mypy names the type variable where a subflow returns no flow: hence `OneFlow` and `Flows`, whose
overloads are two only to stand at both ends.

The last two overloads of `each` serve messages alone; no right call comes to them. mypy lists all
overloads unless the arguments, types erased, fit one of them, as they do where each may also be a
`NothingElse[Never]`: a protocol that everything fits when it is erased, and nothing otherwise. So a
mistake is one line, and a misspelt option is a `NoSuchOption`. The other one is for pyright, which
reports the last.

A `Body` has no Any in it: mypy would find the overloads of the next decorator ambiguous, and give
up. What is awaited is therefore a `Coroutine[object, Never, R]`.
"""

# The overloads of a subclass are more than those of its base, not fewer, which pyright misses; what
# `each` returns takes fewer methods than its base, which only ever follows a mistake.
# mypy: disable-error-code="override, overload-cannot-match"
# pyright: reportIncompatibleMethodOverride=false, reportOverlappingOverload=false

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from typing import (
    Any,
    Concatenate,
    Generic,
    Never,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
)

from typing_extensions import TypedDict, TypeVarTuple, Unpack

from flowdeco.jobs.retry import Retry

from .declaration import Declaration, Each, Service, Step, Subflow
from .flow import Flow

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
I = TypeVar("I")
OneFlow = TypeVar("OneFlow", bound=Flow | None)
Flows = TypeVar("Flows", bound=Flow | Sequence[Flow] | None)
R = TypeVar("R")
S = TypeVar("S", bound=Flow)
P = ParamSpec("P")
Text = TypeVar("Text", bound=str, covariant=True)
Values = TypeVarTuple("Values")

Declared: TypeAlias = Declaration[object]
One: TypeAlias = Declaration[A] | tuple[Declaration[A]]
Two: TypeAlias = tuple[Declaration[A], Declaration[B]]
Three: TypeAlias = tuple[Declaration[A], Declaration[B], Declaration[C]]
Four: TypeAlias = tuple[Declaration[A], Declaration[B], Declaration[C], Declaration[D]]
Five: TypeAlias = tuple[
    Declaration[A], Declaration[B], Declaration[C], Declaration[D], Declaration[E]
]
Many: TypeAlias = tuple[
    Declared, Declared, Declared, Declared, Declared, Declared, *tuple[Declared, ...]
]
Else: TypeAlias = NothingElse[Never]

class Open(TypedDict, total=False):
    critical: bool | None
    timeout: float | None
    label: str | None

class Common(Open, total=False, closed=True): ...

class StepCommon(Open, total=False, closed=True):
    retry: Retry | None

class EachCommon(Open, total=False, closed=True):
    window: int | None
    retry: Retry | None

class NoSuchOption(Protocol[Text]):
    def __str__(self) -> Text: ...

class NothingElse(Protocol[Text]):
    def __str__(self) -> Text: ...

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

class AnyEach:
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]], /
    ) -> Each[R, Callable[Concatenate[Flow, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], R], /
    ) -> Each[R, Callable[Concatenate[Flow, P], R]]: ...

class EachOver(AnyEach, Generic[I]):
    @overload
    def __call__(
        self, method: Callable[[S, I], Coroutine[Any, Any, R]], /
    ) -> Each[R, Callable[[Flow, I], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S, I], R], /) -> Each[R, Callable[[Flow, I], R]]: ...

class EachTaking(EachOver[I], Generic[I, A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, I, A, *Values], Coroutine[Any, Any, R]], /
    ) -> Each[R, Callable[[Flow, I, A, *Values], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, I], Coroutine[Any, Any, R]], /
    ) -> Each[R, Callable[[Flow, I], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S, I], R], /) -> Each[R, Callable[[Flow, I], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, I, A, *Values], R], /
    ) -> Each[R, Callable[[Flow, I, A, *Values], R]]: ...

class EachAfterMany(EachOver[I]):
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, I, P], Coroutine[Any, Any, R]], /
    ) -> Each[R, Callable[Concatenate[Flow, I, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, I, P], R], /
    ) -> Each[R, Callable[Concatenate[Flow, I, P], R]]: ...

@overload
def step(
    method: Callable[[S], Coroutine[Any, Any, R]], /
) -> Step[R, Callable[[Flow], Coroutine[object, Never, R]]]: ...
@overload
def step(method: Callable[[S], R], /) -> Step[R, Callable[[Flow], R]]: ...
@overload
def step(*, after: None = None, **common: Unpack[StepCommon]) -> StepAfter: ...
@overload
def step(*, after: One[A], **common: Unpack[StepCommon]) -> StepTaking[A]: ...
@overload
def step(*, after: Two[A, B], **common: Unpack[StepCommon]) -> StepTaking[A, B]: ...
@overload
def step(*, after: Three[A, B, C], **common: Unpack[StepCommon]) -> StepTaking[A, B, C]: ...
@overload
def step(*, after: Four[A, B, C, D], **common: Unpack[StepCommon]) -> StepTaking[A, B, C, D]: ...
@overload
def step(
    *, after: Five[A, B, C, D, E], **common: Unpack[StepCommon]
) -> StepTaking[A, B, C, D, E]: ...
@overload
def step(*, after: Many, **common: Unpack[StepCommon]) -> StepAfterMany: ...
@overload
def step(*, after: Sequence[Declared], **common: Unpack[StepCommon]) -> StepAfter: ...
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
def service(*, after: One[A], **common: Unpack[Common]) -> ServiceTaking[A]: ...
@overload
def service(*, after: Two[A, B], **common: Unpack[Common]) -> ServiceTaking[A, B]: ...
@overload
def service(*, after: Three[A, B, C], **common: Unpack[Common]) -> ServiceTaking[A, B, C]: ...
@overload
def service(*, after: Four[A, B, C, D], **common: Unpack[Common]) -> ServiceTaking[A, B, C, D]: ...
@overload
def service(
    *, after: Five[A, B, C, D, E], **common: Unpack[Common]
) -> ServiceTaking[A, B, C, D, E]: ...
@overload
def service(*, after: Many, **common: Unpack[Common]) -> ServiceAfterMany: ...
@overload
def service(*, after: Sequence[Declared], **common: Unpack[Common]) -> ServiceAfter: ...
@overload
def subflow(method: Callable[[S], Flows], /) -> Subflow[Flows, Callable[[Flow], Flows]]: ...
@overload
def subflow(*, after: None = None, **common: Unpack[Common]) -> SubflowAfter: ...
@overload
def subflow(*, after: One[A], **common: Unpack[Common]) -> SubflowTaking[A]: ...
@overload
def subflow(*, after: Two[A, B], **common: Unpack[Common]) -> SubflowTaking[A, B]: ...
@overload
def subflow(*, after: Three[A, B, C], **common: Unpack[Common]) -> SubflowTaking[A, B, C]: ...
@overload
def subflow(*, after: Four[A, B, C, D], **common: Unpack[Common]) -> SubflowTaking[A, B, C, D]: ...
@overload
def subflow(
    *, after: Five[A, B, C, D, E], **common: Unpack[Common]
) -> SubflowTaking[A, B, C, D, E]: ...
@overload
def subflow(*, after: Many, **common: Unpack[Common]) -> SubflowAfterMany: ...
@overload
def subflow(*, after: Sequence[Declared], **common: Unpack[Common]) -> SubflowAfter: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: None = None, **common: Unpack[EachCommon]
) -> EachOver[I]: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: One[A], **common: Unpack[EachCommon]
) -> EachTaking[I, A]: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: Two[A, B], **common: Unpack[EachCommon]
) -> EachTaking[I, A, B]: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: Three[A, B, C], **common: Unpack[EachCommon]
) -> EachTaking[I, A, B, C]: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: Four[A, B, C, D], **common: Unpack[EachCommon]
) -> EachTaking[I, A, B, C, D]: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: Five[A, B, C, D, E], **common: Unpack[EachCommon]
) -> EachTaking[I, A, B, C, D, E]: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: Many, **common: Unpack[EachCommon]
) -> EachAfterMany[I]: ...
@overload
def each(
    over: Declaration[Iterable[I]], *, after: Sequence[Declared], **common: Unpack[EachCommon]
) -> EachOver[I]: ...
@overload
def each(
    over: Declaration[Iterable[object]] | Else,
    *,
    after: Declared | Sequence[Declared] | Else | None = None,
    window: int | Else | None = None,
    critical: bool | Else | None = None,
    timeout: float | Else | None = None,
    retry: Retry | Else | None = None,
    label: str | Else | None = None,
    **others: NoSuchOption[Never],
) -> AnyEach: ...
@overload
def each(
    over: Declaration[Iterable[object]],
    *,
    after: Declared | Sequence[Declared] | None = None,
    **common: Unpack[EachCommon],
) -> AnyEach: ...

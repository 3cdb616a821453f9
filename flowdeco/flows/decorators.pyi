"""How a checker is told what goes with what.

`step(after=(build, database))` returns a `StepTaking[Path, str]` (see `taking`). Overloads count up
to five prerequisites only where the declarations are unpacked.

The last two overloads of each decorator serve messages alone; no right call comes to them. mypy
lists all overloads unless the arguments, types erased, fit one of them, as they do where each may
also be a `NothingElse[Never]`: a protocol that everything fits when it is erased, and nothing
otherwise. So a mistake is one line, and a misspelt option is a `NoSuchOption`. The other one is for
pyright, which reports the last. `NotAMethod` does the same for what is decorated, between a first
overload for mypy and a last one for pyright.
"""

# The last overload of each decorator is never chosen: it is there for pyright, which reports it.
# mypy: disable-error-code="overload-cannot-match"
# pyright: reportOverlappingOverload=false

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Sequence
from typing import Any, Literal, Never, Protocol, TypeAlias, TypeVar, overload

from typing_extensions import TypedDict, Unpack

from flowdeco.jobs.retry import Retry

from .declaration import Declaration
from .flow import Flow
from .kinds import Service, Step, Subflow
from .taking import (
    AnyEach,
    AnyService,
    AnyStep,
    AnySubflow,
    EachAfterMany,
    EachOver,
    EachTaking,
    ServiceAfter,
    ServiceAfterMany,
    ServiceTaking,
    StepAfter,
    StepAfterMany,
    StepTaking,
    SubflowAfter,
    SubflowAfterMany,
    SubflowTaking,
)

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
Text = TypeVar("Text", bound=str, covariant=True)

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
Items: TypeAlias = Declaration[Iterable[I] | AsyncIterable[I]]
Else: TypeAlias = NothingElse[Never]
NoMethod: TypeAlias = NotAMethod[Never]

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
    keep: int

class NoSuchOption(Protocol[Text]):
    def __str__(self) -> Text: ...

class NothingElse(Protocol[Text]):
    def __str__(self) -> Text: ...

class NotAMethod(Protocol[Text]):
    def __str__(self) -> Text: ...

@overload
def step(
    method: Callable[[S], Coroutine[Any, Any, R]], /
) -> Step[R, Callable[[Never], Coroutine[object, Never, R]]]: ...
@overload
def step(method: NoMethod, /) -> AnyStep: ...
@overload
def step(method: Callable[[S], R], /) -> Step[R, Callable[[Never], R]]: ...
@overload
def step(*, after: One[A], **options: Unpack[StepCommon]) -> StepTaking[A]: ...
@overload
def step(*, after: Two[A, B], **options: Unpack[StepCommon]) -> StepTaking[A, B]: ...
@overload
def step(*, after: Three[A, B, C], **options: Unpack[StepCommon]) -> StepTaking[A, B, C]: ...
@overload
def step(*, after: Four[A, B, C, D], **options: Unpack[StepCommon]) -> StepTaking[A, B, C, D]: ...
@overload
def step(
    *, after: Five[A, B, C, D, E], **options: Unpack[StepCommon]
) -> StepTaking[A, B, C, D, E]: ...
@overload
def step(*, after: Many, **options: Unpack[StepCommon]) -> StepAfterMany: ...
@overload
def step(
    *, after: Sequence[Declared] | None = None, **options: Unpack[StepCommon]
) -> StepAfter: ...
@overload
def step(
    *,
    after: Declared | Sequence[Declared] | Else | None = None,
    critical: bool | Else | None = None,
    timeout: float | Else | None = None,
    retry: Retry | Else | None = None,
    label: str | Else | None = None,
    **others: NoSuchOption[Never],
) -> AnyStep: ...
@overload
def step(
    *, after: Declared | Sequence[Declared] | None = None, **options: Unpack[StepCommon]
) -> AnyStep: ...
@overload
def service(
    method: Callable[[S], AsyncIterator[R]], /
) -> Service[R, Callable[[Never], AsyncIterator[R]]]: ...
@overload
def service(method: NoMethod, /) -> AnyService: ...
@overload
def service(
    method: Callable[[S], Coroutine[Any, Any, None]], /
) -> Service[None, Callable[[Never], Coroutine[object, Never, None]]]: ...
@overload
def service(*, after: One[A], **options: Unpack[Common]) -> ServiceTaking[A]: ...
@overload
def service(*, after: Two[A, B], **options: Unpack[Common]) -> ServiceTaking[A, B]: ...
@overload
def service(*, after: Three[A, B, C], **options: Unpack[Common]) -> ServiceTaking[A, B, C]: ...
@overload
def service(*, after: Four[A, B, C, D], **options: Unpack[Common]) -> ServiceTaking[A, B, C, D]: ...
@overload
def service(
    *, after: Five[A, B, C, D, E], **options: Unpack[Common]
) -> ServiceTaking[A, B, C, D, E]: ...
@overload
def service(*, after: Many, **options: Unpack[Common]) -> ServiceAfterMany: ...
@overload
def service(
    *, after: Sequence[Declared] | None = None, **options: Unpack[Common]
) -> ServiceAfter: ...
@overload
def service(
    *,
    after: Declared | Sequence[Declared] | Else | None = None,
    critical: bool | Else | None = None,
    timeout: float | Else | None = None,
    label: str | Else | None = None,
    **others: NoSuchOption[Never],
) -> AnyService: ...
@overload
def service(
    *, after: Declared | Sequence[Declared] | None = None, **options: Unpack[Common]
) -> AnyService: ...
@overload
def subflow(method: Callable[[S], OneFlow], /) -> Subflow[OneFlow, Callable[[Never], OneFlow]]: ...
@overload
def subflow(method: NoMethod, /) -> AnySubflow: ...
@overload
def subflow(method: Callable[[S], Flows], /) -> Subflow[Flows, Callable[[Never], Flows]]: ...
@overload
def subflow(*, after: One[A], **options: Unpack[Common]) -> SubflowTaking[A]: ...
@overload
def subflow(*, after: Two[A, B], **options: Unpack[Common]) -> SubflowTaking[A, B]: ...
@overload
def subflow(*, after: Three[A, B, C], **options: Unpack[Common]) -> SubflowTaking[A, B, C]: ...
@overload
def subflow(*, after: Four[A, B, C, D], **options: Unpack[Common]) -> SubflowTaking[A, B, C, D]: ...
@overload
def subflow(
    *, after: Five[A, B, C, D, E], **options: Unpack[Common]
) -> SubflowTaking[A, B, C, D, E]: ...
@overload
def subflow(*, after: Many, **options: Unpack[Common]) -> SubflowAfterMany: ...
@overload
def subflow(
    *, after: Sequence[Declared] | None = None, **options: Unpack[Common]
) -> SubflowAfter: ...
@overload
def subflow(
    *,
    after: Declared | Sequence[Declared] | Else | None = None,
    critical: bool | Else | None = None,
    timeout: float | Else | None = None,
    label: str | Else | None = None,
    **others: NoSuchOption[Never],
) -> AnySubflow: ...
@overload
def subflow(
    *, after: Declared | Sequence[Declared] | None = None, **options: Unpack[Common]
) -> AnySubflow: ...
@overload
def each(
    over: Items[I],
    *,
    after: One[A],
    return_exceptions: Literal[False] = False,
    **options: Unpack[EachCommon],
) -> EachTaking[Never, I, A]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Two[A, B],
    return_exceptions: Literal[False] = False,
    **options: Unpack[EachCommon],
) -> EachTaking[Never, I, A, B]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Three[A, B, C],
    return_exceptions: Literal[False] = False,
    **options: Unpack[EachCommon],
) -> EachTaking[Never, I, A, B, C]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Four[A, B, C, D],
    return_exceptions: Literal[False] = False,
    **options: Unpack[EachCommon],
) -> EachTaking[Never, I, A, B, C, D]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Five[A, B, C, D, E],
    return_exceptions: Literal[False] = False,
    **options: Unpack[EachCommon],
) -> EachTaking[Never, I, A, B, C, D, E]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Many,
    return_exceptions: Literal[False] = False,
    **options: Unpack[EachCommon],
) -> EachAfterMany[Never, I]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Sequence[Declared] | None = None,
    return_exceptions: Literal[False] = False,
    **options: Unpack[EachCommon],
) -> EachOver[Never, I]: ...
@overload
def each(
    over: Items[I],
    *,
    after: One[A],
    return_exceptions: Literal[True],
    **options: Unpack[EachCommon],
) -> EachTaking[Exception, I, A]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Two[A, B],
    return_exceptions: Literal[True],
    **options: Unpack[EachCommon],
) -> EachTaking[Exception, I, A, B]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Three[A, B, C],
    return_exceptions: Literal[True],
    **options: Unpack[EachCommon],
) -> EachTaking[Exception, I, A, B, C]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Four[A, B, C, D],
    return_exceptions: Literal[True],
    **options: Unpack[EachCommon],
) -> EachTaking[Exception, I, A, B, C, D]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Five[A, B, C, D, E],
    return_exceptions: Literal[True],
    **options: Unpack[EachCommon],
) -> EachTaking[Exception, I, A, B, C, D, E]: ...
@overload
def each(
    over: Items[I], *, after: Many, return_exceptions: Literal[True], **options: Unpack[EachCommon]
) -> EachAfterMany[Exception, I]: ...
@overload
def each(
    over: Items[I],
    *,
    after: Sequence[Declared] | None = None,
    return_exceptions: Literal[True],
    **options: Unpack[EachCommon],
) -> EachOver[Exception, I]: ...
@overload
def each(
    over: Items[object] | Else,
    *,
    after: Declared | Sequence[Declared] | Else | None = None,
    return_exceptions: bool | Else = ...,
    window: int | Else | None = None,
    critical: bool | Else | None = None,
    timeout: float | Else | None = None,
    retry: Retry | Else | None = None,
    keep: int | Else = ...,
    label: str | Else | None = None,
    **others: NoSuchOption[Never],
) -> AnyEach: ...
@overload
def each(
    over: Items[object],
    *,
    after: Declared | Sequence[Declared] | None = None,
    return_exceptions: bool = ...,
    **options: Unpack[EachCommon],
) -> AnyEach: ...

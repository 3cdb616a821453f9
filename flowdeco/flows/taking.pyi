"""What `@step(after=...)` and its like are: each takes the methods that fit what it was given.

`step(after=(build, database))` is a `StepTaking[Path, str]`, whose `__call__` accepts the methods
that take these results, or none. mypy reports a wrong method against the first overload of
`__call__`, pyright against the last: so methods that take values stand at both ends, and those that
take none in the middle. What begins with `Any` takes every method; it comes of a wrong option, lest
one mistake be reported twice.

mypy names the type variable where a subflow returns no flow: hence `OneFlow` and `Flows`, whose
overloads are two only to stand at both ends. The X of a fan-out is `Exception` where failures of
items are values, and else `Never`: `R | Never` is R.

The self of a `Body` is `Never`, so that `replaced_by` takes a function of the flow's own class;
`.body` makes it `Flow`. There is no Any in it: mypy would find the overloads of the next decorator
ambiguous, and give up. What is awaited is therefore a `Coroutine[object, Never, R]`.
"""

# What a decorator returns takes fewer methods than its base, which only ever follows a mistake.
# mypy: disable-error-code="override, overload-cannot-match"
# pyright: reportIncompatibleMethodOverride=false, reportOverlappingOverload=false

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Concatenate, Generic, Never, ParamSpec, TypeVar, overload

from typing_extensions import TypeVarTuple

from .flow import Flow
from .kinds import Each, Service, Step, Subflow

A = TypeVar("A")
I = TypeVar("I")
OneFlow = TypeVar("OneFlow", bound=Flow | None)
Flows = TypeVar("Flows", bound=Flow | Sequence[Flow] | None)
R = TypeVar("R")
S = TypeVar("S", bound=Flow)
X = TypeVar("X", covariant=True)
P = ParamSpec("P")
Values = TypeVarTuple("Values")

class AnyStep:
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[Concatenate[Never, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], R], /
    ) -> Step[R, Callable[Concatenate[Never, P], R]]: ...

class AnyService:
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], AsyncIterator[R]], /
    ) -> Service[R, Callable[Concatenate[Never, P], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[Concatenate[Never, P], Coroutine[object, Never, None]]]: ...

class AnySubflow:
    def __call__(
        self, method: Callable[Concatenate[S, P], Flows], /
    ) -> Subflow[Flows, Callable[Concatenate[Never, P], Flows]]: ...

class StepAfter(AnyStep):
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Never], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S], R], /) -> Step[R, Callable[[Never], R]]: ...

class StepTaking(StepAfter, Generic[A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Never, A, *Values], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[[Never], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S], R], /) -> Step[R, Callable[[Never], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], R], /
    ) -> Step[R, Callable[[Never, A, *Values], R]]: ...

class StepAfterMany(StepAfter):
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]], /
    ) -> Step[R, Callable[Concatenate[Never, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], R], /
    ) -> Step[R, Callable[Concatenate[Never, P], R]]: ...

class ServiceAfter(AnyService):
    @overload
    def __call__(
        self, method: Callable[[S], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Never], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[[Never], Coroutine[object, Never, None]]]: ...

class ServiceTaking(ServiceAfter, Generic[A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Never, A, *Values], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], AsyncIterator[R]], /
    ) -> Service[R, Callable[[Never], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[[Never], Coroutine[object, Never, None]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[[Never, A, *Values], Coroutine[object, Never, None]]]: ...

class ServiceAfterMany(ServiceAfter):
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], AsyncIterator[R]], /
    ) -> Service[R, Callable[Concatenate[Never, P], AsyncIterator[R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, None]], /
    ) -> Service[None, Callable[Concatenate[Never, P], Coroutine[object, Never, None]]]: ...

class SubflowAfter(AnySubflow):
    def __call__(
        self, method: Callable[[S], Flows], /
    ) -> Subflow[Flows, Callable[[Never], Flows]]: ...

class SubflowTaking(SubflowAfter, Generic[A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], OneFlow], /
    ) -> Subflow[OneFlow, Callable[[Never, A, *Values], OneFlow]]: ...
    @overload
    def __call__(
        self, method: Callable[[S], Flows], /
    ) -> Subflow[Flows, Callable[[Never], Flows]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, A, *Values], Flows], /
    ) -> Subflow[Flows, Callable[[Never, A, *Values], Flows]]: ...

class SubflowAfterMany(SubflowAfter):
    def __call__(
        self, method: Callable[Concatenate[S, P], Flows], /
    ) -> Subflow[Flows, Callable[Concatenate[Never, P], Flows]]: ...

class AnyEach:
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]], /
    ) -> Each[R | Exception, Callable[Concatenate[Never, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], R], /
    ) -> Each[R | Exception, Callable[Concatenate[Never, P], R]]: ...

class EachOver(AnyEach, Generic[X, I]):
    @overload
    def __call__(
        self, method: Callable[[S, I], Coroutine[Any, Any, R]], /
    ) -> Each[R | X, Callable[[Never, I], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S, I], R], /) -> Each[R | X, Callable[[Never, I], R]]: ...

class EachTaking(EachOver[X, I], Generic[X, I, A, *Values]):
    @overload
    def __call__(
        self, method: Callable[[S, I, A, *Values], Coroutine[Any, Any, R]], /
    ) -> Each[R | X, Callable[[Never, I, A, *Values], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, I], Coroutine[Any, Any, R]], /
    ) -> Each[R | X, Callable[[Never, I], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(self, method: Callable[[S, I], R], /) -> Each[R | X, Callable[[Never, I], R]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, I, A, *Values], R], /
    ) -> Each[R | X, Callable[[Never, I, A, *Values], R]]: ...

class EachAfterMany(EachOver[X, I]):
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, I, P], Coroutine[Any, Any, R]], /
    ) -> Each[R | X, Callable[Concatenate[Never, I, P], Coroutine[object, Never, R]]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, I, P], R], /
    ) -> Each[R | X, Callable[Concatenate[Never, I, P], R]]: ...

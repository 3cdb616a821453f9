"""Jobs made of functions, or of something to await."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from types import CodeType, CoroutineType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from flowdeco.base.limits import check_flag
from flowdeco.base.text import alike, class_name, line, path_within, value_line

from .abstract_job import NEVER_RUN, AbstractJob, R, RequirementSet
from .bodies import (
    GENERATOR,
    PLAIN,
    AwaitableBody,
    Body,
    CoroutineBody,
    MethodBody,
    RetriedBody,
    awaiting,
    up_and_down,
)
from .callables import (
    check_callable,
    defined_at,
    function_name,
    is_awaitable,
    is_coroutine,
    is_plain,
    isinstance_of,
    yields,
)
from .current import current_execution
from .outcome import MISSING
from .requirements import collected
from .retry import Retry

__all__ = ["Job"]

Work: TypeAlias = "Callable[[], Awaitable[R] | AsyncIterator[R]] | Awaitable[R]"


def _without_retry(_: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    # Most jobs have none; it is kept with what a run must know of the body, and takes no memory.
    return [field for field in fields if field.name != "retry"]


@attrs.define(
    eq=False, repr=False, on_setattr=attrs.setters.NO_OP, field_transformer=_without_retry
)
class Job(AbstractJob[R]):
    """A job made of a function, or of something to await.

    Args:
        body: a callable without arguments that returns an awaitable (an async function, a
            lambda, a `partial`); or a coroutine object, which can run only once; or any other
            awaitable, such as a future, a task or what `asyncio.gather` returns, which each run
            awaits again. With `forever=True` also an async generator function: a service, ready
            at its `yield`, which goes on from there at the end of the run.
        shutdown: a callable without arguments that returns an awaitable, for `co_shutdown`.
        retry: when the body, which must be a callable then, is called again after a failure.

    The others are those of `AbstractJob`. A coroutine object that never started is closed with
    the job, without a warning that it was never awaited.

    Raises:
        TypeError: the body is not callable, needs arguments, or is a generator without `forever`.
    """

    body: Work[R] = attrs.field(kw_only=False)
    shutdown: Callable[[], Awaitable[object]] | None = attrs.field(default=None, kw_only=True)
    retry: Retry | None = attrs.field(default=None, kw_only=True)

    if not TYPE_CHECKING:  # checkers have the one of attrs

        def __init__(
            self,
            body: object = MISSING,
            *others: object,
            label: str | None = None,
            critical: bool | None = None,
            forever: bool = False,
            timeout: float | None = None,
            required: RequirementSet = None,
            shutdown: Callable[[], Awaitable[object]] | None = None,
            retry: Retry | None = None,
            **unknown: object,
        ) -> None:
            # By hand, to close a coroutine among arguments that Python would refuse by itself.
            if others or unknown or body is MISSING:
                raise _wrong_arguments(type(self), body, others, unknown, shutdown)
            self.__flow_outcome__ = NEVER_RUN
            self.__flow_owner__ = None
            self.__flow_required__ = ()
            self.__flow_body__ = PLAIN
            self.label = label
            self.critical = critical
            self.forever = forever
            self.timeout = timeout
            self.__flow_given__ = required
            self.body = body
            self.shutdown = shutdown
            if (
                type(self) is Job
                and timeout is shutdown is retry is None
                and (is_plain(body) or self._takes_coroutine(body))
            ):
                # What __attrs_post_init__ does, where there is little to do.
                self.__flow_timeout__ = None
                if critical is not None:
                    check_flag(critical, "critical")
                if forever is not False:
                    check_flag(forever, "forever")
                if required is not None:
                    self.__flow_required__ = collected(required, AbstractJob)
                    self.__flow_given__ = None
            else:
                self.__attrs_post_init__(retry)

        def _takes_coroutine(self, body: object) -> bool:
            """Keep a coroutine object as the body; return whether it is one."""
            if type(body) is not CoroutineType:
                return False
            self.__flow_body__ = self.body = CoroutineBody(body)
            return True

    @staticmethod
    def __flow_of_item__(body: MethodBody, traits: Body, timeout: float | None, owner: Any) -> Any:
        """Return the job of an item: what is right for one is so for all, and was checked."""
        job: Job[object] = Job.__new__(Job)
        job.__flow_owner__ = owner
        job.__flow_required__ = ()
        job.__flow_body__ = traits
        job.__flow_timeout__ = timeout
        job.label = None
        job.critical = False
        job.forever = False
        job.timeout = timeout
        job.body = body
        job.shutdown = None
        return job

    def __attrs_post_init__(self, retry: Retry | None = None) -> None:
        body: object = self.body
        if not is_plain(body):
            self.__flow_take_body__(body)
        if retry is not None:
            self.__flow_body__ = self._retried(retry)
        if self.shutdown is not None:
            usage = "shutdown=lambda: {}(...)"
            check_callable(self.shutdown, "the shutdown of a job", usage, or_coroutine=False)
        AbstractJob.__attrs_post_init__(self)

    def __flow_take_body__(self, body: object) -> None:
        # The types alone are asked for: lazy objects load what they stand for when asked for more.
        kind = type(body)
        if issubclass(kind, MethodBody):
            self.__flow_body__ = cast("MethodBody", body).traits
        elif issubclass(kind, AbstractJob):
            called = cast("AbstractJob[object]", body).__flow_called__()
            which = f"the job {called}" if called.startswith(("'", '"')) else called
            raise TypeError(f"a job is made of an async function, not of {which}")
        elif is_coroutine(body):
            self.__flow_body__ = once = CoroutineBody(cast("Coroutine[Any, Any, R]", body))
            self.body = cast("Callable[[], Awaitable[R]]", once)
        elif is_awaitable(body) and not callable(body):
            self.body = AwaitableBody(cast("Awaitable[R]", body))
        else:
            check_callable(body, "the body of a job", "Job(lambda: {}(...))", or_coroutine=True)
            if not yields(body):
                return
            if not self.forever:
                raise TypeError(
                    f"{function_name(body)} yields, so it is a service; did you mean"
                    f" Job({function_name(body)}, forever=True)?"
                )
            self.__flow_body__ = GENERATOR

    def _retried(self, retry: Retry) -> Body:
        """Return the traits of a body that is called again; refuse one that is called once."""
        if not isinstance(cast("object", retry), Retry):
            raise TypeError(
                f"retry must be a Retry or None, not {value_line(retry)} ({class_name(retry)});"
                " for instance retry=Retry(on=ConnectionError)"
            )
        name = function_name(self.body)
        if self.forever:
            raise ValueError(f"{name} is a service (forever=True), which is not tried again")
        if self.__flow_body__ is not PLAIN or isinstance_of(self.body, AwaitableBody):
            if isinstance_of(self.body, CoroutineBody):
                self.body.coroutine.close()
            raise TypeError(
                f"a job with a retry is made of a function, which each attempt calls, and {name} is"
                f" an awaitable, which runs once; write Job({name}, retry=...), or"
                f" Job(lambda: {name}(...), retry=...)"
            )
        return RetriedBody(retry)

    if not TYPE_CHECKING:

        def __call__(self, *_: object, **_keywords: object) -> object:
            # Give good error for: `await self.build()` in another step.
            raise self._not_called(sys._getframe(1).f_code)

        def __await__(self) -> object:
            # Give good error for: `await self.build`.
            raise self._not_called(sys._getframe(1).f_code)

    def _not_called(self, caller: CodeType) -> TypeError:
        execution = current_execution.get()
        is_own = execution is not None and execution.job is self
        instead: str | None = None
        if isinstance(self.body, MethodBody):
            flow: Any = self.body.flow  # None, where it is there to be drawn only
            if flow is not None:
                instead = flow.__flow_instead_of_call__(self.body.name, caller, is_own)
        if instead is None:
            instead = f"require it, and read its result with {self.name}.result()"
        return TypeError(f"{self.name!r} is a job, which a run starts; {instead}")

    def co_run(self) -> Coroutine[Any, Any, R]:
        """Return the work: a new coroutine of the body."""
        if self.__flow_body__.is_stateful:
            self.__flow_check_ready__()
        body: Any = self.body
        # A method is inlined by the interpreter, the call of an object with __call__ is not.
        started: Any = body.start() if type(body) is MethodBody else body()
        if type(started) is CoroutineType:
            return started  # pyright: ignore[reportUnknownVariableType]  # a cast is one more call
        if self.__flow_body__.is_generator:
            return up_and_down(started)
        return self.__flow_awaitable__(started)

    def __flow_awaitable__(self, started: Any) -> Coroutine[Any, Any, R]:
        """Return a coroutine that awaits what the body has returned, if that can be awaited."""
        if not is_awaitable(started):
            raise TypeError(
                f"the body of {self.name!r} returned {value_line(started)}, which cannot be"
                " awaited; make it an async function"
            )
        return awaiting(started)

    def generator(self) -> AsyncGenerator[object, None]:
        """Return the work of a generator service: a new asynchronous generator of the body."""
        return cast("Callable[[], AsyncGenerator[object, None]]", self.body)()

    async def co_shutdown(self) -> None:
        """Await what `shutdown` returns, if it was given."""
        if self.shutdown is not None:
            await self.shutdown()

    def __flow_hooks__(self, around: str) -> Iterable[tuple[AbstractJob[object], str]]:
        if self.shutdown is None and type(self).co_shutdown is Job.co_shutdown:
            return ()
        return ((self, path_within(around, self.name)),)

    def __flow_output__(self) -> object:
        value = super().__flow_output__()
        return self.body.passed_on(value) if isinstance_of(self.body, MethodBody) else value

    def __flow_take_value__(self, value: object) -> None:
        if isinstance_of(self.body, MethodBody):
            self.body.take_value(value)

    @property
    def children(self) -> Iterable[AbstractJob[object]]:
        """The items of a fan-out, or the schedulers of the flows of a subflow."""
        return self.body.children if isinstance_of(self.body, MethodBody) else ()

    @property
    def ended(self) -> int | None:
        """Of a fan-out that has begun, how many items have ended; else None."""
        counts = self.__flow_counts__()
        return None if counts is None else counts[0]

    @property
    def total(self) -> int | None:
        """Of a fan-out that has begun, how many items there are, once that is known; else None."""
        counts = self.__flow_counts__()
        return None if counts is None else counts[1]

    def __flow_counts__(self) -> tuple[int, int | None] | None:
        return self.body.counts if isinstance_of(self.body, MethodBody) else None

    def __flow_renew__(self) -> None:
        if isinstance_of(self.body, MethodBody):
            self.body.renew()

    def __flow_check_ready__(self) -> None:
        body: Any = self.body
        if type(body) is CoroutineBody:
            body.check(self)

    def __flow_own_timeout__(self) -> float | None:
        return self.timeout if type(self) is Job else self.__flow_timeout__

    def __flow_source_name__(self) -> str:
        return line(self.body.name) if isinstance_of(self.body, MethodBody) else self.name

    def __flow_declared__(self) -> bool:
        return isinstance_of(self.body, MethodBody)

    def default_label(self) -> str:
        """Return the name of what the job is made of."""
        return function_name(self.body)

    def __flow_called__(self) -> str:
        place = defined_at(self.body) if self.label is None else ""
        return super().__flow_called__() + (f" ({place})" if place else "")


if not TYPE_CHECKING:

    def _retry_of(self: Job[R]) -> Retry | None:
        """When it is tried again after a failure; None is never."""
        return self.__flow_body__.retry

    Job.retry = property(_retry_of)

    def _arguments(
        self: Job[R],
        body: Work[R],
        *,
        label: str | None = None,
        critical: bool | None = None,
        forever: bool = False,
        timeout: float | None = None,
        required: RequirementSet = None,
        shutdown: Callable[[], Awaitable[object]] | None = None,
        retry: Retry | None = None,
    ) -> None: ...

    Job.__init__.__wrapped__ = _arguments  # for help()

_OPTIONS = ("label", "critical", "forever", "timeout", "required", "shutdown", "retry")


def _wrong_arguments(
    kind: type,
    body: object,
    others: tuple[object, ...],
    unknown: dict[str, object],
    shutdown: object,
) -> TypeError:
    """Say what a job was given and does not take, and close the coroutines among it."""
    given = (body, *others, *unknown.values(), shutdown)
    names = [function_name(value) for value in given if is_coroutine(value)]
    for value in given:
        if is_coroutine(value):
            cast("Coroutine[Any, Any, object]", value).close()
    name = line(kind.__name__)
    if others:
        return TypeError(
            f"{name}() takes 1 positional argument, and {1 + len(others)} were given; the"
            f" others are keywords: {', '.join(f'{option}=' for option in _OPTIONS)}"
        )
    if not unknown:
        return TypeError(f"{name}() is missing its body; write {name}(function)")
    first = next(iter(unknown))
    called = f"{names[0]}()" if names else "function"
    # Give good error for: Job(corun=f(), coshutdown=g(), scheduler=s), as of asynciojobs
    advice = {
        "corun": f"write {name}({called}, ...), without the name",
        "coshutdown": "write shutdown=, with a function that each run calls",
        "scheduler": f"write scheduler.add({name}(...))",
        "verbose": "see what happens with logging.getLogger('flowdeco')",
    }
    close = alike(first, _OPTIONS)
    hint = f"did you mean {close[0]}=?" if close else f"there are {', '.join(_OPTIONS)}"
    return TypeError(f"{name}() has no argument {first!r}; {advice.get(first, hint)}")

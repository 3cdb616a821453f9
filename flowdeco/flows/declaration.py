"""Declarations: what decorators make of methods, before there is any flow to run."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Sequence
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

import attrs

from flowdeco.base.annotations import is_async_function
from flowdeco.base.text import class_name, line, repr_line
from flowdeco.errors import ReplacedError
from flowdeco.jobs.chain import Chain, ChainMember

from .base import FlowBase
from .instead import instead_of_call
from .signatures import called, parameters_of

if sys.version_info >= (3, 13):  # not asked of the other, which takes longer to import
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    from flowdeco.jobs.job import Job


__all__ = [
    "AsyncMethod",
    "Declaration",
    "Decorator",
    "Options",
    "instead_on",
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
    over: object = None
    """What a fan-out goes over."""
    retry: object = None
    return_exceptions: bool = False
    keep: int = 1000


class OnInstances:
    """A method that instances have and the class does not show.

    A declaration must refuse to be assigned over, as a property does; but what shows a `__set__` is
    no method for `help` and doctest, which then pass over its docstring.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function

    def __get__(self, instance: object, owner: type) -> object:
        if instance is None:
            raise AttributeError(f"{owner.__name__} has it on instances only")
        return MethodType(self.function, instance)


class Declaration(ChainMember["Declaration[object]"], Generic[R]):
    """A method that a decorator has marked: what the flow makes a job of.

    It only notes; what is wrong with it is reported when the class is made. Name, docstring and
    signature are those of the method.
    """

    forever: ClassVar[bool] = False
    kind: ClassVar[str] = "step"

    def __init__(self, method: object, options: Options) -> None:
        self.method = method
        self.options = options
        self.owner: type | None = None
        self.chains: list[Chain[Declaration[object]]] = []
        self.followed: dict[Declaration[object], None] = {}
        """What it comes after by `>>`, as far as that was said before its class was made."""
        self.hooks: list[Callable[..., Any]] = []
        self._look_like(method)
        self.name: str = self.__name__ or "?"

    def _look_like(self, method: object) -> None:
        """Take over what describes the method, for `help`, `inspect` and doctest."""
        while isinstance(method, functools.partial):
            method = method.func
        self.__name__ = _text_of(method, "__name__")
        self.__qualname__ = _text_of(method, "__qualname__") or self.__name__
        self.__module__ = _text_of(method, "__module__") or self.__module__
        self.__doc__ = _text_of(method, "__doc__") or None
        # An attribute, not a property: `@abstractmethod` over a declaration sets it.
        self.__isabstractmethod__ = False
        with contextlib.suppress(Exception):  # whatever it is, a decorator does not raise
            self.__isabstractmethod__ = getattr(method, "__isabstractmethod__", False) is True
        if callable(self.method):
            self.__wrapped__ = self.method

    def __set_name__(self, owner: type, name: str) -> None:
        # `z = a` in a class body is no new name for a, and must not take it from it.
        if self.owner is None:
            self.owner = owner
            self.name = name
            self.__name__ = self.__name__ or name
            self.__qualname__ = self.__qualname__ or f"{owner.__qualname__}.{name}"

    if not TYPE_CHECKING:

        @OnInstances
        def __set__(self, instance: object, _value: object) -> None:
            raise self._not_assignable(instance, "assigned over")

        @OnInstances
        def __delete__(self, instance: object) -> None:
            raise self._not_assignable(instance, "deleted")

        def __call__(self, *_: object, **_keywords: object) -> object:
            if isinstance(self.method, Declaration):
                # Give good error for: `@step(build)` over a method.
                name, kind = line(self.method.name), self.kind
                raise TypeError(f"@{kind} was given {name}; write @{kind}(after={name})")
            raise self._not_called(sys._getframe(1).f_code)

        def __await__(self) -> object:
            # Give good error for: `await Deploy.build`.
            raise self._not_called(sys._getframe(1).f_code)

    def _not_assignable(self, instance: object, what: str) -> ReplacedError:
        flow, name, kind = type(instance).__name__, self.name, self.kind
        problem = (
            f"{name} is a {kind} of {flow}, and cannot be {what}; for another body in one run,"
            f" write run(overrides=[{flow}.{name}.replaced_by(...)]); in all runs, redefine it in"
            f" a subclass: `class Other{flow}({flow})` with {name} under @{kind}; and what a body"
            " wants to keep, it returns, or keeps under another name"
        )
        return ReplacedError(flow, [problem])

    def _not_called(self, caller: CodeType) -> TypeError:
        instead = instead_on(self.owner, self, caller)
        return TypeError(f"{line(self.name)} is a declaration, which a run calls; {instead}")

    @functools.cached_property
    def is_generator(self) -> bool:
        """Whether the method is an async generator function."""
        return inspect.isasyncgenfunction(called(self.method))

    @functools.cached_property
    def is_async(self) -> bool:
        """Whether a call of the method gives something to be awaited."""
        return is_async_function(self.method) or is_async_function(called(self.method))

    @functools.cached_property
    def is_threaded(self) -> bool:
        """Whether the method runs in a thread, where it is the body of a job."""
        return not self.is_generator and not self.is_async

    @functools.cached_property
    def takes_anything(self) -> bool:
        """Whether the method is an object that does not tell what it takes, but takes it."""
        if isinstance(self.method, FunctionType) or not self.parameters:
            return False
        return self.parameters[0].kind is inspect.Parameter.VAR_POSITIONAL

    @functools.cached_property
    def parameters(self) -> Sequence[inspect.Parameter]:
        """The parameters of the method, self included.

        Raises:
            TypeError, ValueError: it is nothing that could be called, or does not tell.
        """
        return parameters_of(self.method)

    @property
    def over(self) -> tuple[object, ...]:
        """What a fan-out goes over; more than one where it was declared wrongly."""
        return _one_by_one(self.options.over)

    @property
    def after(self) -> tuple[object, ...]:
        """What was given as `after`, one by one."""
        return _one_by_one(self.options.after)

    @property
    def before(self) -> tuple[object, ...]:
        """All that it comes after by its decorator."""
        return (*self.over, *self.after)

    @property
    def passes_values(self) -> bool:
        """Whether the results of what was given as `after` are offered to the method."""
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

    def __flow_declares__(self, job: Job[object]) -> bool:
        body: Any = getattr(job, "body", None)
        flow: object = getattr(body, "flow", None)
        if not issubclass(type(flow), FlowBase):
            return False
        current = inspect.getattr_static(type(flow), body.name, None)
        # What redefines it has its name, in a flow that derives from its own.
        return current is self or (
            isinstance(current, Declaration)
            and body.name == self.name
            and self.owner in type(flow).__mro__
        )

    def __flow_follow__(self, before: Sequence[Declaration[object]]) -> None:
        for other in before:
            if not isinstance(other, Declaration):
                raise TypeError(
                    f"{repr_line(self)} is a declaration and {repr_line(other)} is not:"
                    " they cannot be chained"
                )
        if self.owner is None:
            self.followed.update(dict.fromkeys(before))

    def __flow_chained__(self, _chain: Chain[Declaration[object]]) -> bool:
        if self.owner is not None:
            return False  # declared in a class that is made already
        self.chains.append(_chain)
        return True

    def __repr__(self) -> str:
        parts = [class_name(self), line(self.name)]
        for word, others in (("over", self.over), ("after", self.after)):
            names = [
                line(other.name) if isinstance(other, Declaration) else repr_line(other)
                for other in others
            ]
            if names:
                parts.append(f"{word}=({', '.join(names)})")
        if self.options.critical:
            parts.append("critical")
        return f"<{' '.join(parts)}>"


@attrs.frozen(eq=False, repr=False)
class Decorator:
    """A decorator that has its options, and not yet its method."""

    kind: type[Declaration[object]]
    options: Options

    def __call__(self, method: object) -> Declaration[object]:
        """Declare the method."""
        return self.kind(method, self.options)


def _one_by_one(given: object) -> tuple[object, ...]:
    if given is None:
        return ()
    if isinstance(given, (tuple, list)):
        return tuple(cast("Sequence[object]", given))
    return (given,)


def _text_of(method: object, attribute: str) -> str:
    try:
        text: object = getattr(method, attribute, "")
    except Exception:  # whatever it is, a decorator does not raise on its account
        return ""
    return text if isinstance(text, str) else ""


def instead_on(
    cls: type | None, declared: Declaration[object], caller: CodeType, *, is_own: bool = False
) -> str:
    """Say what to write where a declaration is called as a method, on a flow of a class.

    Args:
        cls: the class.
        declared: the declaration.
        caller: the code that has called it.
        is_own: whether its own job has called it, be it by way of other code.
    """
    bases = () if cls is None else cls.__mro__
    found: list[object] = [vars(base).get(declared.name) for base in bases]
    same = [one for one in found if isinstance(one, Declaration)]
    return instead_of_call(declared, same, caller, is_own=is_own)

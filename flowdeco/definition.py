"""The definition of a flow class: what its body declares, collected and checked.

Nothing here runs anything. All mistakes of a class are found together, and named by method, file
and line.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, Final

import attrs

from .chain import Chain
from .declaration import Declaration
from .errors import DefinitionError
from .graph import CircularError, topological_order
from .limits import check_seconds, check_window

__all__ = ["RESERVED", "Definition", "define"]

RESERVED: Final = frozenset(
    {"run", "co_run", "scheduler", "list", "debrief", "to_dot", "to_mermaid", "to_image"}
)
"""The names of a flow's own methods, beside all that begin with `_flow`."""


@attrs.frozen(eq=False)
class Definition:
    """What a flow class declares, inherited declarations included.

    `declarations` are in order: those of base classes first. `edges` has, by the name of each
    declaration, the names of all that it comes after; `takes` the names of those whose values
    its method receives.
    """

    declarations: Mapping[str, Declaration[object]]
    edges: Mapping[str, tuple[str, ...]]
    takes: Mapping[str, tuple[str, ...]]
    chained: tuple[tuple[str, str], ...]
    """The edges that chains add, each from the later one to the earlier."""
    hooks: Mapping[str, tuple[str, ...]]
    """By the name of a declaration, those of the methods to call at the end of every run."""


EMPTY: Final = Definition({}, {}, {}, (), {})


def define(cls: type, definitions: Callable[[type], Definition | None]) -> Definition:
    """Collect what a class declares, and check it.

    Args:
        cls: the class; its bases are defined already.
        definitions: returns the definition of a base, None for one that is no flow.

    Returns:
        The definition.

    Raises:
        DefinitionError: the class has mistakes; it names all of them.
    """
    bases = [found for base in cls.__mro__[1:] if (found := definitions(base)) is not None]
    own = dict(_declared_in(cls))
    inherited: dict[str, Declaration[object]] = {}
    for base in reversed(bases):
        inherited.update(base.declarations)
    inherited = {name: _resolved(cls, name, old) for name, old in inherited.items()}
    declarations = {**inherited, **{value.name: value for value in own.values()}}
    chained = dict.fromkeys(edge for base in reversed(bases) for edge in base.chained)
    chained.update(dict.fromkeys(_chained_edges(cls, declarations)))
    problems = list(_Checks(cls, own, inherited, declarations).problems())
    definition = _assembled(declarations, tuple(chained), _hooks(cls, bases, own.values()))
    if not problems:
        problems += _cycles(cls, definition)
    if problems:
        raise DefinitionError(cls.__qualname__, problems)
    return definition


def _declared_in(cls: type) -> Iterator[tuple[str, Declaration[object]]]:
    for name, value in vars(cls).items():
        if isinstance(value, Declaration):
            yield name, value


def _resolved(cls: type, name: str, declared: Declaration[object]) -> Declaration[object]:
    # The order of resolution decides which of several bases has the last word.
    found: object = inspect.getattr_static(cls, name, None)
    return found if isinstance(found, Declaration) else declared


def _assembled(
    declarations: Mapping[str, Declaration[object]],
    chained: tuple[tuple[str, str], ...],
    hooks: Mapping[str, tuple[str, ...]],
) -> Definition:
    edges: dict[str, dict[str, None]] = {name: {} for name in declarations}
    takes: dict[str, tuple[str, ...]] = {}
    for name, declared in declarations.items():
        before = [other.name for other in declared.before if isinstance(other, Declaration)]
        edges[name].update(dict.fromkeys(before))
        takes[name] = tuple(before) if _wanted(declared) else ()
    for later, earlier in chained:
        edges[later][earlier] = None
    return Definition(
        declarations,
        {name: tuple(before) for name, before in edges.items()},
        takes,
        chained,
        hooks,
    )


def _hooks(
    cls: type, bases: Sequence[Definition], own: Iterable[Declaration[object]]
) -> dict[str, tuple[str, ...]]:
    """Which methods of this class, and of its bases, were registered with which declaration."""
    hooks: dict[str, dict[str, None]] = {}
    for base in reversed(bases):
        for name, methods in base.hooks.items():
            hooks.setdefault(name, {}).update(dict.fromkeys(methods))
    inherited = (declared for base in bases for declared in base.declarations.values())
    for declared in dict.fromkeys((*own, *inherited)):
        for hook in declared.hooks:
            # Registered in another subclass, it does not count here.
            if vars(cls).get(hook.__name__) is hook:
                hooks.setdefault(declared.name, {})[hook.__name__] = None
    return {name: tuple(methods) for name, methods in hooks.items()}


def _wanted(declared: Declaration[object]) -> int:
    """How many values the method takes."""
    method = declared.method
    if not isinstance(method, FunctionType) or not declared.passes_values:
        return 0
    return max(0, method.__code__.co_argcount - 1)


def _chained_edges(
    cls: type, declarations: Mapping[str, Declaration[object]]
) -> Iterator[tuple[str, str]]:
    """The edges of all chains that count for this class, from the later name to the earlier."""
    chains: dict[Chain[Any], None] = {}
    for value in vars(cls).values():
        if isinstance(value, Declaration) and value.owner is cls:
            chains.update(dict.fromkeys(value.chains))
        elif isinstance(value, Chain):
            chains[value] = None
    seen: set[Chain[Any]] = set()
    for chain in chains:
        for part in chain.parts(seen):
            for before, after in part.joints:
                for later in after:
                    for earlier in before:
                        yield from _edge(declarations, later, earlier)


def _edge(
    declarations: Mapping[str, Declaration[object]], later: object, earlier: object
) -> Iterator[tuple[str, str]]:
    if not isinstance(later, Declaration) or not isinstance(earlier, Declaration):
        return
    if later.name in declarations and earlier.name in declarations:
        yield later.name, earlier.name


def _cycles(cls: type, definition: Definition) -> Iterator[str]:
    try:
        topological_order(definition.edges)
    except CircularError as error:
        names = [str(name) for name in error.nodes]
        place = _place(definition.declarations[names[0]].method)
        yield (
            f"{cls.__qualname__}: these wait for each other: {' -> '.join(names)} ({place});"
            " remove one of the `after=` or `>>` between them"
        )


@attrs.frozen
class _Checks:
    """The checks of one class."""

    cls: type
    own: Mapping[str, Declaration[object]]
    inherited: Mapping[str, Declaration[object]]
    declarations: Mapping[str, Declaration[object]]

    def problems(self) -> Iterator[str]:
        for name, declared in self.own.items():
            if declared.name == name:
                for problem in self._of(declared):
                    yield self._placed(declared, problem)
        yield from self._of_names()

    def _placed(self, declared: Declaration[object], problem: str) -> str:
        return f"{self.cls.__qualname__}.{declared.name} ({_place(declared.method)}): {problem}"

    def _of(self, declared: Declaration[object]) -> Iterator[str]:
        yield from _reserved(declared.name)
        yield from self._of_method(declared)
        yield from self._of_after(declared)
        yield from self._of_options(declared)

    def _of_method(self, declared: Declaration[object]) -> Iterator[str]:
        method, kind = declared.method, declared.kind
        if isinstance(method, Declaration):
            yield f"it is decorated twice; keep one of @{method.kind} and @{kind}"
        elif isinstance(method, _NO_METHODS):
            yield (
                f"@{kind} stands on a {_kind(method)}; a {kind} is a method"
                f" of the instance: write `async def {declared.name}(self)`"
            )
        elif not isinstance(method, FunctionType):
            yield (
                f"@{kind} stands on {method!r}, which is no function;"
                f" write `async def {declared.name}(self)`"
            )
        elif method.__name__ == "<lambda>":
            yield f"@{kind} stands on a lambda; write `async def {declared.name}(self)`"
        elif kind == "step" and _yields(method):
            yield "it is a step and yields; did you mean @service?"
        elif inspect.isgeneratorfunction(method):
            yield f"it yields, and so must be async; write `async def {declared.name}(self)`"
        elif kind == "each" and _yields(method):
            yield "it yields; return the result for the item instead"
        elif kind == "subflow" and (inspect.iscoroutinefunction(method) or _yields(method)):
            yield f"it makes flows at once, so it is not async; write `def {declared.name}(self)`"
        elif kind == "service" and not inspect.iscoroutinefunction(method) and not _yields(method):
            yield f"a service is async; write `async def {declared.name}(self)`"
        else:
            yield from self._of_parameters(declared, method)

    def _of_parameters(self, declared: Declaration[object], method: FunctionType) -> Iterator[str]:
        parameters = list(inspect.signature(method).parameters.values())
        if not parameters:
            yield f"it has no self; write `async def {declared.name}(self)`"
            return
        others = parameters[1:]
        unusual = [p for p in others if p.default is not p.empty or p.kind not in _POSITIONAL]
        if unusual:
            yield (
                f"{_listed(p.name for p in unusual)} cannot be passed; the parameters of a"
                f" {declared.kind} are plain ones, without defaults: make a field of it"
            )
            return
        offered = len(declared.before) if declared.passes_values else 0
        if declared.kind == "each" and len(others) != 1:
            yield (
                f"it takes {_counted(len(others), 'value')} and is called with one item; write"
                f" `def {declared.name}(self, item)`"
            )
            return
        if others and len(others) != offered:
            names = _listed(p.name for p in others)
            yield (
                f"it takes {_counted(len(others), 'value')} ({names}) and comes after"
                f" {offered if declared.passes_values else 'a list, which passes none'}"
                if isinstance(declared.options.after, list)
                else f"it takes {_counted(len(others), 'value')} ({names}) and `after=` gives"
                f" {offered}; name as many declarations there, or take none"
            )

    def _of_after(self, declared: Declaration[object]) -> Iterator[str]:
        if declared.kind == "each" and len(declared.before) != 1:
            yield "@each goes over one declaration; write @each(name)"
        for other in declared.before:
            if isinstance(other, str):
                yield self._string(declared, other)
            elif not isinstance(other, Declaration):
                yield (
                    f"`after=` has {other!r} ({type(other).__name__}), which is no declaration;"
                    " name a method that is decorated above"
                )
            elif other is declared:
                yield f"it comes after itself: {declared.name} -> {declared.name}"
            elif self.declarations.get(other.name) is None:
                owner = other.owner.__qualname__ if other.owner is not None else "no flow"
                yield (
                    f"`after=` names {other.name}, which is declared in {owner};"
                    f" name a declaration of this flow, or derive it from {owner}"
                )

    def _string(self, declared: Declaration[object], text: str) -> str:
        close = difflib.get_close_matches(
            text, [n for n in self.declarations if n != declared.name]
        )
        name = close[0] if close else text
        return f"`after=` has the string {text!r}; write the declaration itself: after={name}"

    def _of_options(self, declared: Declaration[object]) -> Iterator[str]:
        options = declared.options
        for check, value, name in (
            (check_seconds, options.timeout, "timeout"),
            (check_window, options.window, "window"),
        ):
            try:
                check(value, name)
            except (TypeError, ValueError) as error:
                yield str(error)
        for hook in declared.hooks:
            if hook.__name__ == declared.name:
                yield (
                    f"the method under @{declared.name}.shutdown has the name of the"
                    f" {declared.kind}; write `async def close_{declared.name}(self)`"
                )
            elif not inspect.iscoroutinefunction(hook):
                yield (
                    f"the method under @{declared.name}.shutdown must be async; write"
                    f" `async def {hook.__name__}(self)`"
                )
        if options.critical is not None and not isinstance(options.critical, bool):
            yield f"critical must be True, False or None, not {options.critical!r}"
        if options.timeout is not None and declared.forever and not _yields(declared.method):
            yield (
                "timeout bounds the time until a service yields, and this one does not yield;"
                " drop timeout="
            )

    def _of_names(self) -> Iterator[str]:
        where = f"{self.cls.__qualname__} ({_file_of(self.cls)})"
        annotated = vars(self.cls).get("__annotations__", {})
        members: dict[str, object] = dict(vars(self.cls))
        for name, value in members.items():
            kind = _kind(value)
            if isinstance(getattr(value, "__func__", None), Declaration):
                yield f"{where}: {name} is a {kind} over a declaration; drop that decorator"
            elif name in self.inherited and not isinstance(value, Declaration):
                yield self._hidden(name, value)
            elif isinstance(value, Chain) and name in annotated:
                yield (
                    f"{where}: the chain {name} is annotated, which makes a field of it;"
                    f" write `{name} = ...`"
                )
            elif name in annotated and isinstance(value, _MUTABLE):
                yield (
                    f"{where}: the default of {name} would be shared by all instances; write"
                    f" `{name}: ... = attrs.field(factory={kind})`"
                )
        for name in annotated:
            yield from (f"{where}: {problem}" for problem in _reserved(name))
            if name in self.declarations:
                yield (
                    f"{where}: {name} is both a field and a {self.declarations[name].kind};"
                    " rename one of them"
                )

    def _hidden(self, name: str, value: object) -> str:
        declared = self.inherited[name]
        owner = declared.owner.__qualname__ if declared.owner is not None else "its base"
        mend = "decorate it again" if callable(value) else "rename it"
        return (
            f"{self.cls.__qualname__}.{name} ({_place(value)}): it would hide the {declared.kind}"
            f" {name} of {owner}; {mend}: @{declared.kind}"
        )


_NO_METHODS: tuple[type, ...] = (staticmethod, classmethod, property)
_MUTABLE: tuple[type, ...] = (list, dict, set)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _yields(method: object) -> bool:
    return inspect.isasyncgenfunction(method)


def _reserved(name: str) -> Iterator[str]:
    dunder = re.fullmatch(r"__\w+__", name) is not None
    if name in RESERVED or name.startswith("_flow") or dunder:
        yield (
            f"the name {name} is taken; those of a flow itself are {_listed(sorted(RESERVED))},"
            " and what begins with _flow: choose another"
        )


def _kind(value: object) -> str:
    return type(value).__name__


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _place(method: object) -> str:
    function = inspect.unwrap(method) if callable(method) else method
    function = getattr(function, "__func__", getattr(function, "fget", function))
    if isinstance(function, Declaration):
        function = function.method
    code = getattr(function, "__code__", None)
    return "unknown place" if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _file_of(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) or cls.__module__

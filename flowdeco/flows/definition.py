"""The definition of a flow class: what its body declares, collected, and checked as a whole.

Nothing here runs anything.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from flowdeco.base.graph import CircularError, topological_order
from flowdeco.errors import DefinitionError
from flowdeco.jobs.chain import Chain

from .checks import Checks, names_in, place
from .declaration import Declaration
from .wording import is_body

__all__ = ["EMPTY", "Definition", "define"]


@attrs.frozen(eq=False, repr=False)
class Definition:
    """What a flow class declares, inherited declarations included.

    `declarations` are in order: those of base classes first. `edges` has, by the name of each
    declaration, the names of all that it comes after; `inputs` the names of those whose values
    its method receives.
    """

    declarations: Mapping[str, Declaration[object]]
    edges: Mapping[str, tuple[str, ...]]
    inputs: Mapping[str, tuple[str, ...]]
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
    chains = dict(_chains_in(cls))
    hooks = _merged(base.hooks for base in reversed(bases))
    # Each once, though several parts of a chain may have it.
    problems = list(dict.fromkeys(Checks(cls, own, inherited, chains, hooks).problems()))

    declarations = {**inherited, **own}
    chained = dict.fromkeys(edge for base in reversed(bases) for edge in base.chained)
    chained.update(dict.fromkeys(_chained_edges(chains, cls)))
    known = (*own.values(), *(old for base in bases for old in base.declarations.values()))
    hooks = _merged([hooks, _hooks(cls, known)])
    definition = _assembled(cls, declarations, tuple(chained), hooks)
    problems += _cycles(cls, definition)
    if problems:
        raise DefinitionError(cls.__qualname__, problems)
    return definition


def _declared_in(cls: type) -> Iterator[tuple[str, Declaration[object]]]:
    for name, value in vars(cls).items():
        # Under another name it is declared by that one; and what is of an unrelated flow is
        # a mistake, which is not made better by what follows from it.
        if isinstance(value, Declaration) and value.name == name and value.owner in cls.__mro__:
            yield name, value


def _resolved(cls: type, name: str, declared: Declaration[object]) -> Declaration[object]:
    # The order of resolution decides which of several bases has the last word.
    found: object = inspect.getattr_static(cls, name, None)
    return found if isinstance(found, Declaration) else declared


def _chains_in(cls: type) -> Iterator[tuple[Chain[Any], str]]:
    """The chains that count for a class, and their parts, each with a name that is near to it."""
    named: dict[Chain[Any], str] = {}
    for name, value in vars(cls).items():
        if isinstance(value, Declaration) and value.owner is cls:
            named.update((chain, value.name) for chain in value.chains)
        elif isinstance(value, Chain):
            named[value] = name
    seen: set[Chain[Any]] = set()
    for chain, name in named.items():
        for part in chain.parts(seen):
            yield part, name


def _chained_edges(chains: Iterable[Chain[Any]], cls: type) -> Iterator[tuple[str, str]]:
    """The edges of chains, from the later name to the earlier."""
    for chain in chains:
        for before, after in chain.joints:
            for later in _of_class(cls, after):
                for earlier in _of_class(cls, before):
                    yield later.name, earlier.name


def _of_class(cls: type, atoms: Iterable[object]) -> list[Declaration[object]]:
    # The others are mistakes, and must not lead to more of them.
    return [atom for atom in atoms if isinstance(atom, Declaration) and atom.owner in cls.__mro__]


def _assembled(
    cls: type,
    declarations: Mapping[str, Declaration[object]],
    chained: tuple[tuple[str, str], ...],
    hooks: Mapping[str, tuple[str, ...]],
) -> Definition:
    edges: dict[str, dict[str, None]] = {name: {} for name in declarations}
    inputs: dict[str, tuple[str, ...]] = {}
    for name, declared in declarations.items():
        over = [other.name for other in _of_class(cls, declared.over)]
        after = [other.name for other in _of_class(cls, declared.after)]
        edges[name].update(dict.fromkeys([*over, *after]))
        inputs[name] = (*over, *after) if _takes_values(declared) else tuple(over)
    for later, earlier in chained:
        edges[later][earlier] = None
    return Definition(
        declarations,
        {name: tuple(before) for name, before in edges.items()},
        inputs,
        chained,
        hooks,
    )


def _takes_values(declared: Declaration[object]) -> bool:
    if not declared.passes_values or not is_body(declared):
        return False
    try:
        own = 1 + len(declared.over)  # self, and the item of a fan-out
        return declared.takes_anything or len(declared.parameters) > own
    except (TypeError, ValueError):
        return False  # a mistake, which is told as one


def _hooks(cls: type, declared: Iterable[Declaration[object]]) -> dict[str, tuple[str, ...]]:
    """Which methods of this class were registered, by the names of the declarations."""
    names = names_in(cls)
    hooks: dict[str, dict[str, None]] = {}
    for one in declared:
        for hook in one.hooks:
            # Registered in another subclass, it does not count here.
            if id(hook) in names:
                hooks.setdefault(one.name, {})[names[id(hook)]] = None
    return {name: tuple(methods) for name, methods in hooks.items()}


def _merged(all_hooks: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    merged: dict[str, dict[str, None]] = {}
    for hooks in all_hooks:
        for name, methods in hooks.items():
            merged.setdefault(name, {}).update(dict.fromkeys(methods))
    return {name: tuple(methods) for name, methods in merged.items()}


def _cycles(cls: type, definition: Definition) -> Iterator[str]:
    """Find a cycle, and another one that is there without it, until there is none."""
    edges = {name: dict.fromkeys(before) for name, before in definition.edges.items()}
    while True:
        try:
            topological_order(edges)
        except CircularError as error:
            first, second, *_ = names = [str(name) for name in error.nodes]
            del edges[second][first]
            yield (
                f"{cls.__qualname__}.{first} ({place(cls, first)}): these wait for each other:"
                f" {' -> '.join(names)}; remove one of the `after=` or `>>` between them"
            )
        else:
            return

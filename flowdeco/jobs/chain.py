"""Chains: what `>>` makes of jobs, or of declarations."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Generic, TypeAlias, cast

if sys.version_info >= (3, 13):  # not asked of the other, which takes longer to import
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

from flowdeco.base.text import class_name, repr_line

__all__ = ["Chain", "ChainMember", "Chainable", "Edges", "Stage"]

N = TypeVar("N", default=Any)

Stage: TypeAlias = "Chainable[N] | Sequence[Chainable[N]]"


class Chainable(Generic[N]):
    """Anything that `>>` accepts; N is what it is made of in the end: jobs, or declarations."""

    __slots__ = ()

    def __rshift__(self, other: Stage[N]) -> Chain[N]:
        return Chain(self, other) if _is_stage(other) else NotImplemented

    def __rrshift__(self, other: Sequence[Chainable[N]]) -> Chain[N]:
        return Chain(other, self) if _is_stage(other) else NotImplemented


class ChainMember(Chainable[N]):
    """What a chain is made of. It decides what it means to stand behind others."""

    __slots__ = ()

    def __flow_follow__(self, before: Sequence[N]) -> None:
        """Take note that this comes after all of `before`."""
        raise NotImplementedError

    def __flow_chained__(self, _chain: Chain[N]) -> bool:
        """Take note of a chain that this is part of; whether such notes are of use."""
        return False


Edges: TypeAlias = "tuple[tuple[N, ...], tuple[N, ...]]"
"""Each of the second comes after all of the first."""


class Chain(Chainable[N]):
    """Stages that run one after the other: `Chain(a, [b, c], d)` is `a >> [b, c] >> d`.

    A stage is a job (or a declaration), a chain, or a list or tuple of them, which run in parallel.
    Stages without members count as if they were not there, and so does None. Iterating gives the
    members, each once, in the order in which they are written.

    Args:
        stages: what runs one after the other.

    Raises:
        TypeError: a stage is none of these, or jobs and declarations are mixed.
    """

    __slots__ = ("_anchor", "_stages", "heads", "joints", "tails")

    heads: tuple[N, ...]
    """What starts the chain."""
    tails: tuple[N, ...]
    """What ends the chain; what comes after the chain waits for these."""
    joints: tuple[Edges[N], ...]
    """The edges that this chain adds to those of its stages."""

    def __init__(self, *stages: Stage[N] | None) -> None:
        given = cast("tuple[Stage[N], ...]", stages)
        if None in stages:
            given = tuple(stage for stage in stages if stage is not None)
        ends = [_ends(stage) for stage in given]
        self._stages = given
        self.heads = self.tails = ()
        joints: list[Edges[N]] = []
        for heads, tails in ends:
            if not heads:
                continue
            if self.tails:
                _link(self.tails, heads)
                joints.append((self.tails, heads))
            else:
                self.heads = heads
            self.tails = tails
        self.joints = tuple(joints)
        self._anchor = self._find_anchor()

    def _find_anchor(self) -> ChainMember[N] | None:
        # One member that takes note of the chain is enough, and keeps long chains linear: the
        # parts of this one have found theirs already.
        for stage in self._stages:
            for link in stage if isinstance(stage, (list, tuple)) else (stage,):
                atom = link._anchor if isinstance(link, Chain) else cast("ChainMember[N]", link)
                if atom is not None and atom.__flow_chained__(self):
                    return atom
        return None

    def requires(self, *others: Stage[N] | AbstractSet[Chainable[N]] | None) -> Chain[N]:
        """Make what starts this chain come after all of `others`; return this chain.

        Args:
            others: jobs, chains, None, and collections of them.

        Raises:
            TypeError: one of them cannot be part of a chain.
        """
        stages = [list(other) if isinstance(other, AbstractSet) else other for other in others]
        for _, tails in [_ends(stage) for stage in stages if stage is not None]:
            _link(tails, self.heads)
            self.joints += ((tails, self.heads),)
            if self._anchor is None:
                # Its own members take no note of it any more; of what they wait for, one may.
                notes = (
                    atom for atom in tails if cast("ChainMember[N]", atom).__flow_chained__(self)
                )
                self._anchor = cast("ChainMember[N] | None", next(notes, None))
        return self

    def parts(self, seen: set[Chain[N]]) -> Iterator[Chain[N]]:
        """Iterate over this chain and all that it is made of, but for those seen already.

        Args:
            seen: is kept up, so that walking through all prefixes of a chain is linear.
        """
        found: list[Chain[N]] = [self]
        while found:
            chain = found.pop()
            if chain in seen:
                continue
            seen.add(chain)
            yield chain
            found.extend(link for link in _links(chain._stages) if isinstance(link, Chain))

    def __iter__(self) -> Iterator[N]:
        seen: dict[N, None] = {}
        levels: list[Iterator[Chainable[N]]] = [_links(self._stages)]
        while levels:
            for link in levels[-1]:
                if isinstance(link, Chain):
                    levels.append(_links(link._stages))
                    break
                atom = cast("N", link)
                if atom not in seen:
                    seen[atom] = None
                    yield atom
            else:
                levels.pop()

    def __repr__(self) -> str:
        return f"<Chain of {sum(1 for _ in self)}>"


def _links(stages: Iterable[Stage[N]]) -> Iterator[Chainable[N]]:
    for stage in stages:
        if isinstance(stage, (list, tuple)):
            yield from stage
        else:
            yield cast("Chainable[N]", stage)


def _is_stage(value: object) -> bool:
    """Whether `>>` takes it; a list with anything else in it is refused when it is used."""
    return isinstance(value, (Chainable, list, tuple))


def _link(before: tuple[N, ...], after: tuple[N, ...]) -> None:
    for atom in after:
        cast("ChainMember[N]", atom).__flow_follow__(before)


def _ends(stage: Stage[N]) -> Edges[N]:
    """What a stage starts with, and what it ends with."""
    if isinstance(stage, Chain):
        return stage.heads, stage.tails
    if isinstance(stage, ChainMember):
        return (cast("N", stage),), (cast("N", stage),)
    if not isinstance(stage, (list, tuple)):
        raise TypeError(
            "a chain is made of jobs, chains, and lists or tuples of them, not"
            f" {repr_line(stage)} ({class_name(stage)})"
        )
    heads: dict[N, None] = {}
    tails: dict[N, None] = {}
    for link in stage:
        link_heads, link_tails = _ends(link)
        heads.update(dict.fromkeys(link_heads))
        tails.update(dict.fromkeys(link_tails))
    return tuple(heads), tuple(tails)

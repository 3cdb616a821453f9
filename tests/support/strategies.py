"""Hypothesis strategies: graphs, flow classes, and text that means no good."""

from __future__ import annotations

import itertools

import attrs
from hypothesis import strategies as st

SPECIAL = [
    "",
    '"',
    "\\",
    "ends in one\\",
    'x"]; evil [label="pwn"]',
    "two\nlines\r\n",
    "\x00",
    "\x1b[2J\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m",
    "\u202eright to left\u2066",
    "\u2028\u2029\x85",
    "\ud800 lone \udfff",
    "\udcff",
    "<b>html</b>",
    "</script>",
    r"\N \G \l \r \E \T \H",
    "{a|<port> b}",
    "{} {0} %s %(x)d [red]",
    "\U0001f469\u200d\U0001f52c",
    "e\u0301",
    "x" * 500,
]
"""Texts that a terminal, Graphviz or a formatter gives a meaning to."""

# Any code point, lone surrogates included, which text() leaves out by default.
texts = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.text(st.sampled_from('\\"{}<>|;[]NGlr\n\r\x00\x1b\u202e\ud800 a')),
    st.sampled_from(SPECIAL),
    st.lists(st.sampled_from(SPECIAL), max_size=3).map("".join),
)
"""Any text, and often a special one."""


@st.composite
def graphs(draw, nodes=8):
    """Nodes, each with those before it; there may be cycles."""
    names = draw(st.permutations(range(draw(st.integers(0, nodes)))))
    before = st.lists(st.sampled_from(names), max_size=3) if names else st.just([])
    return {name: draw(before) for name in names}


@st.composite
def acyclic_graphs(draw, nodes=12):
    """Nodes in any order, each with those before it; there are no cycles."""
    order = draw(st.permutations(range(draw(st.integers(0, nodes)))))
    before = {
        name: draw(st.lists(st.sampled_from(order[:place]), max_size=4)) if place else []
        for place, name in enumerate(order)
    }
    return {name: before[name] for name in draw(st.permutations(order))}


@attrs.frozen
class StepLine:
    """A step in the body of a class; `shape` is how `after` is written: one, tuple or list."""

    name: str
    after: tuple[str, ...]
    shape: str
    takes: bool


@attrs.frozen
class ChainLine:
    """A chain in the body of a class; what is in one stage runs in parallel."""

    name: str | None
    stages: tuple[tuple[str, ...], ...]
    arrows: bool


@st.composite
def flow_bodies(draw, levels=3, steps=4):
    """The bodies of a flow class and of its subclasses, each derived from the one before it.

    A line names only what an earlier line, or a base, declares. There may be cycles.
    """
    names = "abcdefgh"
    inherited: list[str] = []
    bodies = []
    for level in range(draw(st.integers(1, levels))):
        body: list[StepLine | ChainLine] = []
        known = list(inherited)
        for name in draw(st.lists(st.sampled_from(names), max_size=steps, unique=True)):
            body.append(draw(_steps(name, known)))
            known = [*known, name] if name not in known else known
            if draw(st.booleans()):
                body.append(draw(_chains(known, f"order_{level}_{name}")))
        if inherited and draw(st.booleans()):
            place = draw(st.integers(0, len(body)))
            body.insert(place, draw(_chains(inherited, f"order_{level}")))
        bodies.append(body)
        inherited = known
    return bodies


@st.composite
def _steps(draw, name, known):
    shape = draw(st.sampled_from(["none", "one", "tuple", "list"])) if known else "none"
    most = {"none": 0, "one": 1}.get(shape, 3)
    after = (
        draw(st.lists(st.sampled_from(known), min_size=min(1, most), max_size=most)) if most else []
    )
    takes = shape in ("one", "tuple") and draw(st.booleans())
    return StepLine(name, tuple(after), shape, takes)


@st.composite
def _chains(draw, known, name):
    members = draw(st.lists(st.sampled_from(known), min_size=1, max_size=5))
    if draw(st.booleans()):
        members = sorted(set(members), key=known.index)
    cuts = sorted(draw(st.sets(st.integers(0, len(members)), max_size=3)))
    edges = [0, *cuts, len(members)]
    stages = [tuple(members[start:end]) for start, end in itertools.pairwise(edges)]
    named = draw(st.booleans())
    return ChainLine(name if named else None, tuple(stages), draw(st.booleans()))

"""Hypothesis strategies: graphs, and text that means no good."""

from __future__ import annotations

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

"""The graph algorithms, over mappings of anything."""

from __future__ import annotations

import graphlib
import itertools

import pytest
from hypothesis import given
from strategies import acyclic_graphs, graphs

from flowdeco.base.graph import CircularError, closure, reverse, topological_order

LONG = 100_000


def edges(predecessors):
    """All edges, from the earlier node to the later one."""
    return [(before, node) for node, all_before in predecessors.items() for before in all_before]


@given(acyclic_graphs())
def test_order_has_each_node_once_after_its_predecessors(graph):
    """Each node stands once in the order, behind all that come before it."""
    order = topological_order(graph)

    assert sorted(order) == sorted(graph)
    place = {node: number for number, node in enumerate(order)}
    assert [(a, b) for a, b in edges(graph) if place[a] >= place[b]] == []


@given(acyclic_graphs())
def test_order_of_a_mapping_that_is_in_order_is_kept(graph):
    """Where the mapping already is in topological order, that order is the answer (rule 16)."""
    in_order = {node: graph[node] for node in graphlib.TopologicalSorter(graph).static_order()}

    assert topological_order(in_order) == list(in_order)


@given(acyclic_graphs())
def test_order_of_unrelated_nodes_is_that_of_the_mapping(graph):
    """A node without predecessors is overtaken only by what comes before something else."""
    order = topological_order(graph)
    alone = set(graph) - {node for edge in edges(graph) for node in edge}

    assert [node for node in order if node in alone] == [node for node in graph if node in alone]


def test_a_node_moves_forward_only_as_far_as_it_must():
    """What is needed later stays where it is."""
    graph = {"a": ["c"], "b": [], "c": [], "d": []}

    assert topological_order(graph) == ["c", "a", "b", "d"]


@given(graphs())
def test_a_cycle_is_found_if_there_is_one(graph):
    """G01 G04: there is an order, or a cycle along existing edges with its first node repeated."""
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
        acyclic = True
    except graphlib.CycleError:
        acyclic = False

    try:
        topological_order(graph)
    except CircularError as error:
        first, *others = error.nodes
        assert not acyclic
        assert first == others[-1]
        assert len(set(others)) == len(others)
        missing = set(itertools.pairwise(error.nodes)) - set(edges(graph))
        assert missing == set()
    else:
        assert acyclic


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        pytest.param({"a": ["a"]}, ["a", "a"], id="itself"),
        pytest.param({"a": ["b"], "b": ["a"]}, ["a", "b", "a"], id="two"),
        pytest.param({"a": ["c"], "b": ["a"], "c": ["b"]}, ["a", "b", "c", "a"], id="three"),
        pytest.param(
            {"entry": [], "a": ["entry", "b"], "b": ["a"], "exit": ["b"]},
            ["a", "b", "a"],
            id="behind an entry",
        ),
    ],
)
def test_a_cycle_is_told_in_the_order_of_its_edges(graph, expected):
    """G01 G02 G04: the cycle reads as its nodes would run, from the one first in the mapping."""
    with pytest.raises(CircularError) as caught:
        topological_order(graph)

    assert caught.value.nodes == expected


@pytest.mark.parametrize("turn", [lambda nodes: nodes, reversed], ids=["forward", "backward"])
def test_a_long_chain_does_not_recurse(turn):
    """G23: a chain of 100 000 is ordered in whatever order the mapping has it."""
    chain = {node: [node - 1] if node else [] for node in turn(range(LONG))}

    assert topological_order(chain) == list(range(LONG))


def test_a_long_cycle_does_not_recurse():
    """G23: a ring of 100 000 is found, and named in full."""
    ring = {node: [(node - 1) % LONG] for node in range(LONG)}

    with pytest.raises(CircularError) as caught:
        topological_order(ring)

    assert caught.value.nodes == [*range(LONG), 0]


def test_nothing_has_an_order():
    """G10: the order of an empty graph is empty."""
    assert topological_order({}) == []
    assert reverse({}) == {}
    assert closure({}, []) == {}


@given(graphs())
def test_reverse_turns_every_edge_round(graph):
    """The nodes keep their order, and every edge is there the other way, as often as before."""
    turned = reverse(graph)

    assert list(turned) == list(graph)
    assert sorted((a, b) for b, a in edges(turned)) == sorted(edges(graph))


@given(graphs())
def test_reverse_keeps_the_order_of_the_mapping(graph):
    """Successors stand in the order of the mapping (rule 16)."""
    places = {node: number for number, node in enumerate(graph)}

    for successors in reverse(graph).values():
        assert successors == sorted(successors, key=places.__getitem__)


@given(graphs())
def test_closure_is_what_a_walk_finds(graph):
    """It has what is one edge away, and what is one edge away from that, and nothing else."""
    starts = list(graph)[:2]
    expected = {node for start in starts for node in graph[start]}
    for _ in graph:
        expected |= {node for known in expected for node in graph[known]}

    assert set(closure(graph, starts)) == expected


def test_closure_has_a_start_only_if_it_is_reached_again():
    """A start counts as reached if some edge leads there."""
    assert list(closure({"a": ["b"], "b": []}, ["a"])) == ["b"]
    assert list(closure({"a": ["b"], "b": ["a"]}, ["a"])) == ["b", "a"]
    assert list(closure({"a": ["b"], "b": []}, ["b"])) == []


def test_a_long_closure_does_not_recurse():
    """G23: all of a chain of 100 000 is reached from its end."""
    chain = {node: [node - 1] if node else [] for node in range(LONG)}

    assert len(closure(chain, [LONG - 1])) == LONG - 1

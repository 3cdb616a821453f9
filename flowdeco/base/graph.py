"""Graph algorithms over mappings, which know of no job."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import TypeVar

N = TypeVar("N")

__all__ = ["CircularError", "closure", "heights", "reverse", "topological_order"]


class CircularError(ValueError):
    """The graph has a cycle: `nodes`, in the order of the edges, the first one repeated."""

    def __init__(self, nodes: list[object]) -> None:
        self.nodes = nodes
        super().__init__(nodes)


def topological_order(predecessors: Mapping[N, Iterable[N]]) -> list[N]:
    """Order the nodes so that each comes after its predecessors.

    1. The order of the mapping is kept wherever the graph allows it.
    2. Time and memory are linear, and nothing recurses.

    Args:
        predecessors: the nodes, each with those that come before it; these must be nodes too.

    Returns:
        Every node once.

    Raises:
        CircularError: there is a cycle.
    """
    order: list[N] = []
    # A node is in `pending` (with what is left of its predecessors) while the path leads through
    # it, and in `placed` once it stands in the order.
    placed: set[N] = set()
    for root in predecessors:
        if root in placed:
            continue
        pending: dict[N, Iterator[N]] = {root: iter(predecessors[root])}
        path = [root]
        while path:
            node = path[-1]
            for before in pending[node]:
                if before in pending:
                    raise CircularError(_cycle(path, before))
                if before not in placed:
                    pending[before] = iter(predecessors[before])
                    path.append(before)
                    break
            else:
                path.pop()
                del pending[node]
                placed.add(node)
                order.append(node)
    return order


def _cycle(path: list[N], start: N) -> list[object]:
    # The path leads backwards, from a node to what comes before it.
    nodes: list[object] = list(reversed(path[path.index(start) :]))
    return [nodes[-1], *nodes]


def reverse(predecessors: Mapping[N, Iterable[N]]) -> dict[N, list[N]]:
    """Turn all edges round: from each node's predecessors to each node's successors."""
    successors: dict[N, list[N]] = {node: [] for node in predecessors}
    for node, before in predecessors.items():
        for predecessor in before:
            successors[predecessor].append(node)
    return successors


def heights(predecessors: Mapping[N, Iterable[N]], counted: Container[N]) -> dict[N, int]:
    """Tell of each node how many of the counted ones follow on the longest way from it."""
    height = dict.fromkeys(predecessors, 0)
    for node in reversed(topological_order(predecessors)):
        above = height[node] + (node in counted)
        for predecessor in predecessors[node]:
            height[predecessor] = max(height[predecessor], above)
    return height


def closure(edges: Mapping[N, Iterable[N]], starts: Iterable[N]) -> dict[N, None]:
    """Collect what can be reached from `starts` by one edge or more, as an ordered set."""
    reached: dict[N, None] = {}
    frontier = list(starts)
    while frontier:
        node = frontier.pop()
        for following in edges[node]:
            if following not in reached:
                reached[following] = None
                frontier.append(following)
    return reached

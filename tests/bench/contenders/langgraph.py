"""LangGraph: a node for each job, without checkpoints, and a state that nobody writes to."""

from __future__ import annotations

from typing import TypedDict

from langgraph.graph import START, StateGraph


class State(TypedDict, total=False):
    nothing: int


async def build(requirements, bodies):
    graph = StateGraph(State)
    for job, required in enumerate(requirements):
        graph.add_node(f"job_{job}", performing(bodies[job]))
        before = [f"job_{other}" for other in required]
        graph.add_edge(before if len(before) > 1 else before[0] if before else START, f"job_{job}")
    return graph.compile(), len(requirements)


def performing(body):
    async def perform(state):
        await body()

    return perform


async def run(built):
    graph, size = built
    await graph.ainvoke({"nothing": 0}, {"recursion_limit": size + 2})

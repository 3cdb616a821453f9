"""pydantic-graph: a step for each job, a join before each that requires several."""

from __future__ import annotations

from pydantic_graph import GraphBuilder, reduce_null


async def build(requirements, bodies):
    builder = GraphBuilder(output_type=type(None))
    steps = []
    successors = [[] for _ in requirements]
    for job, required in enumerate(requirements):
        steps.append(builder.step(performing(bodies[job]), node_id=f"job_{job}"))
        target = steps[job]
        if len(required) > 1:
            target = joined(builder, f"before_{job}", steps[job])
        for before in required:
            successors[before].append(target)

    last = joined(builder, "last", builder.end_node)
    entries = [steps[job] for job, required in enumerate(requirements) if not required]
    builder.add(builder.edge_from(builder.start_node).to(*entries))
    for step, after in zip(steps, successors, strict=True):
        builder.add(builder.edge_from(step).to(*(after or [last])))
    return builder.build()


def performing(body):
    async def perform(_):
        await body()

    return perform


def joined(builder, name, target):
    """A join, which `target` comes after."""
    join = builder.join(reduce_null, initial=None, node_id=name)
    builder.add(builder.edge_from(join).to(target))
    return join


async def run(built):
    await built.run()

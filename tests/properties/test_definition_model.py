"""Random flow classes give the graph that an independent reading of their description gives."""

import graphlib
import itertools
import re

import pytest
from hypothesis import event, given
from strategies import ChainLine, StepLine, flow_bodies

from flowdeco import Chain, Flow, step
from flowdeco.errors import DefinitionError

# From the description to the source of the classes


def source_of(bodies):
    """Write the classes: A is a flow, B is derived from A, C from B."""
    lines = []
    owners = {}
    base = "Flow"
    for letter, body in zip("ABC", bodies, strict=False):
        lines.append(f"class {letter}({base}):")
        own = {}
        for line in body:
            write = write_step if isinstance(line, StepLine) else write_chain
            lines += [f"    {text}" for text in write(line, {**owners, **own})]
            if isinstance(line, StepLine):
                own[line.name] = line.name
        lines.append("    pass")
        owners |= {name: f"{letter}.{name}" for name in own}
        base = letter
    return "\n".join(lines)


def write_step(line, written):
    after = [written[name] for name in line.after]
    given = {
        "none": "",
        "one": f"after={', '.join(after)}",
        "tuple": f"after=({', '.join(after)}{',' if after else ''})",
        "list": f"after=[{', '.join(after)}]",
    }[line.shape]
    values = [f"value_{place}" for place in range(len(after) if line.takes else 0)]
    return [f"@step({given})", f"async def {line.name}({', '.join(['self', *values])}): ..."]


def write_chain(line, written):
    stages = [[written[name] for name in stage] for stage in line.stages]
    texts = [stage[0] if len(stage) == 1 else f"[{', '.join(stage)}]" for stage in stages]
    text = f"Chain({', '.join(texts)})"
    if line.arrows:
        text = " >> ".join([f"Chain({texts[0]})", *texts[1:]])
    return [text if line.name is None else f"{line.name} = {text}"]


# From the description to the graph


def graph_of(bodies):
    """Read the names in order, what each comes after, and whose values it takes."""
    names = {}
    chained = set()
    for body in bodies:
        own = set()
        for line in body:
            if isinstance(line, StepLine):
                names[line.name] = line
                own.add(line.name)
            elif line.name is not None or own.intersection(*[sum(line.stages, ())]):
                chained |= edges_of(line)
    before = {name: {*line.after} for name, line in names.items()}
    for earlier, later in chained:
        before[later].add(earlier)
    takes = {name: line.after if line.takes else () for name, line in names.items()}
    return before, takes


def edges_of(line: ChainLine):
    stages = [stage for stage in line.stages if stage]
    return {
        (earlier, later)
        for stage, following in itertools.pairwise(stages)
        for earlier in stage
        for later in following
    }


def is_cycle(path, before):
    return path[0] == path[-1] and all(
        earlier in before[later] for earlier, later in itertools.pairwise(path)
    )


@given(flow_bodies())
def test_graph_is_that_of_the_description(bodies):
    """Jobs in order, what they require and what they take; or a cycle, which is one."""
    namespace = {"Chain": Chain, "Flow": Flow, "step": step}
    for count in range(1, len(bodies) + 1):
        before, takes = graph_of(bodies[:count])
        source = source_of(bodies[:count])
        try:
            graphlib.TopologicalSorter(before).prepare()
        except graphlib.CycleError:
            event("a cycle")
            with pytest.raises(DefinitionError) as caught:
                exec(source, namespace)
            paths = [
                re.search(r"other: ([^;]*);", text)[1].split(" -> ")
                for text in caught.value.problems
            ]
            assert all(is_cycle(path, before) for path in paths)
            return
        exec(source, namespace)
        flow = namespace["ABC"[count - 1]]()
        assert [job.name for job in flow.scheduler] == list(before)
        for job in flow.scheduler:
            assert {other.name for other in job.required} == before[job.name]
            assert tuple(other.name for other in job.body.inputs) == takes[job.name]
    event(f"{len(bodies)} levels")

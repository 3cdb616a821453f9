"""Who is measured: a module each, with two coroutine functions, `build` and `run`.

`build(requirements, bodies)` makes of a graph and its bodies what can be run once; `run(built)`
returns when all jobs are done.
Both are awaited in one event loop, which is in place before the clocks start. A module may have
`around()`, an async context manager that sets up what is not measured.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import NamedTuple

__all__ = ["CONTENDERS", "FLOOR", "Contender", "load"]


class Contender(NamedTuple):
    """What a table calls it, and the packages it needs, as pip has them."""

    title: str
    packages: tuple[str, ...] = ()


FLOOR = "floor"
"""The one that all others are compared with."""

OWN = ("attrs", "typing-extensions")

CONTENDERS = {
    FLOOR: Contender("floor"),
    "scheduler": Contender("flowdeco Scheduler", OWN),
    "flow": Contender("flowdeco Flow", OWN),
    "taskgroup": Contender("graphlib with TaskGroup"),
    "asynciojobs": Contender("asynciojobs", ("asynciojobs==0.21.3",)),
    "hamilton": Contender("Hamilton", ("sf-hamilton",)),
    "pydantic_graph": Contender("pydantic-graph", ("pydantic-graph",)),
    "langgraph": Contender("LangGraph", ("langgraph",)),
    "dask": Contender("dask.distributed", ("distributed",)),
    "llamaindex": Contender("LlamaIndex", ("llama-index-workflows",)),
}


def load(name: str) -> ModuleType:
    """Import the module of a contender, and with it what it measures."""
    return importlib.import_module(f"{__name__}.{name}")

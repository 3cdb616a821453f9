"""The graph of a scenario as a picture."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping

from .job import AbstractJob
from .listing import Entry, numbered
from .marks import critical
from .text import line, printable

__all__ = ["quoted", "to_dot", "write"]


def quoted(text: str) -> str:
    """Return the text as a string of DOT, in which nothing is special.

    Graphviz gives a meaning to backslashes in labels and to the character references of HTML,
    and none to control characters.
    """
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{escaped}"'


def to_dot(name: str, listed: Iterable[Entry]) -> str:
    """Draw jobs in the language of Graphviz.

    Critical jobs are red and thick, those that run forever dashed; what is inside of a job is
    drawn in a cluster.
    """
    rows = numbered(listed)
    roots = tuple(row.entry for row in rows if not row.depth)
    numbers = {row.entry.job: row.number for row in rows}
    drawing = _Drawing(numbers)
    body = [*drawing.nodes(roots, 1), *drawing.edges(roots)]
    head = [
        f"digraph {quoted(name)} {{",
        "  compound=true;",
        '  node [shape=box, style="rounded"];',
    ]
    return "\n".join([*head, *body, "}", ""])


class _Drawing:
    """Nodes and edges of one graph, which is drawn without recursing over its edges."""

    def __init__(self, numbers: Mapping[AbstractJob[object], int]) -> None:
        self._numbers = numbers

    def nodes(self, entries: Iterable[Entry], depth: int) -> Iterator[str]:
        indent = "  " * depth
        for entry in entries:
            number = self._numbers[entry.job]
            label = quoted(f"{number}: {line(entry.job.name)}")
            if not _is_cluster(entry):
                yield f"{indent}{number} [label={label}{_style(entry)}];"
                continue
            yield f"{indent}subgraph cluster_{number} {{"
            yield f"{indent}  label={label};"
            yield f"{indent}  {_cluster_style(entry)}"
            if not entry.inner:
                # A cluster needs a node, for edges to end at.
                yield f'{indent}  {number} [label="", style=invis];'
            yield from self.nodes(entry.inner, depth + 1)
            yield f"{indent}}}"

    def edges(self, entries: Iterable[Entry]) -> Iterator[str]:
        by_job = {entry.job: entry for entry in entries}
        for entry in by_job.values():
            for required in entry.required:
                if required in by_job:
                    yield self._edge(by_job[required], entry)
            yield from self.edges(entry.inner)

    def _edge(self, before: Entry, after: Entry) -> str:
        ends: list[str] = []
        if _is_cluster(before):
            ends.append(f"ltail=cluster_{self._numbers[before.job]}")
        if _is_cluster(after):
            ends.append(f"lhead=cluster_{self._numbers[after.job]}")
        options = f" [{', '.join(ends)}]" if ends else ""
        return f"  {self._node_of(before, -1)} -> {self._node_of(after, 0)}{options};"

    def _node_of(self, entry: Entry, which: int) -> int:
        while entry.inner:
            entry = entry.inner[which]
        return self._numbers[entry.job]


def _is_cluster(entry: Entry) -> bool:
    return entry.job._children() != ()


def _style(entry: Entry) -> str:
    style = "rounded,dashed" if entry.job.forever else ""
    parts = [f'style="{style}"'] if style else []
    if critical(entry.job, entry.outcome):
        parts.append("color=red, penwidth=2")
    return "".join(f", {part}" for part in parts)


def _cluster_style(entry: Entry) -> str:
    style = "rounded,dashed" if entry.job.forever else "rounded"
    strength = "color=red; penwidth=2;" if critical(entry.job, entry.outcome) else "penwidth=0.5;"
    return f'style="{style}"; {strength}'


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write a file whole or not at all: beside it first, then in its place.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    # A link stays a link, and what it leads to is replaced.
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        _fill(target, text)  # a pipe or a device stays what it is
        return
    temporary = os.path.join(os.path.dirname(target), f".flowdeco-{os.getpid()}-{time.time_ns()}")
    try:
        _fill(temporary, text)
        if os.path.exists(target):
            os.chmod(temporary, os.stat(target).st_mode & 0o777)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _fill(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)

"""The graph of a scenario as a picture."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping

from flowdeco.base.text import label_lines, line, printable
from flowdeco.jobs.entries import Entry
from flowdeco.jobs.marks import critical, name_of

from .listing import Numbered, numbered

__all__ = ["quoted", "to_dot", "write"]


def quoted(text: str) -> str:
    """Return the text as a string of DOT, in which nothing is special.

    Graphviz gives a meaning to backslashes in labels and to the character references of HTML,
    and none to control characters.
    """
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def to_dot(name: str, listed: Iterable[Entry]) -> str:
    """Draw jobs in the language of Graphviz.

    Critical jobs are red and thick, those that run forever dashed; what is inside of a job is
    drawn in a cluster. A label of several lines is drawn in as many.
    """
    rows = numbered(listed)
    numbers = {row.entry: row.number for row in rows}
    edges = [_edge(before, row.entry, numbers) for row in rows for before in row.entry.required]
    head = [
        f"digraph {quoted(name)} {{",
        "  compound=true;",
        '  node [shape=box, style="rounded"];',
    ]
    return "\n".join([*head, *_nodes(rows), *edges, "}", ""])


def _nodes(rows: Iterable[Numbered]) -> Iterator[str]:
    depth = 0
    for row in rows:
        yield from _closed(depth, row.depth)
        depth, indent, number = row.depth, "  " * (row.depth + 1), row.number
        label = _label(number, row.entry)
        if not _is_cluster(row.entry):
            yield f"{indent}{number} [label={label}{_style(row.entry)}];"
            continue
        yield f"{indent}subgraph cluster_{number} {{"
        yield f"{indent}  label={label};"
        yield f"{indent}  {_cluster_style(row.entry)}"
        if not row.entry.inner:
            # A cluster needs a node, for edges to end at.
            yield f'{indent}  {number} [label="", style=invis];'
            yield f"{indent}}}"
    yield from _closed(depth, 0)


def _closed(depth: int, until: int) -> Iterator[str]:
    """The ends of the clusters from one depth up to another."""
    return ("  " * level + "}" for level in range(depth, until, -1))


def _label(number: int, entry: Entry) -> str:
    name = [name_of(entry.job)]
    if name == [line(entry.job.label)]:
        name = label_lines(entry.job.label)
    return '"' + "\\n".join(map(_escaped, [f"{number}: {name[0]}", *name[1:]])) + '"'


def _edge(before: Entry, after: Entry, numbers: Mapping[Entry, int]) -> str:
    ends: list[str] = []
    if _is_cluster(before):
        ends.append(f"ltail=cluster_{numbers[before]}")
    if _is_cluster(after):
        ends.append(f"lhead=cluster_{numbers[after]}")
    options = f" [{', '.join(ends)}]" if ends else ""
    tail, head = numbers[_end_of(before, -1)], numbers[_end_of(after, 0)]
    return f"  {tail} -> {head}{options};"


def _end_of(entry: Entry, which: int) -> Entry:
    """What is drawn as a node where an edge ends at this."""
    while entry.inner:
        entry = entry.inner[which]
    return entry


def _is_cluster(entry: Entry) -> bool:
    return entry.job.children != ()


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

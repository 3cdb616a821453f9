"""What happened in a run and in those nested in it, laid out, and what tells its jobs apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from flowdeco.jobs.entries import Entry
from flowdeco.jobs.marks import name_of

from .listing import numbered

__all__ = ["Hook", "Layout", "Paths"]


Hook: TypeAlias = "tuple[Entry | None, str, BaseException]"
"""A shutdown hook that went wrong: of which job (None if of none that ran), its name, and why."""


@attrs.frozen(eq=False, repr=False)
class Layout:
    """All that ran: each job once for each time that it ran."""

    entries: Sequence[Entry]
    hooks: Sequence[Hook]


class Paths(Mapping[Entry, str]):
    """The path of each entry, none of them twice.

    Where two would be equal, the later one gets a number: `build (2)`.
    """

    def __init__(self, listed: Iterable[Entry]) -> None:
        self._numbers: dict[str, int] = {}
        self._paths: dict[Entry, str] = {}
        above: list[str] = []
        for row in numbered(listed):
            del above[row.depth :]
            path = self._unique("/".join([*above[-1:], name_of(row.entry.job)]))
            above.append(path)
            self._paths[row.entry] = path
        self._given = set[str]()

    def _unique(self, path: str) -> str:
        # The number goes on where it stopped, so that equal names take no longer than others.
        unique = path
        while unique in self._numbers:
            self._numbers[path] += 1
            unique = f"{path} ({self._numbers[path]})"
        self._numbers[unique] = 1
        return unique

    def another(self, entry: Entry | None, name: str) -> str:
        """Return the path of an entry if it was not returned before, else one like it."""
        path = self._unique(name) if entry is None else self._paths[entry]
        if path in self._given:
            path = self._unique(path)
        self._given.add(path)
        return path

    def __getitem__(self, entry: Entry) -> str:
        return self._paths[entry]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

"""Fan-out: a copy of a directory is verified, file by file, with four files at a time in threads.

The directory is a package of Python's standard library. One file of the copy is damaged on
purpose, so that there is something to find.

Prints:

    9 files copied
    damaged: message.py
    the copy is removed
    01 ⚠ ☉ ↺ ∞ <Job `folder`>
    ...
    03 ⚠ ☉ ☓   <Job `same`>[[ -> [True, True, True, True, True, False, True, True, True]]] - requires {02}
    04   ☉ ☓     <Job `same[0]`>[[ -> True]]
    05   ☉ ☓     <Job `same[1]`>[[ -> True]]
    06   ☉ ☓     <Job `same[2]`>[[ -> True]]
    07   ☉ ☓     <Job `same[3]`>[[ -> True]]
    08   ☉ ☓     <Job `same[4]`>[[ -> True]]
    09   ☉ ☓     <Job `same[5]`>[[ -> False]]
    10   ☉ ☓     <Job `same[6]`>[[ -> True]]
    11   ☉ ☓     <Job `same[7]`>[[ -> True]]
    12   ☉ ☓     <Job `same[8]`>[[ -> True]]
    13 ⚠ ☉ ☓   <Job `damaged`>[[ -> ['message.py']]] - requires {02, 03}
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from flowdeco import Flow, each, service, step


class Pair(NamedTuple):
    original: Path
    copy: Path


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Backup(Flow, critical=True):
    source: Path

    @service
    async def folder(self) -> AsyncIterator[Path]:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
        print("the copy is removed")

    # A plain method runs in a thread: the event loop goes on meanwhile.
    @step(after=folder)
    def copies(self, folder: Path) -> list[Pair]:
        pairs = [Pair(path, folder / path.name) for path in sorted(self.source.glob("*.py"))]
        for pair in pairs:
            shutil.copyfile(pair.original, pair.copy)
        print(f"{len(pairs)} files copied")
        with (folder / "message.py").open("a") as file:
            file.write("# and this does not belong here\n")
        return pairs

    # Called for each pair, four at a time; the result is a list in the order of the pairs.
    @each(copies, window=4, timeout=60)
    def same(self, pair: Pair) -> bool:
        return checksum(pair.original) == checksum(pair.copy)

    @step(after=(copies, same))
    async def damaged(self, copies: list[Pair], same: list[bool]) -> list[str]:
        found = [pair.copy.name for pair, is_same in zip(copies, same, strict=True) if not is_same]
        print("damaged:", ", ".join(found))
        return found


def main() -> None:
    backup = Backup(source=Path(sysconfig.get_path("stdlib"), "email", "mime"))
    report = backup.run(timeout=60)
    if not report:
        sys.exit(str(report))
    backup.list()


if __name__ == "__main__":
    main()

"""Run the situations, each attempt in a process of its own, and print what was seen.

`python -m survive.table`, in a Python that has the contenders; `run.py` makes one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from survive.contenders import CONTENDERS
from survive.judge import CAP, WORDS, Seen, judge
from survive.situation import Notes, Situation
from survive.situations import SITUATIONS

AT_ONCE = 2
NOT_EXPRESSED, OK = "-", "ok"
HERE = Path(__file__).parent.parent

Cell = list[tuple[str, str]]
"""What is wrong, as words with what was seen; nothing if all is well."""


def run(situation: type[Situation], contender: str, cap: float = CAP) -> Cell:
    """Make one attempt, in a process of its own, and judge it."""
    method = getattr(situation, contender)
    if isinstance(method, str):
        return [(NOT_EXPRESSED, method)]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "notes")
        path.touch()
        child = subprocess.Popen(
            [sys.executable, "-m", "survive.attempt", situation.id, contender, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": with_here(), "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            errors="replace",
        )
        with child:
            try:
                output, _ = child.communicate(timeout=cap)
                status = child.returncode
            except subprocess.TimeoutExpired:
                child.kill()
                output, status = "", None
        notes = Notes()
        notes.lines = path.read_text("utf-8").splitlines()
    return judge(situation, Seen(notes, status, output))


def with_here() -> str:
    """The import path of an attempt: this directory, and what was on it before."""
    before = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(HERE), *([before] if before else [])])


def run_all(
    situations: Iterable[type[Situation]], contenders: Iterable[str]
) -> Iterator[tuple[type[Situation], list[Cell]]]:
    """Make all attempts, two at a time, and yield a row as soon as it and those before are done."""
    contenders = list(contenders)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = [
            (situation, [pool.submit(run, situation, contender) for contender in contenders])
            for situation in situations
        ]
        for situation, cells in rows:
            yield situation, [cell.result() for cell in cells]


def in_a_word(cell: Cell) -> str:
    """What stands in the table."""
    return ", ".join(dict.fromkeys(word for word, _ in cell)) or OK


def in_a_line(cell: Cell) -> str:
    """What was seen, of each word the first."""
    seen: dict[str, list[str]] = {}
    for word, what in cell:
        seen.setdefault(word, []).append(what)
    return "; ".join(
        f"{word}: {what[0]}" + (f" (and {len(what) - 1} more)" if what[1:] else "")
        for word, what in seen.items()
    )


def print_table(
    rows: Iterable[tuple[type[Situation], list[Cell]]], show: Callable[[str], None]
) -> list[str]:
    """Show it as Markdown, a row when it is there; return what was seen of the bad cells."""
    show(f"| | situation | {' | '.join(CONTENDERS.values())} |")
    show("| --- " * (2 + len(CONTENDERS)) + "|")
    seen, words = [], {}
    for situation, cells in rows:
        words[situation.id] = row = [in_a_word(cell) for cell in cells]
        show(f"| {situation.id} | {situation.title()} | {' | '.join(row)} |")
        for contender, cell in zip(CONTENDERS.values(), cells, strict=True):
            if cell:
                seen.append(f"{situation.id}, {contender}: {in_a_line(cell)}")
    totals = map(in_all, zip(*words.values(), strict=True))
    show(f"| | **ok, of those that can be expressed** | {' | '.join(totals)} |")
    show("")
    show(f"| rule | situations | {' | '.join(CONTENDERS.values())} |")
    show("| --- " * (2 + len(CONTENDERS)) + "|")
    for rule, names, counts in by_rule(words):
        show(f"| {rule} | {', '.join(names)} | {' | '.join(counts)} |")
    return seen


def by_rule(rows: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, list[str], list[str]]]:
    """Count what is ok for each rule: the rule, the ids of its situations, `2 of 3` a column."""
    for rule in sorted({rule for name in rows for rule in SITUATIONS[name].rules}):
        names = [name for name in rows if rule in SITUATIONS[name].rules]
        yield rule, names, [in_all(column) for column in zip(*map(rows.get, names), strict=True)]


def in_all(words: Iterable[str]) -> str:
    """Count what is ok, of those that can be expressed."""
    words = [word for word in words if word != NOT_EXPRESSED]
    return f"{words.count(OK)} of {len(words)}" if words else NOT_EXPRESSED


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(description="Compare what is survived.")
    add_options(parser)
    options = parser.parse_args()
    chosen = [
        situation
        for name, situation in SITUATIONS.items()
        if not options.only or any(name.startswith(only) for only in options.only)
    ]
    if not chosen:
        parser.error(f"no situation begins with that; there are: {', '.join(SITUATIONS)}")
    seen = print_table(run_all(chosen, CONTENDERS), lambda line: print(line, flush=True))
    if options.verbose:
        print("", *(f"- {line}" for line in seen), sep="\n")
    print("", *(f"- {word}: {text.format(cap=CAP)}" for word, text in WORDS.items()), sep="\n")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run.py` passes on."""
    parser.add_argument("--only", metavar="ID", action="append", help="those that begin with ID")
    parser.add_argument("--verbose", action="store_true", help="tell what was seen")


if __name__ == "__main__":
    main()

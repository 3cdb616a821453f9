"""What the checkers ty and pyrefly do not understand of `tests/typing`, as mypy and pyright do.

    python tests/support/typing_gaps.py

prints where the tables are no longer right for the versions that are installed, and fails then.
`MISSED` are lines that a checker
lets through, `MISREAD` lines that it refuses although they are right; of a decorated method it is
the first decorator, for checkers differ in where they tell.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path

TYPED = Path(__file__).parents[1] / "typing"
COMMENT = re.compile(r"  # (type|pyright): ignore.*")

Lines = set[str]
"""Lines of the form `file.py: code`."""

MISSED: dict[str, Lines] = {
    "ty": {
        "refused_flows.py: @close.shutdown",
        "refused_flows.py: @service",
        "refused_flows.py: @step(after=Source.item)",
        "refused_flows.py: build: int",
        "refused_flows.py: factory: int = attrs.field(factory=list)",
        'refused_jobs.py: Job(number, required="x")',
        'refused_jobs.py: flow.build.requires("x")',
        'refused_jobs.py: job.requires("x")',
        'refused_jobs.py: job.requires(["x"])',
        'refused_jobs.py: print(job.result() == "one")',
        "refused_scenarios.py: Retry(OSError, 3)",
    },
    "pyrefly": {
        "refused_flows.py: @close.shutdown",
        "refused_flows.py: @service",
        "refused_flows.py: @step",
        "refused_flows.py: @step(after=(Deploy.migrate, Deploy.database))",
        "refused_flows.py: @step(after=Deploy.build)",
        'refused_flows.py: Deploy(host="eu-1", token="x")',
        "refused_flows.py: build: int",
        "refused_flows.py: if flow.run:",
        "refused_jobs.py: print(1 if job.is_done else 0)",
        'refused_jobs.py: print(job.result() == "one")',
        "refused_steps.py: @step",
    },
}
MISREAD: dict[str, Lines] = {
    "ty": {
        "refused_steps.py: @step(after=(Base.number, Base.number, Base.number, Base.num",
        "revealed_jobs.py: assert_type(Job(asyncio.gather(*[number()])).result(), list[",
        'revealed_jobs.py: assert_type(Job(asyncio.sleep(1, "slept")).result(), str)',
        "revealed_runs.py: assert_type(isinstance(wrong, TypeError), bool)",
        "revealed_steps.py: assert_type(flow.after_empty_list.result(), float)",
    },
    "pyrefly": {
        'revealed_fields.py: Deploy(host="eu-1", retries=1, tags=["a"], port=1, zone="eu"',
        "revealed_inheritance.py: @each(Source[int].items)",
        "revealed_inheritance.py: @step(after=(Source[int].item, Source[int].pair, Source[int]",
        "revealed_inheritance.py: @step(after=Source[int].item)",
        "revealed_inheritance.py: @step(after=Source[tuple[K, int]].item)",
        "revealed_inheritance.py: assert_type(flow.numbers.double.result(), int)",
        "revealed_inheritance.py: assert_type(numbers.add.result(), int)",
        "revealed_inheritance.py: assert_type(numbers.double.result(), int)",
        "revealed_inheritance.py: assert_type(numbers.texts.result(), list[str])",
        "revealed_inheritance.py: assert_type(pairs.key.result(), bytes)",
    },
}


def command(checker: str) -> Path:
    """Return where the command of a checker is, or would be."""
    return Path(sysconfig.get_path("scripts")) / checker


def gaps(checker: str, package: Path) -> tuple[Lines, Lines]:
    """Run a checker; return what it misses, and what it misreads.

    Args:
        checker: its command.
        package: the directory that flowdeco is in.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        sources = {path.name: path.read_text().split("\n") for path in TYPED.glob("*.py")}
        for file, lines in sources.items():
            text = "\n".join(COMMENT.sub("", line) for line in lines)
            (directory / file).write_text(text)
        told = _told(checker, directory, package)
    missed: Lines = set()
    misread: Lines = set()
    for file, lines in sources.items():
        wanted = {_first(lines, n) for n, line in enumerate(lines) if COMMENT.search(line)}
        found = {_first(lines, number - 1) for number in told[file]}
        missed |= {f"{file}: {_code(lines[number])}" for number in wanted - found}
        misread |= {f"{file}: {_code(lines[number])}" for number in found - wanted}
    return missed, misread


def _told(checker: str, directory: Path, package: Path) -> dict[str, set[int]]:
    """Return the numbers of the lines that a checker refuses, by file."""
    files = sorted(path.name for path in directory.glob("*.py"))
    search, concise = ["--search-path", package], ["--output-format", "min-text"]
    options = {
        "ty": ["--extra-search-path", package, "--output-format", "concise", "."],
        "pyrefly": ["--preset", "default", *search, *concise, *files],
    }
    python = {"ty": "--python", "pyrefly": "--python-interpreter-path"}[checker]
    version = ["--python-version", "3.13"]
    done = subprocess.run(
        [command(checker), "check", python, sys.executable, *version, *options[checker]],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    told: dict[str, set[int]] = defaultdict(set)
    for line in done.stdout.splitlines():
        place = re.match(r"(?:\s*ERROR )?(?:\S*/)?(\w+\.py):(\d+)", line)
        if place is not None:
            told[place[1]].add(int(place[2]))
    return told


def _first(lines: list[str], number: int) -> int:
    """Return the line of the first decorator over a line, if there is one."""
    while number and lines[number - 1].lstrip().startswith("@"):
        number -= 1
    return number


def _code(line: str) -> str:
    return COMMENT.sub("", line).strip()[:60]  # a line of the tables is no longer than others


def changes(checker: str, package: Path) -> list[str]:
    """Return, in words, where the tables above are no longer right for a checker."""
    missed, misread = gaps(checker, package)
    return [
        *(f"{checker} misses now: {line}" for line in sorted(missed - MISSED[checker])),
        *(f"{checker} no longer misses: {line}" for line in sorted(MISSED[checker] - missed)),
        *(f"{checker} misreads now: {line}" for line in sorted(misread - MISREAD[checker])),
        *(f"{checker} no longer misreads: {line}" for line in sorted(MISREAD[checker] - misread)),
    ]


if __name__ == "__main__":
    found = [change for one in MISSED for change in changes(one, TYPED.parents[1])]
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))

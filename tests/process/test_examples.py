"""The examples: each runs as a program, and prints what its docstring says."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from slowness import without_failures

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))

HEADING = "Prints:"
ANY_LINES = "..."


def promised_in(source: str) -> str:
    """Read what a program prints from its docstring: the indented block under `Prints:`."""
    docstring = ast.get_docstring(ast.parse(source)) or ""
    _, found, rest = f"\n{docstring}\n".partition(f"\n{HEADING}\n")
    if not found:
        raise ValueError(f"there is no line {HEADING!r} in the docstring")
    block = re.match(r"(?:[ \t]+\S.*\n|[ \t]*\n)*", rest)
    assert block is not None  # it matches the empty string
    return textwrap.dedent(block[0]).strip("\n") + "\n"


def fits(promised: str, printed: str) -> bool:
    """Tell whether they are equal, where a line `...` of the promise stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == ANY_LINES else re.escape(line) + r"\n"
        for line in promised.splitlines()
    )
    return re.fullmatch(pattern, printed) is not None


def test_there_are_examples() -> None:
    """Nothing passes because nothing was found."""
    assert [path.stem for path in EXAMPLES] != []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path, tmp_path: Path) -> None:
    """It ends well, without a warning, and prints what it promises."""
    promised = promised_in(example.read_text("utf-8"))

    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", str(example)],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=60,
    )

    assert (ended.returncode, without_failures(ended.stderr)) == (0, "")
    if not fits(promised, ended.stdout):
        assert promised == ended.stdout  # which shows the difference


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        pytest.param("A.\n\nPrints:\n\n    b\n    c\n", "b\nc\n", id="block"),
        pytest.param("A.\n\nPrints:\n    b\n\n      c\n", "b\n\n  c\n", id="blank and indented"),
        pytest.param("A.\n\nPrints:\n\n    b\n\nThen more.\n    c\n", "b\n", id="text after it"),
    ],
)
def test_promise_is_read(docstring: str, expected: str) -> None:
    """The block ends at the next line that is not indented."""
    assert promised_in(f'"""{docstring}"""') == expected


def test_promise_is_missed() -> None:
    """An example without a promise is an error, and no test that passes."""
    with pytest.raises(ValueError, match=r"no line 'Prints:'"):
        promised_in('"""A program that prints: nothing."""')


@pytest.mark.parametrize(
    ("promised", "printed", "expected"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n", "a ", False),
        ("a.\n", "ab\n", False),
        ("a...\n", "abc\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\nd\n", "a\nb\nd\ne\n", False),
        ("a\n...\n", "a\nb\nc\n", True),
    ],
)
def test_promise_fits(promised: str, printed: str, expected: bool) -> None:
    """A line of `...` alone skips lines, and all the rest is exact."""
    assert fits(promised, printed) is expected

"""A run of tests tells at its end how many were left out for a mark."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TESTS = """
import pytest

@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_slow(number): ...

def test_quick(): ...
"""


def lines(place, *options):
    """What is printed at the end of a run of these tests."""
    shutil.copy(ROOT / "conftest.py", place)
    (place / "test_some.py").write_text(TESTS, "utf-8")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", place]
    ended = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options, place / "test_some.py"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout.splitlines()[-2:]


@pytest.mark.parametrize("options", [[], ["-n", "1"]], ids=["one process", "a worker"])
def test_what_was_left_out_for_a_mark_is_told_at_the_end(options, tmp_path):
    """With what to run instead; also where pytest-xdist has processes do the work."""
    if options:
        pytest.importorskip("xdist")

    told, ended = lines(tmp_path, "-m", "not slow", *options)

    assert told == (
        "3 tests were left out by -m 'not slow'; to run all there are: python -m pytest"
    )
    assert " 1 passed" in ended


def test_what_was_left_out_for_a_name_is_not_told(tmp_path):
    """Who names tests knows."""
    assert "left out" not in "\n".join(lines(tmp_path, "-k", "quick"))

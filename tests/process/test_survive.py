"""The comparison of guarantees: its column of flowdeco, and that its situations are well-formed.

The other columns need asynciojobs: see `tests/survive/run.py` and docs/guarantees.md.
"""

import inspect
import os
import shutil
from pathlib import Path

import pytest
from survive import table
from survive.contenders import CONTENDERS
from survive.judge import CRASHES, HANGS, LEAKS, LIES, SKIPS, Seen, judge
from survive.shown import Drawn
from survive.situation import CANCELLED, EXIT, FAILED, REFUSED, SUCCEEDED, Notes, Situation
from survive.situations import ALL, SITUATIONS


@pytest.fixture(scope="module")
def cells():
    """What was seen of flowdeco in each situation; two attempts at a time."""
    tried = [situation for situation in ALL if not without_graphviz(situation)]
    return {s.id: cells for s, cells in table.run_all(tried, ["flowdeco"])}


def without_graphviz(situation):
    """Whether this is one of those in which Graphviz draws, and it is not there to do so."""
    is_missing = shutil.which("dot") is None and not os.environ.get("CI")
    return is_missing and issubclass(situation, Drawn)


@pytest.mark.slow
@pytest.mark.parametrize("name", SITUATIONS)
def test_survived(cells, name):
    """Nothing is wrong in any situation of the table."""
    if without_graphviz(SITUATIONS[name]):
        pytest.skip("Graphviz, which is to draw it, is not installed")
    assert cells[name] == [[]]


def test_ids_are_unique():
    """An id names one situation."""
    assert [situation.id for situation in ALL] == list(SITUATIONS)


@pytest.mark.parametrize("situation", ALL, ids=lambda situation: situation.id)
def test_well_formed(situation):
    """A situation has a line for the table, a known end, and each contender or a reason."""
    assert len(situation.title().split()) > 3
    assert "|" not in situation.title()
    assert set(situation.rules) <= set(range(1, 22))
    assert situation.ends in (SUCCEEDED, FAILED, CANCELLED, REFUSED, EXIT)
    assert bool(situation.exits) == (situation.ends == EXIT)
    for contender in CONTENDERS:
        method = getattr(situation, contender)
        assert isinstance(method, str) or not inspect.signature(method).parameters.keys() - {"self"}


TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "guarantees.md"


def rows_of_the_page(starts):
    """The cells of the rows of its tables that begin like this."""
    lines = PAGE.read_text("utf-8").splitlines()
    return [line[2:-2].split(" | ") for line in lines if line.startswith(f"| {starts}")]


def test_page_has_what_is_tried():
    """The table of results in docs/guarantees.md has the situations, and flowdeco is ok in all."""
    rows = [row for s in SITUATIONS.values() for row in rows_of_the_page(f"{s.id} | ")]
    assert [row[:3] for row in rows] == [[s.id, s.title(), table.OK] for s in ALL]


def test_page_counts_what_it_shows():
    """The table of rules in docs/guarantees.md names every rule, its tests and its situations."""
    words = {row[0]: row[2:] for name in SITUATIONS for row in rows_of_the_page(f"{name} | ")}
    counts = {rule: [", ".join(names), *ok[1:]] for rule, names, ok in table.by_rule(words)}
    rows = rows_of_the_page("[")
    assert len(rows) == 21
    for rule, (link, tests, *counted) in enumerate(rows, 1):
        assert link.startswith(f"[{rule}](rules.md#rule-{rule}-")
        assert all([*TESTS.rglob(f"test_{test}.py")] for test in tests.split(", "))
        assert counted == counts.get(rule, ["none", "not tried", "not tried"])


class Plain(Situation):
    """A situation of these tests: all of it must be there."""

    does = ("a ran",)
    cleans = ("hook called",)
    tells = ("KeyError",)
    raises = ("TimeoutError",)


class Exit(Plain):
    """The same with an exit."""

    ends = EXIT
    exits = (3,)


class Cancel(Plain):
    """The same with a cancellation."""

    ends = CANCELLED


class Refuse(Situation):
    """One in which nothing may start."""

    ends = REFUSED


WELL = ["note\ta ran", "note\thook called", "told\tKeyError", "ended\tsucceeded"]


def words(situation, *lines, status=0, output=""):
    notes = Notes()
    notes.lines = list(lines)
    return [word for word, _ in judge(situation, Seen(notes, status, output))]


@pytest.mark.parametrize(
    ("expected", "situation", "lines", "given"),
    [
        pytest.param([], Plain, WELL, {}, id="well"),
        pytest.param([], Plain, [*WELL[:2], "ended\tKeyError"], {}, id="raised is told"),
        pytest.param([], Plain, [*WELL[:2], WELL[3]], {"output": "KeyError"}, id="printed is told"),
        pytest.param([LIES], Plain, [*WELL[:2], WELL[3]], {}, id="told nowhere"),
        pytest.param([LIES], Plain, WELL[1:], {}, id="did not run"),
        pytest.param([LIES], Plain, [*WELL[:3], "ended\tTimeoutError"], {}, id="false failure"),
        pytest.param([LIES], Plain, [*WELL[:3], "ended\tfailed"], {}, id="says failed"),
        pytest.param([CRASHES], Plain, [*WELL[:3], "ended\tIndexError"], {}, id="other error"),
        pytest.param([CRASHES], Plain, WELL[:3], {"status": -11}, id="killed itself"),
        pytest.param([SKIPS], Plain, [WELL[0], *WELL[2:]], {}, id="no hook"),
        pytest.param([SKIPS], Plain, [*WELL, WELL[1]], {}, id="hook twice"),
        pytest.param([SKIPS], Plain, [*WELL, "note\tx started"], {}, id="no clean-up"),
        pytest.param(
            [], Plain, [*WELL, "note\tx started", "note\tx cleaned up"], {}, id="clean-up"
        ),
        pytest.param([LEAKS], Plain, [*WELL, "left\ttask"], {}, id="task left"),
        pytest.param([LEAKS], Plain, [*WELL, "accused\tleaks: memory"], {}, id="accused"),
        pytest.param([HANGS], Plain, WELL[:1], {"status": None}, id="killed"),
        pytest.param([], Exit, WELL[:3], {"status": 3}, id="exit"),
        pytest.param([CRASHES], Exit, WELL[:3], {"status": 1}, id="other exit"),
        pytest.param([LIES], Exit, WELL, {}, id="no exit"),
        pytest.param([], Cancel, [*WELL[:3], "ended\tCancelledError"], {}, id="cancel"),
        pytest.param([LIES], Cancel, WELL, {}, id="cancel is lost"),
        pytest.param([], Refuse, ["ended\tIndexError"], {}, id="refused"),
        pytest.param([], Refuse, ["ended\tfailed"], {}, id="refused as False"),
        pytest.param([LIES], Refuse, ["ended\tsucceeded"], {}, id="accepted"),
        pytest.param([LIES], Refuse, ["note\ta ran", "ended\tKeyError"], {}, id="half a run"),
    ],
)
def test_judge(expected, situation, lines, given):
    """What was seen alone makes the word of the table."""
    assert words(situation, *lines, **given) == expected


class Hanging(Situation):
    """One that does not end."""

    id = "X08 timeout"
    flowdeco = None


def test_what_hangs_is_killed():
    """An attempt that has not ended when its time is up is killed, and the table says so."""
    assert [word for word, _ in table.run(Hanging, "flowdeco", cap=0)] == [HANGS]


def test_table_is_printed():
    """A row is a situation, then a rule; what cannot be expressed is left out of the counts."""
    cells = {
        "X01": [[], [(LIES, "a"), (LIES, "b"), (LEAKS, "c")], [("-", "no means")]],
        "V08": [[], [], []],
        "W01": [[], [(HANGS, "d")], []],
    }
    printed = []

    seen = table.print_table(
        ((SITUATIONS[name], row) for name, row in cells.items()), printed.append
    )

    ends = [line.rpartition(" | ok | ")[2] for line in printed[2:5]]
    assert ends == ["lies, leaks | - |", "ok |", "hangs | ok |"]
    assert printed[5].endswith("| 3 of 3 | 1 of 3 | 2 of 2 |")
    assert printed[-1] == "| 11 | X01 | 1 of 1 | 0 of 1 | - |"
    assert "| 6 | V08, W01 | 2 of 2 | 1 of 2 | 2 of 2 |" in printed
    assert [line.partition(": ")[2] for line in seen] == [
        "lies: a (and 1 more); leaks: c",
        "-: no means",
        "hangs: d",
    ]

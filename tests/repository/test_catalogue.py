"""The page on situations is true: each test on it exists, and says which situation it covers."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"

ID = re.compile(r"\b[FGORSTVWX]\d\d\b")
COUNTS = {"G": 27, "F": 23, "X": 19, "T": 10, "V": 11, "S": 11, "W": 8, "R": 25, "O": 8}
UNUSED = {"F20", "R16", "R18"}
"""Numbers that stand for nothing."""

ALL = [
    f"{letter}{number:02}"
    for letter, count in COUNTS.items()
    for number in range(1, count + 1)
    if f"{letter}{number:02}" not in UNUSED
]


def rows():
    """The rows of the tables of the page: a number, a situation, and tests or a reason."""
    lines = PAGE.read_text("utf-8").splitlines()
    cells = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in lines)
    return [row for row in cells if ID.fullmatch(row[0])]


@cache
def named(file):
    """What each test of a file says of itself: its docstring, and what it is parametrised with."""
    (path,) = TESTS.rglob(file)
    tree = ast.parse(path.read_text("utf-8"))
    values = {
        target.id: ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    tests = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            names = [
                name.id
                for decorator in node.decorator_list
                for name in ast.walk(decorator)
                if isinstance(name, ast.Name)
            ]
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            given = [values.get(name, "") for name in names]
            tests[node.name] = "\n".join([ast.get_docstring(node) or "", *decorators, *given])
    return tests


def test_every_situation_is_on_the_page_once():
    """In order, and each with a test or the reason why there is none."""
    assert [row[0] for row in rows()] == ALL
    for number, situation, tests in rows():
        assert situation, number
        assert "::test_" in tests or tests.startswith("not tested: "), number


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_test_on_the_page_exists_and_names_its_situation(row):
    """In its docstring, or in the names of its parameters."""
    number, _, tests = row
    for file, test in re.findall(r"(test_\w+\.py)::(test_\w+)", tests):
        assert number in ID.findall(named(file)[test])


def test_all_tests_that_the_page_names_exist():
    """In its text, too."""
    named_on_page = set(re.findall(r"(test_\w+\.py)::(test_\w+)", PAGE.read_text("utf-8")))
    assert named_on_page
    assert {(file, test) for file, test in named_on_page if test not in named(file)} == set()


def test_no_test_names_a_situation_that_is_not_on_the_page():
    """A number that is mistyped would cover nothing."""
    for path in TESTS.rglob("test_*.py"):
        for test, text in named(path.name).items():
            assert set(ID.findall(text)) <= set(ALL), f"{path.name}::{test}"

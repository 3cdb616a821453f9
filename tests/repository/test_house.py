"""The architecture: folders that know those below them, and nothing that is too long to read."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import house
import pytest

import flowdeco

PACKAGE = Path(flowdeco.__file__).parent
FOUND = house.modules(PACKAGE)
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_no_modules_import_each_other():
    """There is no circle of imports, those for type checkers and stubs included."""
    assert house.circles(house.graph(FOUND)) == []


def test_folders_know_what_is_below_them():
    """Every import between folders leads downwards."""
    assert house.upward(FOUND) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_what_its_face_says(folder):
    """The docstring of a folder says what it is for and what it may import, and that is so."""
    purpose, _, allowed = (import_module(f"flowdeco.{folder}").__doc__ or "").partition(
        "\n\nMay import: "
    )
    named = set(allowed.strip().removesuffix(".").split(", ")) - {"nothing"}
    used = {
        FOUND[other].folder
        for name, others in house.graph(FOUND).items()
        if FOUND[name].folder == folder
        for other in others
    }

    assert purpose.endswith(".")
    assert allowed
    assert used - {folder} <= named


def test_private_names_stay_in_their_module():
    """No module uses an underscored name of another one."""
    assert house.private(FOUND) == []


def test_modules_are_short():
    """No module has more than 400 lines."""
    assert {name: one.length for name, one in FOUND.items() if one.length > 400} == {}


def test_functions_are_short():
    """No function has more than 50 lines."""
    longest = {name: max(module.functions(), default=0) for name, module in FOUND.items()}

    assert {name: lines for name, lines in longest.items() if lines > 50} == {}


def test_classes_are_small():
    """No class has more than 40 methods, or 24 attributes."""
    classes = [one for module in FOUND.values() for one in module.classes()]

    assert [one for one in classes if one[1] > 40 or one[2] > 24] == []


def test_the_package_shows_its_public_names():
    """`dir(flowdeco)` has the public names, and no module that was loaded for them."""
    hidden = {name for name in dir(flowdeco) if name.startswith("__")}

    assert set(dir(flowdeco)) - hidden == set(flowdeco.__all__)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, [{"b", "c"}]),
    ],
)
def test_circles_are_found(edges, expected):
    """The search that the tests above rely on finds a circle where there is one."""
    assert house.circles(edges) == expected

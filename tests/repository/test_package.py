"""The package as a whole: its layers, what importing it loads, what it makes public."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import flowdeco

PACKAGE = Path(flowdeco.__file__).parent


@pytest.mark.process
def test_import_loads_only_its_dependencies() -> None:
    """`import flowdeco` loads attrs, typing-extensions and the standard library."""
    code = (
        "import sys; before = set(sys.modules); import flowdeco;"
        " print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    # The one module of the standard library whose name tells the platform.
    foreign = {name for name in loaded if not name.startswith("_sysconfigdata")}

    assert foreign - sys.stdlib_module_names <= {"flowdeco", "attr", "attrs", "typing_extensions"}


def test_public_names_are_sorted() -> None:
    """`__all__` is sorted and names each thing once."""
    assert list(flowdeco.__all__) == sorted(set(flowdeco.__all__))


def undocumented(public: object, name: str) -> Iterator[str]:
    """Name what has no docstring: an object, or a method or property of a class.

    A method that overrides another has its docstring.
    """
    if not (public.__doc__ or "").strip():
        yield name
    if not inspect.isclass(public):
        return
    for attribute, value in vars(public).items():
        is_method = inspect.isroutine(value) or isinstance(value, property)
        if attribute.startswith("_") or not is_method:
            continue
        if not inspect.getdoc(getattr(public, attribute)):
            yield f"{name}.{attribute}"


@pytest.mark.parametrize("name", flowdeco.__all__)
def test_public_name_has_a_docstring(name: str) -> None:
    """Each public name exists and has a docstring, and so have its methods."""
    assert list(undocumented(getattr(flowdeco, name), name)) == []


def test_is_typed() -> None:
    """Type checkers see the types of the package: `py.typed` is in it."""
    assert importlib.resources.files("flowdeco").joinpath("py.typed").is_file()


def test_version_is_that_of_the_distribution() -> None:
    """`flowdeco.__version__` is what was installed."""
    assert flowdeco.__version__ == importlib.metadata.version("flowdeco")

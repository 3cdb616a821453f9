"""The package as a whole: its layers, what importing it loads, what it makes public."""

from __future__ import annotations

import ast
import graphlib
import importlib.metadata
import importlib.resources
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import flowdeco

PACKAGE = Path(flowdeco.__file__).parent
HEADING = "# Layers, from the ground; nothing imports what lies above it:"
LAYER = re.compile(r"#   (\S.*)")


def layers_in(source: str) -> list[list[str]]:
    """Read the comment that tells the layers: lines of comma separated modules."""
    lines = iter(source.splitlines())
    if HEADING not in lines:
        raise ValueError(f"there is no comment that begins with {HEADING!r}")
    layers = []
    for text in lines:
        found = LAYER.fullmatch(text)
        if found is None:
            break
        layers.append([name for part in found[1].split(",") if (name := part.strip())])
    return layers


class Import(NamedTuple):
    """An import of one module of the package by another."""

    importer: str
    imported: str
    line: int
    hidden: bool
    """It is in a function."""

    def __str__(self) -> str:
        return f"{self.importer}.py:{self.line} imports {self.imported}"


def own_imports(importer: str, source: str, modules: set[str]) -> Iterator[Import]:
    """Find the imports of other modules of the package that happen at run time.

    `from . import name` counts as an import of the module of that name, or else of `__init__`.
    """
    waiting: list[tuple[ast.AST, bool]] = [(ast.parse(source), False)]
    while waiting:
        node, hidden = waiting.pop()
        for name in _imported_names(node, importer):
            yield Import(importer, _module_of(name, modules), node.lineno, hidden)
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            children: list[ast.AST] = list(node.orelse)
        else:
            children = list(ast.iter_child_nodes(node))
        inside = hidden or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        waiting.extend((child, inside) for child in children)


def _imported_names(node: ast.AST, importer: str) -> list[str]:
    """Name what a statement imports of this package, as a path below it."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        parents = ["flowdeco", *importer.split(".")][: -node.level] if node.level else []
        base = ".".join([*parents, *filter(None, [node.module])])
        names = [f"{base}.{alias.name}" for alias in node.names]
    else:
        return []
    below = (name.partition(".") for name in names)
    return [path for package, _, path in below if package == "flowdeco"]


def _module_of(path: str, modules: set[str]) -> str:
    while path and path not in modules:
        path = path.rpartition(".")[0]
    return path or "__init__"


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def sources() -> dict[str, str]:
    """Read the modules of the package, `__init__` aside."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path.read_text("utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
    }


def violations(layers: list[list[str]], modules: dict[str, str]) -> list[str]:
    """Tell what in these modules goes against the layers.

    The modules of the last layer are the edges: they may import within functions, and from the
    package itself.
    """
    level = {name: height for height, layer in enumerate(layers) for name in layer}
    problems = [f"{name} is in no layer" for name in modules if name not in level]
    problems += [f"there is no module {name}" for name in level if name not in modules]
    top = len(layers) - 1
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for importer, source in modules.items():
        height = level.get(importer, top)
        for found in own_imports(importer, source, {*modules}):
            if not found.hidden:
                graph[importer].add(found.imported)
            if height < top and found.imported == "__init__":
                problems.append(f"{found}, which imports everything")
            if height < top and found.hidden:
                problems.append(f"{found} within a function")
            if level.get(found.imported, 0) > height:
                problems.append(f"{found}, which lies above it")
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        problems.append(f"modules import each other: {' <- '.join(error.args[1])}")
    return problems


def test_layers_hold() -> None:
    """No module imports what lies above it, none imports in a circle, all are in a layer."""
    layers = layers_in((PACKAGE / "__init__.py").read_text("utf-8"))

    assert violations(layers, sources()) == []


@pytest.mark.parametrize(
    ("low", "middle", "edge", "expected"),
    [
        pytest.param("", "from .low import x", "from . import low, x", [], id="fine"),
        pytest.param(
            "import flowdeco.edge",
            "",
            "",
            ["low.py:1 imports edge, which lies above it"],
            id="above",
        ),
        pytest.param(
            "",
            "def f():\n    from flowdeco import low",
            "",
            ["middle.py:2 imports low within a function"],
            id="hidden",
        ),
        pytest.param("", "", "def f():\n    from .low import x", [], id="hidden in an edge"),
        pytest.param(
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .middle import x",
            "from .low import x",
            "",
            [],
            id="only for types",
        ),
        pytest.param(
            "from . import beside",
            "",
            "",
            ["modules import each other: low <- beside <- low"],
            id="cycle",
        ),
        pytest.param(
            "",
            "from . import x",
            "",
            ["middle.py:1 imports __init__, which imports everything"],
            id="package",
        ),
    ],
)
def test_layers_are_checked(low: str, middle: str, edge: str, expected: list[str]) -> None:
    """What goes against the layers is found, and nothing else."""
    layers = layers_in(f"{HEADING}\n#   low, beside\n#   middle\n#   edge\nimport low")
    modules = {"low": low, "beside": "from .low import x", "middle": middle, "edge": edge}
    if "beside" not in low:
        modules["beside"] = ""

    found = violations(layers, modules)

    assert found == expected


def test_layers_name_all_modules() -> None:
    """A module without a layer, and a layer without its module, are found."""
    assert violations([["low"], ["gone"]], {"low": "", "new": ""}) == [
        "new is in no layer",
        "there is no module gone",
    ]


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

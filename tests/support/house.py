"""The figures of the inside: how long, how tangled, how many moves.

    python tests/support/house.py [DIRECTORY]

Modules import each other wherever the word `import` stands, for type checkers as well.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = "flowdeco"

LAYERS = (
    ("base",),
    ("errors",),
    ("jobs",),
    ("engine",),
    ("views",),
    ("scheduler",),
    ("observers",),
    ("surgery", "flows", "testing"),
    ("",),
)
"""The folders and modules at the top of the package, from the ground up; each knows those below."""

Graph = Mapping[str, set[str]]


class Module:
    """A module, with its stub if it has one.

    Args:
        name: as it is imported.
        paths: its files.
    """

    def __init__(self, name: str, paths: list[Path]) -> None:
        self.name = name
        self.is_folder = any(path.stem == "__init__" for path in paths)
        self.length = max(len(path.read_text().splitlines()) for path in paths)
        self.trees = [ast.parse(path.read_text()) for path in paths]

    @property
    def folder(self) -> str:
        """The folder or module at the top of the package that it belongs to."""
        return [*self.name.split("."), ""][1]

    def nodes(self) -> Iterator[ast.AST]:
        for tree in self.trees:
            yield from ast.walk(tree)

    def imports(self, known: Mapping[str, object]) -> Iterator[str]:
        """Yield the modules of the package that it imports."""
        for node in self.nodes():
            if not isinstance(node, ast.ImportFrom):
                continue
            base = self._base(node)
            for alias in node.names:
                for name in (f"{base}.{alias.name}", base):
                    if name in known:
                        yield name
                        break

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".") if self.is_folder else self.name.split(".")[:-1]
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def functions(self) -> Iterator[int]:
        """Yield the lengths of the functions."""
        for node in self.nodes():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield (node.end_lineno or 0) - node.lineno + 1

    def classes(self) -> Iterator[tuple[str, int, int]]:
        """Yield the classes, each with how many methods and attributes it has of its own."""
        for node in self.nodes():
            if isinstance(node, ast.ClassDef):
                methods = {one.name for one in node.body if isinstance(one, _FUNCTIONS)}
                yield f"{self.name}.{node.name}", len(methods), len(_attributes(node))

    def private_names(self) -> set[str]:
        """Return the underscored names that it makes, for anything that has a name."""
        names: set[str] = set()
        for node in self.nodes():
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)  # of a slot
        return {name for name in names if _is_private(name)}

    def foreign_private_names(self, makers: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
        """Yield the underscored names that it uses of other modules, each with its maker."""
        own = makers[self.name]
        for node in self.nodes():
            used: list[str] = []
            if isinstance(node, ast.ImportFrom):
                used = [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute):
                used = [node.attr]
            for name in used:
                if _is_private(name) and name not in own:
                    yield from ((name, maker) for maker, made in makers.items() if name in made)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name.isidentifier()


def _attributes(cls: ast.ClassDef) -> set[str]:
    """Return the slots of a class, or what its methods and its body assign."""
    names: set[str] = set()
    for node in cls.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
            names.update(targets)
            if targets == ["__slots__"] and isinstance(node.value, ast.Tuple):
                names.update(str(ast.literal_eval(one)) for one in node.value.elts)
    for node in ast.walk(cls):
        is_own = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if is_own and isinstance(node.value, ast.Name) and node.value.id == "self":
            names.add(node.attr)
    return names - {"__slots__"}


def modules(package: Path) -> dict[str, Module]:
    """Read a package."""
    paths: dict[str, list[Path]] = {}
    for path in sorted(package.rglob("*.py*")):
        if path.suffix in (".py", ".pyi"):
            parts = path.relative_to(package.parent).with_suffix("").parts
            paths.setdefault(".".join(parts).removesuffix(".__init__"), []).append(path)
    return {name: Module(name, files) for name, files in paths.items()}


def graph(found: Mapping[str, Module]) -> dict[str, set[str]]:
    """Return which modules each one imports."""
    return {name: set(module.imports(found)) - {name} for name, module in found.items()}


def circles(edges: Graph) -> list[set[str]]:
    """Return the groups of nodes that reach each other."""
    reached = {node: _reached(edges, node) for node in edges}
    found = {
        frozenset(other for other in reached[node] if node in reached[other])
        for node in edges
        if node in reached[node]
    }
    return [set(one) for one in found]


def _reached(edges: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    frontier = [start]
    while frontier:
        for following in edges[frontier.pop()]:
            if following not in reached:
                reached.add(following)
                frontier.append(following)
    return reached


def upward(found: Mapping[str, Module]) -> list[tuple[str, str]]:
    """Return the imports from a layer that is not below."""
    heights = {name: height for height, names in enumerate(LAYERS) for name in names}
    return [
        (name, other)
        for name, others in graph(found).items()
        for other in others
        if found[name].folder != found[other].folder
        and heights[found[other].folder] >= heights[found[name].folder]
    ]


def private(found: Mapping[str, Module]) -> list[tuple[str, str, str]]:
    """Return the underscored names that a module uses of another one."""
    makers = {name: module.private_names() for name, module in found.items()}
    return [
        (name, used, maker)
        for name, module in found.items()
        for used, maker in module.foreign_private_names(makers)
    ]


def second_run() -> tuple[int, int, int, int]:
    """Count calls, functions, modules, and moves between modules in the second run of two steps."""
    from flowdeco import Job, Scheduler  # of the directory that is looked at

    async def nothing() -> None:
        pass

    first = Job(nothing)
    scheduler = Scheduler(first, Job(nothing, required=first))
    scheduler.orchestrate()
    stack: list[str] = []
    calls: list[tuple[str, str]] = []
    moves = 0

    def note(frame: object, event: str, _: object) -> None:
        nonlocal moves
        module = frame.f_globals.get("__name__", "")  # type: ignore[attr-defined]
        if not module.startswith(PACKAGE):
            return
        if event == "call":
            calls.append((module, frame.f_code.co_qualname))  # type: ignore[attr-defined]
            moves += bool(stack) and stack[-1] != module
            stack.append(module)
        elif event == "return" and stack:
            stack.pop()

    sys.setprofile(note)
    try:
        scheduler.orchestrate()
    finally:
        sys.setprofile(None)
    return len(calls), len(set(calls)), len({module for module, _ in calls}), moves


def figures(package: Path) -> Iterator[tuple[str, object]]:
    """Yield the figures of a package, each with its name."""
    found = modules(package)
    lengths = sorted(module.length for module in found.values())
    functions = sorted(one for module in found.values() for one in module.functions())
    classes = [one for module in found.values() for one in module.classes()]
    engine = [module.length for module in found.values() if module.folder == "engine"]
    yield "files / lines", f"{len(lengths)} / {sum(lengths):,}"
    yield "lines of the engine", f"{sum(engine):,}"
    yield "module, median / longest", f"{statistics.median(lengths):.0f} / {lengths[-1]}"
    parts = statistics.quantiles(functions, n=100)
    yield "function, p90 / p99 / longest", f"{parts[89]:.0f} / {parts[98]:.0f} / {functions[-1]}"
    name, methods, _ = max(classes, key=lambda one: one[1])
    yield "most methods", f"{methods} ({name})"
    name, _, attributes = max(classes, key=lambda one: one[2])
    yield "most attributes", f"{attributes} ({name})"
    uses = private(found)
    names = len({used for _, used, _ in uses})
    yield "underscored names used across modules", f"{names}, {len(uses)} uses"
    yield "circles", ", ".join(f"{len(one)} modules" for one in circles(graph(found))) or 0
    calls, made, places, moves = second_run()
    counted = f"{calls} calls, {made} functions, {places} modules, {moves} moves"
    yield "second run of two steps", counted


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    sys.path.insert(0, str(root))
    for title, figure in figures(root / PACKAGE):
        print(f"{title:40} {figure}")

"""Mutation testing of the engine: change its code in one place at a time; does a test notice?

    python -m tests.mutation [MODULE ...] [--only TEXT] [--seconds 6] [--processes]

The tests are collected once, and each is run once to learn which lines it reaches. Then each mutant
has a forked process: the changed code is put into the functions that are imported already, and the
tests that reach the changed line are run, until one fails. Processes that a test starts find the
changed module as well. `tests/mutation/mutants.md` tells of the mutants that live on why they do.

It needs Linux and Python 3.12 or later (`sys.monitoring`).
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import functools
import gc
import importlib
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
import types
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "flowdeco"
EXPLAINED = Path(__file__).with_name("mutants.md")

ENGINE = [
    *(f"engine.{path.stem}" for path in sorted((PACKAGE / "engine").glob("[a-z]*.py"))),
    *("jobs.plan", "jobs.threads"),
]

LEFT_OUT = [
    *("test_bench", "test_catalogue", "test_chain", "test_definition", "test_definition_model"),
    *("test_diagram", "test_errors", "test_examples", "test_guards", "test_import", "test_package"),
    *("test_scale", "test_survive", "test_text"),
]
"""Files of tests that look at other things, take long, or measure time."""

RULES = (
    *("test_rule_", "test_running_again", "test_section_07", "test_services", "test_subflow"),
    *("test_each", "test_starts", "test_memory", "test_drain", "test_run_log", "test_skip"),
)
"""Files that are about runs: their tests come before those that happen to run something."""

NEAREST = {
    **dict.fromkeys(("bookkeeping", "progress", "specification"), ("test_run", "test_starts")),
    **dict.fromkeys(("plain_execution", "timed_execution"), ("test_execution", "test_starts")),
    **dict.fromkeys(("attended_execution", "slotted_execution"), ("test_execution", "test_slots")),
    **dict.fromkeys(("service_execution", "generator_services"), ("test_services",)),
    **dict.fromkeys(("net", "failure"), ("test_execution", "test_injection", "test_skip")),
    **dict.fromkeys(("observers", "record", "reason"), ("test_run_log", "test_report")),
}
"""Files that come first for modules that have no test file of their own."""

SUBPROCESSES = ("test_signals", "test_threads", "test_surroundings")
"""Files with tests that start processes, whose lines are not seen."""

COMPARISONS = {
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _path_of(module: str, package: Path = PACKAGE) -> Path:
    return package / f"{module.replace('.', '/')}.py"


class Mutant:
    """One change of a module."""

    def __init__(self, module: str, source: str, tree: ast.Module, node: ast.AST, what: str):
        self.module = module
        self.tree = tree
        self.lines = range(node.lineno, node.end_lineno + 1)
        self.what = what
        self.text = source.splitlines()[node.lineno - 1].strip()
        around = [
            one
            for one in ast.walk(tree)
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and one.lineno <= node.lineno <= one.end_lineno
        ]
        names = [one.name for one in sorted(around, key=lambda one: one.lineno)]
        self.where = ".".join([module, *names[-1:]])

    @property
    def row(self) -> str:
        """How it stands in the table of those that are explained, up to the reason."""
        line, what = (one.replace("|", "\\|") for one in (self.text, self.what))
        return f"| {self.where} | `{line}` | {what} |"


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a node can be changed into, and how to call that."""
    match node:
        case ast.Compare(ops=[operation]):
            for other in COMPARISONS[type(operation)]:
                yield _changed(node, ops=[other()])
        case ast.BoolOp(op=operation):
            yield _changed(node, op=ast.Or() if isinstance(operation, ast.And) else ast.And())
            for place in range(len(node.values)):
                left = node.values[:place] + node.values[place + 1 :]
                yield _described(node, left[0] if len(left) == 1 else _with(node, values=left))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _described(node, operand)
        case ast.BinOp(op=operation) | ast.AugAssign(op=operation):
            if type(operation) in ARITHMETIC:
                yield _changed(node, op=ARITHMETIC[type(operation)]())
        case ast.Constant(value=bool()):
            yield _changed(node, value=not node.value)
        case ast.Constant(value=int() | float()):
            yield _changed(node, value=node.value + 1)
            yield _changed(node, value=node.value - 1)
        case ast.Name(id=name) if name in NAMES:
            yield _changed(node, id=NAMES[name])
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield _changed(node, value=ast.Constant(None))
    match node:
        case ast.If(test=test) | ast.IfExp(test=test):
            yield f"`{ast.unparse(test)}` -> `True`", _with(node, test=ast.Constant(True))
            yield f"`{ast.unparse(test)}` -> `False`", _with(node, test=ast.Constant(False))
        case ast.While(test=test):
            yield f"`{ast.unparse(test)}` -> `False`", _with(node, test=ast.Constant(False))
        case ast.comprehension(ifs=[test]):
            yield f"`if {ast.unparse(test)}` removed", _with(node, ifs=[])
        case ast.Break():
            yield _described(node, ast.Continue())
        case ast.Continue():
            yield _described(node, ast.Break())
        case (
            ast.Expr(value=ast.Call() | ast.Await())
            | ast.Assign()
            | ast.AugAssign()
            | ast.AnnAssign(value=ast.expr())
            | ast.Raise()
            | ast.Return(value=None)
            | ast.Delete()
        ):
            yield f"`{ast.unparse(node).splitlines()[0]}` removed", ast.Pass()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _changed(node: ast.AST, **fields: object) -> tuple[str, ast.AST]:
    return _described(node, _with(node, **fields))


def _described(node: ast.AST, changed: ast.AST) -> tuple[str, ast.AST]:
    return f"`{ast.unparse(node)}` -> `{ast.unparse(changed)}`", changed


def mutants(module: str) -> Iterator[Mutant]:
    """Yield all mutants of a module of the package."""
    source = _path_of(module).read_text()
    original = ast.parse(source)
    for holder, field, place, node, in_function in list(_places(original)):
        for what, other in variants(node):
            if isinstance(other, ast.Pass) and not in_function:
                continue  # a name would be missing
            siblings = getattr(holder, field)
            ast.copy_location(other, node)
            if place is None:
                setattr(holder, field, other)
            else:
                siblings[place] = other
            tree = copy.deepcopy(original)
            if place is None:
                setattr(holder, field, node)
            else:
                siblings[place] = node
            seen = node if hasattr(node, "lineno") else node.target
            yield Mutant(module, source, ast.fix_missing_locations(tree), seen, what)


def _places(
    node: ast.AST, in_function: bool = False
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, bool]]:
    """Yield what can be changed: where it hangs in the tree, and whether in a function."""
    inside = in_function or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        children = value if isinstance(value, list) else [value]
        for place, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_left_out(child):
                continue
            yield node, field, place if isinstance(value, list) else None, child, inside
            yield from _places(child, inside)


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
            return True
        case ast.ClassDef(bases=[ast.Attribute(attr="IntEnum")]):
            return True  # a member is no function, and no value that could be replaced
    return False


# A mutant in the process that is to test it


def install(mutant: Mutant, copied: Path) -> None:
    """Put the changed code in the place of the code in use, and in a copy of the package."""
    _path_of(mutant.module, copied / "flowdeco").write_text(ast.unparse(mutant.tree))
    os.environ["PYTHONPATH"] = str(copied)
    module = importlib.import_module(f"flowdeco.{mutant.module}")
    changed = types.ModuleType(module.__name__)
    changed.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    sys.modules[module.__name__] = changed  # attrs looks it up
    try:
        exec(compile(mutant.tree, module.__file__, "exec"), changed.__dict__)
    finally:
        sys.modules[module.__name__] = module
    _replace(module, changed, module.__name__)


def _replace(old: object, new: object, module: str) -> None:
    for name, now in list(vars(old).items()):
        other = vars(new).get(name)
        if isinstance(now, type) and isinstance(other, type):
            if now.__module__ == module:
                _replace(now, other, module)
        elif isinstance(now, property):
            _replace_function(now.fget, other.fget)
        elif isinstance(now, (classmethod, staticmethod)):
            _replace_function(now.__func__, other.__func__)
        elif isinstance(now, types.FunctionType):
            if now.__module__ == module and isinstance(other, types.FunctionType):
                _replace_function(now, other)
        elif isinstance(
            now, (int, float, str, tuple, dict, functools.partial)
        ) and not name.startswith("__"):
            _replace_value(old, name, now, other)


def _replace_function(now: types.FunctionType, other: types.FunctionType) -> None:
    now.__code__ = other.__code__
    now.__defaults__ = other.__defaults__
    now.__kwdefaults__ = other.__kwdefaults__


def _replace_value(old: object, name: str, now: object, other: object) -> None:
    setattr(old, name, other)
    if isinstance(old, types.ModuleType):
        for key, module in list(sys.modules.items()):
            if key.startswith("flowdeco") and vars(module).get(name) is now:
                setattr(module, name, other)


# Tests


class Mutation:
    """A plugin of pytest that runs the tests on mutants once they are collected."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.durations: dict[str, float] = {}
        self.reached: dict[tuple[str, int], set[str]] = {}
        self.kills: dict[str, int] = defaultdict(int)
        self.running: pytest.Item | None = None
        self.fatal = False

    def pytest_sessionstart(self) -> None:
        import hypothesis  # its plugin of pytest is to be the first to do so

        # A failing example need not be shrunk, and each run is to be the same.
        hypothesis.settings.register_profile(
            "mutation",
            parent=hypothesis.settings.get_profile("flowdeco"),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            max_examples=50,
            derandomize=True,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        hypothesis.settings.load_profile("mutation")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.fatal:
            os._exit(1)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        with tempfile.TemporaryDirectory() as directory:
            copied = Path(directory)
            shutil.copytree(PACKAGE, copied / "flowdeco")
            shutil.copytree(TESTS, copied / "tests")
            self._learn(copied)
            self._run(copied)
        return True

    def _learn(self, copied: Path) -> None:
        """Run each test once: how long does it take, which lines does it reach?"""
        kept = self.options.learnt or copied / "learnt"
        code = [_path_of(module).read_text() for module in ENGINE]
        if kept.exists():
            known, durations, reached = pickle.loads(kept.read_bytes())
            if known == code:
                self.durations, self.reached = durations, reached
        child = os.fork()
        if not child:
            os.setpgid(0, 0)
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
            self._trace()
            kept.write_bytes(pickle.dumps((code, self.durations, self.reached)))
            os._exit(0)
        os.waitpid(child, 0)
        _, self.durations, self.reached = pickle.loads(kept.read_bytes())
        for name in [name for name, duration in self.durations.items() if duration < 0]:
            print("left out, as it fails without any change:", name)
            del self.durations[name]
        for name in self.durations.keys() - self.items.keys():
            del self.durations[name]
        print(f"{len(self.durations)} tests take {sum(self.durations.values()):.0f} s", flush=True)

    def _trace(self) -> None:
        monitoring, tool = sys.monitoring, sys.monitoring.COVERAGE_ID
        monitoring.use_tool_id(tool, "mutation")
        name = ""
        names: dict[types.CodeType, str] = {}
        for module in ENGINE:
            imported = importlib.import_module(f"flowdeco.{module}")
            for code in _codes(imported, imported.__name__):
                names[code] = module
                monitoring.set_local_events(tool, code, monitoring.events.LINE)

        def note(code: types.CodeType, line: int) -> None:
            self.reached.setdefault((names[code], line), set()).add(name)

        monitoring.register_callback(tool, monitoring.events.LINE, note)
        watch = _Watch()
        for name, item in self.items.items():
            if name in self.durations:
                continue
            item.config.pluginmanager.register(watch, "watch")
            began = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            self.durations[name] = -1 if watch.failed else time.perf_counter() - began
            item.config.pluginmanager.unregister(watch)
            watch.failed = False
            gc.freeze()  # the guards look at all objects that are not

    def _tests_of(self, mutant: Mutant) -> list[str]:
        """Those that reach the line; of what is run at import, all that reach the module."""
        found = set().union(*(self.reached.get((mutant.module, line), ()) for line in mutant.lines))
        if not found:
            found = {
                test
                for (module, _), tests in self.reached.items()
                if module == mutant.module
                for test in tests
            }
        module = mutant.module.rpartition(".")[2]
        first = (f"test_{module}.py", *NEAREST.get(module, ()))
        order = sorted(
            found & self.durations.keys(),
            key=lambda test: (
                not test.split("/")[-1].startswith(first),
                not test.split("/")[-1].startswith(RULES),
                self.durations[test] / (1 + self.kills[test]),
            ),
        )
        if self.options.processes:
            others = (t for t in self.durations if t.split("/")[-1].startswith(SUBPROCESSES))
            order = list(dict.fromkeys([*others, *order]))
        chosen, total = [], 0.0
        for test in order:
            total += self.durations[test]
            if total > self.options.seconds and chosen:
                break
            chosen.append(test)
        return chosen

    def _run(self, copied: Path) -> None:
        explained = EXPLAINED.read_text() if EXPLAINED.exists() else ""
        earlier = self.options.among.read_text() if self.options.among else ""
        for module in self.options.modules:
            began = time.perf_counter()
            total = killed = known = 0
            for mutant in mutants(module):
                if self.options.only and self.options.only not in mutant.row:
                    continue
                if self.options.among and mutant.row not in earlier:
                    continue
                total += 1
                is_known = mutant.row in explained
                if is_known and not self.options.all:
                    known += 1
                elif self._is_killed(mutant, copied):
                    killed += 1
                else:
                    print(f"survived {mutant.row} {mutant.lines[0]}", flush=True)
            shutil.copy(_path_of(module), _path_of(module, copied / "flowdeco"))
            print(
                f"{module}: {killed} of {total} killed, {known} explained,"
                f" {total - killed - known} others, {time.perf_counter() - began:.0f} s",
                flush=True,
            )

    def _is_killed(self, mutant: Mutant, copied: Path) -> bool:
        tests = self._tests_of(mutant)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            self._test(mutant, copied, tests, writing)
        os.close(writing)
        with open(reading, "rb") as pipe:
            last = pipe.read().decode().rpartition("\n")[2]
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what its tests have started
        if status and last in self.items:
            self.kills[last] += 1
        return status != 0

    def _test(self, mutant: Mutant, copied: Path, tests: list[str], writing: int) -> None:
        """Run tests in a forked process, which ends with 0 if all have passed."""
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            install(mutant, copied)
            self.fatal = True
            for test in tests:
                os.write(writing, f"\n{test}".encode())
                signal.setitimer(signal.ITIMER_REAL, 5 + 5 * self.durations[test])
                item = self.items[test]
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                gc.freeze()
        except BaseException:
            os._exit(2)
        os._exit(0)


class _Watch:
    """A plugin that sees whether a test has failed."""

    failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed


def _codes(holder: object, module: str) -> Iterator[types.CodeType]:
    """Yield the code of all functions of a module, or of a class in it."""
    for value in vars(holder).values():
        one = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if isinstance(one, type) and one.__module__ == module:
            yield from _codes(one, module)
        elif isinstance(one, types.FunctionType) and one.__module__ == module:
            yield from _nested(one.__code__)


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def main() -> None:
    """Read the command line, and let pytest collect the tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=ENGINE, metavar="MODULE")
    parser.add_argument("--only", help="only mutants whose line or change has this text")
    parser.add_argument("--among", type=Path, help="only those that an earlier output tells of")
    parser.add_argument("--seconds", type=float, default=6, help="of tests for a mutant")
    parser.add_argument("--processes", action="store_true", help="tests that start some as well")
    parser.add_argument("--learnt", type=Path, help="file that keeps what tests reach")
    parser.add_argument("--all", action="store_true", help="those that are explained as well")
    options = parser.parse_args()
    os.chdir(TESTS.parent)
    # A shell lets what it starts in the background ignore it, which tests of signals would not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = ["-q", "-s", "-p", "no:randomly", "-p", "no:cacheprovider", "-o", "addopts="]
    arguments += [f"--ignore-glob=*/{name}.py" for name in LEFT_OUT]
    sys.exit(pytest.main([*arguments, "tests"], plugins=[Mutation(options)]))


if __name__ == "__main__":
    main()

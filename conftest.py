"""The examples of README.md and docs/ are tests, and a run of tests tells what it left out.

See the section “Where things are” in CONTRIBUTING.md.
"""

from __future__ import annotations

import contextlib
import doctest
import io
from collections.abc import Iterator
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import (
    ClearNamespaceParser,
    CodeBlockParser,
    PythonCodeBlockParser,
    SkipParser,
)

PRINTED = "_printed"
LEFT_OUT = pytest.StashKey[int]()
"""How many tests were deselected for one of the marks."""

MARKS = ("slow", "process")


class KeepPrinted(PythonEvaluator):
    """Run a block, and keep what it printed for the `output` block that may follow."""

    def __call__(self, example: Example) -> None:
        """Run it."""
        __tracebackhide__ = True
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                super().__call__(example)
        finally:
            print(printed.getvalue(), end="")
        example.namespace[PRINTED] = printed.getvalue()


def compare_printed(example: Example) -> str | None:
    expected = str(example.parsed)
    printed = example.namespace.get(PRINTED, "")
    if doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS):
        return None
    return f"Expected the block before to print:\n{expected}\nIt printed:\n{printed}"


python_blocks = PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS)
# Sessions (>>>) are left to it, and it has no argument for the rest.
python_blocks.codeblock_parser = CodeBlockParser("python", KeepPrinted())

pytest_collect_file = Sybil(
    parsers=[
        python_blocks,
        CodeBlockParser("output", compare_printed),
        SkipParser(),
        ClearNamespaceParser(),
    ],
    patterns=["README.md", "docs/*.md"],
).pytest()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # pytest-randomly has shuffled them, and a block goes on where the one before it ended.
    blocks = [(place, item) for place, item in enumerate(items) if hasattr(item, "example")]
    in_order = sorted(
        (item for _, item in blocks), key=lambda item: (item.path, item.example.start)
    )
    for (place, _), item in zip(blocks, in_order, strict=True):
        items[place] = item


def pytest_deselected(items: list[pytest.Item]) -> None:
    config = items[0].config
    if config.option.markexpr:
        marked = [item for item in items if any(map(item.get_closest_marker, MARKS))]
        config.stash[LEFT_OUT] = config.stash.get(LEFT_OUT, 0) + len(marked)


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A worker of pytest-xdist, which has no terminal, tells the process that has one.
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    # Each worker collects all tests, and leaves the same ones out.
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Iterator[None]:
    yield
    if count := config.stash.get(LEFT_OUT, 0):
        text = f"{count} tests were left out by -m {config.option.markexpr!r}"
        terminalreporter.write_line(f"{text}; to run all there are: python -m pytest")

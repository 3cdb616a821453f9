"""The examples of README.md and docs/ are tests: see the section on docs in CONTRIBUTING.md."""

from __future__ import annotations

import contextlib
import doctest
import io

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

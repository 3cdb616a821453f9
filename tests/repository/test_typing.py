"""What other checkers than mypy and pyright understand of the types."""

from __future__ import annotations

from pathlib import Path

import pytest
import typing_gaps

import flowdeco


@pytest.mark.process
@pytest.mark.parametrize("checker", ["ty", "pyrefly"])
def test_checkers_understand_as_much_as_is_said(checker):
    """A gap that a checker has closed, or a new one, is noticed: the tables name all of them."""
    if not typing_gaps.command(checker).exists():
        pytest.skip(f"{checker} is not installed")

    assert typing_gaps.changes(checker, Path(flowdeco.__file__).parents[1]) == []

"""`graph()`: the graph of a scheduler as an object, which notebooks show."""

from __future__ import annotations

import shutil

import pytest
from jobs import naps

from flowdeco import Scheduler

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")


def scheduler():
    a, b = naps(["build", "<upload> & é"])
    return Scheduler(a >> b, label="deploy")


def test_source():
    """The graph has its source in Graphviz's language, and is that as text."""
    main = scheduler()
    graph = main.graph()

    assert graph.source == str(graph) == main.to_dot()
    assert len(repr(graph)) < 80


@needs_dot
def test_picture():
    """A notebook shows the picture that Graphviz draws."""
    graph = scheduler().graph()
    svg = graph.svg()

    assert "<svg" in svg
    assert "build" in svg
    assert "&lt;upload&gt; &amp; é" in svg
    assert graph._repr_svg_() == svg
    assert graph._repr_mimebundle_(include=None, exclude=None) == {
        "text/plain": graph.source,
        "image/svg+xml": svg,
    }


def test_without_graphviz(monkeypatch):
    """Without Graphviz a notebook shows the source, and who wants the picture learns what to do."""
    monkeypatch.setenv("PATH", "/nowhere")
    graph = scheduler().graph()

    assert graph._repr_mimebundle_() == {"text/plain": graph.source}
    assert graph._repr_svg_() is None
    with pytest.raises(FileNotFoundError, match="install Graphviz"):
        graph.svg()


@pytest.mark.parametrize("script", ["exit 3", "echo broken >&2; exit 1", "exec sleep 60"])
def test_failing_graphviz(script, tmp_path, monkeypatch):
    """A `dot` that fails or hangs is an error of `svg()`, and nothing to a notebook."""
    monkeypatch.setattr("flowdeco.views.dot.PATIENCE", 0.2 if "sleep" in script else 30.0)
    command = tmp_path / "dot"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    graph = scheduler().graph()

    assert graph._repr_svg_() is None
    with pytest.raises(RuntimeError, match="`dot` "):
        graph.svg()

"""Graphs in Graphviz's language, drawn by its `dot` where that is installed."""

from __future__ import annotations

import contextlib

__all__ = ["Graph"]

PATIENCE = 30.0
"""The seconds that `dot` may take: a huge graph is shown as text."""


class Graph:
    """A graph in Graphviz's language, which a notebook shows as a picture.

    Args:
        source: the text in that language; `str()` gives it, too.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def svg(self) -> str:
        """Draw the graph with the `dot` of Graphviz, and return the picture as SVG.

        Raises:
            FileNotFoundError: `dot` is not installed.
            RuntimeError: it failed, or took too long.
        """
        import subprocess  # noqa: PLC0415  # only here, and no part of what asyncio loads everywhere

        try:
            drawn = subprocess.run(
                ["dot", "-Tsvg"],
                input=self.source,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except FileNotFoundError:
            raise FileNotFoundError(
                "the graph is drawn by Graphviz, and there is no command `dot`; install Graphviz"
                " (https://graphviz.org/download), or draw the text in `.source` elsewhere"
            ) from None
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"`dot` took longer than {PATIENCE:g} s to draw the graph") from None
        if drawn.returncode:
            raise RuntimeError(f"`dot` could not draw the graph: {drawn.stderr.strip()}")
        return drawn.stdout

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        """Return what a notebook shows: the picture, or else the text."""
        shown = {"text/plain": self.source}
        with contextlib.suppress(OSError, RuntimeError):  # the text is what is left
            shown["image/svg+xml"] = self.svg()
        return shown

    def _repr_svg_(self) -> str | None:
        return self._repr_mimebundle_().get("image/svg+xml")

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return f"<Graph, {len(self.source.splitlines())} lines of DOT>"

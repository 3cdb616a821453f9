"""The interpreters that the contenders run in: a virtual environment for each set of packages."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .contenders import CONTENDERS

__all__ = ["Here", "Made"]

ROOT = Path(__file__).parents[2]
"""The top of the repository, where the processes run: they find `tests` and `flowdeco` there."""

DESCRIBE = """
import importlib.metadata, json, platform, sys
names = [name.partition("==")[0] for name in sys.argv[1:]]
found = [f"{name} {importlib.metadata.version(name)}" for name in names]
print(json.dumps([platform.python_version(), found]))
"""


class Here:
    """This interpreter, for the contenders that need nothing else.

    Args:
        cache: where bytecode is kept, so that nothing is written to the tree.
    """

    def __init__(self, cache: Path, base: str = sys.executable) -> None:
        self.cache = cache
        self.base = base
        self.version, _ = self._describe(base)

    def python(self, contender: str) -> str:
        """Return the interpreter for a contender, with what it needs installed."""
        return self.base

    def packages(self, contender: str) -> list[str]:
        """Return what it has of the packages that a contender needs, as `name version`."""
        return self._describe(self.python(contender), *CONTENDERS[contender].packages)[1]

    def run(
        self, python: str, *arguments: str, timeout: float = 600, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the interpreters, with nothing that this process has set for its Python."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [python, *arguments],
            cwd=ROOT,
            env={**kept, "PYTHONPYCACHEPREFIX": str(self.cache / "bytecode")},
            capture_output=True,
            text=True,
            check=check,
            timeout=timeout,
        )

    def _describe(self, python: str, *packages: str) -> tuple[str, list[str]]:
        return tuple(json.loads(self.run(python, "-c", DESCRIBE, *packages).stdout))


class Made(Here):
    """Environments of another interpreter, made in the cache when they are needed."""

    def __init__(self, cache: Path, base: str) -> None:
        super().__init__(cache, base)

    def python(self, contender: str) -> str:
        """Return the interpreter for a contender, with what it needs installed."""
        packages = CONTENDERS[contender].packages
        digest = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:8]
        place = self.cache / f"{self.version}-{digest}"
        python = str(place / "bin" / "python")
        if not (place / "complete").exists():
            print(f"making {place} for {contender}", file=sys.stderr)
            self.run(self.base, "-m", "venv", "--clear", str(place))
            if packages:
                self._install(python, packages)
            (place / "complete").touch()
        return python

    def _install(self, python: str, packages: Sequence[str]) -> None:
        options = ["-q", "--disable-pip-version-check"]
        done = self.run(python, "-m", "pip", "install", *options, *packages, check=False)
        if done.returncode:
            raise SystemExit(f"pip cannot install {' '.join(packages)}:\n{done.stderr}")

"""The interpreters that the contenders run in: a virtual environment for each set of packages."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .contenders import CONTENDERS

__all__ = ["ROOT", "Here", "Made"]

ROOT = Path(__file__).parents[2]
"""The top of the repository, where the processes run: they find `tests` and `flowdeco` there."""

DESCRIBE = """
import importlib.metadata, json, platform, sys
names = [name.partition("==")[0] for name in sys.argv[1:]]
print(json.dumps([platform.python_version(), [importlib.metadata.version(name) for name in names]]))
"""


def variables(cache: Path) -> dict[str, str]:
    """What a process finds in its environment: bytecode is cached, and not in the tree."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache / "bytecode")}


class Described(NamedTuple):
    """Which Python an interpreter is, and which packages it has, as `name version`."""

    python: str
    packages: list[str]


def describe(python: str, packages: Sequence[str]) -> Described:
    """Ask an interpreter."""
    command = [python, "-c", DESCRIBE, *packages]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    version, versions = json.loads(found.stdout)
    names = [name.partition("==")[0] for name in packages]
    return Described(version, [" ".join(pair) for pair in zip(names, versions, strict=True)])


class Here:
    """This interpreter, for the contenders that need nothing else."""

    def python(self, contender: str) -> str:
        """Return the interpreter for a contender."""
        return sys.executable

    def describe(self, contender: str) -> Described:
        """Return which Python it is and what the contender needs."""
        return describe(sys.executable, CONTENDERS[contender].packages)


class Made:
    """Virtual environments of one Python, made when they are needed and kept in a directory."""

    def __init__(self, base: str, cache: Path) -> None:
        self.base = base
        self.cache = cache
        self.version = describe(base, ()).python

    def python(self, contender: str) -> str:
        """Return the interpreter for a contender, with what it needs installed."""
        packages = CONTENDERS[contender].packages
        digest = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:8]
        place = self.cache / f"{self.version}-{digest}"
        python = place / "bin" / "python"
        if not (place / "complete").exists():
            print(f"making {place} for {contender}", file=sys.stderr)
            subprocess.run([self.base, "-m", "venv", "--clear", place], check=True)
            if packages:
                install = [python, "-m", "pip", "install", "-q", *packages]
                subprocess.run(
                    [*install, "--disable-pip-version-check"], check=True, stdout=sys.stderr
                )
            (place / "complete").touch()
        return str(python)

    def describe(self, contender: str) -> Described:
        """Return which Python it is and what the contender needs."""
        return describe(self.python(contender), CONTENDERS[contender].packages)

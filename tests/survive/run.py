"""Compare what flowdeco, asynciojobs and asyncio by hand survive.

`python tests/survive/run.py` makes a temporary virtual environment with this tree and a pinned
asynciojobs, makes every attempt in a process of its own, and prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PINNED = "asynciojobs==0.21.3"
HERE = Path(__file__).parent
TREE = HERE.parent.parent


def main() -> int:
    """Make the environment, unless one is given, and run `survive.table` in it."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="Other options (--only ID, --verbose) are those of the table.",
    )
    parser.add_argument("--python", help=f"one that has flowdeco and {PINNED} already")
    options, others = parser.parse_known_args()
    if options.python:
        return table(options.python, others)
    with tempfile.TemporaryDirectory() as directory:
        venv.create(directory, with_pip=True)
        python = str(Path(directory, "bin", "python"))
        subprocess.run([python, "-m", "pip", "install", "-q", PINNED, str(TREE)], check=True)
        return table(python, others)


def table(python: str, options: list[str]) -> int:
    """Run the attempts and print the table."""
    path = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    command = [python, "-m", "survive.table", *options]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

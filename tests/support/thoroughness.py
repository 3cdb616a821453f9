"""How much of a sweep is taken where Python is slow.

In debug mode and as WebAssembly each run takes several times as long. All single points are taken
there, too; of pairs, of kinds of errors and of random scenarios there are fewer. The gate takes all
of them on each ordinary Python.
"""

import sys

__all__ = ["IS_SLOW", "THINNED"]

IS_SLOW = sys.flags.dev_mode or sys.platform == "emscripten"

THINNED = 3 if IS_SLOW else 1
"""Of the points that are taken elsewhere, one in so many is taken here."""

"""The two libraries that are compared: `fd` and `aj`; the third contender is asyncio itself."""

import platform

import flowdeco as fd

try:
    import asynciojobs as aj
except ImportError:  # the tests of flowdeco run its own column alone
    aj = None

CONTENDERS = {
    "flowdeco": f"flowdeco {fd.__version__}",
    "asynciojobs": f"asynciojobs {aj.__version__ if aj else 'is not there'}",
    "taskgroup": f"TaskGroup by hand, Python {platform.python_version()}",
}
"""The method of a situation, and the head of its column."""

__all__ = ["CONTENDERS", "aj", "fd"]

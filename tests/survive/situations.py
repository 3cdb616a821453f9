"""All situations, in the order of the table."""

from survive import cancelled, failures, graphs, hooks, programs, services, shown, times
from survive.situation import Situation

MODULES = (cancelled, failures, hooks, times, services, programs, graphs, shown)

ALL = [
    situation
    for module in MODULES
    for situation in vars(module).values()
    if isinstance(situation, type) and issubclass(situation, Situation) and "id" in vars(situation)
]
SITUATIONS = {situation.id: situation for situation in ALL}
"""Those of `ALL` by their id."""

__all__ = ["ALL", "SITUATIONS"]

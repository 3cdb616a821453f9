"""Graphs that make no sense."""

from survive.bodies import quick
from survive.contenders import aj, fd
from survive.situation import REFUSED, Situation

NO_GRAPH = "the order is that of the lines: this cannot be written"


class Cycle(Situation):
    """Two jobs require each other, behind one that requires nothing: no body starts."""

    id = "G01"
    rules = (1,)
    ends = REFUSED

    async def flowdeco(self):
        a, b, c = fd.Job(quick("a")), fd.Job(quick("b")), fd.Job(quick("c"))
        return await fd.Scheduler(a >> b >> c >> b).co_orchestrate()

    async def asynciojobs(self):
        a, b, c = aj.Job(quick("a")), aj.Job(quick("b")), aj.Job(quick("c"))
        b.requires(a, c)
        c.requires(b)
        return await aj.Scheduler(a, b, c).co_run()

    taskgroup = NO_GRAPH


class RequiresItself(Situation):
    """A job requires itself: that is an error, and no body starts."""

    id = "G04"
    rules = (1,)
    ends = REFUSED

    async def flowdeco(self):
        a = fd.Job(quick("a"))
        a.requires(a)
        return await fd.Scheduler(a).co_orchestrate()

    async def asynciojobs(self):
        a = aj.Job(quick("a"))
        a.requires(a)
        return await aj.Scheduler(a).co_run()

    taskgroup = NO_GRAPH

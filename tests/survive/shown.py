"""Labels that try to be more than text, in a drawing and on a terminal."""

import io
import subprocess
from contextlib import redirect_stdout

from survive.bodies import quick
from survive.contenders import aj, fd
from survive.situation import Situation, accuse

NOTHING_SHOWN = "there is nothing that draws or lists it"


class Drawn(Situation):
    """The base: two jobs, one of them with an odd label, are drawn by Graphviz."""

    rules = (17,)
    label = ""

    def flowdeco(self):
        a, b = fd.Job(quick(), label=self.label), fd.Job(quick(), label="b")
        self.look_at(fd.Scheduler(a >> b).to_dot())
        return True

    def asynciojobs(self):
        a, b = aj.Job(quick(), label=self.label), aj.Job(quick(), label="b")
        b.requires(a)
        self.look_at(aj.Scheduler(a, b).dot_format())
        return True

    taskgroup = NOTHING_SHOWN

    def look_at(self, dot):
        drawn = subprocess.run(
            ["dot", "-Tplain"], input=dot, capture_output=True, check=False, encoding="utf-8"
        )
        if drawn.returncode:
            accuse("lies", f"no drawing: {drawn.stderr.splitlines()[0]}")
            return
        nodes = sum(line.startswith("node ") for line in drawn.stdout.splitlines())
        if nodes != 2:
            accuse("lies", f"{nodes} nodes are drawn")


class LabelWithQuotes(Drawn):
    """A label that ends its own quotes and adds a node, in a drawing."""

    id = "O01"
    label = 'x"]; evil [label="pwn'


class LabelWithBackslash(Drawn):
    r"""A label that ends with a backslash, in a drawing."""

    id = "O02"
    label = "C:\\"


class LabelWithControls(Situation):
    """A label with escape sequences of terminals, in a listing."""

    id = "O03"
    rules = (17,)
    label = "\x1b[2J\x1b]52;c;aGk=\x07 \r\x08 \u202e"
    taskgroup = NOTHING_SHOWN

    def flowdeco(self):
        self.look_at(fd.Scheduler(fd.Job(quick(), label=self.label)))
        return True

    def asynciojobs(self):
        self.look_at(aj.Scheduler(aj.Job(quick(), label=self.label)))
        return True

    def look_at(self, scheduler):
        with redirect_stdout(io.StringIO()) as printed:
            scheduler.list()
        raw = {char for char in printed.getvalue() if not char.isprintable()} - {"\n"}
        if raw:
            accuse("lies", f"on the terminal there is {''.join(sorted(raw))!a}")

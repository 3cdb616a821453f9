"""Diagrams, read back by the real Graphviz; and the files that they are written to."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jobs import boom, diamond, nap, naps, orchestrate
from strategies import SPECIAL, acyclic_graphs, texts

from flowdeco import Flow, Scheduler, service, step, subflow
from flowdeco.base.text import label_lines
from flowdeco.testing import VirtualClockLoop
from flowdeco.views.diagram import quoted

DOT = shutil.which("dot")

needs_dot = pytest.mark.skipif(
    DOT is None and not os.environ.get("CI"), reason="Graphviz is not installed"
)


def graphviz(text, form):
    """What `dot` makes of a graph; it must not complain."""
    assert DOT is not None, "Graphviz is missing: install it, so that dot is a command"
    ended = subprocess.run(
        [DOT, f"-T{form}"],
        input=text.encode("utf-8"),
        capture_output=True,
        check=False,
        timeout=60,
    )
    complaints = [line for line in ended.stderr.splitlines() if line.startswith((b"Warn", b"Err"))]
    assert (ended.returncode, complaints) == (0, [])
    return ended.stdout.decode("utf-8")


class Drawn:
    """What is seen in a picture."""

    def __init__(self, scheduler):
        drawn = json.loads(graphviz(scheduler.to_dot(), "json"))
        objects = drawn.get("objects", [])
        self.name = drawn["name"]
        things = {thing["name"]: thing for thing in objects}
        self.clusters = {name: thing for name, thing in things.items() if "cluster_" in name}
        self.nodes = {name: thing for name, thing in things.items() if name not in self.clusters}
        self.visible = [node for node in self.nodes.values() if node.get("style") != "invis"]
        names = {thing["_gvid"]: thing["name"] for thing in objects}
        self.edges = [
            (
                edge.get("ltail", names[edge["tail"]]),
                edge.get("lhead", names[edge["head"]]),
            )
            for edge in drawn.get("edges", [])
        ]

    @property
    def labels(self):
        """The texts that can be read, by the number that is in front of each."""
        things = [*self.visible, *self.clusters.values()]
        read = [text_of(thing).partition(": ") for thing in things]
        return {int(number): text for number, _, text in read}

    def inside(self, cluster):
        """The names of the nodes in a cluster, those of nested ones too."""
        gvids = {node["_gvid"]: name for name, node in self.nodes.items()}
        return sorted(gvids[node] for node in self.clusters[cluster].get("nodes", []))


def text_of(thing):
    """The text that is drawn for a node or a cluster, in its lines."""
    return "\n".join(
        operation["text"]
        for kind in ("_ldraw_", "_draw_")
        for operation in thing.get(kind, [])
        if operation["op"] == "T"
    )


# Nodes and edges


@needs_dot
def test_each_job_is_a_node_and_each_requirement_an_edge():
    """A graph has as many nodes and edges as there are jobs and requirements."""
    drawn = Drawn(diamond(1.0))

    assert list(drawn.labels.values()) == ["top", "left", "right", "bottom"]
    assert sorted(drawn.edges) == [("1", "2"), ("1", "3"), ("2", "4"), ("3", "4")]


@needs_dot
def test_plain_output_counts_the_same():
    """`dot -Tplain` finds the same nodes and edges."""
    kinds = [row.split()[0] for row in graphviz(diamond(1.0).to_dot(), "plain").splitlines()]

    assert (kinds.count("node"), kinds.count("edge")) == (4, 4)


@needs_dot
@settings(max_examples=15)
@given(acyclic_graphs())
def test_any_graph_is_drawn_as_it_is(graph):
    """Whatever the graph, its nodes and edges are found in the picture."""
    jobs = {node: nap(str(node)) for node in graph}
    for node, before in graph.items():
        jobs[node].requires(jobs[other] for other in before)

    drawn = Drawn(Scheduler(*jobs.values()))

    labels = {str(number): label for number, label in drawn.labels.items()}
    assert sorted(labels.values()) == sorted(map(str, graph))
    assert sorted((labels[a], labels[b]) for a, b in drawn.edges) == sorted(
        {(str(before), str(node)) for node, all_before in graph.items() for before in all_before}
    )


@needs_dot
def test_nothing_is_drawn():
    """G10: an empty graph is a graph."""
    drawn = Drawn(Scheduler(label="empty"))

    assert (drawn.name, drawn.nodes, drawn.edges) == ("empty", {}, [])


@needs_dot
def test_a_cycle_is_drawn():
    """G01: a graph that cannot run can be looked at."""
    a, b, c = naps("abc")
    a.requires(c)
    b.requires(a)
    c.requires(b)

    assert sorted(Drawn(Scheduler(a, b, c)).edges) == [("1", "2"), ("2", "3"), ("3", "1")]


@needs_dot
def test_equal_labels_are_different_nodes():
    """G19: two jobs may have one label."""
    a, b = nap("same"), nap("same")

    drawn = Drawn(Scheduler(a, b.requires(a)))

    assert list(drawn.labels.values()) == ["same", "same"]
    assert drawn.edges == [("1", "2")]


def test_requirements_outside_are_not_drawn():
    """What is not in the scheduler is not in its picture."""
    assert "->" not in Scheduler(nap("a", required=nap("elsewhere"))).to_dot()


# Labels


# Without & as long as it is not escaped: see the tests of character references below.
labels = texts.map(lambda text: text.replace("&", "+"))


def drawn_as(label):
    """What is drawn of a label: its lines, but for empty ones, which Graphviz leaves out."""
    first, *rest = label_lines(label)
    return "\n".join([first, *filter(None, rest)])


def called(labels):
    """A scheduler of jobs with these labels."""
    return Scheduler(*(nap(label) for label in labels))


@needs_dot
def test_special_labels_can_be_read():
    """O01 O02 O05: labels are what they are, however much they look like something else."""
    drawn = Drawn(called(SPECIAL))

    assert list(drawn.labels.values()) == [drawn_as(label) for label in SPECIAL]
    assert drawn.edges == []


@needs_dot
@settings(max_examples=30)
@given(st.lists(labels, min_size=10, max_size=40))
@example(['x"]; 9 [label="pwn"]; subgraph cluster_9 { 1 -> 2 } #', "//", "/*", "\\", '\\"', "\\\\"])
def test_any_label_can_be_read(labels):
    """O01 O02: whatever the labels, there are as many nodes, and each shows its text."""
    drawn = Drawn(called(labels))

    assert drawn.labels == {number: drawn_as(label) for number, label in enumerate(labels, 1)}
    assert (drawn.edges, drawn.clusters) == ([], {})


@needs_dot
@pytest.mark.parametrize("label", ["&lt;b&gt;", "&amp;", "&#65;", "&eacute;"])
def test_labels_with_character_references_can_be_read(label):
    """O02: Graphviz knows those of HTML in ordinary labels too."""
    assert Drawn(Scheduler(nap(label))).labels == {1: label}


@needs_dot
def test_an_ampersand_can_be_read():
    """O02: one that begins no character reference is as it is."""
    labels = ["a & b", "&", "a&&b", "&;", "a&b;"]

    assert list(Drawn(called(labels)).labels.values()) == labels


@needs_dot
@settings(max_examples=10)
@given(st.lists(labels, min_size=1, max_size=8))
@example(SPECIAL)
def test_any_label_of_a_cluster_can_be_read(labels):
    """O01 O02: the same holds of nested schedulers."""
    drawn = Drawn(Scheduler(*(Scheduler(nap("in"), label=label) for label in labels)))

    assert len(drawn.clusters) == len(labels)
    assert {number: text for number, text in drawn.labels.items() if number % 2} == {
        2 * place + 1: drawn_as(label) for place, label in enumerate(labels)
    }


@needs_dot
@pytest.mark.parametrize("name", SPECIAL)
def test_any_name_of_a_graph_is_a_graph(name):
    """O01 O02: the name of the scheduler cannot break out of the picture either."""
    assert len(Drawn(Scheduler(nap("a"), label=name)).nodes) == 1


@given(texts)
def test_quoted_is_one_printable_string(text):
    """O01: the only quotes that are not escaped are the first and the last character."""
    inside = quoted(text)[1:-1]

    assert quoted(text) == f'"{inside}"'
    assert inside.isprintable()
    assert '"' not in inside.replace("\\\\", "").replace('\\"', "")
    assert not inside.replace("\\\\", "").endswith("\\")


@needs_dot
def test_a_label_of_two_lines_is_drawn_in_two():
    """O02: a line break is one in the picture; other control characters are escaped."""
    inner = Scheduler(nap("in\nside"), label="of two\nlines\tin all")

    drawn = Drawn(Scheduler(nap("build\nwheel"), nap(r"as \n written"), inner))

    assert drawn.labels == {
        1: "build\nwheel",
        2: r"as \n written",
        3: "of two\nlines\\tin all",
        4: "in\nside",
    }


def test_a_label_of_two_lines_is_one_line_of_the_text():
    """O01: what is written to the file has a line for each node."""
    text = Scheduler(nap('build\n"wheel"\x1b')).to_dot()

    assert r"""  1 [label="1: build\n\"wheel\"\\x1b"];""" in text.splitlines()


class Pair(Flow):
    """Two steps, one after the other."""

    @step
    async def a(self):
        pass

    @step(after=[a])
    async def b(self):
        pass


class Twice(Flow):
    """Has one flow in two places."""

    inner: Pair = attrs.field(factory=Pair)

    @subflow
    def first(self):
        return self.inner

    @step(after=[first])
    async def between(self):
        pass

    @subflow(after=[between])
    def again(self):
        return self.inner


@needs_dot
def test_one_flow_in_two_subflows_is_drawn_twice():
    """X18: nodes and clusters are drawn once each, and no edge leads backwards."""
    flow = Twice()
    flow.run(loop_factory=VirtualClockLoop)
    drawn = Drawn(flow)

    assert sorted(drawn.labels.values()) == [
        *("Pair", "Pair", "a", "a", "again", "b", "b", "between", "first")
    ]
    assert sorted(drawn.edges) == [
        *(("3", "4"), ("5", "cluster_6"), ("8", "9"), ("cluster_1", "5"))
    ]
    assert len(drawn.clusters) == 4


def test_the_deepest_nesting_is_drawn_from_a_deep_stack():
    """G25: what is nested is not walked through by recursion."""
    scheduler = Scheduler(nap("bottom"))
    for level in range(198):
        scheduler = Scheduler(scheduler, label=f"level {level}")

    def deep(levels):
        return deep(levels - 1) if levels else scheduler.to_dot()

    text = deep(700)

    assert text.count("subgraph") == text.count("}") - 1 == 198


# Clusters


@needs_dot
def test_nested_schedulers_are_clusters():
    """A nested scheduler is a cluster with its jobs, and edges end at its border."""
    deep = Scheduler(*naps("xy"), label="deep")
    inner = Scheduler(nap("a"), deep, label="inner")
    scheduler = Scheduler(nap("first") >> inner >> nap("last"))

    drawn = Drawn(scheduler)

    assert drawn.labels == {
        1: "first",
        2: "inner",
        3: "a",
        4: "deep",
        5: "x",
        6: "y",
        7: "last",
    }
    assert drawn.inside("cluster_2") == ["3", "5", "6"]
    assert drawn.inside("cluster_4") == ["5", "6"]
    assert sorted(drawn.edges) == [("1", "cluster_2"), ("cluster_2", "7")]


@needs_dot
def test_an_empty_cluster_required_by_a_step():
    """G11: a nested scheduler without jobs is drawn, and edges end at its border."""
    empty = Scheduler(label="empty")
    drawn = Drawn(Scheduler(empty, nap("step", required=empty), label="main"))

    assert drawn.labels == {1: "empty", 2: "step"}
    assert drawn.edges == [("cluster_1", "2")]
    assert [node["name"] for node in drawn.visible] == ["2"]


@needs_dot
def test_nested_empty_clusters_required_by_a_step():
    """G11: also where what is nested has nothing but an empty scheduler in it."""
    innermost = Scheduler(label="innermost")
    middle = Scheduler(Scheduler(innermost, label="inner"), label="middle")
    after = Scheduler(label="after", required=middle)

    drawn = Drawn(Scheduler(middle, nap("step", required=[middle, after]), after))

    assert sorted(drawn.labels.values()) == ["after", "inner", "innermost", "middle", "step"]
    assert sorted(drawn.edges) == [
        ("cluster_1", "5"),
        ("cluster_1", "cluster_4"),
        ("cluster_4", "5"),
    ]


@needs_dot
def test_fifty_levels_are_drawn():
    """G25: clusters may be nested fifty levels deep."""
    scheduler = Scheduler(nap("bottom"))
    for level in range(50):
        scheduler = Scheduler(scheduler, label=f"level {level}")

    assert len(Drawn(scheduler).clusters) == 50


@needs_dot
@settings(max_examples=8)
@given(st.lists(st.tuples(acyclic_graphs(4), st.booleans()), min_size=1, max_size=4))
def test_any_nested_graph_is_drawn_without_complaint(levels):
    """G11: there are as many clusters, jobs and edges, wherever these end."""
    nodes = edges = clusters = 0
    inner = None
    for graph, as_requirement in levels:
        jobs = {node: nap(str(node)) for node in graph}
        for node, before in graph.items():
            jobs[node].requires(jobs[other] for other in before)
            edges += len(jobs[node].required)
        nodes += len(jobs)
        if inner is not None:
            clusters += 1
            if as_requirement and jobs:
                jobs[0].requires(inner)
                edges += 1
        members = [*jobs.values(), *([] if inner is None else [inner])]
        inner = Scheduler(*members, label="level")

    drawn = Drawn(inner)

    assert (len(drawn.visible), len(drawn.edges), len(drawn.clusters)) == (nodes, edges, clusters)


# Styles


STYLES = [(critical, forever) for critical in (False, True) for forever in (False, True)]


def style_of(thing):
    """Whether it is red, how thick it is, and whether it is dashed."""
    red = thing.get("color") == "red"
    return red, float(thing.get("penwidth", 1)) > 1, "dashed" in thing.get("style", "")


@needs_dot
def test_critical_is_thick_and_red_and_forever_is_dashed():
    """Jobs and clusters show in the same way what they are."""
    jobs = [nap("job", critical=critical, forever=forever) for critical, forever in STYLES]
    nested = [
        Scheduler(nap("in", critical=False), critical=critical, forever=forever)
        for critical, forever in STYLES
    ]
    drawn = Drawn(Scheduler(*jobs, *nested))

    expected = [(critical, critical, forever) for critical, forever in STYLES]
    assert [style_of(node) for node in drawn.visible[:4]] == expected
    assert [style_of(cluster) for cluster in drawn.clusters.values()] == expected


@needs_dot
def test_a_flow_is_drawn_as_its_scheduler():
    """`flow.to_dot()` shows the class, its steps and its services."""

    class Deploy(Flow, critical=True):
        @service(critical=False)
        async def database(self):
            yield "dsn"

        @step(after=database)
        async def migrate(self, dsn):
            return dsn

    flow = Deploy()
    drawn = Drawn(flow)

    assert flow.to_dot() == flow.scheduler.to_dot()
    assert (drawn.name, drawn.labels) == ("Deploy", {1: "database", 2: "migrate"})
    assert [style_of(node) for node in drawn.visible] == [(False, False, True), (True, True, False)]


@needs_dot
def test_a_graph_can_be_drawn_after_a_run():
    """After a run, whatever became of it, the graph is still that of the jobs."""
    scheduler = Scheduler(nap("a") >> boom("b", critical=True) >> diamond(1.0, label="c"))
    orchestrate(scheduler)

    drawn = Drawn(scheduler)

    assert list(drawn.labels.values())[:2] == ["a", "b"]
    assert sorted(drawn.edges)[:2] == [("1", "2"), ("2", "cluster_3")]


# Files


@pytest.fixture
def scheduler():
    return Scheduler(nap("été ∞ \ud800") >> nap("b"), label="main")


def left_in(directory):
    return sorted(os.listdir(directory))


def test_file_has_the_graph(scheduler, tmp_path):
    """O07: the file is UTF-8, has what `to_dot` gives, and nothing else is left beside it."""
    path = tmp_path / "graph.dot"

    assert scheduler.export_as_dotfile(path) is None

    assert path.read_bytes().decode("utf-8") == scheduler.to_dot()
    assert left_in(tmp_path) == ["graph.dot"]


@pytest.mark.parametrize("path", ["graph.dot", "./graph.dot", "../here/graph.dot"])
def test_relative_paths(path, scheduler, tmp_path, monkeypatch):
    """O07: a path may be relative to the working directory, and a str."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    scheduler.export_as_dotfile(path)

    assert (here / "graph.dot").read_text("utf-8") == scheduler.to_dot()
    assert (left_in(here), left_in(tmp_path)) == (["graph.dot"], ["here"])


def test_existing_file_is_replaced(scheduler, tmp_path):
    """O07: what was there is gone, its mode stays."""
    path = tmp_path / "graph.dot"
    path.write_text("x" * 10_000)
    path.chmod(0o640)

    scheduler.export_as_dotfile(path)

    assert path.read_text("utf-8") == scheduler.to_dot()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert left_in(tmp_path) == ["graph.dot"]


def test_new_file_has_the_mode_of_any_new_file(scheduler, tmp_path):
    """O07: a temporary file is private, the result is as open as any other new file."""
    other = tmp_path / "other"
    other.touch()

    scheduler.export_as_dotfile(tmp_path / "graph.dot")

    assert (tmp_path / "graph.dot").stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize("exists", [True, False])
def test_symlink_is_kept(exists, scheduler, tmp_path):
    """O07: a link stays a link, and what it leads to is written, wherever that is."""
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "target.dot", tmp_path / "link.dot"
    if exists:
        target.write_text("before")
    link.symlink_to(target)

    scheduler.export_as_dotfile(link)

    assert link.is_symlink()
    assert target.read_text("utf-8") == scheduler.to_dot()
    assert (left_in(tmp_path), left_in(target.parent)) == (["far", "link.dot"], ["target.dot"])


@pytest.mark.parametrize("path", ["", ".", "folder", "folder/", "gone/graph.dot", "file/graph.dot"])
def test_what_cannot_be_a_file(path, scheduler, tmp_path, monkeypatch):
    """O07: a directory, or a path that leads nowhere, is an `OSError`, and nothing is left."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("before")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OSError, match=r"\[Errno"):
        scheduler.export_as_dotfile(path)

    assert (left_in(tmp_path), left_in(tmp_path / "folder")) == (["file", "folder"], [])
    assert (tmp_path / "file").read_text() == "before"


@pytest.mark.skipif(sys.platform != "linux", reason="there is no file system like it")
def test_unwritable_place(scheduler):
    """O07: where no file can be made, not even by root, it is an `OSError`."""
    with pytest.raises(OSError, match=r"\[Errno"):
        scheduler.export_as_dotfile("/proc/graph.dot")


def refuse(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("call", ["os.replace", "os.chmod", "flowdeco.views.diagram._fill"])
def test_failure_on_the_way_leaves_what_was_there(call, scheduler, tmp_path, monkeypatch):
    """O07: never partial: the old file is whole, and no other is left."""
    path = tmp_path / "graph.dot"
    path.write_text("before")

    def half(temporary, text):
        with open(temporary, "w") as stream:
            stream.write(text[: len(text) // 2])
        refuse()

    monkeypatch.setattr(call, half if call.endswith("_fill") else refuse)

    with pytest.raises(OSError, match="No space left"):
        scheduler.export_as_dotfile(path)

    assert path.read_text() == "before"
    assert left_in(tmp_path) == ["graph.dot"]


def test_readers_see_a_whole_file(scheduler, tmp_path):
    """O07: who has the old file open goes on reading it; the new one is another."""
    path = tmp_path / "graph.dot"
    path.write_text("before")

    with path.open() as reader:
        scheduler.export_as_dotfile(path)
        assert reader.read() == "before"


@pytest.mark.skipif(sys.platform == "emscripten", reason="names of files are UTF-8 there")
def test_paths_that_are_no_utf_8(scheduler, tmp_path):
    """O07: a file name may be of any bytes."""
    path = os.path.join(tmp_path, os.fsdecode(b"caf\xe9 \n.dot"))

    scheduler.export_as_dotfile(path)

    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9 \n.dot"]


def test_odd_names_are_files(scheduler, tmp_path, monkeypatch):
    """O07: nothing in a name is special."""
    monkeypatch.chdir(tmp_path)
    names = ["-", "~", "$HOME", "%s{}", ".hidden", "no suffix", "*"]

    for name in names:
        scheduler.export_as_dotfile(name)

    assert left_in(tmp_path) == sorted(names)


def test_the_longest_name(scheduler, tmp_path):
    """O07: a name that a file can have is one that it can be written to."""
    name = "x" * 250 + ".dot"
    (tmp_path / name).touch()

    scheduler.export_as_dotfile(tmp_path / name)

    assert left_in(tmp_path) == [name]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_is_no_file_is_not_replaced(scheduler, tmp_path):
    """O07: a pipe or a device (/dev/null, by root) stays what it is."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        scheduler.export_as_dotfile(path)
    except OSError:
        pass  # to refuse it would be right as well
    finally:
        os.close(reader)

    assert stat.S_ISFIFO(path.stat().st_mode)


def test_files_written_at_the_same_time(scheduler, tmp_path):
    """O07: two who write one file leave a whole one."""
    path = tmp_path / "graph.dot"
    threads = [threading.Thread(target=scheduler.export_as_dotfile, args=(path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert path.read_text("utf-8") == scheduler.to_dot()
    assert left_in(tmp_path) == ["graph.dot"]

"""What users of asynciojobs rely on: labels, details, and graphs for Graphviz."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from jobs import diamond, duration, nap, naps, orchestrate, pipes, sleeping

from flowdeco import AbstractJob, Chain, Job, Scheduler


def drawn(scheduler, directory):
    """Write the graph to a file, and return its lines; Graphviz must understand it."""
    path = directory / "graph.dot"
    scheduler.export_as_dotfile(path)
    dot = shutil.which("dot")
    if dot is not None:
        subprocess.run([dot, "-Tsvg", path, "-o", directory / "graph.svg"], check=True, timeout=60)
        assert (directory / "graph.svg").read_text("utf-8").rstrip().endswith("</svg>")
    text = path.read_text("utf-8")
    assert text == scheduler.to_dot()
    return [line.strip() for line in text.splitlines()]


def edges(lines):
    return [line for line in lines if re.match(r"\d+ -> \d+", line)]


def clusters(lines):
    return sum(line.startswith("subgraph cluster_") for line in lines)


def test_graph_of_a_sequence(tmp_path, capsys):
    """A chain is drawn as it runs; jobs without a label go by the name of their function."""
    scheduler = Scheduler()
    scheduler.add(
        Job(sleeping(0.25)) >> Job(sleeping(1.0), label="middle") >> Job(lambda: sleeping(0.25))
    )

    assert len(scheduler) == 3
    scheduler.list()
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 1.5
    lines = drawn(scheduler, tmp_path)

    assert capsys.readouterr().out.splitlines() == [
        "01     ⚐   <Job `sleeping`>",
        "02     ⚐   <Job `middle`> - requires {01}",
        "03     ⚐   <Job `<lambda>`> - requires {02}",
    ]
    assert edges(lines) == ["1 -> 2;", "2 -> 3;"]
    assert '2 [label="2: middle"];' in lines


class Detailed(Job[float]):
    """A job class with a label and details of its own."""

    def __init__(self, text, body, label=None):
        self.text = text
        super().__init__(body, label=text[::-1] if label is None else label)

    def details(self):
        return f"the text was\n{self.text}"


def test_own_labels_and_details(capsys, tmp_path):
    """A class may choose its label, and say more when a listing is asked for details."""
    scheduler = Scheduler(
        Detailed("abc", lambda: sleeping(0.25)) >> Detailed("def", sleeping(0.25), label="own")
    )

    scheduler.list()
    brief = capsys.readouterr().out.splitlines()
    scheduler.list(details=True)
    full = capsys.readouterr().out.splitlines()

    assert brief == [
        "01     ⚐   <Detailed `cba`>",
        "02     ⚐   <Detailed `own`> - requires {01}",
    ]
    assert [line.strip() for line in full] == [
        *("01     ⚐   <Detailed `cba`>", "the text was", "abc"),
        *("02     ⚐   <Detailed `own`> - requires {01}", "the text was", "def"),
    ]
    assert '1 [label="1: cba"];' in drawn(scheduler, tmp_path)


def test_graph_of_a_diamond_in_a_sequence(tmp_path):
    """A nested scheduler is a cluster; edges to it end at its border."""
    scheduler = Scheduler(nap("begin") >> diamond(1.0, label="middle") >> nap("end"))

    lines = drawn(scheduler, tmp_path)

    assert clusters(lines) == 1
    assert 'label="2: middle";' in lines
    assert edges(lines) == [
        "1 -> 3 [lhead=cluster_2];",
        "3 -> 4;",
        "3 -> 5;",
        "4 -> 6;",
        "5 -> 6;",
        "6 -> 7 [ltail=cluster_2];",
    ]


def test_graph_of_pipes_in_a_sequence(tmp_path):
    """A cluster with several entries and exits has one edge in, and one out."""
    scheduler = Scheduler(nap("begin") >> pipes(1.0, label="middle") >> nap("end"))

    assert edges(drawn(scheduler, tmp_path)) == [
        "1 -> 3 [lhead=cluster_2];",
        "3 -> 4;",
        "5 -> 6;",
        "6 -> 7 [ltail=cluster_2];",
    ]


def test_graph_of_two_clusters_in_a_row(tmp_path):
    """An edge between two clusters ends at the borders of both."""
    scheduler = Scheduler(nap("begin") >> diamond(1.0) >> pipes(1.0) >> nap("end"))

    lines = drawn(scheduler, tmp_path)

    assert clusters(lines) == 2
    between = [line for line in edges(lines) if "ltail" in line and "lhead" in line]
    assert between == ["6 -> 8 [ltail=cluster_2, lhead=cluster_7];"]


def test_graph_of_deep_clusters(tmp_path):
    """An edge to a cluster within a cluster ends at the border of the right one."""
    innermost = Scheduler(nap("x"), label="innermost")
    middle = Scheduler(innermost, label="middle")
    scheduler = Scheduler(nap("begin") >> middle >> nap("end"))

    lines = drawn(scheduler, tmp_path)

    assert clusters(lines) == 2
    assert edges(lines) == ["1 -> 4 [lhead=cluster_2];", "4 -> 5 [ltail=cluster_2];"]


@pytest.mark.parametrize(
    ("critical", "forever", "style"),
    [
        (False, False, ""),
        (True, False, ", color=red, penwidth=2"),
        (False, True, ', style="rounded,dashed"'),
        (True, True, ', style="rounded,dashed", color=red, penwidth=2'),
    ],
)
def test_styles_of_jobs(critical, forever, style, tmp_path):
    """Critical jobs are red and thick, those that run forever dashed."""
    scheduler = Scheduler(nap("job", critical=critical, forever=forever))

    assert f'1 [label="1: job"{style}];' in drawn(scheduler, tmp_path)


@pytest.mark.parametrize(
    ("critical", "forever", "style"),
    [
        (False, False, 'style="rounded"; penwidth=0.5;'),
        (True, False, 'style="rounded"; color=red; penwidth=2;'),
        (False, True, 'style="rounded,dashed"; penwidth=0.5;'),
        (True, True, 'style="rounded,dashed"; color=red; penwidth=2;'),
    ],
)
def test_styles_of_clusters(critical, forever, style, tmp_path):
    """Nested schedulers show in the same way whether they are critical and run forever."""
    inner = pipes(0.5, count=6, label="inner", critical=critical, forever=forever)

    lines = drawn(Scheduler(inner), tmp_path)

    assert lines[lines.index('label="1: inner";') + 1] == style


def test_options_set_after_the_fact(tmp_path):
    """Label, criticality and whether it runs forever may be set on a job that exists already."""
    inner = diamond(0.5)
    inner.label, inner.critical, inner.forever = "later", True, True

    lines = drawn(Scheduler(inner), tmp_path)

    style = lines[lines.index('label="1: later";') + 1]
    assert style == 'style="rounded,dashed"; color=red; penwidth=2;'


def test_numbers_of_several_clusters(tmp_path):
    """Jobs are numbered in topological order, level by level; filling a cluster later is fine."""
    subs = [Scheduler(label=f"sub{number}") for number in range(4)]
    scheduler = Scheduler(nap("top") >> subs[0] >> nap("middle") >> Chain(*subs[1:]))
    for number, sub in enumerate(subs):
        sub.update(naps([f"{number}.{place}" for place in range(3)]))
    subs[3].add(nap("last"))

    lines = drawn(scheduler, tmp_path)

    assert [found for line in lines for found in re.findall(r'label="(.*)"', line)] == [
        "1: top",
        *("2: sub0", "3: 0.0", "4: 0.1", "5: 0.2"),
        "6: middle",
        *("7: sub1", "8: 1.0", "9: 1.1", "10: 1.2"),
        *("11: sub2", "12: 2.0", "13: 2.1", "14: 2.2"),
        *("15: sub3", "16: 3.0", "17: 3.1", "18: 3.2", "19: last"),
    ]
    assert edges(lines) == [
        "1 -> 3 [lhead=cluster_2];",
        "5 -> 6 [ltail=cluster_2];",
        "6 -> 8 [lhead=cluster_7];",
        "10 -> 12 [ltail=cluster_7, lhead=cluster_11];",
        "14 -> 16 [ltail=cluster_11, lhead=cluster_15];",
    ]


def test_graph_of_an_empty_cluster(tmp_path):
    """A nested scheduler without jobs is a cluster as well, and edges end there."""
    scheduler = Scheduler(nap("a") >> Scheduler(label="empty") >> nap("b"))

    lines = drawn(scheduler, tmp_path)

    assert clusters(lines) == 1
    assert edges(lines) == ["1 -> 2 [lhead=cluster_2];", "2 -> 3 [ltail=cluster_2];"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ('say "hi"', r"1: say \"hi\""),
        ("back\\slash", r"1: back\\slash"),
        ("two\nlines", r"1: two\nlines"),
        ("\x1b[31mred", r"1: \\x1b[31mred"),
        ("<b>bold</b>", "1: <b>bold</b>"),
        ("été", "1: été"),
    ],
)
def test_labels_with_special_characters(label, expected, tmp_path):
    """Whatever a label is made of, the file stays valid and shows it."""
    assert f'1 [label="{expected}"];' in drawn(Scheduler(nap(label)), tmp_path)


def test_details_that_raise(capsys):
    """A `details` that raises is shown as such, and the listing goes on."""

    class Rude(AbstractJob[None]):
        def details(self):
            raise RuntimeError

    Scheduler(Rude(label="a"), nap("b")).list(details=True)

    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "01     ⚐   <Rude `a`>",
        "<details() raised RuntimeError>",
        "02     ⚐   <Job `b`>",
    ]

"""Text that is safe to show, whatever it is made of (rule 17)."""

from __future__ import annotations

import io
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SPECIAL, texts

from flowdeco import Job, Scheduler
from flowdeco.base.text import (
    LIMIT,
    class_name,
    cut,
    encodable,
    label_lines,
    line,
    printable,
    repr_line,
    value_line,
    with_article,
)
from flowdeco.testing import VirtualClockLoop

containers = st.recursive(
    st.one_of(texts, st.none(), st.floats(), st.integers(), st.binary()),
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.lists(inside, max_size=4).map(tuple),
        st.dictionaries(texts, inside, max_size=4),
        st.lists(texts, max_size=4).map(frozenset),
        st.binary().map(bytearray),
    ),
    max_leaves=12,
)
"""Results of jobs: values, and containers of them."""


@given(texts)
def test_printable_has_nothing_that_a_terminal_acts_on(text):
    """O03: no control, bidi or surrogate character is left, and it is done after one pass."""
    shown = printable(text)

    assert shown.isprintable()
    assert printable(shown) == shown


@given(texts)
def test_printable_leaves_alone_what_is_printable(text):
    """Each printable character is kept as it is, in its place."""
    kept = [char for char in text if char.isprintable()]
    rest = iter(printable(text))

    assert all(char in rest for char in kept)
    if len(kept) == len(text):
        assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x07\x08\x7f\x9b", r"\x07\x08\x7f\x9b"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),
        ("été ∞ \U0001f600", "été ∞ \U0001f600"),
        ("{} %s [red]", "{} %s [red]"),
        ("", ""),
    ],
)
def test_printable_escapes_as_python_does(text, expected):
    """O03: what is escaped can be read, and looks as it does in Python."""
    assert printable(text) == expected


@given(texts, st.integers(1, 50))
def test_cut_is_bounded_and_says_so(text, limit):
    """At most `limit` characters are left, and a mark tells that there were more."""
    short = cut(text, limit)

    assert len(short) <= limit
    assert short == text if len(text) <= limit else short == text[: limit - 1] + "…"


@given(texts)
def test_line_is_one_printable_bounded_line(text):
    """O03: whatever the text, a line of it is printable and not too long."""
    shown = line(text)

    assert shown.isprintable()
    assert len(shown) <= LIMIT


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=LIMIT))
def test_line_of_a_short_plain_text_is_that_text(text):
    """Nothing is done to what needs nothing."""
    assert line(text) == text


@given(containers)
def test_value_line_is_one_printable_bounded_line(value):
    """F19 O03: the same holds of results, with whatever in them."""
    shown = value_line(value)

    assert shown.isprintable()
    assert len(shown) <= LIMIT


def test_value_line_does_not_build_the_text_of_a_huge_container():
    """F19: only the first members of a container are asked for their text."""
    asked = []

    class Member:
        def __repr__(self):
            asked.append(self)
            return "member"

    members = [Member() for _ in range(10_000)]

    for container in (members, tuple(members), dict.fromkeys(members), set(members)):
        asked.clear()
        assert "member" in value_line(container)
        assert len(asked) <= 20


def test_value_line_shows_small_values_as_python_does():
    """Texts are shown as they are, containers as their repr."""
    values = ["text", 3, None, [1, "a"], {"k": (1,)}, b"\x00", bytearray(b"x")]

    assert [value_line(value) for value in values] == [
        *("text", "3", "None", "[1, 'a']", "{'k': (1,)}", r"b'\x00'", "bytearray(b'x')")
    ]


# Hostile objects


def raising(*names):
    """A class of text of which these methods raise."""

    def refuse(self, *_):
        raise RuntimeError("no")

    return type("Hostile", (str,), dict.fromkeys(names, refuse))


STR_METHODS = [
    *("__str__", "__repr__", "__format__", "__getitem__", "__len__", "__eq__", "__hash__"),
    *("__contains__", "__add__", "isprintable", "encode", "replace", "splitlines", "join"),
]


@pytest.mark.parametrize("method", STR_METHODS)
def test_line_of_a_text_with_hostile_methods_is_its_characters(method):
    """O05: a subclass of str may raise where it likes; its characters are shown."""
    assert line(raising(method)("abc\x1b")) == r"abc\x1b"


def test_line_of_a_text_with_a_hostile_iterator_is_its_characters():
    """O05: `__iter__` is no exception."""
    assert line(raising("__iter__")("abc\x1b")) == r"abc\x1b"


class Lying(str):
    """Says that it is short and printable."""

    __slots__ = ()

    def isprintable(self):
        return True

    def __len__(self):
        return 1

    def __getitem__(self, place):
        return self


def test_line_of_a_text_that_lies_is_printable_and_bounded():
    """O05: what a text says of itself does not count."""
    shown = line(Lying("\x1b" * 1000))

    assert shown.isprintable()
    assert len(shown) <= LIMIT


@pytest.mark.parametrize("text", [Lying("\x1b[2J"), *(raising(m)("x") for m in ["__getitem__"])])
def test_line_of_an_object_whose_text_is_hostile(text):
    """F16 O03 O05: `str(value)` may return a subclass of str, and that must not be trusted."""

    class Treacherous:
        def __str__(self):
            return text

    assert str.isprintable(line(Treacherous()))


@pytest.mark.parametrize("show", [line, value_line])
def test_an_object_whose_text_raises_has_a_placeholder(show):
    """F16 F19 O06: the placeholder names both classes."""

    class Broken:
        def __str__(self):
            raise KeyError("x")

    assert show(Broken()) == "<Broken whose text raised KeyError>"


def test_an_article_fits_its_noun():
    """Names of classes begin with a capital letter, or not."""
    assert [with_article(noun) for noun in ("list", "int", "AsyncMock", "Mock")] == [
        *("a list", "an int", "an AsyncMock", "a Mock"),
    ]


@pytest.mark.parametrize("show", [line, value_line])
def test_the_placeholder_is_printable_too(show):
    """F16 O03: names of classes can be made of anything."""

    def refuse(_):
        raise type("Evil\x1b[2J", (Exception,), {})

    shown = show(type("Bad\n\u202e", (), {"__str__": refuse})())

    assert shown == r"<Bad\n\u202e whose text raised Evil\x1b[2J>"


def test_members_whose_text_raises_leave_the_container_readable():
    """F19: a container is shown, whatever is in it."""

    class Broken:
        def __repr__(self):
            raise KeyError("x")

    class Endless(list):
        def __iter__(self):
            raise KeyError("x")

    assert value_line([1, Broken()]) == "[1, <Broken whose text raised KeyError>]"
    assert value_line(Endless([1, 2])).isprintable()


def test_value_line_of_an_object_that_hides_its_class():
    """F19: a proxy may raise when it is asked for its class."""

    class Proxy:
        @property
        def __class__(self):
            raise RuntimeError("not connected")

    assert value_line(Proxy()).isprintable()


LEAVING = [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, RecursionError]


@pytest.mark.parametrize("show", [line, value_line, repr_line])
@pytest.mark.parametrize("error", LEAVING)
def test_an_object_whose_text_leaves_the_program_has_a_placeholder(show, error):
    """O06: nothing but a text is asked for, so what it raises is no more than a missing text."""

    class Leaving:
        def __str__(self):
            raise error

        __repr__ = __str__

    assert show(Leaving()) == f"<Leaving whose text raised {error.__name__}>"
    assert value_line([Leaving(), 1]).endswith(f"raised {error.__name__}>, 1]")


@pytest.mark.parametrize("method", ["__class__", "__len__", "__bool__", "__eq__", "__hash__"])
@pytest.mark.parametrize("show", [line, value_line, repr_line, class_name])
def test_an_object_is_asked_for_its_text_alone(show, method):
    """F19: a lazy object, which is loaded or raises when it is asked for anything else, is not."""

    def refuse(self, *_):
        raise RuntimeError("loaded")

    made = property(refuse) if method == "__class__" else refuse
    lazy = type("Lazy", (), {method: made, "__repr__": lambda self: "lazy"})()

    assert show(lazy) in ("lazy", "Lazy")


def test_class_name_asks_no_code_of_the_class():
    """O03: a metaclass may have made the name of its classes something that raises."""

    class Meta(type):
        @property
        def __name__(cls):
            raise KeyboardInterrupt

    class Named(metaclass=Meta):
        pass

    assert class_name(Named()) == "Named"
    assert class_name(type("Bad\x1b\n", (), {})()) == r"Bad\x1b\n"


@given(containers)
def test_repr_line_is_one_printable_bounded_line(value):
    """O03: the same holds of what is shown in messages of errors."""
    shown = repr_line(value)

    assert shown.isprintable()
    assert len(shown) <= LIMIT


def test_repr_line_shows_small_values_as_python_does():
    """In a message a text has its quotes."""
    values = ["text", 3, None, [1, "a"], {"k": (1,)}, b"\x00", 1.5, int, "\x1b"]

    assert [repr_line(value) for value in values] == [printable(repr(value)) for value in values]


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_huge_binary_value_is_cut_before_it_is_shown(kind):
    """F19: its text would be four times as long."""
    before = value_line(kind(500))

    assert value_line(kind(100_000_000)) == before
    assert value_line([kind(100_000_000)] * 3).startswith("[" + before[:50])


@given(texts)
def test_label_lines_are_printable_lines(text):
    """O03: a label has as many lines as are written in it, each of them printable."""
    lines = label_lines(text)

    assert all(map(str.isprintable, lines))
    assert len("\n".join(lines)) <= LIMIT
    assert "\n".join(lines) == text or not text.replace("\n", "").isprintable() or len(text) > LIMIT
    if "\n" not in text:
        assert lines == [line(text)]


# What a stream can encode


def stream_in(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16", "koi8-r"])
@given(text=texts)
def test_encodable_can_be_written_to_the_stream(encoding, text):
    """O03: whatever the encoding of the stream, writing the text raises nothing."""
    with stream_in(encoding) as stream:
        stream.write(encodable(text, stream))


@given(st.text(st.characters(max_codepoint=127)))
def test_encodable_leaves_ascii_alone(text):
    """What all streams can encode is kept."""
    with stream_in("ascii") as stream:
        assert encodable(text, stream) == text


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", r"\xe9 \u20ac \u221e"),
        ("latin-1", r"é \u20ac \u221e"),
        ("cp1252", r"é € \u221e"),
        ("utf-8", "é € ∞"),
    ],
)
def test_encodable_escapes_what_the_stream_lacks(encoding, expected):
    """O03: only the characters that this encoding lacks are escaped."""
    with stream_in(encoding) as stream:
        assert encodable("é € ∞", stream) == expected


def test_encodable_is_for_standard_output_by_default(monkeypatch):
    """Without a stream it is about `sys.stdout`; one without an encoding takes UTF-8."""
    with stream_in("ascii") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        assert encodable("∞") == r"\u221e"
    assert encodable("∞", io.StringIO()) == "∞"


class Odd:
    """A stream with an odd encoding."""

    def __init__(self, encoding):
        self.encoding = encoding


@pytest.mark.parametrize("encoding", [None, "", "no-such-encoding", "rot13", 3, b"ascii"])
def test_encodable_for_a_stream_that_does_not_say_how_it_encodes(encoding):
    """O03: nothing is known to be missing there, so nothing is escaped."""
    assert encodable("é ∞", Odd(encoding)) == "é ∞"


def test_encodable_without_standard_output(monkeypatch):
    """O03: there may be none, as in a program without a console, or something else."""
    for stream in (None, object()):
        monkeypatch.setattr("sys.stdout", stream)
        assert encodable("é ∞") == "é ∞"
    monkeypatch.delattr("sys.stdout")
    assert encodable("é ∞") == "é ∞"


@pytest.mark.parametrize("text", SPECIAL)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_line_for_a_stream_stays_printable(text, encoding):
    """O03: the fallback brings no control character back."""
    with stream_in(encoding) as stream:
        assert encodable(line(text), stream).isprintable()


# All that shows a run


class Mute(Exception):
    """Has no text."""

    def __str__(self):
        raise RuntimeError("no text")


def hostile_run():
    """A run whose labels, results, messages and details mean no good."""

    class Talkative(Job):
        def details(self):
            return "\x1b[2J" + "d" * 10_000_000

    async def succeed(text):
        return text

    async def fail(text):
        raise ValueError(text)

    async def fail_mutely():
        raise Mute

    jobs = [Talkative(partial(succeed, text), label=text) for text in SPECIAL]
    jobs += [Job(partial(fail, text), label=text) for text in SPECIAL]
    jobs += [Job(partial(fail, "m\u202e" * 25_000_000), label="l" * 10_000_000), Job(fail_mutely)]
    nested = Scheduler(Job(partial(fail, "\x1b]0;title\x07")), label="\x9b2J{}%s[red]")
    scheduler = Scheduler(*jobs, nested, label="\ud800\r\n")
    assert scheduler.orchestrate(loop_factory=VirtualClockLoop)
    return scheduler


@pytest.fixture(scope="module")
def hostile():
    """It has been run."""
    return hostile_run()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_is_printed_of_a_hostile_run_is_printable_short_and_encodable(
    hostile, encoding, monkeypatch
):
    """O03 O05 O06 F16 F19: whatever the encoding of standard output, and with 50 MB to show."""
    with stream_in(encoding) as stream:
        monkeypatch.setattr("sys.stdout", stream)
        hostile.list(details=True)
        hostile.debrief(details=True)
        stream.flush()
        written = stream.buffer.getvalue().decode(encoding)

    lines = written.split("\n")
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 12 * LIMIT
    assert len(lines) > 4 * len(SPECIAL)
    assert "Mute whose text raised RuntimeError" in written
    assert "{} {0} %s %(x)d [red]" in written


@pytest.mark.parametrize(
    "show",
    [
        lambda scheduler: str(scheduler.report),
        lambda scheduler: repr(scheduler.report),
        repr,
        lambda scheduler: "\n".join(map(repr, scheduler.iterate_jobs())),
        lambda scheduler: str(scheduler.report.reason),
    ],
    ids=["report", "repr of the report", "repr", "reprs of jobs", "reason"],
)
def test_what_shows_a_hostile_run_as_text_is_printable_and_short(hostile, show):
    """O03 F16 F19: as much of it as is text for people."""
    lines = show(hostile).split("\n")

    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 3 * LIMIT

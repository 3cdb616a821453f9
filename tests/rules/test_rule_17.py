"""Rule 17: Reporting is harmless."""

from actors import fails, quick, sleeps, virtually

from flowdeco import Job, Scheduler


class Nasty:
    def __repr__(self):
        raise ValueError("no repr")

    __str__ = __repr__


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no str")


def test_rule_17_reporting_never_raises(capsys):
    """F16 F17 F19 O05 O06: whatever labels, results, messages and details do."""

    class Detailed(Job):
        def details(self):
            raise KeyError("no details")

    cyclic = ValueError("cyclic")
    cyclic.__cause__ = KeyError("x")
    cyclic.__cause__.__cause__ = cyclic
    scheduler = Scheduler(
        Job(sleeps(0, Nasty()), label=Nasty()),
        Job(sleeps(0, "x" * 50_000_000)),
        Job(sleeps(0, [Nasty()])),
        Job(fails(0, Unprintable())),
        Job(fails(0, ValueError("y" * 1_000_000))),
        Job(fails(0, cyclic)),
        Detailed(quick, label="{} %s [red]"),
        Job(sleeps(0, "\x1b]52;c;evil\x07\r\b\u202e\x9b31m\ud800"), label="\x1b[2J\n"),
    )
    assert virtually(scheduler) is True
    scheduler.list(details=True)
    scheduler.debrief(details=True)
    text = capsys.readouterr().out

    assert "`{} %s [red]`" in text
    assert max(map(len, text.splitlines())) < 1000
    assert all(character.isprintable() or character == "\n" for character in text)

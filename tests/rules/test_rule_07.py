"""Rule 7: When services end."""

import asyncio

import pytest
from actors import Diary, cleans_up, fails, quick, sleeps, virtually, waits

from flowdeco import Job, Scheduler, State


def test_rule_7_services_are_stopped_when_every_step_has_ended():
    """V01: they are awaited, and a stopped service is a good end."""
    cleaning = cleans_up(1)
    server = Job(cleaning, forever=True, critical=True)
    scheduler = Scheduler(server, Job(sleeps(2)))

    assert virtually(scheduler) is True

    assert cleaning.cleaned
    assert (server.state, scheduler.report.duration) == (State.CANCELLED, 3.0)


@pytest.mark.parametrize("patient", [True, False])
def test_rule_7_what_the_last_step_sends_to_a_service_is_received(patient):
    """The service is stopped in a later turn of the loop; also where it waits with a timeout."""
    received = []

    async def bus():
        while True:
            if patient:
                received.append(await asyncio.wait_for(queue.get(), 60))
            else:
                received.append(await queue.get())

    async def sends():
        await asyncio.sleep(1)
        queue.put_nowait("last")

    queue = asyncio.Queue()
    assert virtually(Scheduler(Job(bus, forever=True), Job(sends))) is True
    assert received == ["last"]


def test_rule_7_a_service_is_torn_down_after_all_services_that_come_after_it():
    """V11: through steps as well, and however the names are ordered."""
    diary = Diary()
    a = Job(diary.service("a", down=1), forever=True)
    middle = Job(diary.step("middle"), required=a)
    b = Job(diary.service("b", down=1), forever=True, required=middle)
    c = Job(diary.service("c", down=1), forever=True, required=b)
    alone = Job(diary.service("alone", down=1), forever=True)
    end = Job(diary.step("end"), required=c)

    assert virtually(Scheduler(c, a, end, b, middle, alone)) is True

    downs = [(when, text) for when, text in diary.lines if "down" in text]
    assert downs == [
        (0.0, "c going down"),
        (0.0, "alone going down"),
        (1.0, "c down"),
        (1.0, "alone down"),
        (1.0, "b going down"),
        (2.0, "b down"),
        (2.0, "a going down"),
        (3.0, "a down"),
    ]


def test_rule_7_steps_go_before_services_in_every_ending():
    """Also when the run fails."""
    diary = Diary()
    server = Job(diary.service("server"), forever=True)

    async def client():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            diary.note("client cleaned up")

    assert virtually(Scheduler(server, Job(client, required=server), timeout=2)) is False
    assert diary.texts == ["server up", "client cleaned up", "server going down", "server down"]


def test_rule_7_with_services_alone_a_run_lasts_until_they_have_ended():
    """G09: or until its timeout; a deadlock is impossible."""
    scheduler = Scheduler(Job(sleeps(2), forever=True), Job(sleeps(3), forever=True))
    assert (virtually(scheduler), scheduler.report.duration) == (True, 3.0)

    scheduler = Scheduler(Job(waits, forever=True), timeout=4)
    assert (virtually(scheduler), scheduler.report.duration) == (False, 4.0)


def test_rule_7_a_service_that_has_not_started_when_the_last_step_ends_never_does():
    """V07: it stays idle."""
    step_ = Job(quick)
    late = Job(waits, forever=True, required=step_)

    assert virtually(Scheduler(step_, late)) is True
    assert late.state is State.IDLE


def test_rule_7_services_are_stopped_after_steps_that_failed_or_were_skipped():
    """V09: a run without a success among its steps ends as well."""
    server = Job(waits, forever=True)
    assert virtually(Scheduler(server, Job(fails()))) is True
    assert server.state is State.CANCELLED

"""Counting the calls of the library in a step of the loop, and raising in one of them."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import threading
import types
from asyncio.events import Handle

import flowdeco
from flowdeco import current_job

__all__ = ["Probe"]

PACKAGE = os.path.dirname(flowdeco.__file__) + os.sep
LEFT_ALONE = os.path.join(PACKAGE, "testing", "virtual_clock.py")
"""The clock of the tests, which is no part of a run."""

TEXT = os.path.join(PACKAGE, "base", "text.py")
NAMES = ("__flow_unlabelled__", "name_of")
"""Where what the user's objects say of themselves is asked for."""

BUILT_IN = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)
MONITORING = 3
"""The number of the tool, which nobody else has."""


def is_own(code):
    """Whether some code is the library's."""
    return code.co_filename.startswith(PACKAGE) and code.co_filename != LEFT_ALONE


def is_built_in(called):
    """Whether what is called is a function that is not written in Python."""
    return issubclass(type(called), BUILT_IN)


class Probe:
    """Counts the calls of the library from the end of a body on, and raises in one of them.

    Args:
        at: in which of them; None only counts.
        error: makes what is raised.
        built_in: whether those of built-in functions count as well.
    """

    def __init__(self, at=None, error=RuntimeError, *, built_in=False):
        self.calls = []
        self.at = at
        self.error = error
        self.built_in = built_in
        self.raised = None
        self.is_replaced = False
        """Whether it was raised where a text is made, which then has a placeholder (rule 17)."""
        self._armed = False
        self._thread = threading.get_ident()
        self._handle = None
        self._job = None
        self._not_in = None

    def arm(self, *, later=False):
        """Count from now on, to the end of this step of the loop; or of the next one of the job."""
        self._job = current_job()
        if threading.get_ident() == self._thread:
            if later:
                self._not_in = _step_of(sys._getframe())
            else:
                self._handle = _step_of(sys._getframe())
        self._armed = True

    def disarm(self):
        """Count no more."""
        self._armed = False
        self._handle = self._not_in = self._job = None

    def _in_step(self, frame):
        handle = _step_of(frame)
        if self._handle is None and handle is not self._not_in and current_job() is self._job:
            self._handle = handle
        if self._handle is None:
            return False
        if handle is not self._handle:
            self.disarm()
        return self._armed

    def called(self, name, frame):
        """Note a call, or raise."""
        if not self._armed or threading.get_ident() != self._thread or not self._in_step(frame):
            return
        if _is_callback(frame):
            return  # the loop calls it, and there is nobody in between who could know
        self.calls.append(name)
        # Once: what comes later has another place.
        if len(self.calls) - 1 == self.at:
            self.disarm()
            self.raised = self.error(f"injected in {name}")
            self.is_replaced = _makes_text(frame)
            raise self.raised

    @contextlib.contextmanager
    def watching(self):
        """Be told of calls meanwhile."""
        start, stop = (_monitor, _end) if sys.version_info >= (3, 12) else (_profile, _end_profile)
        start(self)
        try:
            yield self
        finally:
            stop()
            self.disarm()


def _step_of(frame):
    """The frame of the step of the loop in which something is called."""
    while frame is not None and frame.f_code is not Handle._run.__code__:
        frame = frame.f_back
    return frame


def _is_callback(frame):
    called_by_loop = frame.f_back is not None and frame.f_back.f_code is Handle._run.__code__
    return called_by_loop and not frame.f_code.co_flags & inspect.CO_COROUTINE


def _makes_text(frame):
    while frame is not None and frame.f_code is not Handle._run.__code__:
        if frame.f_code.co_filename == TEXT or frame.f_code.co_name in NAMES:
            return True
        frame = frame.f_back
    return False


def _monitor(probe):
    monitoring = sys.monitoring

    def started(code, _offset):
        if not is_own(code):
            return monitoring.DISABLE
        return probe.called(code.co_qualname, sys._getframe(1))

    def calls(code, _offset, called, _first):
        if not is_own(code):
            return monitoring.DISABLE
        if probe.built_in and is_built_in(called):
            probe.called(f"{called.__qualname__} in {code.co_qualname}", sys._getframe(1))
        return None

    events = monitoring.events
    monitoring.use_tool_id(MONITORING, "flowdeco's tests")
    monitoring.register_callback(MONITORING, events.PY_START, started)
    monitoring.register_callback(MONITORING, events.CALL, calls)
    monitoring.set_events(MONITORING, events.PY_START | events.CALL)


def _end():
    monitoring = sys.monitoring
    monitoring.set_events(MONITORING, 0)
    monitoring.register_callback(MONITORING, monitoring.events.PY_START, None)
    monitoring.register_callback(MONITORING, monitoring.events.CALL, None)
    monitoring.free_tool_id(MONITORING)


def _profile(probe):
    """Python 3.11 has no monitoring, and tells of a coroutine that is resumed as of a call."""

    def told(frame, event, argument):
        code = frame.f_code
        if event == "call" and is_own(code) and not _is_resumed(frame):
            probe.called(code.co_qualname, frame)
        elif event == "c_call" and probe.built_in and is_own(code) and is_built_in(argument):
            probe.called(f"{argument.__qualname__} in {code.co_qualname}", frame)

    sys.setprofile(told)


def _end_profile():
    sys.setprofile(None)


def _is_resumed(frame):
    may_be = frame.f_code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR)
    may_be |= frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR
    # The argument of the instruction RESUME, which is 0 where a function begins.
    return bool(may_be) and frame.f_code.co_code[frame.f_lasti + 1] != 0

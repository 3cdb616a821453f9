"""Results and exceptions that raise when they are looked at, as lazy objects and proxies do."""

from __future__ import annotations

import weakref

__all__ = ["FAILURES", "RESULTS", "LookedAtError", "is_a"]


class LookedAtError(Exception):
    """What they raise."""


class LookedAtBaseError(BaseException):
    """What some of them raise: not an `Exception`."""


def is_a(value, kind):
    """Do as `isinstance`, which asks `__class__` too."""
    return issubclass(type(value), kind)


def _raises(error):
    def raising(*_arguments, **_options):
        raise error("looked at")

    return raising


def _class(base, name, error, *, attribute):
    raising = _raises(error)
    return type("Hostile", (base,), {name: property(raising) if attribute else raising})


def _dead_proxy():
    class Gone:
        pass

    return weakref.proxy(Gone())


def _everything(base, error):
    names = ("__eq__", "__bool__", "__repr__", "__str__", "__hash__", "__len__", "__iter__")
    methods = dict.fromkeys((*names, "__await__", "__getattr__"), _raises(error))
    return type("Hostile", (base,), {**methods, "__class__": property(_raises(error))})


def _result(name, error=LookedAtError):
    return lambda: _class(object, name, error, attribute=name == "__class__")()


RESULTS = {
    "class": _result("__class__"),
    "class, base": _result("__class__", LookedAtBaseError),
    "eq": _result("__eq__"),
    "bool": _result("__bool__"),
    "hash": _result("__hash__"),
    "len": _result("__len__"),
    "iter": _result("__iter__"),
    "repr": _result("__repr__"),
    "repr, base": _result("__repr__", LookedAtBaseError),
    "await": _result("__await__"),
    "getattribute": _result("__getattribute__"),
    "everything": lambda: _everything(object, LookedAtError)(),
    "dead proxy": _dead_proxy,
}
"""What makes a result of each kind."""

_ATTRIBUTES = (
    *("__class__", "__traceback__", "__context__", "__cause__", "__suppress_context__"),
    *("__notes__", "args"),
)
_METHODS = ("with_traceback", "__str__", "__repr__", "__bool__", "__eq__", "__hash__")


class _LosesTraceback(Exception):
    def with_traceback(self, _traceback):
        return None


def _failure(name, base=Exception, error=LookedAtError):
    return lambda: _class(base, name, error, attribute=name in _ATTRIBUTES)("broken")


FAILURES = {
    **{name.strip("_"): _failure(name) for name in (*_ATTRIBUTES, *_METHODS)},
    "getattribute": _failure("__getattribute__"),
    "everything": lambda: _everything(Exception, LookedAtError)("broken"),
    "with_traceback, None": lambda: _LosesTraceback("broken"),
    "class, base": _failure("__class__", BaseException),
    "traceback, base": _failure("__traceback__", BaseException, LookedAtBaseError),
    "str, base": _failure("__str__", Exception, LookedAtBaseError),
}
"""What makes an exception of each kind."""

"""Users' callables of every kind: functions, partials, methods, cached functions, objects and classes to call."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """What the callable itself takes; a wrapper that takes anything takes what it wraps.

    Raises:
        ValueError: it has no signature, like some builtins.
    """
    try:
        own = _signature(function, follow_wrapped=False)
    except ValueError:
        return _signature(function, follow_wrapped=True)
    return _signature(function, follow_wrapped=True) if _takes_anything(own) else own


def _takes_anything(signature: inspect.Signature) -> bool:
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    return bool(kinds) and all(kind in _VARIADIC for kind in kinds)


def _signature(function: Callable[..., Any], *, follow_wrapped: bool) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        from annotationlib import Format  # noqa: PLC0415 - exists from 3.14 on

        return inspect.signature(function, follow_wrapped=follow_wrapped, annotation_format=Format.FORWARDREF)
    return inspect.signature(function, follow_wrapped=follow_wrapped)


def innermost(function: Any) -> Any:
    """The function whose parameters ``signature_of`` has: under partials, methods, wrappers and objects to call."""
    while True:
        call = _call_of(function)
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__") and _passes_on(function):
            function = function.__wrapped__
        elif inspect.isfunction(call):
            function = call
        else:
            return function


def _call_of(function: Any) -> Any:
    """The method that a call of an object runs."""
    return inspect.getattr_static(type(function), "__call__", None)


def _passes_on(function: Any) -> bool:
    try:
        return _takes_anything(_signature(function, follow_wrapped=False))
    except ValueError:
        return True


def is_async(function: Any) -> bool:
    """Whether a call makes a coroutine or an async generator; a wrapper that awaits by itself does not."""
    candidates = (function, _call_of(function), getattr(function, "func", None))
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in candidates)


def name_of(function: Any) -> str | None:
    """Its own name; None for a partial or an object to call."""
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else None

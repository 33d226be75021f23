"""Checks of values against annotations, for inputs and outputs."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ..core.foreign import class_name, repr_of
from .slots import NO_VALUE, Nothing

_UNIONS = (Union, types.UnionType)
_SEQUENCES = (list, set, frozenset, Sequence)
_MAPPINGS = (dict, Mapping)


def mismatch(annotation: Any, value: Any) -> str | None:
    """What is wrong with ``value``, as ``expected int, got 'a' (str)``; None when it fits or cannot be judged."""
    return None if _fits(annotation, value) else f"expected {type_name(annotation)}, got {shown(value)}"


def type_name(annotation: Any) -> str:
    """An annotation as people write it."""
    if annotation in (Any, NO_VALUE):
        return "Any"
    if annotation in (None, type(None)):
        return "None"
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__qualname__.rpartition("<locals>.")[2]
    return str(annotation).replace("typing.", "")


def shown(value: Any) -> str:
    """A value with its type for a message, cut to one line."""
    return f"{repr_of(value)} ({class_name(type(value))})" if value is not None else "None"


def _fits(annotation: Any, value: Any) -> bool:
    if annotation in (Any, NO_VALUE, Nothing):
        return True
    if annotation is None:
        return value is None
    origin = get_origin(annotation)
    if origin is None:
        return _is_instance(value, annotation)
    return _fits_generic(origin, get_args(annotation), value)


def _fits_generic(origin: Any, args: tuple[Any, ...], value: Any) -> bool:
    if origin is Annotated:
        return _fits(args[0], value)
    if origin in _UNIONS:
        return any(_fits(option, value) for option in args)
    if origin is Literal:
        return value in args
    if not _is_instance(value, origin):
        return False
    check = _CONTENTS.get(origin)
    return check is None or check(args, value)


def _is_instance(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, float | int)
    try:
        return isinstance(value, kind)
    except TypeError:  # a TypedDict, a Protocol, a TypeVar: nothing that isinstance can judge
        return True


def _all_fit(args: tuple[Any, ...], items: Iterable[Any]) -> bool:
    return args[0] is Any or all(_fits(args[0], item) for item in items)


def _mapping_fits(args: tuple[Any, ...], value: Mapping[Any, Any]) -> bool:
    return _all_fit(args[:1], value.keys()) and _all_fit(args[1:], value.values())


def _tuple_fits(args: tuple[Any, ...], value: tuple[Any, ...]) -> bool:
    if len(args) == 2 and args[1] is Ellipsis:
        return _all_fit(args[:1], value)
    return len(args) == len(value) and all(_fits(kind, item) for kind, item in zip(args, value, strict=True))


_CONTENTS: dict[Any, Callable[[tuple[Any, ...], Any], bool]] = {
    **dict.fromkeys(_SEQUENCES, _all_fit),
    **dict.fromkeys(_MAPPINGS, _mapping_fits),
    tuple: _tuple_fits,
}

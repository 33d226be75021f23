"""Objects of user code, which may do anything when they are shown: raise, recurse, or return what is no text.

Every function here returns an exact ``str`` that every storage takes, whatever the object does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard, TypeVar

from .errors import RunCancelled
from .text import bounded, storable

#: The longest text of an object that is part of a sentence.
LONGEST_SHOWN = 80
_LONGEST_NAME = 200
T = TypeVar("T")


def class_name(kind: type) -> str:
    """The class's own name, whatever its metaclass says."""
    name = type.__dict__["__name__"].__get__(kind)
    return bounded(storable(name), _LONGEST_NAME)


def text_of(value: object, most: int, *, noun: str = "text") -> str:
    """``str(value)``, cut after ``most`` characters; ``noun`` is for a value that cannot be shown."""
    return _shown(exact_text if is_text(value) else str, value, most, noun)


def repr_of(value: object, most: int = LONGEST_SHOWN) -> str:
    """``repr(value)``, cut after ``most`` characters."""
    return _shown(repr, value, most, "repr")


def is_of(value: object, kind: type[T]) -> TypeGuard[T]:
    """As ``isinstance``, which would look at ``value.__class__``."""
    return issubclass(type(value), kind)


def is_text(value: object) -> TypeGuard[str]:
    return is_of(value, str)


def exact_text(text: str) -> str:
    """The characters of a ``str`` or of an object of a subclass, which may have methods of its own."""
    return str.__str__(text)


def elements(value: Any) -> list[Any] | None:
    """What a list, tuple or set holds, also one of a subclass with methods of its own; None for anything else."""
    for kind in (list, tuple, set, frozenset):
        if issubclass(type(value), kind):
            return list(kind.__iter__(value))
    return None


def _shown(show: Callable[[Any], str], value: object, most: int, noun: str) -> str:
    try:
        text = exact_text(show(value))
    except RunCancelled:
        raise
    except BaseException as broken:  # noqa: BLE001 - the user's own method may raise anything
        return f"<its {noun} cannot be shown: {class_name(type(broken))}>"
    return storable(bounded(text, most))

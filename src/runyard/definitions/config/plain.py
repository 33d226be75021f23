"""Run config in the form that is stored: nothing but what JSON has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from os import PathLike
from typing import Any
from uuid import UUID

from ...core.errors import UserError
from ...core.foreign import exact_text, is_text, text_of
from ...core.jsonable import scalar_fault
from ...core.kept import LONGEST_TEXT
from ..types import shown
from .schema import join

_AS_TEXT = (PathLike, UUID, Decimal)


def plain_config(value: Any, path: str = "", *, for_show: bool = False) -> Any:
    """``value`` with dates, paths and the like as the strings that their fields take.

    Parameters:
        for_show: it is only looked at; text and numbers that cannot be stored as they are become text that can.

    Raises:
        UserError: something in it has no JSON form; names its place.
    """
    if isinstance(value, Mapping):
        return {str(key): plain_config(item, join(path, str(key)), for_show=for_show) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_config(item, join(path, str(i)), for_show=for_show) for i, item in enumerate(value)]
    if value is None or isinstance(value, str | int | float):
        return _scalar(value, path, for_show)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, _AS_TEXT):
        return str(value)
    raise UserError(f"{path or 'run config'}: {shown(value)} has no JSON form.")


def _scalar(value: Any, path: str, for_show: bool) -> Any:
    fault = scalar_fault(value)
    if fault and for_show:
        return text_of(value, LONGEST_TEXT)
    if fault:
        raise UserError(f"{path or 'run config'}: {fault}.")
    return exact_text(value) if is_text(value) else value

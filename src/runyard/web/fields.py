"""Kinds of parameters and body fields that several addresses share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import AfterValidator

from ..core.jsonable import unstorable

#: Who acts, in the log of a run, when the page or a program asks over HTTP.
BY_WEB = "web"


def _storable(value: Any) -> Any:
    fault = unstorable(value)
    if fault:
        path, message = fault
        raise ValueError(f"{path}: {message}" if path else message)
    return value


Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[str | None, Query()]
StorableDict = Annotated[dict[str, Any], AfterValidator(_storable)]
StorableList = Annotated[list[Any], AfterValidator(_storable)]
StorableText = Annotated[str, AfterValidator(_storable)]

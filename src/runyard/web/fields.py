"""Kinds of parameters that several addresses share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

#: Who acts, in the log of a run, when the page or a program asks over HTTP.
BY_WEB = "web"

Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[str | None, Query()]

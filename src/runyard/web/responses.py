"""Bodies: JSON by msgspec, and the Link header of lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response


class Json(Response):
    """A JSON body; times and enums are plain values already."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)


def page(request: Request, rows: list[Any], *, limit: int, after: str | None) -> Json:
    """One page of a list; ``after`` is the place that the next one starts behind, None on the last."""
    headers = {"Link": f'<{_next_url(request, limit, after)}>; rel="next"'} if after else {}
    return Json(rows, headers=headers)


def _next_url(request: Request, limit: int, after: str) -> str:
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in ("limit", "after")]
    return f"{request.url.path}?{urlencode([*kept, ('limit', limit), ('after', after)])}"

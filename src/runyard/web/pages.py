"""The built UI: files under their names, and the one page for every address that the UI knows."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parent / "static"

#: First parts of the UI's own addresses; what follows is the page's business.
_UI_PATHS = frozenset({"", ".", "overview", "runs", "queue", "jobs", "automation", "assets", "deployment"})
#: Vite puts a digest in these names: a changed file has another one.
_HASHED = "assets"
_FILES = frozenset({".js", ".css", ".map", ".woff", ".woff2", ".svg", ".png", ".ico", ".json", ".txt"})

#: Scripts come from us alone; styles may be inline, since components set them so.
_PAGE_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Runyard: pages not built</title>
<body style="font: 16px/1.6 system-ui, sans-serif; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>The pages are not built</h1>
<p>This Runyard runs from a source checkout without its user interface. Build it once with</p>
<pre>make setup</pre>
<p>and load this page again; nothing needs a restart. The API answers already:
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
</body></html>
"""


class Pages(StaticFiles):
    """Serves ``directory`` as built by Vite."""

    def __init__(self, directory: Path = STATIC) -> None:
        super().__init__(directory=directory, check_dir=False)
        self.config_checked = True  # no look for the directory: a build may make it while the server runs
        self._index = directory / "index.html"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Files of the UI are small and go out whole; a Range that is malformed would be answered in plain text.
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        name = PurePosixPath(path)
        if _is_page(name):
            return await self._page(scope)
        if not self._index.exists():
            raise HTTPException(404)
        return _cached(await super().get_response(path, scope), name)

    async def _page(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        if not self._index.exists():
            return HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})
        response = _cached(await super().get_response("index.html", scope), PurePosixPath("index.html"))
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response


def _is_page(name: PurePosixPath) -> bool:
    """Whether the UI draws this address: ``/jobs/jobs.py/report`` is one, ``/assets/index-1a2b.js`` is a file."""
    first = name.parts[0] if name.parts else ""
    return first in _UI_PATHS and not (first == _HASHED and name.suffix in _FILES)


def _cached(response: Response, name: PurePosixPath) -> Response:
    hashed = name.parts[0] == _HASHED and response.status_code in (200, 304)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return response

"""Errors as ``application/problem+json``: every exception becomes its answer here and nowhere else.

=====  ==========================================================================================
400    the body is no JSON, or what was asked for cannot be meant (``UserError``)
403    another web page asks (Host, Origin), or the server is read-only
404    the address, run, job, location, schedule or sensor does not exist
408    the body did not arrive in time
409    the run's state does not allow it, or the overlap policy of its job does not now; or an idempotency key was used
       for another request
413    the body is too large
415    a write that is not ``application/json``
422    a field, run config or tag has a wrong value (``issues`` or ``tag_issues`` name each), or a limit does, or the
       run takes more slots than a limit has; something is larger than ``core.bounds`` allows; ``after`` names a place
       that is not in the list
429    a what-if is being simulated already
500    a fault of Runyard's; the answer carries the id under which the log has it
503    the database or the code location cannot be reached now
=====  ==========================================================================================
"""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..core.errors import (
    ConfigError,
    InvalidLimit,
    InvalidPause,
    InvalidPool,
    InvalidRunConfig,
    InvalidTag,
    KeyReused,
    LocationUnavailable,
    NeverAdmissible,
    NotFound,
    OverlapRefused,
    RunyardError,
    StorageUnavailable,
    TooLarge,
    UnknownCursor,
    UserError,
    WrongState,
)
from ..core.ids import new_id
from ..core.text import quoted, shortened
from ..operations.queue.simulate import NothingToSimulate, SimulatingAlready, TooMuchToSimulate
from ..operations.submit_many import RequestRefused
from ..operations.until import InvalidTime

log = logging.getLogger("runyard.web")

_TEXT = {"type": "string"}
_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT},
}
_DESCRIBED: dict[str, Any] = {"content": {"application/problem+json": {"schema": _SCHEMA}}}
#: For the description of the API.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused; `detail` says why and what would do.", **_DESCRIBED},
    "5XX": {"description": "Not possible now; `detail` says what is missing.", **_DESCRIBED},
}


#: Faults of one request that its answer names.
_MOST_ISSUES = 100


class ReadOnly(UserError):
    """Somebody wants to change something through a server that only shows."""

    def __init__(self) -> None:
        super().__init__("This server is read-only: it was started with --read-only.")


_STATUS: dict[type[Exception], tuple[int, str]] = {
    NotFound: (404, "not-found"),
    WrongState: (409, "wrong-state"),
    # Another time it may be accepted, so it conflicts with what is there now; the other can never be as it is.
    OverlapRefused: (409, "overlap-refused"),
    NeverAdmissible: (422, "never-admissible"),
    InvalidLimit: (422, "invalid-limit"),
    InvalidPause: (422, "invalid-pause"),
    InvalidPool: (422, "invalid-pool"),
    InvalidTime: (422, "invalid-time"),
    ConfigError: (422, "invalid-configuration"),
    TooMuchToSimulate: (422, "too-much-to-simulate"),
    NothingToSimulate: (422, "nothing-to-simulate"),
    SimulatingAlready: (429, "simulating-already"),
    InvalidTag: (422, "invalid-tag"),
    TooLarge: (422, "too-large"),
    UnknownCursor: (422, "unknown-cursor"),
    KeyReused: (409, "key-reused"),
    InvalidRunConfig: (422, "invalid-run-config"),
    LocationUnavailable: (503, "location-unavailable"),
    StorageUnavailable: (503, "storage-unavailable"),
    ReadOnly: (403, "read-only"),
    UserError: (400, "bad-request"),
}


class Problem(Response):
    """An RFC 9457 answer."""

    media_type = "application/problem+json"

    def __init__(self, status: int, kind: str, detail: str, **more: Any) -> None:
        body = {
            "type": f"urn:runyard:problem:{kind}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            **more,
        }
        headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
        super().__init__(_encoded(body), status_code=status, headers=headers)


def _encoded(body: dict[str, Any]) -> bytes:
    """As JSON, also where it repeats text that is not valid Unicode."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body).encode("ascii")


def install(app: FastAPI) -> None:
    """Have ``app`` answer every exception with a problem."""
    app.add_exception_handler(RunyardError, _on_runyard_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(FaultsToProblems)


class FaultsToProblems:
    """Answers what no handler knows with 500 and an id, and puts the traceback in the log under that id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except Exception as error:
            # The edge: recorded under an id, and answered where that is still possible.
            fault = _record_fault(scope, error)
            if started or scope["type"] != "http":
                raise
            await fault(scope, receive, send)


def _record_fault(scope: Scope, error: Exception) -> Problem:
    fault_id = new_id()[:8]
    log.error("fault %s: %s %s", fault_id, scope.get("method", ""), scope.get("path", ""), exc_info=error)
    return Problem(
        500, "fault", f"Runyard failed to answer; the server's log has the cause under {fault_id}.", id=fault_id
    )


async def _on_runyard_error(request: Request, error: Exception) -> Response:
    # One of many requests is answered as if it had been the only one, with its number.
    cause = error.error if isinstance(error, RequestRefused) else error
    known = next((cls for cls in type(cause).__mro__ if cls in _STATUS), None)
    if known is None:
        return _record_fault(request.scope, error)
    status, kind = _STATUS[known]
    index = {"index": error.index} if isinstance(error, RequestRefused) else {}
    return Problem(status, kind, str(error), **_more_about(cause), **index)


def _more_about(error: Exception) -> dict[str, Any]:
    if isinstance(error, InvalidRunConfig):
        return {"issues": [{"path": path, "message": message} for path, message in error.issues]}
    if isinstance(error, InvalidTag):
        return {"tag_issues": [{"key": error.key, "message": str(error)}]}
    return {}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class only; tells the type checker
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"Nothing is at {shortened(request.url.path)}; /api/v1/openapi.json lists the addresses."
        return Problem(404, "not-found", detail)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        problem = Problem(405, "method-not-allowed", f"{shortened(request.url.path)} does not take {request.method}.")
        problem.headers.update(error.headers or {})
        return problem
    return Problem(error.status_code, "http", str(error.detail))


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class only, as above
    problems = error.errors()
    issues = [{"path": _path(p["loc"]), "message": _message(p)} for p in problems[:_MOST_ISSUES]]
    told = "; ".join(f"{issue['path']}: {issue['message']}" for issue in issues)
    return Problem(422, "invalid-request", f"{told}.", issues=issues)


def _path(loc: tuple[Any, ...]) -> str:
    """``("body", "priority")`` as ``priority``, and the body itself as ``body``."""
    return ".".join(shortened(str(part)) for part in loc[1:]) or str(loc[0])


def _message(problem: dict[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "no such field"
    if problem["type"] in ("int_type", "int_from_float", "int_parsing"):
        return f"{_shown(problem['input'])} is not a whole number"
    return str(problem["msg"]).removeprefix("Value error, ").rstrip(".")


def _shown(value: Any) -> str:
    return quoted(value if isinstance(value, str) else json.dumps(value, default=str))

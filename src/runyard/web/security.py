"""Keeps other web pages out: a browser on this machine must not start runs for a page that it happens to show."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..core.text import quoted
from .problems import Problem

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  compared with, not bound to
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class HostPolicy:
    """Which Host headers are ours.

    Names that somebody else's DNS could point here are refused unless configured. Served on every interface, any
    literal address is accepted too, since no DNS is asked for one, and so is the machine's own name.

    Parameters:
        allowed: configured hosts, the one that the server is bound to among them.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        names = {_bare(host) for host in allowed}
        self._any_address = bool(names & _WILDCARDS)
        own = {socket.gethostname().lower()} if self._any_address else set()
        self._names = _LOOPBACK | (names - _WILDCARDS) | own

    def allows(self, header: str) -> bool:
        """Whether ``header``, with or without a port, names us."""
        host = _host_of(header)
        return host in self._names or (self._any_address and _is_address(host))


class SecurityMiddleware:
    """Host, Origin and content type, checked before anything else sees the request."""

    def __init__(self, app: ASGIApp, *, allowed_hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = HostPolicy(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await (self._refusal(scope) or self._app)(scope, receive, _with_page_headers(send))

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._hosts.allows(host):
            detail = f"This server does not answer as {quoted(host)}; use localhost or its -h."
            return Problem(403, "foreign-host", detail)
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return Problem(400, "bad-request", "An address may not contain the character NUL.")
        if scope["method"] in _READS:
            return None
        return _foreign_origin(headers, host) or _wrong_content_type(headers)


def _foreign_origin(headers: Headers, host: str) -> Problem | None:
    origin = headers.get("origin")
    if origin is None:
        # Browsers that leave Origin out still say whether another site asks; commands send neither.
        foreign = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    else:
        foreign = _netloc(origin) != host.lower()
    if not foreign:
        return None
    return Problem(403, "foreign-origin", f"A page of {quoted(origin or 'another site')} may not write here.")


def _netloc(origin: str) -> str | None:
    """None for text that is no address, which no page of ours sends."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _wrong_content_type(headers: Headers) -> Problem | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return None
    said = f"not as {quoted(kind)}" if kind else "with a Content-Type header"
    return Problem(415, "unsupported-media-type", f"Send writes as application/json, {said}; an empty body is {{}}.")


def _with_page_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _PAGE_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _host_of(header: str) -> str:
    """``[::1]:3000`` as ``::1``; an empty string for what no browser sends."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _bare(host: str) -> str:
    return host.strip().strip("[]").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

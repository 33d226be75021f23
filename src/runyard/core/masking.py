"""What of a text may be shown where it may hold a secret. Shown is what is known to be none; all else is masked."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .text import shortened

MASK = "********"

#: Scheme, user and password, hosts with their ports, database, query. A password with one of ``@/?#`` that is not
#: percent-encoded may look like any of these: then nothing is known to be the host.
_URL = re.compile(
    r"(?P<scheme>[a-zA-Z][\w+.-]*://)(?P<user>[^@/?#\s]*@)?"
    r"(?P<place>(?:[\w.%-]*|\[[\da-fA-F:.]+\])(?::\d+)?(?:,(?:[\w.%-]+|\[[\da-fA-F:.]+\])(?::\d+)?)*)"
    r"(?P<database>/[\w.%~+$!-]*)?(?P<rest>[?#][^@\s]*)?"
)
_SCHEME = re.compile(r"[a-zA-Z][\w+.-]*://")


def url_parts_are_clear(url: str) -> bool:
    """Whether it is certain where a URL's user and password end."""
    return _URL.fullmatch(url) is not None


def public_url(url: str) -> str:
    """Scheme, host, port and database of a URL; the mask for each other part that it has."""
    match = _URL.fullmatch(url)
    if match is None:
        scheme = _SCHEME.match(url)
        return f"{scheme[0]}{MASK}" if scheme else MASK
    user = f"{MASK}@" if match["user"] else ""
    rest = f"{match['rest'][0]}{MASK}" if match["rest"] else ""
    return f"{match['scheme']}{user}{match['place']}{match['database'] or ''}{rest}"


def is_host(text: str) -> bool:
    """Whether a URL may have ``text`` as its host, and nothing of it would be masked there."""
    return text != "" and public_url(url := f"postgresql://{text}/") == url


def public_name(name: str) -> str:
    """A name as a message repeats it. What has the signs of an address, or is too long for a name, is none."""
    return MASK if "://" in name or "@" in name else shortened(name)


def without(text: str, secrets: Iterable[str]) -> str:
    """``text`` with each of ``secrets`` masked: whole words of it, and the shortest only between quotation marks."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = re.sub(rf"(?<=[\"']){re.escape(secret)}(?=[\"'])", MASK, text)
        if len(secret) > 3:
            text = text.replace(secret, MASK)
    return text

"""Hides secrets in texts that pages show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

MASK = "********"

_SECRET_KEY = re.compile(r"(?i)passw(or)?d|passphrase|secret|token|api_?key|access_?key|private_?key|credential|auth$")
_URL_PASSWORD = re.compile(r"(?P<before>\w[\w+.-]*://[^\s/:@]*:)[^\s@/]+(?=@)")
_COMMENTED = re.compile(r"(?im)(?P<before>#.*?(?:password|passwd|secret|token|api_?key)[\w-]*\s*[:=]\s*)\S.*$")

_Span = tuple[int, int]


def mask_url(text: str) -> str:
    """``text`` without the passwords of the URLs in it."""
    return _URL_PASSWORD.sub(rf"\g<before>{MASK}", text)


def mask_yaml(text: str) -> str:
    """``text`` with the values of password-like keys, and passwords in URLs, replaced; names of environment
    variables (``password: {env: PG_PASSWORD}``) stay readable. Text that is no YAML is not shown at all."""
    try:
        spans = list(_secrets(yaml.compose(text, Loader=yaml.SafeLoader), secret=False))
    except yaml.YAMLError:
        return "# Not shown: not valid YAML, so secrets in it cannot be told apart."
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}{MASK}{_line_end(text[start:end])}{text[end:]}"
    return _COMMENTED.sub(rf"\g<before>{MASK}", mask_url(text))


def _secrets(node: yaml.Node | None, *, secret: bool) -> Iterator[_Span]:
    if isinstance(node, yaml.ScalarNode):
        if secret and node.value:
            yield node.start_mark.index, node.end_mark.index
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _secrets(item, secret=secret)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            yield from _secrets(value, secret=(secret or bool(_SECRET_KEY.search(name))) and name != "env")


def _line_end(value: str) -> str:
    """A block scalar's span takes its line end with it."""
    return "\n" if value.endswith("\n") else ""

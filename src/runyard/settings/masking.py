"""The instance file as pages show it: only values that the schema knows to be no secrets, and no comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml

from ..core.errors import ConfigError
from ..core.masking import MASK
from .document import compose
from .kinds import Kind
from .schema import INSTANCE

#: Larger files are not shown: nobody reads them, and telling their parts apart takes seconds.
_LARGEST = 256 * 1024
_COMMENT = re.compile(r"#[^\r\n]+")
_NOT_SHOWN = "# Not shown: {}."

_Place = tuple[int, int]


def masked(text: str, schema: Kind = INSTANCE) -> str:
    """``text`` line for line, with the mask in place of each value that may be a secret."""
    if len(text) > _LARGEST:
        return _NOT_SHOWN.format("the file is too large")
    try:
        node = compose(text, "")
        shown = _shown(schema, node) if node is not None else {}
        return "".join(_pieces(text, shown))
    except (ConfigError, yaml.YAMLError):
        return _NOT_SHOWN.format("the file is not valid YAML, so secrets in it cannot be told apart")


def _shown(schema: Kind, node: yaml.Node) -> Mapping[_Place, str | None]:
    """By the place of each scalar that the schema knows, what is shown of it; None: as it is written.

    A scalar with an anchor may stand in several places: what one of them hides is hidden.
    """
    found: dict[_Place, str | None] = {}
    for scalar, text in schema.shown(node):
        place = _place(scalar.start_mark)
        found[place] = MASK if found.get(place) == MASK else text
    return found


def _pieces(text: str, shown: Mapping[_Place, str | None]) -> Iterator[str]:
    end = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        start, stop = token.start_mark.index, max(token.end_mark.index, end)
        yield _COMMENT.sub("# …", text[end:start])
        yield _piece(token, text[max(start, end) : stop], shown)
        end = stop
    yield _COMMENT.sub("# …", text[end:])


def _piece(token: yaml.Token, written: str, shown: Mapping[_Place, str | None]) -> str:
    if isinstance(token, yaml.ScalarToken):
        # A block may have a comment in its head.
        text = MASK if token.style in ("|", ">") else shown.get(_place(token.start_mark), MASK)
        return written if text is None or written == "<<" else text + "\n" * written.count("\n")
    return MASK if isinstance(token, (yaml.TagToken, yaml.DirectiveToken)) else written


def _place(mark: yaml.Mark) -> _Place:
    return mark.line, mark.column

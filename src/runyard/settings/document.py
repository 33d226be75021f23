"""A YAML file as nodes that know their lines, and the errors that point at them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..core.errors import ConfigError
from ..core.masking import MASK, public_name
from .composer import DEEPEST, Composer, Loader

#: Between quotation marks, and what may stand there: punctuation, or the name of a part of YAML.
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_SIGN = re.compile(r"['\"](?:[^\w\s]{1,3}|<[a-z ]+>)['\"]")
_NULL = "tag:yaml.org,2002:null"


class Source:
    """The file that is being read: where errors point, the variables behind ``{env: NAME}``, what to tell afterwards.

    Parameters:
        file: path as it is shown in messages.
        env: environment variables.
    """

    def __init__(self, file: str, env: Mapping[str, str]) -> None:
        self.file, self.env = file, env
        #: Sentences about keys that are accepted but change nothing.
        self.notices: list[str] = []

    def error(self, at: str, message: str, line: int) -> ConfigError:
        """The error for the value at key path ``at``."""
        return ConfigError(f"{at}: {message}" if at else message, file=self.file, line=line)

    def note(self, at: str, sentence: str, line: int) -> None:
        self.notices.append(f"{self.file}:{line}: {at}: {sentence}")

    def where(self, line: int) -> str:
        """``runyard.yaml:14``."""
        return f"{Path(self.file).name}:{line}"


def line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def is_null(node: yaml.Node) -> bool:
    return bool(node.tag == _NULL)


def compose(text: str, file: str) -> yaml.Node | None:
    """The file's only document, with merge keys resolved; None when it is empty.

    Raises:
        ConfigError: malformed YAML, a key given twice, an anchor inside itself, or more than ``composer`` takes.
    """
    try:
        loader = Loader(text)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise ConfigError(f"malformed YAML: {_one_line(str(error))}", file=file) from None

    def finish(node: yaml.MappingNode) -> None:
        _refuse_repeated_keys(node, file)
        loader.flatten_mapping(node)

    try:
        return Composer(loader, file, finish).document()
    except yaml.MarkedYAMLError as error:
        raise _malformed(error, file) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"malformed YAML: {_one_line(str(error))}", file=file) from None
    finally:
        loader.dispose()


def compose_json(value: Any) -> yaml.Node | None:
    """The same for a value that came as JSON; its errors name no file.

    Raises:
        ConfigError: it is nested too deeply, or more than ``composer`` takes.
    """
    try:
        # Not as escapes: YAML does not join the halves of an escaped character.
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise ConfigError(f"nested too deeply: more than {DEEPEST} levels.") from None
    return compose(text, "")


def plain(node: yaml.Node, file: str, at: str = "") -> Any:
    """The plain Python value of a node; ``at`` is its key path.

    Raises:
        ConfigError: a tag that plain YAML does not have, a date that does not exist, or the like.
    """
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError) as error:
        problem = getattr(error, "problem", None) or str(error)
        told = f"cannot be read: {_one_line(problem)}."
        raise ConfigError(f"{at}: {told}" if at else told, file=file, line=line_of(node)) from None


def empty_node() -> yaml.Node:
    """What an empty file, or a key with nothing behind it, amounts to."""
    mark = yaml.Mark("", 0, 0, 0, None, 0)
    return yaml.ScalarNode(_NULL, "", mark, mark)


def _refuse_repeated_keys(node: yaml.MappingNode, file: str) -> None:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError("a key must be plain text.", file=file, line=line_of(key))
        if key.value in seen:
            told = f"'{public_name(key.value)}' is given twice, first in line {seen[key.value]}."
            raise ConfigError(told, file=file, line=line_of(key))
        seen[key.value] = line_of(key)


def _malformed(error: yaml.MarkedYAMLError, file: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    told = " ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return ConfigError(f"malformed YAML: {_one_line(told)}.", file=file, line=line, column=column)


def _one_line(text: str) -> str:
    """What the parser says, without the words of the file that it quotes: one of them may be a secret."""
    return " ".join(_QUOTED.sub(lambda match: match[0] if _SIGN.fullmatch(match[0]) else f"'{MASK}'", text).split())

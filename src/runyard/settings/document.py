"""A YAML file as nodes that know their lines, and the errors that point at them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..core.errors import ConfigError

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


def read_text(path: Path) -> str:
    """The text of a configuration file.

    Raises:
        ConfigError: it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file is not UTF-8 text ({error.reason}).", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {error.strerror}.", file=str(path)) from None


def compose(text: str, file: str) -> yaml.Node | None:
    """The file's only document, with merge keys resolved; None when it is empty.

    Raises:
        ConfigError: malformed YAML, a key given twice, or an anchor inside itself.
    """
    loader = yaml.SafeLoader("")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is not None:
            _prepare(node, loader, file, ())
    except yaml.MarkedYAMLError as error:
        raise _malformed(error, file) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"malformed YAML: {_one_line(str(error))}", file=file) from None
    except RecursionError:
        raise ConfigError("malformed YAML: nested too deeply.", file=file) from None
    finally:
        loader.dispose()
    return node


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


def _prepare(node: yaml.Node, loader: yaml.SafeLoader, file: str, above: tuple[yaml.Node, ...]) -> None:
    if any(node is parent for parent in above):
        raise ConfigError("malformed YAML: an anchor contains itself.", file=file, line=line_of(node))
    if isinstance(node, yaml.MappingNode):
        _refuse_repeated_keys(node, file)
        for _, value in node.value:
            _prepare(value, loader, file, (*above, node))
        loader.flatten_mapping(node)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _prepare(item, loader, file, (*above, node))


def _refuse_repeated_keys(node: yaml.MappingNode, file: str) -> None:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError("a key must be plain text.", file=file, line=line_of(key))
        if key.value in seen:
            told = f"'{key.value}' is given twice, first in line {seen[key.value]}."
            raise ConfigError(told, file=file, line=line_of(key))
        seen[key.value] = line_of(key)


def _malformed(error: yaml.MarkedYAMLError, file: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    told = " ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return ConfigError(f"malformed YAML: {_one_line(told)}.", file=file, line=line, column=column)


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""Run config and tags as the command line takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ..core.errors import ConfigError, UserError

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--tags", metavar="JSON", help="Tags of the run, a JSON object."),
    click.option(
        "-c", "--config", multiple=True, metavar="FILE", help="Run config, YAML or JSON; the earlier file wins."
    ),
    click.option("--config-json", metavar="JSON", help="Run config, a JSON object."),
)


class BadInput(UserError):
    """Text that was to be JSON is not, or is not an object."""


def config_options(command: F) -> F:
    """``--tags``, ``-c`` and ``--config-json``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def checked_run_id(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """An id becomes the name of a directory of log files."""
    if given is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", given):
        raise click.BadParameter("letters, digits, '-' and '_' only, at most 64.")
    return given


def read_tags(text: str | None) -> dict[str, Any]:
    """The tags of ``--tags``.

    Raises:
        BadInput: the text is no JSON object.
    """
    return _json_object("--tags", text) if text else {}


def read_config(files: Sequence[str], text: str | None) -> dict[str, Any]:
    """The run config of ``--config-json``, or of all files merged, where an earlier file's key wins.

    Raises:
        BadInput: the text is no JSON object.
        ConfigError: a file cannot be read or holds no mapping.
    """
    if text is not None:
        if files:
            raise click.UsageError("-c and --config-json exclude each other.")
        return _json_object("--config-json", text)
    merged: dict[str, Any] = {}
    for file in files:
        merged = _merged(merged, _file_mapping(file))
    return merged


def _json_object(option: str, text: str) -> dict[str, Any]:
    from ..settings.json_text import read_json

    try:
        value = read_json(text)
    except ValueError as error:
        raise BadInput(f"{option} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise BadInput(f'{option} must be a JSON object like {{"key": "value"}}.')
    return value


def _file_mapping(file: str) -> dict[str, Any]:
    from ..settings.text_file import read_text

    text = read_text(Path(file))
    value = _json_value(text, file) if file.endswith(".json") else _yaml_value(text, file)
    if not isinstance(value, dict):
        raise ConfigError("run config must be a mapping.", file=file)
    return value


def _json_value(text: str, file: str) -> Any:
    """JSON is not quite YAML: YAML does not join the halves of an escaped character."""
    from ..settings.json_text import read_json

    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"malformed JSON: {error.msg}.", file=file, line=error.lineno, column=error.colno) from None
    except ValueError as error:
        raise ConfigError(f"malformed JSON: {error}.", file=file) from None


def _yaml_value(text: str, file: str) -> Any:
    from ..settings.document import compose, plain

    node = compose(text, file)
    return {} if node is None else _with_text_keys(plain(node, file), file)


def _with_text_keys(value: Any, file: str) -> Any:
    """YAML reads some words as other things than text, JSON has no other keys."""
    if isinstance(value, list):
        return [_with_text_keys(item, file) for item in value]
    if not isinstance(value, dict):
        return value
    for key in value:
        if key is None or isinstance(key, bool | bytes | tuple):
            raise ConfigError(f"a key is read as {key!r}; put it in quotes.", file=file)
    return {str(key): _with_text_keys(item, file) for key, item in value.items()}


def _merged(first: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(first)
    for key, value in later.items():
        if key not in result:
            result[key] = value
        elif isinstance(result[key], dict) and isinstance(value, dict):
            result[key] = _merged(result[key], value)
    return result

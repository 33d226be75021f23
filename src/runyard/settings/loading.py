"""Find the home and read the instance file that it holds."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..core.errors import ConfigError, HomeNotSet
from .document import Source, compose, empty_node
from .instance import InstanceSettings
from .interpret import interpret
from .private_files import make_directory, opened_to_others
from .schema import INSTANCE
from .text_file import expanded, is_there, read_text

OWN_FILE, FIELD_FILE = "runyard.yaml", "dagster.yaml"
HOME_VARIABLES = ("RUNYARD_HOME", "DAGSTER_HOME")


def load_settings(home: str | None, *, ephemeral_ok: bool = False, env: Mapping[str, str]) -> InstanceSettings:
    """The settings of the instance whose home is ``home``, else the one that the environment names.

    Parameters:
        home: absolute path of a directory; None: RUNYARD_HOME, else DAGSTER_HOME.
        ephemeral_ok: without any home make a temporary one, and make a home that does not exist yet.
        env: environment variables.

    Raises:
        HomeNotSet: nothing names a home and ``ephemeral_ok`` is False.
        ConfigError: the home is no absolute path of a directory, or its file says something that cannot be meant.
    """
    name, value = _named_home(home, env)
    if value is None:
        if not ephemeral_ok:
            raise HomeNotSet
        return msgspec.structs.replace(_read_home(_temporary_home(), env), ephemeral=True)
    return _read_home(str(_checked(name, value, create=ephemeral_ok)), env)


def _temporary_home() -> str:
    try:
        return tempfile.mkdtemp(prefix="runyard-")
    except OSError as error:
        raise ConfigError(f"No temporary home can be made ({error.strerror}): set RUNYARD_HOME.") from None


def _named_home(home: str | None, env: Mapping[str, str]) -> tuple[str, str | None]:
    if home:
        return "home", home
    return next(((name, env[name]) for name in HOME_VARIABLES if env.get(name)), ("", None))


def _checked(name: str, value: str, *, create: bool) -> Path:
    path = expanded(value)
    if not path.is_absolute():
        raise ConfigError(f"{name} is '{value}': it must be an absolute path, such as '{path.absolute()}'.")
    if path.is_dir():
        return path
    if path.exists():
        raise ConfigError(f"{name} is '{value}': that is a file, not a directory.")
    if not create:
        raise ConfigError(f"{name} is '{value}': there is no such directory; make it with 'mkdir -p -m 700 {value}'.")
    try:
        make_directory(path)
    except OSError as error:
        raise ConfigError(f"{name} is '{value}': it cannot be made: {error.strerror}.") from None
    return path


def _read_home(home: str, env: Mapping[str, str]) -> InstanceSettings:
    path = _instance_file(Path(home))
    source = Source(str(path) if path else OWN_FILE, env)
    text = read_text(path) if path else ""
    node = compose(text, source.file) or empty_node()
    root = INSTANCE.read(node, "", source)
    _note_ignored_files(Path(home), path, source.notices)
    _note_open_home(home, source.notices)
    return interpret(root, source, home=home, file=str(path) if path else None, text=text)


def instance_files(home: str) -> list[Path]:
    """Where an instance file may be; the first that is there is read."""
    return [Path(home) / name for name in (OWN_FILE, FIELD_FILE)]


def _instance_file(home: Path) -> Path | None:
    return next((file for file in instance_files(str(home)) if is_there(file)), None)


def _note_ignored_files(home: Path, read: Path | None, notices: list[str]) -> None:
    for name in (FIELD_FILE, "runyard.yml", "dagster.yml"):
        if home / name != read and is_there(home / name):
            instead = f"{read.name} is" if read else f"its name must be {OWN_FILE}"
            notices.append(f"{home / name} is not read; {instead}.")


def _note_open_home(home: str, notices: list[str]) -> None:
    """A person made the home, so its mode is his to change; what is ours in it is closed all the same."""
    others = opened_to_others(Path(home))
    if others is not None:
        notices.append(f"{home}: {others}: close it with 'chmod 700 {home}'.")

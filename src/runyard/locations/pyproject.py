"""The code locations that a project names in its own pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..core.errors import ConfigError
from ..core.text import did_you_mean
from ..settings.text_file import read_text
from .paths import executable_from, path_from
from .spec import LocationSpec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Key → type that its value must have.
_OWN_KEYS: dict[str, type] = {
    "module_name": str,
    "modules": list,
    "code_location_name": str,
    "attribute": str,
    "working_directory": str,
    "executable_path": str,
    "start_method": str,
    "compat": bool,
}
_START_METHODS = ("fork", "spawn")


def project_locations(path: Path) -> list[LocationSpec] | None:
    """What ``[tool.runyard]``, else ``[tool.dagster]``, else ``[tool.dg.project]`` names; None without any of them.

    Raises:
        ConfigError: malformed TOML, a wrong type, or an unknown key in ``[tool.runyard]``.
    """
    tool = _tool_table(path)
    for name in ("runyard", "dagster"):
        if name in tool:
            table = _table(tool, name, f"tool.{name}", path)
            _check_own(table, f"tool.{name}", path, strict=name == "runyard")
            return _own_locations(table, f"tool.{name}", path)
    project = _table(tool, "dg", "tool.dg", path).get("project")
    return None if project is None else [_dg_location(project, path)]


def _tool_table(path: Path) -> dict[str, Any]:
    try:
        return _table(tomllib.loads(read_text(path)), "tool", "tool", path)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"malformed TOML: {error}.", file=str(path)) from None


def _table(parent: dict[str, Any], key: str, at: str, path: Path) -> dict[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"[{at}] must be a table.", file=str(path))
    return value


def _check_own(table: dict[str, Any], at: str, path: Path, *, strict: bool) -> None:
    for key, value in table.items():
        expected = _OWN_KEYS.get(key)
        if expected is None:
            if strict:
                hint = did_you_mean(key, _OWN_KEYS) or f" Keys here: {', '.join(_OWN_KEYS)}."
                raise ConfigError(f"{at}.{key}: unknown key.{hint}", file=str(path))
        elif not isinstance(value, expected):
            raise ConfigError(f"{at}.{key}: expected a {expected.__name__}.", file=str(path))
    if table.get("start_method", "fork") not in _START_METHODS:
        raise ConfigError(f"{at}.start_method: expected one of fork, spawn.", file=str(path))


def _own_locations(table: dict[str, Any], at: str, path: Path) -> list[LocationSpec]:
    modules = [_module_name(entry, at, path) for entry in table.get("modules", [])]
    if "module_name" in table:
        modules.insert(0, table["module_name"])
    if not modules:
        raise ConfigError(f"{at}.module_name: missing; it is required.", file=str(path))
    if len(modules) > 1 and "code_location_name" in table:
        raise ConfigError(f"{at}.code_location_name: it can name only one module.", file=str(path))
    return [_module_location(module, table, path) for module in modules]


def _module_name(entry: Any, at: str, path: Path) -> str:
    if isinstance(entry, dict) and entry.get("type", "module") == "module" and isinstance(entry.get("name"), str):
        return str(entry["name"])
    raise ConfigError(f"{at}.modules: expected entries like {{type = 'module', name = '…'}}.", file=str(path))


def _module_location(module: str, table: dict[str, Any], path: Path) -> LocationSpec:
    directory, executable = path.absolute().parent, table.get("executable_path")
    return LocationSpec(
        name=table.get("code_location_name", module),
        kind="python_module",
        target=module,
        attribute=table.get("attribute"),
        working_directory=path_from(directory, table.get("working_directory", "")),
        executable_path=None if executable is None else executable_from(directory, executable),
        start_method=table.get("start_method"),
        compat=table.get("compat"),
    )


def _dg_location(project: Any, path: Path) -> LocationSpec:
    root = project.get("root_module") if isinstance(project, dict) else None
    if not isinstance(root, str):
        raise ConfigError("tool.dg.project.root_module: missing; it is required.", file=str(path))
    autoload = bool(project.get("autoload_defs", False))
    target = f"{root}.defs" if autoload else project.get("code_location_target_module", f"{root}.definitions")
    return LocationSpec(
        name=project.get("code_location_name", root),
        kind="autoload_defs_module" if autoload else "python_module",
        target=target,
        working_directory=str(path.absolute().parent),
    )

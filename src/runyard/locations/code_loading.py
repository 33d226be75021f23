"""Importing a location's code, in the zygote and in spawned workers."""

from __future__ import annotations

import atexit
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from ..definitions.autoload import directories_below
from ..definitions.loading import load_definitions
from .open_files import flush_open_files
from .spec import LocationSpec


def prepare_process(spec: LocationSpec) -> None:
    """Make this process look like one that was started in the location's working directory."""
    # Registered before anything of the user's, so that it runs last in every worker.
    atexit.register(flush_open_files)
    os.chdir(spec.working_directory)
    if getattr(sys.flags, "safe_path", False):
        # Under PYTHONSAFEPATH the first entry is one of PYTHONPATH's.
        sys.path.insert(0, spec.working_directory)
    else:
        # Python put the directory that it was started in there.
        sys.path[0] = spec.working_directory
    load_dotenv(Path(spec.working_directory) / ".env", override=False)
    if spec.compat or (spec.compat is None and importlib.util.find_spec("dagster") is None):
        from ..compat import alias_dagster  # noqa: PLC0415 - most locations import runyard by its own name

        alias_dagster()


def load(spec: LocationSpec) -> Any:
    """The location's definitions; whatever its code raises."""
    return load_definitions(
        kind=spec.kind, target=spec.target, attribute=spec.attribute, working_directory=spec.working_directory
    )


def source_directories(spec: LocationSpec) -> tuple[str, ...]:
    """Where the location's own modules are, as imported so far: what to watch for changes."""
    root = Path(spec.working_directory)
    found = {root}
    if spec.kind == "python_file":
        found.add(Path(spec.target).parent)
    package = sys.modules.get(spec.target)
    if package is not None and spec.kind == "autoload_defs_module" and hasattr(package, "__path__"):
        # Also those without a module so far: a file that is put there is loaded.
        found.update(directories_below(package))
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and _is_own(Path(file), root):
            found.add(Path(file).parent)
    return tuple(sorted(str(directory) for directory in found))


def _is_own(file: Path, root: Path) -> bool:
    if root not in file.parents:
        return False
    inside = file.relative_to(root).parts
    return not any(part.startswith(".") or part in ("node_modules", "site-packages") for part in inside)

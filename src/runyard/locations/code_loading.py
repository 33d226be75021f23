"""Importing a location's code, in the zygote and in spawned workers."""

from __future__ import annotations

import atexit
import importlib.util
import io
import os
import sys
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from ..definitions.loading import load_definitions
from ..settings.text_file import is_there, read_text
from .open_files import flush_open_files
from .spec import LocationSpec
from .standard_descriptors import keep_standard_descriptors


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
    _load_variables(Path(spec.working_directory) / ".env")
    if spec.compat or (spec.compat is None and importlib.util.find_spec("dagster") is None):
        from ..compat import alias_dagster  # noqa: PLC0415 - most locations import runyard by its own name

        alias_dagster()


def _load_variables(file: Path) -> None:
    """Raises ConfigError for a file that is there and cannot be read; dotenv takes it for one that is not."""
    # Some name their virtual environment so.
    if is_there(file) and not file.is_dir():
        load_dotenv(stream=io.StringIO(read_text(file)), override=False)


def load(spec: LocationSpec) -> Any:
    """The location's definitions; whatever its code raises."""
    with keep_standard_descriptors():
        return load_definitions(
            kind=spec.kind, target=spec.target, attribute=spec.attribute, working_directory=spec.working_directory
        )

"""Importing a location's code, in the zygote and in spawned workers."""

from __future__ import annotations

import atexit
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from ..definitions.loading import load_definitions
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
    load_dotenv(Path(spec.working_directory) / ".env", override=False)
    if spec.compat or (spec.compat is None and importlib.util.find_spec("dagster") is None):
        from ..compat import alias_dagster  # noqa: PLC0415 - most locations import runyard by its own name

        alias_dagster()


def load(spec: LocationSpec) -> Any:
    """The location's definitions; whatever its code raises."""
    with keep_standard_descriptors():
        return load_definitions(
            kind=spec.kind, target=spec.target, attribute=spec.attribute, working_directory=spec.working_directory
        )

"""Paths as people write them in files and options, and those of hosts' logs."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.runtime_files import short_name
from ..settings.text_file import expanded


def path_from(directory: str | Path, path: str) -> str:
    """The absolute path that ``path`` means when written in ``directory``.

    Raises:
        ConfigError: it begins with ``~`` and nobody has that home directory.
    """
    return os.path.normpath(Path(directory) / expanded(path))


def host_log(compute_logs_dir: str, location_name: str) -> Path:
    """Where the hosts of a location write their log."""
    return Path(compute_logs_dir) / "_locations" / f"{short_name(location_name)}.log"


def executable_from(directory: str | Path, path: str) -> str:
    """The program that ``path`` means when written in ``directory``; a bare name is left for ``PATH``."""
    return path_from(directory, path) if os.sep in path else path

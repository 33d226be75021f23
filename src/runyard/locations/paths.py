"""Paths as people write them in files and options."""

from __future__ import annotations

import os
from pathlib import Path


def path_from(directory: str | Path, path: str) -> str:
    """The absolute path that ``path`` means when written in ``directory``."""
    return os.path.normpath(Path(directory) / Path(path).expanduser())

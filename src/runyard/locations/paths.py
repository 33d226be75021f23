"""Paths as people write them in files and options."""

from __future__ import annotations

import os
from pathlib import Path


def path_from(directory: str | Path, path: str) -> str:
    """The absolute path that ``path`` means when written in ``directory``."""
    return os.path.normpath(Path(directory) / Path(path).expanduser())


def executable_from(directory: str | Path, path: str) -> str:
    """The program that ``path`` means when written in ``directory``; a bare name is left for ``PATH``."""
    return path_from(directory, path) if os.sep in path else path

"""Paths beside the user's code."""

from __future__ import annotations

from pathlib import Path


def file_relative_path(dunderfile: str, relative_path: str) -> str:
    """``relative_path`` taken from the directory of ``__file__``."""
    return str(Path(dunderfile).parent / relative_path)

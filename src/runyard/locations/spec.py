"""One entry of the workspace: where a location's code is and how to start it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

StartMethod = Literal["fork", "spawn"]
LocationKind = Literal["python_file", "python_module", "python_package", "autoload_defs_module"]


class LocationSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Paths are absolute. ``target`` is a file path for ``python_file``, else a module or package name."""

    name: str
    kind: LocationKind
    target: str
    attribute: str | None = None
    working_directory: str
    executable_path: str | None = None
    #: None: fork where it is safe.
    start_method: StartMethod | None = None
    #: ``import dagster`` means runyard in this location.
    compat: bool | None = None

    def digest(self) -> str:
        """Changes when the entry changes: a running host of another digest is not adopted."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]

    def directories(self) -> tuple[str, ...]:
        """Where source files are, as far as the entry alone says."""
        working = Path(self.working_directory)
        if self.kind == "python_file":
            return tuple(sorted({str(working), str(Path(self.target).parent)}))
        parts = self.target.split(".")
        packages = [working.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
        return tuple(str(package) for package in packages if package.is_dir())

    def describe(self) -> str:
        """Where the code comes from, in words: ``file /srv/jobs.py``."""
        words = {"python_file": "file", "python_module": "module", "python_package": "package"}
        place = f"{words.get(self.kind, 'module')} {self.target}"
        return f"{place}, attribute {self.attribute}" if self.attribute else place

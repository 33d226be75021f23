"""The files of a location's code: which directories have them, and whether one has changed since it was loaded."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..definitions.autoload import directories_below as package_directories
from .spec import LocationSpec

#: Modification time in nanoseconds, size, and inode.
Stamp = tuple[int, int, int]

#: File systems stamp a file with the kernel's last tick: a file that was written later may look older by that. Seconds.
_TICK = 0.02
_FOREIGN = frozenset(["node_modules", "site-packages", "__pycache__"])
#: A tree of more directories than this is not searched to its end.
_MOST_DIRECTORIES = 500


def stamp(path: str | Path) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - for thousands of files
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def concerns_code(path: str) -> bool:
    """Whether a change of the file in a source directory may change the definitions."""
    name = path.rpartition("/")[2]
    return name == ".env" or (name.endswith(".py") and not name.startswith("."))


class Sources(NamedTuple):
    """The files that were loaded, and the source files beside them, as they were when the code was loaded."""

    files: tuple[str, ...]
    directories: tuple[str, ...]
    stamps: dict[str, Stamp | None]
    loading_since: float
    taken_at: float

    @classmethod
    def taken(
        cls, files: Collection[str], directories: Collection[str], loading_since: float, *, now: float
    ) -> Sources:
        """As the files are now. ``loading_since``: a file that was changed after this may not be in the code."""
        names = _with_neighbours(files, directories)
        stamps = {path: stamp(path) for path in names}
        return cls(tuple(files), tuple(directories), stamps, loading_since, now)

    def change(self) -> str | None:
        """A file that is not as it was when the code was loaded."""
        names = _with_neighbours(self.files, self.directories)
        for path in sorted({*names, *self.stamps}):
            found = stamp(path)
            if found != self.stamps.get(path) or (found is not None and self._is_late(found[0])):
                return path
        return None

    def _is_late(self, modified: int) -> bool:
        """Written while the code was read. A time that was still to come then is another clock's and says nothing."""
        return (self.loading_since - _TICK) * 1e9 < modified <= (self.taken_at + _TICK) * 1e9


def _with_neighbours(files: Iterable[str], directories: Iterable[str]) -> set[str]:
    return {*files, *(path for directory in directories for path in _source_files(directory))}


def _source_files(directory: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            yield from (entry.path for entry in entries if concerns_code(entry.path))
    except OSError:
        return  # a directory that went away: its files show that


def loaded_files() -> tuple[str, ...]:
    """The files of the modules that this process has imported, except the standard library's."""
    standard = sysconfig.get_path("stdlib") + os.sep
    foreign = os.sep + "site-packages" + os.sep
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return tuple(sorted(file for file in files if file and (not file.startswith(standard) or foreign in file)))


def loaded_directories(spec: LocationSpec) -> tuple[str, ...]:
    """The directories of the location's own modules that this process has imported: where to watch for changes."""
    root = Path(spec.working_directory)
    found = set(spec.directories())
    package = sys.modules.get(spec.target)
    if package is not None and spec.kind == "autoload_defs_module" and hasattr(package, "__path__"):
        # Also those without a module so far: a file that is put there is loaded.
        found.update(map(str, package_directories(package)))
    for file in loaded_files():
        if _is_own(Path(file), root):
            found.add(str(Path(file).parent))
    return tuple(sorted(found))


def directories_below(spec: LocationSpec) -> tuple[str, ...]:
    """Every directory of Python files that may be the location's: for code that died before it named its modules."""
    found = set(spec.directories())
    for number, (directory, below, files) in enumerate(os.walk(spec.working_directory)):
        if number == _MOST_DIRECTORIES:
            break
        below[:] = [] if "pyvenv.cfg" in files else [name for name in below if _is_own_part(name)]
        if any(name.endswith(".py") for name in files):
            found.add(directory)
    return tuple(sorted(found))


def _is_own(file: Path, root: Path) -> bool:
    return root in file.parents and all(map(_is_own_part, file.relative_to(root).parts))


def _is_own_part(name: str) -> bool:
    return not name.startswith(".") and name not in _FOREIGN

"""What to do about a relative import that fails because its file was not loaded as part of its package."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

_NO_PACKAGE = "attempted relative import"


def relative_import_hint(error: ImportError, *, loaded: str, working_directory: str | None) -> str | None:
    """How to load or import the file whose relative import failed; None for any other error.

    Parameters:
        loaded: the path or module name that the location loads.
    """
    place = _last_user_line(error.__traceback__)
    if not str(error.msg).startswith(_NO_PACKAGE) or place is None:
        return None
    file, line, package = place
    told = f"{file.name}:{line} imports relatively, "
    if package:
        return f"{told}but goes up beyond '{package.partition('.')[0]}': load it from a directory further up with -d."
    root, name = _package_of(file)
    bad = next((part for part in name.split(".") if not part.isidentifier()), None)
    if bad is not None:
        return f"{told}but '{bad}' is no name of a package: rename it, or import by absolute names."
    if str(file) != loaded and file.stem != loaded:
        return f"{told}but was imported by its bare name: import it as '{name}'."
    elsewhere = working_directory is None or Path(working_directory) != root
    directory = f"-d {root} " if elsewhere else ""
    return (
        f"{told}but was loaded outside of its package: load it as a module: {directory}-m {name}"
        f" (in a workspace file python_module: {name})."
    )


def _last_user_line(traceback: TracebackType | None) -> tuple[Path, int, str] | None:
    """The file and line that the import stands in, and the package that it counts from."""
    found = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith("<"):
            package = traceback.tb_frame.f_globals.get("__package__") or ""
            found = (Path(code.co_filename), traceback.tb_lineno, str(package))
        traceback = traceback.tb_next
    return found


def _package_of(file: Path) -> tuple[Path, str]:
    """The directory that the file's package is imported from, and the module's whole name."""
    root = file.parent.parent
    while (root / "__init__.py").is_file() and root != root.parent:
        root = root.parent
    parts = file.relative_to(root).with_suffix("").parts
    return root, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

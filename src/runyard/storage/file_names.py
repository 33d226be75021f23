"""Names that users give, as names of files."""

from __future__ import annotations

import hashlib
import re

from ..core.errors import UserError

#: File systems take names of 255 bytes; a suffix has to fit as well.
_LONGEST = 200


def quoted(name: str) -> str:
    """``name`` with every character that a file name should not hold as ``%HEX;``; a leading dot hides nothing.

    A name that is too long is cut and told from others by a digest; ``unquoted`` gives it back in that form.
    """
    safe = re.sub(r"[^A-Za-z0-9_.\[\]-]", lambda found: f"%{ord(found[0]):X};", name)
    if len(safe) > _LONGEST:
        safe = f"{safe[: _LONGEST - 20]}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return f"{safe}%" if safe.startswith(".") else safe


def unquoted(file_name: str) -> str:
    """What ``quoted`` was given."""
    return re.sub(r"%([0-9A-F]+);", lambda found: chr(int(found[1], 16)), file_name.removesuffix("%"))


def checked_run_id(run_id: str) -> str:
    """The id as the name of a directory.

    Raises:
        UserError: it is no plain name, so it would lead out of the directory.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", run_id):
        raise UserError(f"'{run_id}' is no run id.")
    return run_id

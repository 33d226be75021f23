"""Which file system a path is on."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.errors import ConfigError

_NETWORK = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "smb2",
        "ncpfs",
        "afs",
        "afpfs",
        "ceph",
        "fuse.ceph",
        "lustre",
        "glusterfs",
        "fuse.glusterfs",
        "gpfs",
        "beegfs",
        "fuse.sshfs",
        "fuse.s3fs",
        "fuse.gcsfuse",
        "fuse.rclone",
        "davfs",
        "fuse.davfs2",
        "fuse.juicefs",
    ]
)


def file_system_of(path: str, mounts: str) -> str | None:
    """The type of the file system that ``path`` is on, by the text of ``/proc/mounts``; None when it does not say."""
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = _unescape(fields[1])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # A later mount over the same place hides the earlier one.
        if inside and (found is None or len(point) >= found[0]):
            found = len(point), fields[2]
    return found[1] if found else None


def _unescape(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def refuse_network_file_system(path: str, *, mounts_file: str = "/proc/mounts") -> None:
    """SQLite's locks and shared memory do not work across machines.

    Raises:
        ConfigError: ``path`` is on a file system that is known to be a network one.
    """
    try:
        mounts = Path(mounts_file).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        # Not Linux: the type is not known, and nothing is refused.
        return
    kind = file_system_of(os.path.realpath(path), mounts)
    if kind in _NETWORK:
        raise ConfigError(
            f"The SQLite database {path} would be on a network file system ({kind}), where its locks do not hold: "
            "put the home on a local disk, or use `storage: postgres`."
        )

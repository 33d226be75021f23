"""The index of a pair of output files, as it is written: see ``storage.run_output.index``."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from ...core.clock import Clock
from ...settings.private_files import open_private
from ...storage.compute_logs import LogPaths
from ...storage.run_output.index import RECORD
from ..high_descriptors import high_copy, moved_high

#: Writes to one stream that follow each other faster than this share a moment, in seconds.
_SHORTEST = 0.001
_FLAGS = os.O_WRONLY | os.O_APPEND


class OutputFiles:
    """Open descriptors of standard output, standard error and the index of both."""

    def __init__(self, paths: LogPaths) -> None:
        self.out, self.err, self.index = (
            moved_high(open_private(path, _FLAGS)) for path in (paths.out, paths.err, paths.times)
        )
        # Half a record, of a full disk, would shift all that follow.
        os.ftruncate(self.index, os.fstat(self.index).st_size // RECORD.size * RECORD.size)

    def close(self) -> None:
        for descriptor in (self.out, self.err, self.index):
            with suppress(OSError):  # user code closes what it likes
                os.close(descriptor)


class Notes:
    """Thread-safe. It has descriptors of its own, whose numbers stay: a thread that is late notes in the wrong file,
    and never in a stranger's.
    """

    def __init__(self, files: OutputFiles, clock: Clock) -> None:
        self._clock = clock
        self.monotonic = clock.monotonic
        self._out, self._err, self._index = map(high_copy, (files.out, files.err, files.index))
        self._reached, self._at = (-1, -1), 0
        self._broken = False
        #: Who wrote last, and until when that needs no new note.
        self.writer: object = None
        self.due = 0.0
        self._lock = threading.RLock()
        # Whoever holds it does not exist in a forked child.
        os.register_at_fork(after_in_child=self._renew_lock)

    def note(self, writer: object) -> None:
        """Just before ``writer`` writes: so much was there at this moment."""
        with self._lock:
            self.writer, self.due = writer, self.monotonic() + _SHORTEST
            self._note(self._sizes())

    def look(self) -> bool:
        """Note what other programs and native code have written; False when that is nothing."""
        with self._lock:
            sizes = self._sizes()
            if sizes == self._reached:
                return False
            self.writer = None
            self._note(sizes)
            return True

    def go_to(self, files: OutputFiles) -> None:
        """From now on descriptors 1 and 2 are ``files``.

        Raises:
            OSError: user code has closed ``files``.
        """
        with self._lock:
            self.look()
            os.dup2(files.index, self._index, inheritable=False)
            for file, ours, standard in ((files.out, self._out, 1), (files.err, self._err, 2)):
                os.dup2(file, ours, inheritable=False)
                os.dup2(file, standard)
            self.writer, self._broken = None, False
            self._note(self._sizes())

    def _sizes(self) -> tuple[int, int]:
        # Not the present position: other programs, and workers before, write to the same files.
        try:
            return os.lseek(self._out, 0, os.SEEK_END), os.lseek(self._err, 0, os.SEEK_END)
        except OSError:  # user code has closed them: that costs the times of lines, too
            self._broken = True
            return self._reached

    def _note(self, sizes: tuple[int, int]) -> None:
        self._reached = sizes
        self._at = max(self._at, int(self._clock.now() * 1e9))
        if self._broken:
            return
        try:
            # A full disk costs the times of lines, never a print.
            self._broken = os.write(self._index, RECORD.pack(self._at, *sizes)) != RECORD.size
        except OSError:
            self._broken = True

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()

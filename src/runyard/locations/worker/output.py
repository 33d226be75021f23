"""What a run's code prints, in its compute logs.

Descriptors 1 and 2 are the files themselves: native code and other programs are captured as well, and no reader, slow
or dead, ever holds up who prints.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from ...core.clock import Clock, SystemClock
from ...core.errors import UserError
from ...core.managers import contextmanager
from ...storage.compute_logs import LocalComputeLogs
from .output_notes import Notes, OutputFiles
from .streams import NotingFile, flush_streams, take_streams

#: Seconds between looks for what was printed past Python's streams: after something was, and the longest.
_SOON, _LATE = 0.1, 2.0


class OutputNotKept(UserError):
    """The files that output goes to cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"What the run prints cannot be kept: {error.filename}: {error.strerror}.")


class Output:
    """Where the standard output and error of this process go; made by ``redirect_output``."""

    def __init__(self, logs: LocalComputeLogs, run_id: str, step_key: str | None, clock: Clock) -> None:
        self._logs, self._run_id, self._clock = logs, run_id, clock
        self._step_key = step_key
        self._own = self._open(step_key)
        self._notes = Notes(self._own, clock)

    def begin(self) -> None:
        take_streams()
        self._switch(self._own)
        NotingFile.notes = self._notes
        threading.Thread(target=self._look, name="runyard-output", daemon=True).start()

    @contextmanager
    def capture(self, step_key: str) -> Iterator[None]:
        """Inside, what this process prints goes to the files of the step. One step at a time.

        Raises:
            OutputNotKept: the files cannot be written.
        """
        files = self._open(step_key)
        try:
            self._switch(files)
            yield
        finally:
            self._switch_back()
            files.close()

    def _open(self, step_key: str | None) -> OutputFiles:
        try:
            self._logs.make_directory(self._run_id)
            return OutputFiles(self._logs.pair(self._run_id, step_key))
        except OSError as error:
            raise OutputNotKept(error) from error

    def _switch(self, files: OutputFiles) -> None:
        flush_streams()
        self._notes.go_to(files)

    def _switch_back(self) -> None:
        try:
            self._switch(self._own)
        except OSError:  # user code has closed them
            self._own = self._open(self._step_key)
            self._switch(self._own)

    def _look(self) -> None:
        pause, never = _SOON, threading.Event()
        while True:
            self._clock.wait(never, pause)
            pause = _SOON if self._notes.look() else min(_LATE, pause * 1.5)


def redirect_output(
    compute_logs_dir: str, run_id: str, step_key: str | None = None, *, clock: Clock | None = None
) -> Output:
    """Send standard output and error of this process to the files of the run, or of one step.

    Raises:
        OutputNotKept: the files cannot be written.
    """
    output = Output(LocalComputeLogs(compute_logs_dir), run_id, step_key, clock or SystemClock())
    output.begin()
    return output

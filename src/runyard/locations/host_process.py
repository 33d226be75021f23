"""Starting a host, and what is known of one that ends."""

from __future__ import annotations

import logging
import os
import select
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from ..core.errors import RunyardError
from ..settings.private_files import make_directory, open_private
from .environment import callers_environment
from .host.config import HostConfig
from .host.process_tree import HOST_MARK
from .host.ready import HostReady
from .last_words import LONGEST, last_words
from .process_mark import MARK, roomy
from .processes import exit_in_words

log = logging.getLogger(__name__)

#: How long a host may take until it serves (not until the code is loaded), in seconds.
START_TIMEOUT = 30.0
#: How long it may take to end after it has hung up.
END_TIMEOUT = 5.0
#: Of a host's output, so much is kept from one start to the next, in bytes.
LOG_KEPT = 1_000_000


class HostNotStarted(RunyardError):
    """A location host ended before it served or before its code was loaded, or took too long."""

    def __init__(self, location_name: str, reason: str, log_file: Path) -> None:
        ending = "" if reason.endswith((".", "!", "?")) else "."
        super().__init__(
            f"The host of location '{location_name}' did not come up: {reason}{ending} Its log is {log_file}."
        )


class HostLog:
    """The file that a host's output is appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def open(self) -> int:
        """A descriptor to append to it. Raises OSError."""
        make_directory(self.path.parent)
        if self.path.exists() and self.path.stat().st_size > LOG_KEPT:
            self.path.replace(self.path.with_suffix(".1.log"))
        descriptor = open_private(self.path, os.O_WRONLY | os.O_APPEND)
        self._start = os.fstat(descriptor).st_size
        return descriptor

    def last_words(self) -> str:
        """What was said last since it was opened."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(self._start, os.fstat(file.fileno()).st_size - LONGEST))
                return last_words(file.read())
        except OSError as error:
            return f"(its log cannot be read: {error.strerror})"


class HostProcess:
    """A host that this process has started.

    Raises:
        HostNotStarted: no process can be started.
    """

    def __init__(self, config: HostConfig, log_file: Path) -> None:
        self._name, self._log = config.spec.name, HostLog(log_file)
        try:
            self._process = self._execute(config)
        except OSError as error:
            raise self.not_started(f"{error.filename or sys.executable}: {error.strerror}") from None
        # Hosts outlive the control process: nobody may have to wait for this thread.
        self._reaper = threading.Thread(target=self._process.wait, name=f"reap-{self._process.pid}", daemon=True)

    def ready(self, config: HostConfig) -> HostReady:
        """Tell it what to serve, and wait until it does.

        Raises:
            HostNotStarted: it does not.
        """
        line = self._first_line(msgspec.json.encode(config))
        if line is None:
            self._process.kill()
            self._process.wait()
            raise self.not_started(f"it did not answer within {START_TIMEOUT:g} s")
        if not line:
            error = self.not_started(self.ending())
            self._process.kill()
            raise error
        ready = msgspec.json.decode(line, type=HostReady)
        if ready.error is not None:
            self._process.wait()
            raise self.not_started(ready.error)
        self._reaper.start()
        return ready

    def join(self, seconds: float) -> None:
        """Wait for its end for so long."""
        self._reaper.join(seconds)

    def ending(self) -> str:
        """How it ended, and its last words: a clause, once nothing more is to be expected from it."""
        try:
            how = f"it {exit_in_words(self._process.wait(END_TIMEOUT))}"
        except subprocess.TimeoutExpired:
            how = "it runs and says nothing"
        words = self._log.last_words()
        return f"{how}; its last words: {words}" if words else how

    def not_started(self, reason: str) -> HostNotStarted:
        return HostNotStarted(self._name, reason, self._log.path)

    def _execute(self, config: HostConfig) -> subprocess.Popen[bytes]:
        output = self._log.open()
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "runyard.locations.host"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=config.runtime_dir,
                # Also when the code of a run starts it, it is none of that run's processes.
                env={**callers_environment(), MARK: roomy(HOST_MARK)},
                # A session of its own: the terminal's signals are not for the runs.
                start_new_session=True,
            )
        finally:
            os.close(output)

    def _first_line(self, told: bytes) -> bytes | None:
        """What it says first; empty when it ended without a word, None when it takes too long."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the host was started without pipes")
        with stdin, stdout:
            try:
                stdin.write(told)
                stdin.close()
            except BrokenPipeError:
                log.info("location '%s': its host ended at once", self._name)
            readable, _, _ = select.select([stdout], [], [], START_TIMEOUT)
            return stdout.readline() if readable else None

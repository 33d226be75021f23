"""Ctrl-C and SIGTERM for long-lived commands."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Optional, Union

Handler = Union[Callable[[int, Optional[FrameType]], None], signal.Handlers]  # noqa: UP007, UP045 # read at run time
#: Seconds after which the main thread looks up: a signal that reaches another thread does not end its wait.
_LOOK_EVERY = 0.5
#: Seconds from the second signal to SIGKILL.
LAST_SECONDS = 10.0


class Signals:
    """Counts SIGINT and SIGTERM: the first asks to stop, a second insists, a third ends the process as it is.

    A process that hangs is killed a while after the second: see ``guard``.

    A handler runs in the main thread between any two of its steps. So it takes no lock, which this thread may hold
    already: it writes to a pipe, and a thread of its own sets the events.
    """

    def __init__(self, *, last_seconds: float = LAST_SECONDS) -> None:
        self._asked = threading.Event()
        self._insisted = threading.Event()
        self._last_seconds = last_seconds
        self._guard: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._arrived, self._arriving = os.pipe()
        os.set_blocking(self._arriving, False)

    def install(self) -> None:
        self._start_guard()
        threading.Thread(target=self._tell, name="signals", daemon=True).start()
        self._handle(self._on_signal)

    def _start_guard(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123  a descriptor
            # It ends when this process does and so closes the pipe: nobody waits for it.
            self._guard = subprocess.Popen(  # noqa: S603  this interpreter, a script of ours
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), str(self._last_seconds)],
                stdin=pipe,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def _handle(self, handler: Handler) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        os.write(self._arriving, b".")
        if next(self._numbers) == 2:
            self._handle(signal.SIG_DFL)

    def _tell(self) -> None:
        for event in (self._asked, self._insisted):
            os.read(self._arrived, 1)
            event.set()

    def wait(self) -> None:
        """Return once asked to stop."""
        while not self._asked.wait(_LOOK_EVERY):
            pass

    @property
    def insisted(self) -> threading.Event:
        return self._insisted

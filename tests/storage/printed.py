"""Writes output files as a worker does, at times that a test chooses."""

from __future__ import annotations

from pathlib import Path

from runyard.storage.compute_logs import LocalComputeLogs
from runyard.storage.run_output.index import RECORD, Stream


class Printer:
    """One run's output. Each ``say`` is noted in the index unless ``noted`` is False: then native code wrote it."""

    def __init__(self, base: Path, run_id: str = "r1") -> None:
        self.logs = LocalComputeLogs(str(base))
        self.run_id = run_id
        self.logs.make_directory(run_id)

    def say(
        self, text: str | bytes, *, stream: Stream = "out", step: str | None = None, at: float = 0.0, noted: bool = True
    ) -> None:
        pair = self.logs.pair(self.run_id, step)
        for file in (pair.out, pair.err):
            file.touch()
        if noted:
            record = RECORD.pack(int(at * 1e9), pair.out.stat().st_size, pair.err.stat().st_size)
            with pair.times.open("ab") as index:
                index.write(record)
        with (pair.out if stream == "out" else pair.err).open("ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

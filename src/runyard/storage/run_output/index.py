"""When which part of a pair of output files was written.

Beside ``<step>.out`` and ``<step>.err`` lies ``<step>.idx``: records of one size, each a moment and how far both files
reached then. What lies between two records was written between their times.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from pathlib import Path
from typing import Literal, NamedTuple

Stream = Literal["out", "err"]

#: Nanoseconds since the epoch, bytes of ``out``, bytes of ``err``.
RECORD = struct.Struct("<qqq")
_BLOCK = 512
_BLOCKS_KEPT = 64
_NO_END = 1 << 62


class Moment(NamedTuple):
    """``place`` counts records, so it orders what one pair's two files hold. ``at`` is None where nobody knows."""

    place: int
    at: int | None


class TimeIndex:
    """One index file as long as it is now; read in blocks, those that are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blocks: dict[int, list[tuple[int, int, int]]] = {}
        try:
            self._records = path.stat().st_size // RECORD.size
        except FileNotFoundError:
            self._records = 0
        #: Where the answers that were given last lie: lines that follow each other mostly share a moment.
        self._last: dict[Stream, tuple[int, int, Moment]] = {}

    def moment(self, stream: Stream, offset: int) -> Moment:
        """When the byte at ``offset`` was written: the last moment at which the file did not reach beyond it."""
        start, end, found = self._last.get(stream, _NOTHING)
        if start <= offset < end:
            return found
        column = 1 if stream == "out" else 2
        place = bisect_right(range(self._records), offset, key=lambda number: self._record(number)[column]) - 1
        if place < 0:
            return Moment(-1, self._record(0)[0] if self._records else None)
        start = self._record(place)[column]
        end = self._record(place + 1)[column] if place + 1 < self._records else _NO_END
        found = Moment(place, self._record(place)[0])
        self._last[stream] = (start, end, found)
        return found

    def _record(self, number: int) -> tuple[int, int, int]:
        block, row = divmod(number, _BLOCK)
        return self._block(block)[row]

    def _block(self, number: int) -> list[tuple[int, int, int]]:
        if number not in self._blocks:
            if len(self._blocks) >= _BLOCKS_KEPT:
                self._blocks.clear()
            self._blocks[number] = self._read(number)
        return self._blocks[number]

    def _read(self, number: int) -> list[tuple[int, int, int]]:
        first = number * _BLOCK
        wanted = min(_BLOCK, self._records - first)
        with self._path.open("rb") as file:
            file.seek(first * RECORD.size)
            data = file.read(wanted * RECORD.size)
        return [(at, out, err) for at, out, err in RECORD.iter_unpack(data)]


_NOTHING = (0, 0, Moment(-1, None))

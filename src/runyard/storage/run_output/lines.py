"""Lines of one file of output, forwards from a place and backwards from the end, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

#: Of a longer line only the beginning is shown (the end, where that is what is read first), in bytes.
LONGEST = 65536
#: What is read at once, unless many files are read side by side.
CHUNK = 65536
#: A line whose beginning is further back than this is not looked at for its beginning, in bytes.
_FURTHEST_BACK = 1 << 20
#: All but tabulators and what colours begin with.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]|\x1b(?!\[)")
_CUT = " … (cut here: the line is longer than 64 kB)"
_CUT_BEFORE = "(cut here: the line is longer than 64 kB) … "


class Place(NamedTuple):
    """Where to read on; ``skipping`` inside of a line that was cut."""

    offset: int = 0
    skipping: bool = False


class RawLine(NamedTuple):
    """``last`` is the offset of the line's last byte, ``after`` where the next one begins."""

    text: str
    last: int
    after: Place


class Forward:
    """The lines of a file from ``place`` on. Once they are through, ``place`` is where to go on.

    Parameters:
        end: bytes from there on are not looked at.
        finished: nothing will be added, so what follows the last line end is a line as well.
        most: after so many bytes this is through, whatever is left.
    """

    def __init__(self, path: Path, place: Place, *, end: int, finished: bool, most: int, chunk: int) -> None:
        self.more = end - place.offset > most
        self._path, self._end = path, min(end, place.offset + most)
        self._finished = finished and not self.more
        self._chunk = chunk
        self.place = place
        self._rest = b""

    def __iter__(self) -> Iterator[RawLine]:
        for chunk in _chunks(self._path, self.place.offset, self._end, self._chunk):
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            offset, skipping = self.place
            for line in whole:
                offset += len(line) + 1
                self.place = place = Place(offset)
                if not skipping:
                    yield RawLine(shown(line), offset - 1, place)
                skipping = False
            yield from self._shorten()
        if self._finished and self._rest and not self.place.skipping:
            line, self._rest = self._rest, b""
            self.place = Place(self.place.offset + len(line))
            yield RawLine(shown(line), self.place.offset - 1, self.place)

    def _shorten(self) -> Iterator[RawLine]:
        """Keep what has not ended yet small."""
        if self.place.skipping:
            self._drop(len(self._rest))
        elif len(self._rest) > LONGEST:
            # A progress bar rewrites itself; only its last state counts.
            self._drop(_last_state(self._rest))
            if len(self._rest) > LONGEST:
                text, last = shown(self._rest), self.place.offset + LONGEST - 1
                self._drop(len(self._rest), skipping=True)
                yield RawLine(text, last, self.place)

    def _drop(self, count: int, *, skipping: bool | None = None) -> None:
        self._rest = self._rest[count:]
        self.place = Place(self.place.offset + count, self.place.skipping if skipping is None else skipping)


def backward(path: Path, end: int, *, chunk: int) -> Iterator[RawLine]:
    """The lines of a file from ``end``, where a line has ended or the file does, back to its beginning.

    A line that is too long to look for its beginning is shown by its end, and is the last one.
    """
    data, begin, right = b"", end, 0
    while end:
        cut = data.rfind(b"\n", 0, max(0, right - 1))
        if cut >= 0 or begin == 0:
            yield RawLine(shown(data[cut + 1 : right].removesuffix(b"\n")), begin + right - 1, Place(begin + right))
            right, end = cut + 1, begin + cut + 1
        elif right > _FURTHEST_BACK:
            yield RawLine(_CUT_BEFORE + _text(data[right - LONGEST : right]), begin + right - 1, Place(begin + right))
            return
        else:
            before = _read(path, max(0, begin - chunk), begin)
            if not before:
                return
            data, begin, right = before + data[:right], begin - len(before), right + len(before)


def end_of_lines(path: Path, size: int) -> Place:
    """Where the line begins that has not ended yet, in a file of ``size`` bytes."""
    data, begin = b"", size
    while begin > 0 and len(data) <= _FURTHEST_BACK:
        chunk = _read(path, max(0, begin - CHUNK), begin)
        if not chunk:
            break
        data, begin = chunk + data, begin - len(chunk)
        cut = data.rfind(b"\n", 0, len(chunk))
        if cut >= 0:
            return Place(begin + cut + 1)
    state = _last_state(data)
    return Place(begin + state) if begin == 0 or state else Place(size, skipping=True)


def shown(line: bytes) -> str:
    """A line as a terminal would leave it: the last state of one that was rewritten, and not too long."""
    if b"\r" in line:
        line = line.rstrip(b"\r")
        line = line[_last_state(line) :]
    return _text(line) if len(line) <= LONGEST else _text(line[:LONGEST]) + _CUT


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    return text if text.isprintable() else _CONTROL.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    return "␡" if found[0] == "\x7f" else chr(0x2400 + ord(found[0]))


def _last_state(line: bytes) -> int:
    return line.rstrip(b"\r").rfind(b"\r") + 1


def _chunks(path: Path, start: int, end: int, size: int = CHUNK) -> Iterator[bytes]:
    while start < end:
        chunk = _read(path, start, min(end, start + size))
        if not chunk:
            return
        yield chunk
        start += len(chunk)


def _read(path: Path, start: int, end: int) -> bytes:
    # Opened each time: hundreds of steps are read side by side, and descriptors are few.
    with suppress(FileNotFoundError), path.open("rb", buffering=0) as file:
        file.seek(start)
        return file.read(end - start)
    return b""  # the run was deleted meanwhile


def count_lines(path: Path, end: int) -> int:
    """How many lines there are before ``end``, the last one with or without its line end."""
    count, last = 0, b""
    for chunk in _chunks(path, 0, end):
        count, last = count + chunk.count(b"\n"), chunk[-1:]
    return count + (last not in (b"", b"\n"))

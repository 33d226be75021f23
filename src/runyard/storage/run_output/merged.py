"""What a run printed as one list of lines: both streams and all steps, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import msgspec

from ..compute_logs import LocalComputeLogs, LogPaths
from .cursor import BEGINNING, Cursor, Position
from .index import Stream, TimeIndex
from .lines import CHUNK, Forward, Place, RawLine, backward, count_lines, end_of_lines

Which = Literal["both", "out", "err"]

#: What a page holds at most, in bytes of its JSON.
PAGE_BYTES = 250_000
TAIL_BYTES = 8_000_000
#: What is read of one file for one page at most; only a line without an end comes near it.
_MOST_READ = 4 << 20
#: What is read ahead of all files together.
_READ_AHEAD = 4 << 20
#: Lines are counted for the numbers of the last ones only in so many bytes.
_MOST_COUNTED = 16 << 20
#: Of a line's JSON, beside its text and step.
_LINE_OVERHEAD = 110
#: Lines of old runs, whose times nobody noted, come after all others.
_LAST = 1 << 62


class Line(NamedTuple):
    """``at`` is in seconds since the epoch. ``number`` counts the lines of its step from 1, None where unknown."""

    number: int | None
    at: float | None
    stream: Stream
    step_key: str | None
    text: str


class Page(NamedTuple):
    """``size`` is what there is by now, in bytes; ``more`` says that the next page would not be empty, ``earlier`` that
    there are lines before these.
    """

    lines: list[Line]
    next: Cursor
    size: int
    more: bool
    earlier: bool = False


class RunOutput:
    """One run's output, or one step's with ``step_key``."""

    def __init__(
        self, logs: LocalComputeLogs, run_id: str, *, stream: Which = "both", step_key: str | None = None
    ) -> None:
        self._logs, self._run_id, self._step_key = logs, run_id, step_key
        self._streams: tuple[Stream, ...] = ("out", "err") if stream == "both" else (stream,)

    def page(self, after: Cursor, *, finished: bool, most: int = PAGE_BYTES) -> Page:
        """What follows ``after``, at most ``most`` bytes of it.

        Parameters:
            finished: nothing will be added, so that a last line without an end is one.
        """
        pairs = self._pairs(after)
        unread = [file for pair in pairs for file in pair.files if file.size > file.place.offset]
        sources = [_Ahead(file, finished=finished, chunk=_chunk(unread)) for file in unread]
        lines: list[Line] = []
        for source in _merged(sources):
            line = source.line(source.file.pair.next_number())
            most -= _cost(line)
            if lines and most < 0:
                return Page(lines, _cursor(pairs), _size(pairs), more=True)
            lines.append(line)
            source.take()
        return Page(lines, _cursor(pairs), _size(pairs), more=any(source.more for source in sources))

    def tail(self, count: int, *, finished: bool, most: int = TAIL_BYTES) -> Page:
        """The last ``count`` lines, without reading what is before them.

        Parameters:
            finished: as for ``page``.
        """
        pairs = self._pairs(BEGINNING)
        for pair in pairs:
            pair.go_to_end(finished=finished)
        _count_lines(pairs)
        left = {pair.paths.name: pair.lines for pair in pairs}
        files = [file for pair in pairs for file in pair.files]
        lines: list[Line] = []
        earlier = False
        for source in _merged([_Back(file, chunk=_chunk(files)) for file in files]):
            name = source.file.pair.paths.name
            line = source.line(left[name])
            most -= _cost(line)
            if len(lines) == count or (lines and most < 0):
                earlier = True
                break
            lines.append(line)
            left[name] = None if line.number is None else line.number - 1
        return Page(lines[::-1], _cursor(pairs), _size(pairs), more=False, earlier=earlier)

    def _pairs(self, after: Cursor) -> list[_Pair]:
        if self._step_key is None:
            wanted = self._logs.paths(self._run_id)
        else:
            wanted = [self._logs.pair(self._run_id, self._step_key)]
        return [
            _Pair(order, paths, self._streams, after.get(paths.name, Position())) for order, paths in enumerate(wanted)
        ]


class _Pair:
    """The files of one step. ``lines`` counts those that were read."""

    def __init__(self, order: int, paths: LogPaths, streams: Sequence[Stream], position: Position) -> None:
        self.order, self.paths, self._position = order, paths, position
        self.lines = position.lines
        self.files = [_File(self, stream, position) for stream in streams]

    @cached_property
    def index(self) -> TimeIndex:
        return TimeIndex(self.paths.times)

    @property
    def position(self) -> Position:
        places = {file.stream: file.place for file in self.files}
        return Position(places.get("out", self._position.out), places.get("err", self._position.err), self.lines)

    def next_number(self) -> int | None:
        return None if self.lines is None else self.lines + 1

    def go_to_end(self, *, finished: bool) -> None:
        for file in self.files:
            file.place = Place(file.size) if finished else end_of_lines(file.path, file.size)


class _File:
    """One file, as long as it is now, read up to ``place``."""

    def __init__(self, pair: _Pair, stream: Stream, position: Position) -> None:
        self.pair, self.stream = pair, stream
        self.path: Path = getattr(pair.paths, stream)
        self.place: Place = getattr(position, stream)
        self.size = self.path.stat().st_size if self.path.exists() else 0


class _Source:
    """Lines of one file; ``head`` is the one that is next."""

    def __init__(self, file: _File, lines: Iterator[RawLine], *, direction: int) -> None:
        self.file, self._lines, self._direction = file, lines, direction
        self._head: RawLine

    def advance(self) -> bool:
        """Go on to the next line; False when there is none."""
        head = next(self._lines, None)
        if head is None:
            return False
        self._head = head
        return True

    def key(self) -> tuple[int, ...]:
        """Where the line belongs among those of all files."""
        sign, last = self._direction, self._head.last
        place, at = self.file.pair.index.moment(self.file.stream, last)
        at = _LAST if at is None else at
        return sign * at, sign * self.file.pair.order, sign * place, sign * (self.file.stream == "err"), sign * last

    def line(self, number: int | None) -> Line:
        file, head = self.file, self._head
        at = file.pair.index.moment(file.stream, head.last).at
        return Line(number, None if at is None else at / 1e9, file.stream, file.pair.paths.step_key, head.text)


class _Ahead(_Source):
    def __init__(self, file: _File, *, finished: bool, chunk: int) -> None:
        self._forward = Forward(file.path, file.place, end=file.size, finished=finished, most=_MOST_READ, chunk=chunk)
        super().__init__(file, iter(self._forward), direction=1)

    @property
    def more(self) -> bool:
        return self._forward.more

    def advance(self) -> bool:
        found = super().advance()
        if not found:
            self.file.place = self._forward.place
        return found

    def take(self) -> None:
        """The line at the head was read."""
        self.file.place = self._head.after
        self.file.pair.lines = self.file.pair.next_number()


class _Back(_Source):
    def __init__(self, file: _File, *, chunk: int) -> None:
        end = 0 if file.place.skipping else file.place.offset
        super().__init__(file, backward(file.path, end, chunk=chunk), direction=-1)


_SourceT = TypeVar("_SourceT", bound=_Source)


def _merged(sources: Sequence[_SourceT]) -> Iterator[_SourceT]:
    """Each time the source whose line is next; it goes on to its next line when this is asked on."""
    heap = [(source.key(), number) for number, source in enumerate(sources) if source.advance()]
    heapq.heapify(heap)
    while len(heap) > 1:
        number = heap[0][1]
        yield sources[number]
        if sources[number].advance():
            heapq.heapreplace(heap, (sources[number].key(), number))
        else:
            heapq.heappop(heap)
    for _, number in heap:
        yield sources[number]
        while sources[number].advance():
            yield sources[number]


def _chunk(files: Sequence[_File]) -> int:
    return min(CHUNK, max(4096, _READ_AHEAD // max(1, len(files))))


def _cost(line: Line) -> int:
    return len(msgspec.json.encode((line.text, line.step_key))) + _LINE_OVERHEAD


def _count_lines(pairs: Sequence[_Pair]) -> None:
    """For the numbers of the last lines; unknown where that would mean to read a lot."""
    left = _MOST_COUNTED
    for pair in pairs:
        left -= sum(file.place.offset for file in pair.files)
        pair.lines = sum(count_lines(file.path, file.place.offset) for file in pair.files) if left >= 0 else None


def _cursor(pairs: Sequence[_Pair]) -> Cursor:
    return {pair.paths.name: pair.position for pair in pairs}


def _size(pairs: Sequence[_Pair]) -> int:
    return sum(file.size for pair in pairs for file in pair.files)

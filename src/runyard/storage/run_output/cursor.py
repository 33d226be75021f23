"""How far the output of a run has been read, as text that can be given back."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Annotated, NamedTuple

import msgspec

from .lines import Place

_LARGEST = 8 << 20
_Offset = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
_Packed = dict[str, tuple[_Offset, bool, _Offset, bool, _Offset | None]]
_DECODER = msgspec.msgpack.Decoder(_Packed)


class Position(NamedTuple):
    """In one pair of files. ``lines`` counts those that were read; None where somebody began in the middle."""

    out: Place = Place()
    err: Place = Place()
    lines: int | None = 0


#: By the name of the pair; one that is not there is read from its beginning.
Cursor = Mapping[str, Position]
BEGINNING: Cursor = {}


def encode(cursor: Cursor) -> str:
    """Opaque text for an address."""
    packed = {name: (*place.out, *place.err, place.lines) for name, place in cursor.items()}
    return urlsafe_b64encode(zlib.compress(msgspec.msgpack.encode(packed), 6)).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """Raises ValueError for text that ``encode`` did not make."""
    try:
        packed = zlib.decompressobj()
        data = packed.decompress(urlsafe_b64decode(text + "=" * (-len(text) % 4)), _LARGEST)
        found = _DECODER.decode(data)
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"'{text[:40]}' is no place in the output of a run") from error
    return {name: Position(Place(*row[:2]), Place(*row[2:4]), row[4]) for name, row in found.items()}

"""Messages on a stream socket: four bytes of length, then msgpack."""

from __future__ import annotations

import struct

from ..core.errors import RunyardError

_HEADER = struct.Struct("!I")
#: A longer frame is taken for a peer that speaks something else.
LONGEST = 256 * 1024 * 1024


class BrokenFrame(RunyardError):
    """The other end sent what cannot be a message of ours."""


def frame(payload: bytes) -> bytes:
    """``payload`` with its length in front."""
    return _HEADER.pack(len(payload)) + payload


class FrameBuffer:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Add what was read; returns the messages that are complete now.

        Raises:
            BrokenFrame: the length is impossible.
        """
        self._held += data
        messages: list[bytes] = []
        start = 0
        while len(self._held) - start >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._held, start)
            if length > LONGEST:
                raise BrokenFrame(f"A message of {length} bytes was announced; the longest is {LONGEST}.")
            end = start + _HEADER.size + length
            if end > len(self._held):
                break
            messages.append(bytes(self._held[start + _HEADER.size : end]))
            start = end
        del self._held[:start]
        return messages

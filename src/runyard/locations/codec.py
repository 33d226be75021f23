"""Messages as bytes and back. Whatever of user code is in a message, there are bytes for it.

MessagePack ends at 64 bits and takes no halves of surrogate pairs: longer numbers travel as an extension, such text
with escapes. Values of user code are made storable where they enter (``core.kept``); what comes here otherwise must
still not cost the process that sends it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ..core.foreign import text_of
from ..core.kept import LONGEST_TEXT
from ..core.text import storable

M = TypeVar("M")

_WHOLE_NUMBER = 1
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_encode = msgspec.msgpack.Encoder().encode


def pack(message: msgspec.Struct) -> bytes:
    """``message`` as bytes.

    Raises:
        RecursionError: something in it contains itself.
    """
    try:
        return _encode(message)
    except (OverflowError, UnicodeEncodeError, TypeError):
        return _encode(_portable(msgspec.to_builtins(message, enc_hook=_plain)))


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """Decodes messages of one kind, or of a union of kinds."""
    return msgspec.msgpack.Decoder(kind, ext_hook=_extension)


def unpack(data: bytes, kind: type[M]) -> M:
    return msgspec.msgpack.decode(data, type=kind, ext_hook=_extension)


def _plain(value: Any) -> Any:
    """An object that MessagePack does not know: the number that it is, or its text."""
    if issubclass(type(value), int):
        return int.__index__(value)
    return text_of(value, LONGEST_TEXT)


def _portable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_portable(key): _portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        data = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
        return msgspec.msgpack.Ext(_WHOLE_NUMBER, data)
    return value


def _extension(code: int, data: memoryview) -> Any:
    if code != _WHOLE_NUMBER:
        raise ValueError(f"extension {code} is not known")
    return int.from_bytes(data, "big", signed=True)

"""A peer's socket in the loop: reads whole messages, and never blocks on a peer that does not read."""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

import msgspec

from ..codec import pack
from ..framing import BrokenFrame, FrameBuffer, frame
from .loop import READ, WRITE, Loop

M = TypeVar("M")
_CHUNK = 256 * 1024
_MOST_DESCRIPTORS = 128


class Connection(Generic[M]):
    """``on_message`` and ``on_end`` are called in the loop's thread; ``send`` may be called from any."""

    def __init__(
        self,
        loop: Loop,
        peer: socket.socket,
        decoder: msgspec.msgpack.Decoder[M],
        *,
        on_message: Callable[[M], None],
        on_end: Callable[[], None],
        descriptors: bool = False,
    ) -> None:
        self._loop, self._peer, self._decoder = loop, peer, decoder
        self._on_message, self._on_end = on_message, on_end
        self._frames = FrameBuffer()
        self._takes_descriptors = descriptors
        self._descriptors: deque[int] = deque()
        self._lock = threading.Lock()
        self._unsent = bytearray()
        self._open = True
        self._watching = READ
        peer.setblocking(False)
        loop.watch(peer.fileno(), READ, self._ready)

    @property
    def peer(self) -> socket.socket:
        return self._peer

    @property
    def is_open(self) -> bool:
        return self._open

    def send(self, message: msgspec.Struct) -> None:
        """Send what fits now, the loop sends the rest. Nothing happens when the peer is gone."""
        data = frame(pack(message))
        with self._lock:
            if not self._open:
                return
            behind = bool(self._unsent)
            self._unsent += data
            if not behind and self._write() and self._unsent:
                self._loop.soon(self._watch)

    def take_descriptors(self, count: int) -> list[int]:
        """The descriptors that came with the message being handled, in order."""
        return [self._descriptors.popleft() for _ in range(count)]

    def drain(self) -> None:
        """Handle everything that the peer has sent up to now."""
        while self._open and self._read():
            pass

    def close(self) -> None:
        """Close without calling ``on_end``."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            self._loop.unwatch(self._peer.fileno())
            self._peer.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()

    def _ready(self) -> None:
        with self._lock:
            if self._unsent:
                self._write()
        self._watch()
        self._read()

    def _watch(self) -> None:
        wanted = READ | WRITE if self._unsent else READ
        if self._open and wanted != self._watching:
            self._watching = wanted
            self._loop.watch(self._peer.fileno(), wanted, self._ready)

    def _write(self) -> bool:
        try:
            sent = self._peer.send(self._unsent)
        except BlockingIOError:
            return True
        except OSError:
            self._unsent.clear()  # the peer is gone; reading finds its end
            return False
        del self._unsent[:sent]
        return True

    def _read(self) -> bool:
        """Read once; True when there may be more."""
        try:
            data = self._receive()
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._ended()
            return False
        self._handle(data)
        return True

    def _receive(self) -> bytes:
        if not self._takes_descriptors:
            return self._peer.recv(_CHUNK)
        data, descriptors, _, _ = socket.recv_fds(self._peer, _CHUNK, _MOST_DESCRIPTORS)
        self._descriptors.extend(descriptors)
        return data

    def _handle(self, data: bytes) -> None:
        try:
            messages = [self._decoder.decode(payload) for payload in self._frames.feed(data)]
        except (BrokenFrame, msgspec.DecodeError):
            self._ended()
            raise
        for message in messages:
            self._loop.guarded(partial(self._on_message, message))

    def _ended(self) -> None:
        self.close()
        self._on_end()

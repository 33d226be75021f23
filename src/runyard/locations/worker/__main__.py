"""``python -m runyard.locations.worker FD``: a spawned worker; its assignment is on standard input."""

from __future__ import annotations

import os
import signal
import socket
import sys

from ..code_loading import load, prepare_process
from ..codec import unpack
from ..messages import Assignment
from .main import work
from .streams import take_streams


def main() -> None:
    assignment = unpack(sys.stdin.buffer.read(), Assignment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    take_streams()
    end = socket.socket(fileno=int(sys.argv[1]))
    spec = assignment.setup.spec

    def definitions() -> object:
        prepare_process(spec)
        return load(spec)

    work(end, assignment, definitions)


if __name__ == "__main__":
    main()

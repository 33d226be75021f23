"""``python -m runyard.locations.zygote FD``: FD is the socket of the host that started it."""

from __future__ import annotations

import socket
import sys

from ..worker.streams import take_streams
from .zygote import Zygote


def main() -> None:
    take_streams()
    become_worker = Zygote(socket.socket(fileno=int(sys.argv[1]))).serve()
    # In a forked child the loop has returned what to become; the zygote itself just ends.
    if become_worker is not None:
        become_worker()


if __name__ == "__main__":
    main()

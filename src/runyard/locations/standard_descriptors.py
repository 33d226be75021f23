"""Descriptors 0 to 2 stay taken while user code is imported: a socket of ours would get the number of a closed one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from .high_descriptors import high_copy


@contextmanager
def keep_standard_descriptors() -> Iterator[None]:
    """What is closed inside is open again afterwards, as it was; what is replaced stays replaced."""
    copies = {number: _copy(number) for number in (0, 1, 2)}
    try:
        yield
    finally:
        for number, copy in copies.items():
            if not _is_open(number):
                _reopen(number, copy)
            if copy is not None and _is_open(copy):
                os.close(copy)


def _copy(number: int) -> int | None:
    try:
        return high_copy(number)
    except OSError as error:
        if error.errno in (errno.EBADF, errno.EMFILE):
            return None  # closed before, or no numbers are left: replaced by nothing
        raise


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _reopen(number: int, copy: int | None) -> None:
    if copy is not None and _is_open(copy):
        os.dup2(copy, number)
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)
    os.set_inheritable(number, True)

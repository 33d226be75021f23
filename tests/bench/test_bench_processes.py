"""Processes are found by their mark, wherever they moved to."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import uuid

import pytest

from bench import processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")

#: Starts a grandchild in a session of its own, says its id and ends: the grandchild's parent is gone.
ORPHAN = """
import subprocess, sys
command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
"""


def test_an_orphan_in_another_session_is_found_weighed_and_ended() -> None:
    mark = uuid.uuid4().hex
    env = {**os.environ, processes.MARK: mark}
    reader, writer = os.pipe()
    try:
        parent = subprocess.run(
            [sys.executable, "-c", ORPHAN], env=env, stdin=reader, stdout=subprocess.PIPE, text=True, check=True
        )
        orphan = int(parent.stdout)
        assert processes.marked(mark) == [orphan]
        assert processes.pss(orphan) > 1
        ended = os.pidfd_open(orphan)
        processes.kill_marked(mark)
        assert select_readable(ended)
        os.close(ended)
    finally:
        os.close(reader)
        os.close(writer)
    assert processes.marked(uuid.uuid4().hex) == []


def select_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 10)[0])

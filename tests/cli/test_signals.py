"""The second Ctrl-C ends a process that hangs, whatever it hangs in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

#: The handler for the first signal runs and the main thread then waits for a thread in a call that does not return.
_WAITS_FOR_A_THREAD = """
import os, threading
thread = threading.Thread(target=os.read, args=(os.pipe()[0], 1))
thread.start()
signals.wait()
print("asked", flush=True)
thread.join()
"""
#: A call that keeps the interpreter's lock: no handler ever runs.
_KEEPS_THE_LOCK = """
import ctypes
libc = ctypes.PyDLL(None)
libc.pause.restype = ctypes.c_int
while True:
    libc.usleep(1_000_000_000)
"""
_PROGRAM = """
import sys
from runyard.cli.signals import Signals
signals = Signals(last_seconds=0.2)
signals.install()
print("ready", flush=True)
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _start(stack: ExitStack, code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM + code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    assert _line(process) == "ready"
    return process


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_a_thread_that_never_returns_is_no_hold(stack: ExitStack, numbers: tuple[int, int]) -> None:
    process = _start(stack, _WAITS_FOR_A_THREAD)
    process.send_signal(numbers[0])
    assert _line(process) == "asked"
    process.send_signal(numbers[1])
    assert process.wait(60) == -signal.SIGKILL
    assert process.stderr is not None
    assert "0.2 s after the second signal: killed" in process.stderr.read()


def test_nor_is_a_call_that_keeps_the_interpreters_lock(stack: ExitStack) -> None:
    process = _start(stack, _KEEPS_THE_LOCK)
    # Pending signals of one number are one, so each is seen before the next.
    process.send_signal(signal.SIGINT)
    while _pending(process.pid):
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGKILL


def _pending(pid: int) -> bool:
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123
        return any(line.startswith(("ShdPnd", "SigPnd")) and int(line.split()[1], 16) for line in status)


def test_a_process_that_ends_by_itself_is_let_end(stack: ExitStack) -> None:
    process = _start(stack, "signals.wait(); print('asked', flush=True); signals.insisted.wait(); sys.exit(7)")
    process.send_signal(signal.SIGINT)
    assert _line(process) == "asked"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 7
    assert process.stderr is not None
    assert process.stderr.read() == ""


_IMPORTS = "import os, signal, threading\n"
#: Far beyond what an idle process needs to see a signal.
_PATIENCE = 60

REACHES_ANOTHER_THREAD = """
stay = threading.Event()
other = threading.Thread(target=stay.wait, daemon=True)
other.start()
main_waits = threading.Event()
def send():
    main_waits.wait()
    signal.pthread_kill(other.ident, signal.SIGTERM)
threading.Thread(target=send, daemon=True).start()
main_waits.set()
signals.wait()
"""

WHILE_THE_WAIT_BEGINS = """
known = threading.Condition.wait
def wait(self, timeout=None):
    threading.Condition.wait = known
    # Here the main thread holds the lock of what it is about to wait for.
    os.kill(os.getpid(), signal.SIGTERM)
    return known(self, timeout)
threading.Condition.wait = wait
signals.wait()
"""

INSISTS_WHILE_THE_WAIT_BEGINS = """
os.kill(os.getpid(), signal.SIGINT)
signals.wait()
known = threading.Condition.wait
def wait(self, timeout=None):
    threading.Condition.wait = known
    os.kill(os.getpid(), signal.SIGINT)
    return known(self, timeout)
threading.Condition.wait = wait
signals.insisted.wait()
"""

BEFORE_THE_WAIT = """
os.kill(os.getpid(), signal.SIGTERM)
signals.wait()
assert not signals.insisted.is_set()
"""

BOTH_AT_ONCE = """
for number in (signal.SIGINT, signal.SIGTERM):
    os.kill(os.getpid(), number)
signals.wait()
signals.insisted.wait()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    program = _IMPORTS + _PROGRAM.replace("0.2", "60.0") + code
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=_PATIENCE
    )


@pytest.mark.parametrize(
    "code",
    [
        REACHES_ANOTHER_THREAD,
        WHILE_THE_WAIT_BEGINS,
        INSISTS_WHILE_THE_WAIT_BEGINS,
        BEFORE_THE_WAIT,
        BOTH_AT_ONCE,
    ],
)
def test_a_signal_is_never_lost(code: str) -> None:
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_third_ends_the_process_whatever_its_main_thread_does(number: signal.Signals) -> None:
    done = run(f"""
for wait in (signals.wait, signals.insisted.wait):
    os.kill(os.getpid(), {int(number)})
    wait()
os.kill(os.getpid(), {int(number)})
threading.Event().wait()
""")
    assert done.returncode == -number

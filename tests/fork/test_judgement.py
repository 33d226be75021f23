"""What code leaves behind when it is imported, and whether a process with that in it may be forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runyard.locations.zygote.descriptors import gpu_context
from runyard.locations.zygote.native_threads import NativeThread
from runyard.locations.zygote.safety import _is_renewed

JUDGE = "\nfrom runyard.locations.zygote.safety import fork_hazard\nprint(fork_hazard())"

#: Left behind by user code, and what is said about it.
UNSAFE = {
    "thread": ("import threading; threading.Thread(target=threading.Event().wait, name='poller', daemon=True).start()",
               "a Python thread (poller)"),
    "raw thread": ("import _thread, time; _thread.start_new_thread(time.sleep, (60,))", "thread"),
    "pool that was used": ("import concurrent.futures as f; pool = f.ThreadPoolExecutor(2); pool.submit(int).result()",
                           "a Python thread (ThreadPoolExecutor-0_0)"),
    "log listener": ("import logging.handlers as h, queue; h.QueueListener(queue.Queue()).start()", "Python thread"),
    "timer": ("import threading; t = threading.Timer(60, print); t.daemon = True; t.start()", "a Python thread"),
    "pool of processes": ("import multiprocessing as m; pool = m.get_context('fork').Pool(1)", "Python threads"),
    "pool of processes that was not used": ("import concurrent.futures as f; pool = f.ProcessPoolExecutor(1)",
                                            "locks or memory of multiprocessing"),
    "lock of multiprocessing": ("import multiprocessing as m; lock = m.Lock()", "locks or memory of multiprocessing"),
    "memory of multiprocessing": ("import multiprocessing as m; a = m.Value('i', lock=False)", "locks or memory"),
    "shared memory": ("import mmap; memory = mmap.mmap(-1, 100)", "locks or memory of multiprocessing"),
    "process": ("import subprocess; p = subprocess.Popen(['sleep', '60'])\nimport atexit; atexit.register(p.kill)",
                "a process (sleep)"),
    "stream": ("""
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
""", "a connection to 127.0.0.1:"),
    "socket that is to be connected": ("import socket; s = socket.socket()", "a socket open"),
    "pair of sockets": ("import socket; s = socket.socketpair()", "a pair of sockets"),
    "pipe": ("import os; p = os.pipe()", "a pipe"),
    "event loop": ("import asyncio; loop = asyncio.new_event_loop()", "an event loop"),
    "SQLite": ("import sqlite3; c = sqlite3.connect('x.db'); c.execute('create table t (a)')", "x.db open, and SQLite"),
    "engine with SQLite in its pool": ("""
import sqlalchemy as sa
engine = sa.create_engine('sqlite:///x.db')
with engine.begin() as c: c.execute(sa.text('create table t (a)'))
""", "x.db open, and SQLite"),
    "temporary directory": ("import tempfile; place = tempfile.TemporaryDirectory()", "a temporary directory"),
    "fork that hangs": ("import os, threading; os.register_at_fork(after_in_child=threading.Event().wait)", "hangs"),
    "polars": ("import polars", "imports polars"),
    "gRPC channel": ("import grpc; channel = grpc.insecure_channel('127.0.0.1:1')", "when it is imported"),
    "gRPC channel, without its fork support": ("""
import os
os.environ['GRPC_ENABLE_FORK_SUPPORT'] = '0'
import grpc
channel = grpc.insecure_channel('127.0.0.1:1')
""", "when it is imported"),
    "gRPC channel that waits":
        ("import grpc, threading; channel = grpc.insecure_channel('127.0.0.1:1'); threading.Event().wait(0.05)",
         "when it is imported"),
    "gRPC channel, with its fork support": ("""
import os
os.environ['GRPC_ENABLE_FORK_SUPPORT'] = '1'
import grpc
channel = grpc.insecure_channel('127.0.0.1:1')
""", "when it is imported"),
    "S3 of Arrow": ("import pyarrow.fs as f; f.S3FileSystem(anonymous=True, region='us-east-1')", "of libarrow_s3"),
}  # fmt: skip

#: Left behind, and fit to be copied.
SAFE = {
    "nothing": "",
    "thread that ended": "import threading; t = threading.Thread(target=int); t.start(); t.join()",
    "pool that was not used": "import concurrent.futures as f; pool = f.ThreadPoolExecutor(2)",
    "event loop that is closed": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "process that ended": "import subprocess; p = subprocess.Popen(['true']); p.wait()",
    "listening socket": "import socket; s = socket.create_server(('127.0.0.1', 0))",
    "datagrams": "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.connect(('127.0.0.1', 9))",
    "log file": "import logging; logging.basicConfig(filename='x.log'); logging.warning('hello')",
    "SQLite, closed": "import sqlite3; c = sqlite3.connect('x.db'); c.execute('create table t (a)'); c.close()",
    "temporary directory, removed": "import tempfile\nwith tempfile.TemporaryDirectory(): pass",
    "NumPy": "import numpy as np; a = np.ones((600, 600)); a @ a",
    "pandas": "import pandas as pd; f = pd.DataFrame({'a': ['x', 'y'] * 1000}); f.a.str.upper()",
    "pandas and a parquet file":
        "import pandas as pd; pd.DataFrame({'a': ['x', 'y'] * 1000}).to_parquet('x'); f = pd.read_parquet('x')",
    "Arrow's pools":
        "import pyarrow as pa, pyarrow.dataset as ds\n"
        "t = pa.table({'a': list(range(100000))}); t.group_by('a').aggregate([('a', 'sum')])\n"
        "ds.write_dataset(t, 'there', format='parquet'); d = ds.dataset('there'); d.to_table()",
    "Arrow reading CSV":
        "import io, pyarrow.csv as c; c.read_csv(io.BytesIO(b'a,b\\n' + b'1,2\\n' * 100000))",
    "session of requests": "import requests; s = requests.Session()",
    "gRPC, imported": "import grpc",
    "gRPC channel that was used and is closed": """
import grpc
with grpc.insecure_channel('127.0.0.1:1') as channel:
    try: channel.unary_unary('/nobody/there')(b'', timeout=10)
    except grpc.RpcError: pass
del channel
""",
    "engine that was not used": "import sqlalchemy as sa; engine = sa.create_engine('postgresql+psycopg://u@h/d')",
    "gRPC channel that is closed": "import grpc\nwith grpc.insecure_channel('127.0.0.1:1') as c: pass\ndel c",
}  # fmt: skip


def judged(code: str, place: Path) -> str:
    told = subprocess.run([sys.executable, "-c", code + JUDGE], cwd=place, capture_output=True, text=True, check=True)
    return told.stdout.strip()


@pytest.mark.parametrize("left", UNSAFE)
def test_what_is_not_safe_to_copy_is_named(left: str, tmp_path: Path) -> None:
    code, said = UNSAFE[left]
    assert said in judged(code, tmp_path)


@pytest.mark.parametrize("left", SAFE)
def test_what_is_safe_to_copy_is_let_be(left: str, tmp_path: Path) -> None:
    assert judged(SAFE[left], tmp_path) == "None"


def test_a_thread_is_not_taken_for_arrows_because_pandas_is_there(tmp_path: Path) -> None:
    # Without a name of its own, as Arrow's are: the code on its stack tells them apart.
    code = """
import ctypes, pandas
libc, thread = ctypes.CDLL(None), ctypes.c_ulong()
libc.pthread_create(ctypes.byref(thread), None, ctypes.cast(libc.pause, ctypes.c_void_p), None)
"""
    assert "a native thread" in judged(code, tmp_path)


@pytest.mark.parametrize(
    ("name", "library", "renewed"),
    [
        ("python", "libarrow.so.2600", True),
        ("jemalloc_bg_thd", "libjemalloc.so.2", True),
        ("AwsEventLoop1", "libarrow.so.1500", False),
        ("python", "libgomp.so.1", False),
        ("python", "", False),
    ],
)
def test_whose_threads_are_started_anew(name: str, library: str, renewed: bool) -> None:
    assert _is_renewed(NativeThread(name, library), "python") is renewed


@pytest.mark.parametrize(
    ("opened", "kind"),
    [("/dev/nvidiactl", "CUDA"), ("/dev/kfd", "ROCm"), ("/dev/null", None), ("/home/dev/nvidia", None)],
)
def test_gpu_context_is_seen_by_its_device(tmp_path: Path, opened: str, kind: str | None) -> None:
    # No machine of ours has one: links as the kernel shows them.
    (tmp_path / "3").symlink_to("/etc/hostname")
    (tmp_path / "4").symlink_to(opened)
    assert gpu_context(tmp_path) == kind

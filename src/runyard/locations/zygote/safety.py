"""Whether this process may be forked with the user's code in it. What is done about each hazard: ``docs/fork.md``."""

from __future__ import annotations

import sys
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from .descriptors import connections_by_words, database_files, gpu_context
from .memory_map import shared_memory
from .native_threads import NativeThread, native_threads, own_name
from .probe import kept_by_a_child

#: Named because they leave nothing to see in some versions: module, and why no process that has it is forked.
_NEVER_FORKED = {
    "polars": "once its thread pool was used, and some versions start it at once, queries in a forked process hang",
}
#: Named because nothing shows it from outside: libraries that start their threads anew in a forked process.
_RENEWS_THREADS = {
    "libarrow.so": "Arrow's pools of pyarrow and pandas; a thread of another library inside it has a name of its own",
}
#: jemalloc's, wherever it is built in: it has at-fork functions for them.
_RENEWED_NAMES = {"jemalloc_bg_thd"}
#: Shared memory by which OpenMP's runtime of LLVM tells itself from a second copy: written once, never waited for.
_HARMLESS_MEMORY = "/dev/shm/__KMP_REGISTERED_LIB_"  # noqa: S108 - looked for, not written
#: A thread may still be on its way out, or at work: looks, and seconds between them.
_LOOKS, _PAUSE = 5, 0.003


def fork_hazard(ours: Collection[int] = ()) -> str | None:
    """Why fork is not safe here, as a sentence; None when it is.

    Args:
        ours: descriptors that user code did not open.
    """
    return _python_threads() or _by_name() or _processes() or _gpu() or _shared_memory() or _files() or _tried(ours)


def _python_threads() -> str | None:
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    started = max(len(others), len(sys._current_frames()) - 1)  # noqa: SLF001 - documented, also sees raw threads
    if not started:
        return None
    named = f" ({', '.join(others)})" if others else ""
    return f"The code starts {_count(started, 'Python thread')}{named} when it is imported, which a fork would lose."


def _by_name() -> str | None:
    found = [(name, why) for name, why in _NEVER_FORKED.items() if name in sys.modules]
    return f"The code imports {found[0][0]}: {found[0][1]}." if found else None


def _processes() -> str | None:
    names = [name for pid in _children() if (name := _name_of_living(pid)) is not None]
    if not names:
        return None
    started = _count(len(names), "process", "processes")
    return f"The code starts {started} ({', '.join(names)}) when it is imported, which is no child of a forked worker."


def _gpu() -> str | None:
    kind = gpu_context()
    return kind and f"The code opens a {kind} context when it is imported, which does not survive a fork."


def _shared_memory() -> str | None:
    for path in shared_memory():
        unnamed = path.endswith("(deleted)") or path.startswith("/dev/shm/")  # noqa: S108 - as above
        if unnamed and not path.startswith(_HARMLESS_MEMORY):
            return (
                "The code makes locks or memory of multiprocessing when it is imported, which forked workers would "
                "have in common."
            )
    return None


def _files() -> str | None:
    databases = database_files()
    if databases:
        return f"The code keeps a connection to {databases[0]} open, and SQLite forbids to carry one across a fork."
    made = [finalizer.peek() for finalizer in list(weakref.finalize._registry)]  # type: ignore[attr-defined]  # noqa: SLF001 - no other list
    if any(peeked is not None and peeked[1] == tempfile.TemporaryDirectory._cleanup for peeked in made):  # type: ignore[attr-defined]  # noqa: SLF001 - what it registers
        return "The code makes a temporary directory when it is imported, which the first forked worker would remove."
    return None


def _tried(ours: Collection[int]) -> str | None:
    if not Path("/proc/self/task").exists():
        return "This system does not tell which threads libraries have started."
    connections = connections_by_words(ours)
    kept = kept_by_a_child(connections)
    if kept is None:
        return "A process that is forked from the code hangs: a library's at-fork function does not come to its end."
    return _native_threads() or _connections([words for fd, words in connections.items() if fd in kept])


def _native_threads() -> str | None:
    """Libraries that know about fork (OpenBLAS) stop their threads for it: those left after one do not know."""
    lost = _lost_threads()
    for _ in range(_LOOKS):
        if not lost:
            break
        threading.Event().wait(_PAUSE)
        lost = _lost_threads()
    if not lost:
        return None
    of = Counter(thread.library or thread.name for thread in lost)
    told = ", ".join(f"{library} ({number})" for library, number in of.items())
    started = _count(len(lost), "native thread")
    return f"The code starts {started} when it is imported that a fork would lose: of {told}."


def _lost_threads() -> list[NativeThread]:
    unnamed = own_name()
    return [thread for thread in native_threads() if not _is_renewed(thread, unnamed)]


def _is_renewed(thread: NativeThread, unnamed: str) -> bool:
    if thread.name in _RENEWED_NAMES:
        return True
    return thread.name == unnamed and thread.library.startswith(tuple(_RENEWS_THREADS))


def _connections(kept: list[str]) -> str | None:
    if not kept:
        return None
    named = ", ".join(dict.fromkeys(kept))
    return f"The code keeps {named} open when it is imported; in a forked worker it would be cut."


def _children() -> list[int]:
    """Child processes of this one; none where the kernel does not tell."""
    found: list[int] = []
    for task in Path("/proc/self/task").glob("*/children"):
        found += map(int, task.read_text().split())
    return found


def _name_of_living(pid: int) -> str | None:
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return None
    return None if rest.split()[0] in "ZX" else name.partition("(")[2]


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"a {noun}" if number == 1 else f"{number} {plural or noun + 's'}"

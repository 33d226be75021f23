"""A host that ends before it serves: its last words and its log are in the location's error, said once."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runyard.core.location import LocationState
from runyard.locations import host_process, location
from runyard.locations.host.config import HostConfig
from runyard.locations.host_process import HostNotStarted
from runyard.locations.host_start import adopt_or_start
from runyard.locations.last_words import last_words
from runyard.locations.workspace import LocalWorkspace
from runyard.settings.instance import SqliteSettings

from .yard import Yard

GOOD = """
    import runyard as dg
    @dg.op
    def o(): print("printed")
    @dg.job
    def job(): o()
"""
TRACEBACK = "Traceback (most recent call last):\n"


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "host.log"


@pytest.fixture
def refused(yard: Yard, log_file: Path) -> Callable[..., str]:
    """Start a host that does not come up; what is said of it."""

    def start(**changes: object) -> str:
        yard.write("jobs.py", GOOD)
        fields = {
            "spec": yard.spec(),
            "runtime_dir": yard.runtime_dir,
            "compute_logs_dir": str(yard.home / "logs"),
            "outputs_dir": str(yard.home / "outputs"),
            "sqlite": SqliteSettings(str(yard.home / "runyard.db")),
        }
        with pytest.raises(HostNotStarted) as error:
            adopt_or_start(yard.stores.hosts, HostConfig(**(fields | changes)), log_file=log_file)  # type: ignore[arg-type]
        assert str(error.value).endswith(f" Its log is {log_file}.")
        begin = "The host of location 'jobs' did not come up: "
        assert str(error.value).startswith(begin)
        return str(error.value)[len(begin) : -len(f" Its log is {log_file}.")]

    return start


@pytest.fixture
def instead_of_grpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Code that the host meets in the place of a library that it needs."""

    def write(code: str) -> None:
        library = tmp_path / "broken"
        library.mkdir(exist_ok=True)
        (library / "grpc.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(library))

    return write


def test_a_library_that_does_not_import(refused: Callable[..., str], instead_of_grpc: Callable[[str], None]) -> None:
    instead_of_grpc("raise ImportError('libstdc++.so.6 is missing')")
    words = refused()
    assert words == "it ended with exit code 1; its last words: ImportError: libstdc++.so.6 is missing."


def test_a_kill(refused: Callable[..., str], instead_of_grpc: Callable[[str], None]) -> None:
    instead_of_grpc("import os, sys; print('so far', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)")
    assert refused() == "it was killed by signal 9 (SIGKILL); its last words: so far."


def test_an_end_without_a_word(refused: Callable[..., str], instead_of_grpc: Callable[[str], None]) -> None:
    instead_of_grpc("import os; os._exit(0)")
    assert refused() == "it ended with exit code 0."


def test_no_answer(
    refused: Callable[..., str], instead_of_grpc: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_grpc("import threading; threading.Event().wait()")
    monkeypatch.setattr(host_process, "START_TIMEOUT", 2.0)
    assert refused() == "it did not answer within 2 s."


def test_a_runtime_directory_that_is_too_long(refused: Callable[..., str], yard: Yard) -> None:
    deep = yard.home / ("x" * 100)
    deep.mkdir()
    assert f"The runtime directory {deep} is too long for sockets" in refused(runtime_dir=str(deep))


def test_a_runtime_directory_that_others_may_enter(refused: Callable[..., str], yard: Yard) -> None:
    # Below /tmp, because sockets do not fit below a long TMPDIR.
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as open_to_all:
        Path(open_to_all).chmod(0o777)
        assert f"its mode is 777, not 700. Run: chmod 700 {open_to_all}" in refused(runtime_dir=open_to_all)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: None, "No such file or directory."),
        (lambda path: path.write_text(""), "Permission denied."),
        (lambda path: path.mkdir(), "Permission denied."),
        (
            lambda path: (path.write_text("#!/bin/sh\necho no interpreter here >&2\nexit 3\n"), path.chmod(0o700)),
            "it ended with exit code 3; its last words: no interpreter here.",
        ),
    ],
)
def test_a_bad_interpreter(
    make: Callable[[Path], object],
    expected: str,
    refused: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = tmp_path / "python"
    make(python)
    monkeypatch.setattr(sys, "executable", str(python))
    assert refused() == (expected if expected.startswith("it ") else f"{python}: {expected}")


def test_a_log_that_cannot_be_written(refused: Callable[..., str], log_file: Path) -> None:
    log_file.parent.write_text("a file in the place of the directory")
    assert refused() == f"{log_file.parent}: Not a directory."


def test_a_database_that_cannot_be_opened(refused: Callable[..., str], yard: Yard) -> None:
    broken = yard.home / "broken.db"
    broken.write_bytes(b"no database " * 1000)
    assert f"The database {broken} cannot be used: file is not a database" in refused(
        sqlite=SqliteSettings(str(broken))
    )


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", ""),
        ("\n \n", ""),
        ("a\nb\n", "a\nb"),
        ("2026-01-01 10:00:00,000 INFO what workers start is held together\nwrong\n", "wrong"),
        ("x\nTraceback (most recent call last):\n  File y\n    z\nKeyError: 'a'\n", "KeyError: 'a'"),
        (
            f"{TRACEBACK}  f\nA: 1\n\nDuring handling\n\n{TRACEBACK}  g\nB: 2\n  more",
            "B: 2\n  more",
        ),
        ("Traceback (most recent call last):\n  cut", "Traceback (most recent call last):\n  cut"),
        ("é" * 5000, "é" * 2048),
    ],
)
def test_last_words(output: str, expected: str) -> None:
    assert last_words(output.encode()) == expected


def error_of(workspace: LocalWorkspace) -> str:
    found = workspace.get("jobs")
    assert found is not None
    record = found.record()
    assert record.state is LocationState.ERROR
    assert record.error is not None
    return f"{record.error.class_name}: {record.error.message}"


def is_loaded(workspace: LocalWorkspace) -> bool:
    found = workspace.get("jobs")
    return found is not None and found.record().state is LocationState.LOADED


def test_the_location_says_it_once_and_is_up_at_once_when_a_source_changes(
    yard: Yard,
    instead_of_grpc: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    yard.write("jobs.py", GOOD)
    instead_of_grpc("raise ImportError('broken')")
    with caplog.at_level(logging.INFO, logger="runyard"), monkeypatch.context() as patch:
        patch.setattr(location, "FIRST_PAUSE", 0.01)
        workspace = yard.open(yard.spec())
        yard.until(lambda: "still fails as before" in caplog.text)
        assert caplog.text.count("did not come up") == 1
        assert error_of(workspace).startswith("HostNotStarted: The host of location 'jobs' did not come up: it ended")
        published = yard.stores.locations.get("jobs")
        assert published is not None
        assert str(yard.home / "logs" / "_locations") in str(published.error)
    # From now on only a change of the code ends the pause.
    monkeypatch.setattr(location, "FIRST_PAUSE", 600.0)
    monkeypatch.setattr(location, "LONGEST_PAUSE_OF_HOST", 600.0)
    yard.until(lambda: "still fails as before" in caplog.records[-1].getMessage())
    (tmp_path / "broken" / "grpc.py").unlink()
    yard.until(lambda: yard.write("jobs.py", GOOD) and is_loaded(workspace))


def test_code_that_kills_its_host_is_an_error_and_not_loaded_for_ever(yard: Yard) -> None:
    yard.write("jobs.py", "import os\nos.kill(os.getppid(), 9)\n")
    workspace = yard.open(yard.spec())
    assert "did not come up: it was killed by signal 9 (SIGKILL)" in error_of(workspace)
    yard.write("jobs.py", GOOD)
    yard.until(lambda: is_loaded(workspace))


def test_an_interpreter_without_runyard_is_told_what_to_install(yard: Yard, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    yard.write("jobs.py", GOOD)
    workspace = yard.open(yard.spec(executable_path=python))
    assert error_of(workspace).startswith(
        f"RunyardNotInstalled: executable_path is {python}, where Runyard is not installed. "
        f"Install it there: {python} -m pip install runyard=="
    )


def test_an_interpreter_that_lacks_a_dependency_is_told_which(yard: Yard, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = tmp_path / "bare" / "bin" / "python"
    [packages] = (tmp_path / "bare" / "lib").glob("python*/site-packages")
    (packages / "runyard.pth").write_text(str(Path(location.__file__).parents[2]))
    yard.write("jobs.py", GOOD)
    workspace = yard.open(yard.spec(executable_path=str(python)))
    assert "RunyardNotInstalled" in error_of(workspace)
    assert "Runyard's dependency '" in error_of(workspace)


def test_an_interpreter_that_is_none_is_named_in_the_error(yard: Yard) -> None:
    yard.write("jobs.py", GOOD)
    workspace = yard.open(yard.spec(executable_path="/bin/true"))
    assert "The location's process (/bin/true) ended with exit code 0 before the code was loaded" in error_of(workspace)


def test_a_death_that_repeats_is_shown_once_and_over_when_a_module_below_changes(yard: Yard) -> None:
    yard.write("deeper/broken.py", "import os\nos._exit(7)\n")
    yard.write("jobs.py", f"import deeper.broken\n{GOOD}".replace("\n    ", "\n"))
    workspace = yard.open(yard.spec())
    found = workspace.get("jobs")
    assert found is not None
    version = found.record().version
    assert "exit code 7" in error_of(workspace)
    zygote_pids: set[int] = set()

    def tried_twice() -> bool:
        zygote_pids.update(child.pid for child in yard.host().children())
        return len(zygote_pids) > 2

    yard.until(tried_twice)
    yard.until(lambda: found.record().state is LocationState.ERROR)
    assert found.record().version == version
    yard.until(lambda: yard.write("deeper/broken.py", "x = 1\n") and is_loaded(workspace))

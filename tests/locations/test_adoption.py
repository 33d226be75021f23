"""A host that lives on is taken over only where a new one would be the same, and with the code as it is now."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from runyard.core.location import LocationRecord, LocationState
from runyard.locations.sources import Sources
from runyard.locations.spec import LocationSpec
from runyard.locations.surroundings import Surroundings, environment_digest, interpreter
from runyard.locations.workspace import LocalWorkspace

from .yard import Yard

ONE = """
    import os
    import runyard as dg
    @dg.op
    def o(context): context.log.info(os.environ.get("DB_URL", "no url"))
    @dg.job
    def job(): o()
"""
OTHER = ONE.replace("def job", "def renamed")
NEEDS_URL = ONE + "\n    os.environ['DB_URL']\n"


def jobs(workspace: LocalWorkspace) -> list[str]:
    record = record_of(workspace)
    assert record.state is LocationState.LOADED, record.error
    assert record.definitions is not None
    return [job.name for job in record.definitions.jobs]


def record_of(workspace: LocalWorkspace) -> LocationRecord:
    location = workspace.get("jobs")
    assert location is not None
    return location.record()


def again(yard: Yard, workspace: LocalWorkspace) -> LocalWorkspace:
    """The command ends, and another one begins."""
    workspace.stop(terminate_hosts=False)
    return yard.open()


def test_the_next_command_takes_the_same_host_and_loads_nothing(yard: Yard) -> None:
    yard.write("jobs.py", ONE)
    first = yard.open(yard.spec())
    before = record_of(first)
    after = record_of(again(yard, first))
    assert (after.host_id, after.version) == (before.host_id, before.version)


def test_an_edited_file_is_loaded_again_by_the_next_command(yard: Yard) -> None:
    yard.write("jobs.py", ONE)
    first = yard.open(yard.spec())
    assert jobs(first) == ["job"]
    first.stop(terminate_hosts=False)
    yard.write("jobs.py", OTHER)
    second = yard.open()
    assert jobs(second) == ["renamed"]
    # The host has no part of the user's code: it stays.
    assert record_of(second).host_id == record_of(first).host_id


def test_a_file_that_takes_the_place_of_another_counts_though_it_is_older(yard: Yard) -> None:
    older = yard.write("elsewhere/kept.py", OTHER)
    os.utime(older, (1_000_000_000, 1_000_000_000))
    yard.write("jobs.py", ONE)
    first = yard.open(yard.spec())
    first.stop(terminate_hosts=False)
    older.rename(yard.code / "jobs.py")
    assert jobs(yard.open()) == ["renamed"]


def test_a_module_outside_the_working_directory_counts(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    library = yard.home / "library"
    library.mkdir()
    (library / "shared_names.py").write_text("NAME = 'first'")
    monkeypatch.setenv("PYTHONPATH", str(library))
    yard.write(
        "jobs.py",
        """
        import runyard as dg, shared_names
        @dg.op
        def o(): pass
        @dg.job(name=shared_names.NAME)
        def job(): o()
        """,
    )
    first = yard.open(yard.spec())
    assert jobs(first) == ["first"]
    first.stop(terminate_hosts=False)
    (library / "shared_names.py").write_text("NAME = 'second_one'")
    assert jobs(yard.open()) == ["second_one"]


@pytest.mark.parametrize("name", ["new.py", ".env", "jobs.py"])
def test_a_file_beside_the_code_that_comes_or_goes_counts(name: str, yard: Yard) -> None:
    yard.write("jobs.py", ONE)
    first = yard.open(yard.spec())
    first.stop(terminate_hosts=False)
    if name == "jobs.py":
        (yard.code / name).unlink()
        assert record_of(yard.open()).state is LocationState.ERROR
    else:
        yard.write(name, "A=1")
        second = yard.open()
        assert record_of(second).version != record_of(first).version


def test_a_host_whose_code_failed_tries_again(yard: Yard) -> None:
    yard.write("jobs.py", f"{ONE}\n    open({str(yard.home / 'data')!r})\n")
    first = yard.open(yard.spec())
    assert record_of(first).state is LocationState.ERROR
    first.stop(terminate_hosts=False)
    (yard.home / "data").write_text("what the code needs and nobody watches")
    assert jobs(yard.open()) == ["job"]


def test_another_environment_has_a_host_of_its_own(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.write("jobs.py", NEEDS_URL)
    first = yard.open(yard.spec())
    error = record_of(first).error
    assert error is not None
    assert (error.class_name, error.message) == ("KeyError", "'DB_URL'")
    first.stop(terminate_hosts=False)
    monkeypatch.setenv("DB_URL", "postgresql://x")
    second = yard.open()
    location = second.get("jobs")
    assert location is not None
    run_id = yard.launch(location)
    yard.finished(run_id)
    assert yard.lines(run_id) == ["postgresql://x"]
    assert record_of(second).host_id != record_of(first).host_id


def test_variables_of_the_shell_do_not_matter(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.write("jobs.py", ONE)
    first = yard.open(yard.spec())
    for name in ("PWD", "SHLVL", "TERM", "SSH_TTY", "INVOCATION_ID", "COLUMNS"):
        monkeypatch.setenv(name, "another")
    assert record_of(again(yard, first)).host_id == record_of(first).host_id


def test_other_settings_have_a_host_of_their_own(yard: Yard) -> None:
    yard.write("jobs.py", ONE)
    first = yard.open(yard.spec())
    first.stop(terminate_hosts=False)
    second = yard.open(stop_grace=3.0)
    assert record_of(second).host_id != record_of(first).host_id


def test_runs_of_the_host_that_is_not_taken_go_on_and_can_be_stopped(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.write(
        "jobs.py",
        """
        import threading
        import runyard as dg
        @dg.op
        def o(): threading.Event().wait()
        @dg.job
        def job(): o()
        """,
    )
    first = yard.open(yard.spec(), linger=0.5)
    location = first.get("jobs")
    assert location is not None
    run_id = yard.launch(location)
    yard.started(run_id)
    old = yard.host()
    first.stop(terminate_hosts=False)
    monkeypatch.setenv("DB_URL", "new")
    newer = yard.open(linger=0.5).get("jobs")
    assert newer is not None
    assert old.is_running()
    assert newer.terminate(run_id, attempt=1, force=True, timeout=5.0)
    yard.finished(run_id)
    # It drains: with its last run it ends by itself.
    yard.until(lambda: not old.is_running() or old.status() == "zombie")


def test_two_processes_of_different_environments_leave_each_others_hosts_alone(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.write("jobs.py", ONE)
    monkeypatch.setenv("DB_URL", "one")
    first = yard.open(yard.spec())
    monkeypatch.setenv("DB_URL", "two")
    second = yard.open()
    hosts = {record_of(first).host_id, record_of(second).host_id}
    assert len(hosts) == 2
    for workspace, url in ((first, "one"), (second, "two")):
        location = workspace.get("jobs")
        assert location is not None
        run_id = yard.launch(location)
        yard.finished(run_id)
        assert yard.lines(run_id) == [url]
    assert {record_of(first).host_id, record_of(second).host_id} == hosts


def test_the_order_and_the_shell_are_not_in_the_environments_digest() -> None:
    known = {"A": "1", "B": "2"}
    assert environment_digest(known) == environment_digest({"B": "2", "A": "1", "PWD": "/x", "_": "y", "TERM": "z"})
    assert environment_digest(known) != environment_digest({"A": "1", "B": "3"})
    assert environment_digest(known) != environment_digest({"A": "1"})
    # Names and values cannot be shifted into each other.
    assert environment_digest({"A": "1', 'B"}) != environment_digest({"A": "1", "B": ""})
    assert "secret" not in environment_digest({"A": "secret"})


def test_the_difference_is_named() -> None:
    here = Surroundings(interpreter="3.11", environment="a", settings="b")
    assert here.difference(here) is None
    assert here.difference(Surroundings(interpreter="3.12", environment="a", settings="b")) == "interpreter"
    assert here.difference(Surroundings(interpreter="3.11", environment="x", settings="b")) == "environment"


def test_a_file_that_was_written_while_the_code_was_read_counts(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("")
    written = file.stat().st_mtime
    assert Sources.taken((str(file),), (), written + 1, now=written + 2).change() is None
    assert Sources.taken((str(file),), (), written - 1, now=written + 2).change() == str(file)


def test_a_file_from_the_future_does_not_count_until_it_changes(tmp_path: Path) -> None:
    """Another machine's clock, or an archive's: by the time alone it would be loaded again at every command."""
    file = tmp_path / "a.py"
    file.write_text("")
    written = file.stat().st_mtime
    sources = Sources.taken((str(file),), (), written - 7200, now=written - 7199)
    assert sources.change() is None
    os.utime(file, (written, written - 3600))
    assert sources.change() == str(file)


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [("python_file", "/x/a.py", ["", "/x"]), ("python_module", "p.q.defs", ["", "p", "p/q"])],
)
def test_directories_by_the_entry_alone(kind: str, target: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "p" / "q").mkdir(parents=True)
    spec = LocationSpec(name="x", kind=kind, target=target, working_directory=str(tmp_path))  # type: ignore[arg-type]
    places = [place if place.startswith("/") else str(tmp_path / place) for place in expected]
    assert sorted(spec.directories()) == sorted(places)


def test_the_interpreter_is_the_same_by_whatever_link(tmp_path: Path) -> None:
    known = interpreter()
    link = tmp_path / "python"
    link.symlink_to(os.path.realpath(sys.executable))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(link))
        assert interpreter() == known


def test_a_command_that_ends_has_lost_no_host(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    yard.write("jobs.py", ONE)
    with caplog.at_level(logging.INFO, logger="runyard.locations"):
        workspace = yard.open(yard.spec())
        assert jobs(workspace) == ["job"]
        workspace.stop(terminate_hosts=False)
        for thread in threading.enumerate():
            if thread.name == "location-jobs":
                thread.join()
    assert "lost its host" not in caplog.text

"""Following the workspace, adopting hosts, sharing them."""

from __future__ import annotations

import os
from typing import Any

import psutil
import pytest

from runyard.core.errors import LocationUnavailable, StorageUnavailable
from runyard.core.location import LocationState
from runyard.core.run import RunFailure, RunStatus
from runyard.locations.location import LocalLocation
from runyard.locations.target import WorkspaceTarget

from .code import WAITING, one_op
from .yard import Yard

GOOD = one_op("pass")


def touch(yard: Yard) -> None:
    """What a person does who saves the workspace file."""
    file = yard.home / "workspace.yaml"
    file.write_text(file.read_text() + "#" if file.exists() else "#")
    yard.target.files = [str(file)]


def test_second_workspace_adopts_the_host_and_both_use_it(yard: Yard) -> None:
    yard.write("jobs.py", GOOD)
    first = yard.open(yard.spec()).get("jobs")
    second = yard.open().get("jobs")
    assert first is not None
    assert second is not None
    assert first.record().host_id == second.record().host_id
    assert len(yard.stores.hosts.all()) == 1
    for location in (first, second):
        assert yard.finished(yard.launch(location)).status is RunStatus.SUCCESS


def test_workspaces_that_start_together_share_one_host(yard: Yard) -> None:
    yard.write("jobs.py", GOOD)
    workspaces = [yard.open(yard.spec(), wait=False) for _ in range(3)]
    assert all(workspace.wait_loaded(timeout=30) for workspace in workspaces)
    assert len(yard.stores.hosts.all()) == 1


def test_restarted_control_finds_its_host_and_runs(yard: Yard) -> None:
    location = yard.location(WAITING)
    run_id = yard.launch(location)
    yard.file("started")
    host = yard.host().pid
    yard.workspaces[0].stop(terminate_hosts=False)
    with pytest.raises(LocationUnavailable):
        location.launch([], timeout=1)
    again = yard.open().get("jobs")
    assert again is not None
    assert yard.host().pid == host
    assert again.load() == 1
    (yard.code / "go").write_text("")
    assert yard.finished(run_id).status is RunStatus.SUCCESS


def test_entry_that_is_added_and_removed_comes_and_goes(yard: Yard) -> None:
    yard.write("jobs.py", GOOD)
    yard.write("more.py", GOOD)
    touch(yard)
    workspace = yard.open(yard.spec())
    yard.target.entries.append(yard.spec("more.py"))
    touch(yard)
    more = yard.until(lambda: workspace.get("more"))
    yard.until(lambda: more.record().state is LocationState.LOADED)
    host = yard.host("more")
    del yard.target.entries[1]
    touch(yard)
    yard.until(lambda: len(workspace.all()) == 1)
    yard.until(lambda: not host.is_running())
    yard.until(lambda: yard.stores.locations.get("more") is None)
    with pytest.raises(LocationUnavailable, match="left the workspace"):
        more.launch([], timeout=1)


@pytest.mark.parametrize("bad", ["bomb", "pipe", "link"])
def test_a_workspace_file_that_is_mended_is_followed_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    yard.write("jobs.py", GOOD)
    yard.write("more.py", GOOD)
    file = yard.code / "workspace.yaml"
    file.write_text("load_from: [{python_file: jobs.py}]")
    monkeypatch.setattr(yard.target, "specs", WorkspaceTarget(workspace_files=(str(file),)).specs)
    yard.target.files = [str(file)]
    workspace = yard.open(wait=False)
    file.unlink()
    if bad == "pipe":
        os.mkfifo(file)
    elif bad == "link":
        file.symlink_to(yard.code / "gone.yaml")
    else:
        levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
        file.write_text("\n".join(["a0: &a0 [x]", *levels, "load_from: *a39"]))
    assert "workspace.yaml" in yard.until(workspace.problem)
    file.unlink()
    file.write_text("load_from: [{python_file: jobs.py}, {python_file: more.py}]")
    yard.until(lambda: workspace.get("more.py"))
    assert workspace.problem() is None


def fail_once(monkeypatch: pytest.MonkeyPatch, of: object, name: str, error: Exception) -> list[object]:
    """Make the next call of a method raise; returns what is filled when it has."""
    method, failed = getattr(of, name), list[object]()

    def call(*arguments: object) -> object:
        if not failed:
            failed.append(error)
            raise error
        return method(*arguments)

    monkeypatch.setattr(of, name, call)
    return failed


def test_location_comes_up_after_an_error_that_nobody_expected(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.write("jobs.py", GOOD)
    failed = fail_once(monkeypatch, yard.stores.hosts, "all", ValueError("a surprise"))
    workspace = yard.open(yard.spec(), wait=False)
    yard.until(lambda: failed and workspace.all()[0].record().state is LocationState.LOADED)


def test_entry_that_leaves_while_storage_is_away_is_taken_off_later(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.write("jobs.py", GOOD)
    yard.write("more.py", GOOD)
    touch(yard)
    workspace = yard.open(yard.spec())
    failed = fail_once(monkeypatch, yard.stores.locations, "remove", StorageUnavailable("not now"))
    yard.target.entries = [yard.spec("more.py")]
    touch(yard)
    yard.until(lambda: failed and workspace.get("more"))
    yard.until(lambda: yard.stores.locations.get("jobs") is None)


def test_removed_entry_keeps_its_running_run_and_can_stop_it(yard: Yard) -> None:
    touch(yard)
    location = yard.location(WAITING)
    run_id = yard.launch(location)
    yard.file("started")
    host = yard.host()
    assert isinstance(location, LocalLocation)
    connection = location._client
    yard.target.entries.clear()
    touch(yard)
    yard.until(lambda: not yard.workspaces[0].all())
    assert yard.run(run_id).status is RunStatus.STARTED
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    gone = yard.workspaces[0].get("jobs")
    assert isinstance(gone, LocalLocation)
    # Closed, and its thread has not come to see that yet.
    gone._client = connection
    assert gone.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    yard.until(lambda: not host.is_running())


def test_a_run_is_stopped_also_while_its_location_leaves(yard: Yard) -> None:
    location = yard.location(WAITING)
    run_id = yard.launch(location)
    yard.file("started")
    assert isinstance(location, LocalLocation)
    client = location._client
    assert client is not None
    asked = client.terminate

    def leaving(*args: Any, **kwargs: Any) -> bool:
        location.retire()
        return asked(*args, **kwargs)

    client.terminate = leaving  # type: ignore[method-assign]  # the entry is removed in between
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED


def test_changed_entry_gets_a_new_host_while_the_old_one_ends_its_run(yard: Yard) -> None:
    touch(yard)
    location = yard.location(WAITING)
    running = yard.launch(location)
    yard.file("started")
    old = yard.host()
    yard.write("other.py", one_op("context.log.info('other')"))
    yard.target.entries = [yard.spec("other.py", name="jobs")]
    touch(yard)
    workspace = yard.workspaces[0]
    new = yard.until(lambda: found if (found := workspace.get("jobs")) is not location else None)
    assert new is not None
    run_id = yard.launch(new)
    yard.finished(run_id)
    assert yard.lines(run_id) == ["other"]
    assert old.is_running()
    (yard.code / "go").write_text("")
    assert yard.finished(running).status is RunStatus.SUCCESS
    yard.until(lambda: not old.is_running())


def test_run_of_an_older_host_can_be_terminated(yard: Yard) -> None:
    touch(yard)
    location = yard.location(WAITING)
    running = yard.launch(location)
    yard.file("started")
    yard.target.entries = [yard.spec(start_method="spawn")]
    touch(yard)
    new = yard.until(lambda: found if (found := yard.workspaces[0].get("jobs")) is not location else None)
    assert new is not None
    yard.stores.runs.cancel_active(running, message="asked", now=yard.clock.now())
    assert new.terminate(running, attempt=1, force=False, timeout=5)
    assert yard.finished(running).status is RunStatus.CANCELED


def test_entry_put_back_while_its_host_drains_gets_another_host(yard: Yard) -> None:
    touch(yard)
    location = yard.location(WAITING)
    running = yard.launch(location)
    yard.file("started")
    entries = list(yard.target.entries)
    yard.target.entries = []
    touch(yard)
    yard.until(lambda: not yard.workspaces[0].all())
    yard.target.entries = entries
    touch(yard)
    yard.until(yard.workspaces[0].all)
    assert yard.workspaces[0].wait_loaded(timeout=30)
    back = yard.workspaces[0].all()[0]
    (yard.code / "go").write_text("")
    assert yard.finished(yard.launch(back)).status is RunStatus.SUCCESS
    assert yard.finished(running).status is RunStatus.SUCCESS


def test_host_that_is_given_up_on_registers_again(yard: Yard) -> None:
    location = yard.location(WAITING)
    run_id = yard.launch(location)
    worker = int(yard.file("started"))
    host = yard.stores.hosts.all()[0]
    assert yard.run(run_id).host_id == host.host_id
    # What the supervisor of a control process does when the lease has run out.
    yard.stores.runs.fail(
        run_id, attempt=1, expected=[RunStatus.STARTED], failure=RunFailure("HostLost", "gone"), now=yard.clock.now()
    )
    yard.stores.hosts.remove(host.host_id)
    yard.until(lambda: [found.host_id for found in yard.stores.hosts.all()] == [host.host_id])
    yard.until(lambda: not psutil.pid_exists(worker))


def test_stop_ends_hosts_and_their_workers_when_told_to(yard: Yard) -> None:
    location = yard.location(WAITING)
    run_id = yard.launch(location)
    yard.file("started")
    yard.workspaces[0].stop(terminate_hosts=True)
    assert not yard.alive()
    assert yard.run(run_id).status is RunStatus.FAILURE
    assert yard.stores.hosts.all() == []


def test_stop_also_ends_a_host_that_is_just_being_started(yard: Yard) -> None:
    yard.write("jobs.py", GOOD)
    workspace = yard.open(yard.spec(), wait=False)
    workspace.stop(terminate_hosts=True)
    yard.until(lambda: not yard.alive())

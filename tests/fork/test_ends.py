"""What user code started at import does not outlive its process, nor keep it from ending."""

from __future__ import annotations

import psutil
import pytest

from locations.code import one_op
from locations.yard import Yard
from runyard.core.location import LocationState
from runyard.core.run import RunStatus

KEEPS_FROM_ENDING = {
    "thread": "threading.Thread(target=threading.Event().wait).start()",
    "exit function": "import atexit; atexit.register(threading.Event().wait)",
}


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("what", KEEPS_FROM_ENDING)
def test_a_zygote_ends_when_it_is_replaced(yard: Yard, what: str) -> None:
    location = yard.location(one_op("pass", head=KEEPS_FROM_ENDING[what]), stop_grace=1.0)
    version, zygote = location.record().version, yard.zygote()
    location.reload(timeout=30)
    yard.until(lambda: location.record().version != version and location.record().state is LocationState.LOADED)
    yard.until(lambda: gone(zygote))


def test_each_worker_has_a_pool_of_processes_of_its_own_and_leaves_none(yard: Yard) -> None:
    head = "import multiprocessing; pool = multiprocessing.get_context('fork').Pool(1)"
    body = "context.log.info(f'{pool.apply(os.getppid) == os.getpid()} {pool.apply(os.getpid)}')"
    location = yard.location(one_op(body, head=head))
    assert location.record().start_method == "spawn"
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
    own, pid = yard.lines(run_id)[0].split()
    assert own == "True"
    yard.until(lambda: not psutil.pid_exists(int(pid)))


def test_a_database_that_is_opened_at_import_is_opened_by_each_worker(yard: Yard) -> None:
    head = """
    import sqlite3
    database = sqlite3.connect(HERE / "x.db")
    database.execute("create table if not exists runs (id)")
"""
    body = """
with database:
    database.execute("insert into runs values (?)", [context.run_id])
context.log.info(str(database.execute("pragma integrity_check").fetchone()[0]))
"""
    location = yard.location(one_op(body, head=head.strip()))
    assert "SQLite" in str(location.record().start_method_reason)
    runs = [yard.launch(location) for _ in range(3)]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
        assert yard.lines(run_id) == ["ok"]

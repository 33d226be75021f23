"""Loading, failing, reloading, falling back."""

from __future__ import annotations

import sys

from runyard.core.errors import ConfigError
from runyard.core.location import LocationState
from runyard.core.run import RunStatus
from runyard.locations.spec import LocationSpec

from .code import WAITING, one_op
from .yard import Yard

GOOD = one_op("pass")


def test_broken_module_is_an_error_and_the_others_load(yard: Yard) -> None:
    yard.write("good.py", GOOD)
    yard.write(
        "bad.py",
        """
        import json

        def load(text):
            return json.loads(text)

        load("no json")
    """,
    )
    workspace = yard.open(yard.spec("good.py"), yard.spec("bad.py"))
    good, bad = workspace.get("good"), workspace.get("bad")
    assert good is not None
    assert bad is not None
    assert good.record().state is LocationState.LOADED
    record = bad.record()
    assert record.state is LocationState.ERROR
    assert record.error is not None
    assert record.error.class_name == "JSONDecodeError"
    assert "bad.py" in record.error.stack[0]
    assert 'load("no json")' in record.error.stack[0]
    assert record.error.library_frames > 0
    stored = yard.stores.locations.get("bad")
    assert stored is not None
    assert stored.error == record.error
    assert yard.finished(yard.launch(good)).status is RunStatus.SUCCESS


def test_syntax_error_names_its_line(yard: Yard) -> None:
    record = yard.location("def broken(:\n    pass\n").record()
    assert record.error is not None
    assert record.error.class_name == "SyntaxError"
    assert "line 1" in record.error.stack[-1]


def test_module_that_exits_is_an_error(yard: Yard) -> None:
    record = yard.location("import sys; sys.exit('no licence')").record()
    assert record.error is not None
    assert record.error.class_name == "SystemExit"


def test_module_that_kills_its_process_tells_the_signal_and_its_last_words(yard: Yard) -> None:
    record = yard.location("import os; os.write(2, b'famous last words'); os.kill(os.getpid(), 11)").record()
    assert record.error is not None
    assert "SIGSEGV" in record.error.message
    assert "famous last words" in record.error.message


def test_slow_module_is_given_up_on(yard: Yard) -> None:
    record = yard.location("import threading; threading.Event().wait()", startup_timeout=0.5).record()
    assert record.error is not None
    assert "did not finish loading within 0.5 s" in record.error.message


def test_missing_interpreter_is_named(yard: Yard) -> None:
    record = yard.location(GOOD, executable_path="/nowhere/python").record()
    assert record.error is not None
    assert "/nowhere/python" in record.error.message


def test_launch_where_nothing_loads_is_retriable(yard: Yard) -> None:
    location = yard.location("1 / 0")
    [result] = location.launch([yard.claim()], timeout=10)
    assert result.error is not None
    assert result.retriable


def test_changed_code_takes_effect_and_the_running_run_is_undisturbed(yard: Yard) -> None:
    location = yard.location(WAITING)
    running = yard.launch(location)
    yard.file("started")
    version = location.record().version
    yard.write("jobs.py", one_op("context.log.info('new')"))
    yard.until(lambda: location.record().version != version and location.record().state is LocationState.LOADED)
    new = yard.launch(location)
    yard.finished(new)
    assert yard.lines(new) == ["new"]
    assert yard.run(running).status is RunStatus.STARTED
    (yard.code / "go").write_text("")
    assert yard.finished(running).status is RunStatus.SUCCESS
    assert yard.lines(running) == ["before", "after"]


def test_code_that_stops_loading_leaves_the_good_one_serving_until_mended(yard: Yard) -> None:
    location = yard.location(one_op("context.log.info('good')"))
    yard.write("jobs.py", "1 / 0")
    yard.until(lambda: location.record().state is LocationState.ERROR)
    record = location.record()
    assert record.error is not None
    assert record.error.class_name == "ZeroDivisionError"
    assert record.definitions is not None
    run_id = yard.launch(location)
    yard.finished(run_id)
    assert yard.lines(run_id) == ["good"]
    yard.write("jobs.py", one_op("context.log.info('mended')"))
    yard.until(lambda: location.record().state is LocationState.LOADED)
    run_id = yard.launch(location)
    yard.finished(run_id)
    assert yard.lines(run_id) == ["mended"]


def test_first_load_that_fails_is_mended_by_editing(yard: Yard) -> None:
    location = yard.location("import helper")
    assert location.record().state is LocationState.ERROR
    yard.write("helper.py", "value = 1")
    yard.write("jobs.py", GOOD)
    yard.until(lambda: location.record().state is LocationState.LOADED)


def test_module_that_is_imported_by_the_code_is_watched(yard: Yard) -> None:
    yard.write("parts/__init__.py", "")
    yard.write("parts/words.py", "WORD = 'one'")
    location = yard.location(one_op("context.log.info(WORD)", head="from parts.words import WORD"))
    version = location.record().version
    yard.write("parts/words.py", "WORD = 'another'")
    yard.until(lambda: location.record().version != version and location.record().state is LocationState.LOADED)
    run_id = yard.launch(location)
    yard.finished(run_id)
    assert yard.lines(run_id) == ["another"]


def test_env_file_of_the_working_directory_is_loaded_and_watched(yard: Yard) -> None:
    (yard.code / ".env").write_text("FLAVOUR=sweet\n")
    location = yard.location(one_op("context.log.info(os.environ['FLAVOUR'])"))
    version = location.record().version
    first = yard.launch(location)
    yard.finished(first)
    (yard.code / ".env").write_text("FLAVOUR=sour\n")
    yard.until(lambda: location.record().version != version and location.record().state is LocationState.LOADED)
    second = yard.launch(location)
    yard.finished(second)
    assert (yard.lines(first), yard.lines(second)) == (["sweet"], ["sour"])


def test_env_file_that_cannot_be_read_is_an_error_of_the_location(yard: Yard) -> None:
    (yard.code / ".env").symlink_to(yard.code / "gone.env")
    error = yard.location(GOOD).record().error
    assert error is not None
    assert f".env: the file cannot be read: it is a link to {yard.code}/gone.env, which is not there" in error.message


def test_a_virtual_environment_of_that_name_is_no_env_file(yard: Yard) -> None:
    (yard.code / ".env").mkdir()
    assert yard.location(GOOD).record().state is LocationState.LOADED


def test_reload_returns_after_the_switch(yard: Yard) -> None:
    location = yard.location(GOOD)
    version = location.record().version
    location.reload(timeout=30)
    yard.until(lambda: location.record().version != version and location.record().state is LocationState.LOADED)


def test_spawned_workers_do_the_whole_job(yard: Yard) -> None:
    code = one_op("context.log.info(f'{__name__} {random.random()}')", head="import random")
    location = yard.location(code, start_method="spawn")
    assert location.record().start_method == "spawn"
    runs = [yard.launch(location) for _ in range(2)]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS
        assert len(yard.lines(run_id)) == 1


def test_code_with_a_thread_falls_back_to_spawn_and_says_why(yard: Yard) -> None:
    head = "threading.Thread(target=threading.Event().wait, name='poller', daemon=True).start()"
    record = (location := yard.location(one_op("context.log.info('ran')", head=head))).record()
    assert record.start_method == "spawn"
    assert record.start_method_reason is not None
    assert "poller" in record.start_method_reason
    assert yard.finished(yard.launch(location)).status is RunStatus.SUCCESS


def test_numpy_and_its_native_threads_are_forked(yard: Yard) -> None:
    code = one_op(
        "context.log.info(str(float((numpy.ones((300, 300)) @ numpy.ones((300, 300))).sum())))", head="import numpy"
    )
    location = yard.location(code)
    assert location.record().start_method == "fork", location.record().start_method_reason
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["27000000.0"]


def test_native_threads_that_a_fork_would_lose_are_found(yard: Yard) -> None:
    # A thread of the C library's own making: nothing that Python knows of.
    head = """
    import ctypes
    pause = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    libc = ctypes.CDLL(None)
    thread = ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, ctypes.cast(libc.pause, ctypes.c_void_p), None)
    """
    record = yard.location(one_op("pass", head=head.strip())).record()
    assert record.start_method == "spawn"
    assert record.start_method_reason is not None
    assert "native thread" in record.start_method_reason


def test_forked_workers_differ_in_random_numbers_and_share_no_connection(yard: Yard) -> None:
    head = "import random, socket; near, far = socket.socketpair(); log = open(HERE / 'import.log', 'a', buffering=1)"
    body = """
try:
    near.send(b'x')
except OSError as error:
    log.write(f"{type(error).__name__}\\n")
context.log.info(f"{random.random()}")
context.log.info(f"{len(os.listdir('/proc/self/fd'))}")
"""
    location = yard.location(one_op(body, head=head), start_method="fork")
    runs = [yard.launch(location) for _ in range(2)]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS
    first, second = (yard.lines(run_id) for run_id in runs)
    assert first[0] != second[0]
    assert (yard.code / "import.log").read_text() == "BrokenPipeError\n" * 2


def test_workers_have_the_interpreter_that_the_entry_names(yard: Yard) -> None:
    location = yard.location(one_op("context.log.info(sys.executable)"), executable_path=sys.executable)
    run_id = yard.launch(location)
    yard.finished(run_id)
    assert yard.lines(run_id) == [sys.executable]


def test_a_users_module_takes_no_place_of_a_standard_one(yard: Yard) -> None:
    yard.write("queue.py", "raise RuntimeError('this is mine')")
    yard.write("selectors.py", "raise RuntimeError('this is mine')")
    location = yard.location(GOOD)
    assert location.record().state is LocationState.LOADED


def test_workspace_that_cannot_be_read_changes_nothing_but_says_so(yard: Yard) -> None:
    file = yard.home / "workspace.yaml"
    file.write_text("one")
    yard.target.files = [str(file)]
    yard.write("jobs.py", GOOD)
    workspace = yard.open(yard.spec())
    yard.target.error = ConfigError("it is broken", file="workspace.yaml", line=3)
    file.write_text("another")
    assert "workspace.yaml:3" in yard.until(workspace.problem)
    assert [location.name for location in workspace.all()] == ["jobs"]
    yard.target.error = None
    file.write_text("mended now")
    yard.until(lambda: workspace.problem() is None)


def test_a_module_that_is_put_below_an_autoloaded_package_is_loaded(yard: Yard) -> None:
    yard.write("parts/__init__.py", "")
    yard.write("parts/first/jobs.py", GOOD)
    (yard.code / "parts" / "empty").mkdir()
    spec = LocationSpec(name="parts", kind="autoload_defs_module", target="parts", working_directory=str(yard.code))
    location = yard.open(spec).get("parts")
    assert location is not None

    def jobs() -> list[str]:
        definitions = location.record().definitions
        return [job.name for job in definitions.jobs] if definitions else []

    assert jobs() == ["job"]
    yard.write("parts/empty/more.py", GOOD.replace("def job", "def another").replace("[job]", "[another]"))
    yard.until(lambda: jobs() == ["another", "job"])

"""What a worker has of the code's import: the same by fork as by spawn, where a fork lets it be."""

from __future__ import annotations

from locations.code import one_op
from locations.yard import Yard
from runyard.core.run import RunStatus
from runyard.locations.api import Location

IN_THE_RUN = ["printed in the run", "put in the run"]


def finished(yard: Yard, location: Location, number: int = 2) -> list[str]:
    runs = [yard.launch(location) for _ in range(number)]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
    return runs


def output(yard: Yard, run_id: str, name: str = "act.out") -> str:
    return (yard.home / "logs" / run_id / name).read_text()


def test_random_numbers_and_names_differ_from_worker_to_worker(yard: Yard, start_method: str) -> None:
    head = """
    import random, secrets, ssl, tempfile, uuid
    import numpy as np
    random.random(), np.random.rand(), secrets.token_hex(), uuid.uuid1(), uuid.uuid4(), ssl.RAND_bytes(1)
    tempfile.mktemp()
    SEEDED = np.random.default_rng(7)
"""
    body = """
drawn = [random.random(), np.random.rand(), secrets.token_hex(), uuid.uuid1(), uuid.uuid4(), ssl.RAND_bytes(8).hex()]
context.log.info(" ".join(map(str, [*drawn, tempfile.mktemp(), np.random.default_rng().random(), os.getpid()])))
context.log.info(str(SEEDED.random()))
"""
    location = yard.location(one_op(body, head=head.strip()), start_method=start_method)
    first, second = (yard.lines(run_id) for run_id in finished(yard, location))
    assert not set(first[0].split()) & set(second[0].split())
    # A generator that the code seeded itself is the code's business: every worker begins where the import left it.
    assert first[1] == second[1]


def test_exit_functions_of_the_import_run_in_each_worker_and_in_the_zygote(yard: Yard, start_method: str) -> None:
    head = """
    import atexit
    waiting = []
    def ship():
        with open(HERE / "shipped", "a") as file:
            file.write(f"{' '.join(waiting) or 'zygote'}\\n")
    atexit.register(ship)
"""
    location = yard.location(one_op("waiting.append(context.run_id)", head=head.strip()), start_method=start_method)
    runs = finished(yard, location)
    yard.until(lambda: sorted(yard.file("shipped").split()) == sorted(runs))
    yard.workspaces[0].stop(terminate_hosts=True)
    yard.until(lambda: "zygote" in yard.file("shipped"))
    assert sorted(yard.file("shipped").split()) == sorted([*runs, "zygote"])


def test_what_a_buffer_holds_at_the_fork_is_written_once(yard: Yard) -> None:
    head = """
    import ctypes
    print("printed at import")
    ctypes.CDLL(None).puts(b"put at import")
    report = open(HERE / "report", "a")
    report.write("header\\n")
"""
    body = """
ctypes.CDLL(None).puts(b"put in the run")
print("printed in the run")
report.write("line\\n")
"""
    runs = finished(yard, yard.location(one_op(body, head=head.strip())))
    # Runs are over before their processes are.
    yard.until(lambda: yard.file("report") == "header\nline\nline\n")
    for run_id in runs:
        yard.until(lambda run_id=run_id: sorted(output(yard, run_id).split("\n")) == ["", *IN_THE_RUN])


def test_what_a_worker_wrote_last_is_in_the_file_when_it_has_ended(yard: Yard, start_method: str) -> None:
    # Files that nobody closed: an interpreter that ends by itself writes them out, too.
    head = "import ctypes; report = open(HERE / f'report.{os.getpid()}', 'w')"
    body = """
report.write("not flushed")
unclosed.append(open(HERE / f"binary.{context.run_id}", "wb"))
unclosed[0].write(b"nor this")
"""
    location = yard.location(one_op(body, head=f"{head}; unclosed = []"), start_method=start_method)
    [run_id] = finished(yard, location, 1)
    yard.until(lambda: yard.file(f"binary.{run_id}") == "nor this")
    yard.until(lambda: "not flushed" in [path.read_text() for path in yard.code.glob("report.*")])


def test_signal_handlers_of_the_import_stay_but_for_sigterm(yard: Yard, start_method: str) -> None:
    head = """
    for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda number, _: print("got", signal.Signals(number).name, flush=True))
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
"""
    body = """
import subprocess
for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR2):
    os.kill(os.getpid(), number)
subprocess.run(["true"])
context.log.info(f"{signal.getsignal(signal.SIGTERM).__module__}")
"""
    location = yard.location(one_op(body, head=head.strip()), start_method=start_method)
    [run_id] = finished(yard, location, 1)
    assert output(yard, run_id).split("\n")[:3] == ["got SIGUSR1", "got SIGHUP", "got SIGCHLD"]
    assert yard.lines(run_id)[0].startswith("runyard.")


def test_code_that_reaps_every_child_does_not_take_the_zygotes(yard: Yard) -> None:
    for head in (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.signal(signal.SIGCHLD, lambda *_: os.waitpid(-1, os.WNOHANG))",
    ):
        location = yard.location(one_op("context.log.info('ran')", head=head))
        assert location.record().start_method == "fork"
        zygote = yard.zygote()
        finished(yard, location)
        assert zygote.is_running()
        yard.workspaces[-1].stop(terminate_hosts=True)


def test_locks_of_files_taken_at_import_are_the_zygotes(yard: Yard) -> None:
    head = """
    import fcntl
    whole, record = open(HERE / "flock", "w"), open(HERE / "fcntl", "w")
    fcntl.flock(whole, fcntl.LOCK_EX)
    fcntl.lockf(record, fcntl.LOCK_EX)
"""
    # What another process finds is tried by a file that was opened anew.
    body = """
def free(name, lock):
    with open(HERE / name, "w") as file:
        try:
            lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return f"{name} taken"
    return f"{name} free"
context.log.info(free("flock", fcntl.flock))
context.log.info(free("fcntl", fcntl.lockf))
fcntl.flock(whole, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""
    runs = finished(yard, yard.location(one_op(body, head=head.strip())))
    for run_id in runs:
        assert yard.lines(run_id) == ["flock taken", "fcntl taken"]


def test_threads_of_an_unused_pool_are_started_in_the_worker(yard: Yard, start_method: str) -> None:
    head = "from concurrent.futures import ThreadPoolExecutor; pool = ThreadPoolExecutor(4)"
    location = yard.location(
        one_op("context.log.info(str(sum(pool.map(int, '1234'))))", head=head), start_method=start_method
    )
    assert location.record().start_method_reason is None
    for run_id in finished(yard, location):
        assert yard.lines(run_id) == ["10"]

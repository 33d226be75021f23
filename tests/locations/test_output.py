"""What code prints, by real workers: every way to print, in order, bounded, and Python's logging."""

from __future__ import annotations

from contextlib import suppress

import psutil
import pytest

from runyard.core.run import FINISHED, RunStatus
from runyard.settings.instance import PythonLogsSettings
from runyard.storage.compute_logs import LocalComputeLogs
from runyard.storage.run_output.cursor import BEGINNING
from runyard.storage.run_output.merged import Line, RunOutput

from .code import WAITING, one_op
from .yard import Yard

EVERY_WAY = """
    import ctypes, logging, os, subprocess, sys
    import runyard as dg

    KEPT = sys.stdout
    logging.basicConfig(format="logged %(message)s")
    LIBC = ctypes.CDLL(None)

    @dg.op
    def speak():
        print("printed", 1)
        print("to stderr", file=sys.stderr)
        KEPT.write("through a stream that was kept\\n")
        logging.getLogger("lib").warning("by a handler of the import")
        os.write(1, b"past Python\\n")
        LIBC.puts(b"by the C library")
        subprocess.run(["sh", "-c", "echo from a shell; echo its error >&2"], check=True)
        print("unencodable \\udc80", "€", end="")

    @dg.op(ins={"start": dg.In(dg.Nothing)})
    def reply():
        print("of the second step")

    EXECUTOR

    @dg.job(executor_def=executor)
    def job():
        reply(start=speak())

    defs = dg.Definitions(jobs=[job])
"""


def output(yard: Yard, run_id: str, step: str | None = None) -> RunOutput:
    return RunOutput(LocalComputeLogs(str(yard.home / "logs")), run_id, step_key=step)


def lines(yard: Yard, run_id: str, step: str | None = None) -> list[Line]:
    return output(yard, run_id, step).page(BEGINNING, finished=True).lines


def texts(found: list[Line], stream: str) -> list[str]:
    return [line.text for line in found if line.stream == stream]


@pytest.mark.parametrize("executor", ["in_process_executor", "multiprocess_executor"])
@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_every_way_to_print_ends_up_with_the_step(yard: Yard, start_method: str, executor: str) -> None:
    code = EVERY_WAY.replace("EXECUTOR", f"executor = dg.{executor}")
    run_id = yard.launch(yard.location(code, start_method=start_method))
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS, run.failure
    yard.until(lambda: len(lines(yard, run_id, "speak")) == 9)
    spoken = lines(yard, run_id, "speak")
    assert texts(spoken, "out") == [
        "printed 1",
        "through a stream that was kept",
        "past Python",
        "by the C library",
        "from a shell",
        "unencodable \\udc80 €",
    ]
    assert texts(spoken, "err") == ["to stderr", "logged by a handler of the import", "its error"]
    assert run.started_at is not None
    assert run.ended_at is not None
    assert all(line.at and run.started_at <= line.at <= run.ended_at for line in spoken)
    first = [line.text for line in spoken]
    assert first[:4] == ["printed 1", "to stderr", "through a stream that was kept", first[3]]
    assert [line[2:] for line in lines(yard, run_id, "reply")] == [("out", "reply", "of the second step")]
    assert lines(yard, run_id)[-1].step_key == "reply"


def test_the_last_words_of_a_killed_worker_are_kept(yard: Yard) -> None:
    body = """
print("before", end=" ", flush=True)
print("the end")
os.kill(os.getpid(), signal.SIGKILL)
"""
    run_id = yard.launch(yard.location(one_op(body)))
    assert yard.finished(run_id).status is RunStatus.FAILURE
    assert texts(lines(yard, run_id), "out") == ["before the end"]


FLOOD = """
    import os, sys, threading
    import runyard as dg

    @dg.op
    def flood():
        line = "x" * 99 + "\\n"
        for _ in range(LINES // 1000):
            os.write(1, (line * 500).encode())
            for _ in range(500):
                sys.stdout.write(line)

    @dg.job
    def job():
        flood()

    defs = dg.Definitions(jobs=[job])
"""


def test_two_hundred_megabytes_fill_no_memory(yard: Yard) -> None:
    many = 2_000_000
    location = yard.location(FLOOD.replace("LINES", str(many)))
    run_id = yard.launch(location)
    worker = psutil.Process(yard.started(run_id).pid)
    highest = _Highest([worker, yard.host(), psutil.Process()])
    after, largest = BEGINNING, 0
    while yard.run(run_id).status not in FINISHED:
        page = output(yard, run_id).page(after, finished=False)
        after, last = page.next, output(yard, run_id).tail(100, finished=False)
        largest = max(largest, sum(len(line.text) for line in page.lines))
        assert len(last.lines) <= 100
        highest.look()
    assert yard.run(run_id).status is RunStatus.SUCCESS
    assert output(yard, run_id).tail(1, finished=True).size == 200_000_000
    assert 0 < largest < 256 * 1024
    assert highest.grown() < 30 << 20


class _Highest:
    """How much memory of their own processes have taken since the beginning."""

    def __init__(self, processes: list[psutil.Process]) -> None:
        self._first = {process: process.memory_info().rss for process in processes}
        self._most = dict(self._first)

    def look(self) -> None:
        for process in self._first:
            with suppress(psutil.NoSuchProcess):  # the worker has ended
                self._most[process] = max(self._most[process], process.memory_info().rss)

    def grown(self) -> int:
        return max(self._most[process] - first for process, first in self._first.items())


LOGGING = """
    import logging, threading
    import runyard as dg

    @dg.op
    def speak(context):
        logging.getLogger("lib").info("from a library")
        logging.getLogger("lib").debug("too low")
        context.log.debug("too low as well")
        context.log.warning("structured", extra={"rows": 3})
        thread = threading.Thread(target=lambda: dg.get_dagster_logger().info("from a thread"))
        thread.start()
        thread.join()

    EXECUTOR

    @dg.job(executor_def=executor)
    def job():
        speak.alias("a")(), speak.alias("b")()

    @dg.sensor(job=job)
    def watch(context):
        logging.getLogger("lib").info("library in a tick")
        return dg.SkipReason("nothing")

    defs = dg.Definitions(jobs=[job], sensors=[watch])
"""


@pytest.mark.parametrize("executor", ["in_process_executor", "multiprocess_executor"])
def test_managed_loggers_speak_for_the_step(yard: Yard, executor: str) -> None:
    file = yard.home / "all.log"
    settings = PythonLogsSettings(
        managed_loggers=("lib",),
        level="INFO",
        handlers={"handlers": {"file": {"class": "logging.FileHandler", "filename": str(file)}}},
    )
    code = LOGGING.replace("EXECUTOR", f"executor = dg.{executor}")
    run_id = yard.launch(yard.location(code, python_logs=settings))
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    events = [event for event in yard.events(run_id) if event.type.value == "LOG"]
    for step in ("a", "b"):
        told = [(e.level, e.message, e.data) for e in events if e.step_key == step]
        assert told == [
            ("INFO", "from a library", {"logger": "lib"}),
            ("WARNING", "structured", {"extra": {"rows": 3}}),
            ("INFO", "from a thread", {}),
        ]
    assert sorted(file.read_text().split("\n")) == ["", *sorted(["from a library", "structured", "from a thread"] * 2)]


@pytest.mark.parametrize("executor", ["in_process_executor", "multiprocess_executor"])
def test_handlers_that_cannot_be_made_fail_the_run_with_a_sentence(yard: Yard, executor: str) -> None:
    settings = PythonLogsSettings(handlers={"handlers": {"mail": {"class": "no.such.Handler"}}})
    code = LOGGING.replace("EXECUTOR", f"executor = dg.{executor}")
    run = yard.finished(yard.launch(yard.location(code, python_logs=settings)))
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert run.failure.error_class == "PythonLogsBroken"
    assert run.failure.message.startswith("python_logs.dagster_handler_config.handlers.mail of the instance file")


def test_output_that_cannot_be_kept_fails_the_run_with_a_sentence(yard: Yard) -> None:
    location = yard.location(one_op("pass"))
    (yard.home / "logs").rename(yard.home / "old logs")
    (yard.home / "logs").write_text("in the way")
    run = yard.finished(yard.launch(location))
    assert run.failure is not None
    assert run.failure.error_class == "OutputNotKept"
    assert run.failure.message.startswith(f"What the run prints cannot be kept: {yard.home / 'logs'}")


def test_a_worker_that_waits_is_read_meanwhile(yard: Yard) -> None:
    code = WAITING.replace('context.log.info("before")', 'print("waits")')
    run_id = yard.launch(yard.location(code))
    yard.file("started")
    page = output(yard, run_id).page(BEGINNING, finished=False)
    assert [(line.number, line.text) for line in page.lines] == [(1, "waits")]
    (yard.code / "go").touch()
    assert yard.finished(run_id).status is RunStatus.SUCCESS

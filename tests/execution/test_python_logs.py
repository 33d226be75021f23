"""Managed loggers, levels and handlers of ``python_logs``; lines of threads; what comes beside a message."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.events import Event, EventType
from runyard.execution import log
from runyard.execution.log import LineHandler, lines_go_to, share
from runyard.execution.python_logs import PythonLogsBroken, apply_python_logs
from runyard.execution.run import execute_run
from runyard.execution.sink import MemorySink
from runyard.settings.instance import PythonLogsSettings


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "lib", "lib.part", "other")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
    for made in reversed(log._Shared.handlers):
        made.close()
    share(logging.DEBUG, ())


def lines_of(body: Any, **more: Any) -> list[Event]:
    """The LOG events of a run whose one step calls ``body(context)``."""

    @dg.op
    def act(context) -> None:
        body(context)

    @dg.job
    def speak():
        act()

    sink = MemorySink()
    end = execute_run(speak, run_id="r", attempt=0, run_config=None, tags={}, sink=sink, clock=ManualClock(), **more)
    assert end.failure is None, end
    return [event for event in sink.events if event.type is EventType.LOG]


def told(events: list[Event]) -> list[tuple[str, str, str | None, str | None]]:
    return [(event.level, event.message, event.step_key, event.data.get("logger")) for event in events]


def test_what_is_given_beside_the_message_is_kept() -> None:
    class Thing:
        def __repr__(self) -> str:
            return "<Thing>"

    def act(context: Any) -> None:
        context.log.info("loaded", extra={"rows": 5, "path": Path("/x"), "thing": Thing(), "nan": float("nan")})
        context.log.info("plain")

    first, second = lines_of(act)
    assert first.data == {"extra": {"rows": 5, "path": "/x", "thing": "<Thing>", "nan": "nan"}}
    assert second.data == {}


def test_no_line_is_lost_for_a_message_that_cannot_be_formatted(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError("no text")

        __repr__ = __str__

    def act(context: Any) -> None:
        context.log.info("%d rows", "x")
        context.log.warning(*("%s of %s", Broken()))
        context.log.info(Broken())
        context.log.info("100%", "done")

    rows, two, bare, percent = [event.message for event in lines_of(act)]
    assert rows.startswith("%d rows ('x',) [cannot be formatted: TypeError: ")
    assert two.startswith("%s of %s <its repr cannot be shown: ValueError> [cannot be formatted: ")
    assert bare == "<its text cannot be shown: ValueError> [cannot be formatted: ValueError: no text]"
    assert percent == "100% ('done',) [cannot be formatted: ValueError: incomplete format]"
    assert capfd.readouterr().err == ""


def test_text_that_storage_does_not_take_is_escaped_and_long_text_cut() -> None:
    low, high = "a\0b \udc80", "x" * 200_000
    events = lines_of(lambda context: (context.log.info(low), context.log.info(high)))
    assert events[0].message == "a\\x00b \\udc80"
    assert events[1].message.endswith("… (200,000 characters)")
    assert len(events[1].message) < 100_100


def test_threads_of_a_step_speak_for_it() -> None:
    def act(_context: Any) -> None:
        thread = threading.Thread(target=lambda: dg.get_dagster_logger().info("from a thread"))
        thread.start()
        thread.join()

    assert told(lines_of(act)) == [("INFO", "from a thread", "act", None)]


def test_a_thread_that_outlives_its_step_speaks_for_the_run() -> None:
    of_run: list[str] = []
    of_step: list[str] = []

    def speak(message: str) -> None:
        thread = threading.Thread(target=lambda: dg.get_dagster_logger().info(message))
        thread.start()
        thread.join()

    with lines_go_to(lambda line: of_run.append(line.message)):
        with lines_go_to(lambda line: of_step.append(line.message)):
            speak("in time")
        speak("late")
    speak("after all")
    assert (of_run, of_step) == (["late"], ["in time"])


def test_records_of_managed_loggers_are_lines_of_the_step() -> None:
    apply_python_logs(PythonLogsSettings(managed_loggers=("lib",), level="INFO"))

    def act(context: Any) -> None:
        logging.getLogger("lib.part").info("step by %s", "step")
        logging.getLogger("lib").debug("too low")
        logging.getLogger("other").error("not managed")
        context.log.debug("too low as well")
        context.log.warning("mine")

    assert told(lines_of(act)) == [("INFO", "step by step", "act", "lib.part"), ("WARNING", "mine", "act", None)]


def test_the_root_logger_is_managed_and_nothing_is_told_twice() -> None:
    apply_python_logs(PythonLogsSettings(managed_loggers=("root", "lib"), level="DEBUG"))

    def act(context: Any) -> None:
        logging.getLogger("lib").info("one")
        logging.getLogger("other").info("two")
        context.log.info("three")
        dg.get_dagster_logger("own").info("four")
        logging.getLogger("runyard.locations").error("the engine's own")

    events = lines_of(act)
    assert [event.message for event in events] == ["one", "two", "three", "four"]


def test_what_is_logged_while_a_line_is_handed_over_is_no_line() -> None:
    apply_python_logs(PythonLogsSettings(managed_loggers=("root",), level="DEBUG"))

    class Talkative(MemorySink):
        def emit(self, event: Event, *, wait: bool = False) -> None:
            super().emit(event, wait=wait)
            logging.getLogger("driver").debug("sent")

    @dg.op
    def act(context) -> None:
        context.log.info("once")

    @dg.job
    def speak():
        act()

    sink = Talkative()
    execute_run(speak, run_id="r", attempt=0, run_config=None, tags={}, sink=sink, clock=ManualClock())
    assert [e.message for e in sink.events if e.type is EventType.LOG and e.message == "once"] == ["once"]


def test_the_files_handlers_get_lines_of_context_log_and_of_managed_loggers(tmp_path: Path) -> None:
    file = tmp_path / "lines.log"
    apply_python_logs(
        PythonLogsSettings(
            managed_loggers=("lib", "root"),
            level="DEBUG",
            handlers={
                "handlers": {
                    "file": {
                        "class": "logging.FileHandler",
                        "filename": str(file),
                        "formatter": "short",
                        "level": "INFO",
                    },
                    "kept": {"class": "logging.handlers.MemoryHandler", "capacity": 9, "target": "file"},
                },
                "formatters": {"short": {"format": "%(levelname)s %(name)s %(message)s"}},
            },
        )
    )

    def act(context: Any) -> None:
        context.log.info("mine")
        logging.getLogger("lib").warning("theirs")
        logging.getLogger("lib").debug("below the handler's level")

    lines_of(act)
    assert file.read_text().splitlines() == ["INFO act mine", "WARNING lib theirs"]


def test_handlers_of_user_code_stay_open(tmp_path: Path) -> None:
    mine = logging.FileHandler(tmp_path / "mine.log", mode="w")
    logging.getLogger("other").addHandler(mine)
    apply_python_logs(PythonLogsSettings(handlers={"handlers": {"null": {"class": "logging.NullHandler"}}}))
    logging.getLogger("other").error("still heard")
    assert (tmp_path / "mine.log").read_text() == "still heard\n"
    mine.close()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"handlers": {"x": {"class": "no.such.Handler"}}}, r"handlers\.x .*No module named 'no'"),
        ({"handlers": {"x": {"class": "logging.FileHandler"}}}, r"handlers\.x .*TypeError"),
        ({"handlers": {}, "filters": {"f": {"()": "no.filter"}}}, r"filters\.f "),
    ],
)
def test_a_handler_that_cannot_be_made_is_named(part: dict[str, Any], said: str) -> None:
    with pytest.raises(PythonLogsBroken, match=r"^python_logs\.dagster_handler_config\." + said):
        apply_python_logs(PythonLogsSettings(handlers=part))


def test_a_record_outside_of_any_run_goes_nowhere() -> None:
    apply_python_logs(PythonLogsSettings(managed_loggers=("lib",)))
    logging.getLogger("lib").error("nobody runs")
    assert any(isinstance(handler, LineHandler) for handler in logging.getLogger("lib").handlers)


class Bridge(logging.Handler):
    """Writes every record that comes up to the root logger to the log of the step."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.info("bridged %s", record.getMessage())


@contextmanager
def on_root(handler: logging.Handler) -> Iterator[None]:
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def test_a_bridge_on_the_root_logger_does_not_get_lines_of_context_log() -> None:
    def act(context: Any) -> None:
        with on_root(Bridge(context.log)):
            context.log.info("one", extra={"rows": 1})
            logging.getLogger("lib").warning("two")

    assert [event.message for event in lines_of(act)] == ["one", "bridged two"]


def test_a_bridge_behind_a_queue_does_not_get_lines_of_context_log() -> None:
    def act(context: Any) -> None:
        waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        listener = logging.handlers.QueueListener(waiting, Bridge(context.log))
        listener.start()
        with on_root(logging.handlers.QueueHandler(waiting)):
            context.log.info("one")
            logging.getLogger("lib").warning("two")
        listener.stop()

    assert [event.message for event in lines_of(act)] == ["one", "bridged two"]


def test_a_bridge_to_get_dagster_logger_does_not_get_its_own_lines() -> None:
    def act(context: Any) -> None:
        with on_root(Bridge(dg.get_dagster_logger("own"))):
            dg.get_dagster_logger().info("one")
            dg.get_dagster_logger("own").info("two")
            logging.getLogger("lib").warning("three")
            context.log.info("four")

    assert [event.message for event in lines_of(act)] == ["one", "two", "bridged three", "four"]


def test_a_bridge_beside_a_managed_root_logger_adds_one_line_each() -> None:
    apply_python_logs(PythonLogsSettings(managed_loggers=("root",), level="INFO"))

    def act(context: Any) -> None:
        with on_root(Bridge(context.log)):
            context.log.info("one")
            logging.getLogger("lib").warning("two")
            dg.get_dagster_logger().info("three")

    assert [event.message for event in lines_of(act)] == ["one", "two", "bridged two", "three", "bridged three"]


def test_a_bridge_that_raises_leaves_the_next_line_alone() -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError(f"cannot ship {record.getMessage()}")

    def act(_context: Any) -> None:
        with on_root(Broken()), pytest.raises(OSError, match="cannot ship one"):
            dg.get_dagster_logger().info("one")
        dg.get_dagster_logger().info("two")

    assert [event.message for event in lines_of(act)] == ["one", "two"]


def test_a_handler_of_the_file_that_raises_costs_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    apply_python_logs(
        PythonLogsSettings(handlers={"handlers": {"bad": {"class": f"{__name__}.Unreachable", "level": "INFO"}}})
    )
    events = lines_of(lambda context: context.log.info("one"))
    assert [event.message for event in events] == ["one"]
    assert "the collector is unreachable" in capsys.readouterr().err


class Unreachable(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("the collector is unreachable")


def test_handlers_of_the_runyard_logger_get_lines_of_context_log() -> None:
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    listener = Listener()
    logging.getLogger("runyard").addHandler(listener)
    try:
        lines_of(lambda context: context.log.info("one"))
    finally:
        logging.getLogger("runyard").removeHandler(listener)
    assert heard == ["one"]

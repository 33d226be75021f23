"""Whatever user code raises, returns, logs and answers: the worker survives it, and says it in the right place."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from runyard.core.events import Event, EventType
from runyard.core.ids import new_id
from runyard.core.location import LocationState
from runyard.core.run import RunStatus
from runyard.core.tick import Evaluation, EvaluationRequest, InstigatorKey, TickStatus
from runyard.locations.api import Location

from .yard import Yard

HEAD = """
import asyncio, builtins, os, resource, sys
import runyard as dg

class Panic(BaseException): pass

class Mute(Exception):
    def __str__(self): raise Panic("no message either")
    __repr__ = __str__

class Wordless(Exception):
    def __str__(self): return 5

class Bottomless(Exception):
    def __str__(self): return str(self)

class Liar(type):
    @property
    def __name__(cls): raise ValueError("no name")
    @property
    def __module__(cls): raise ValueError("no module")

class Nameless(Exception, metaclass=Liar): pass

class Unread(Exception):
    @property
    def __cause__(self): raise ValueError("no cause")
    @property
    def __notes__(self): raise ValueError("no notes")

class Careless(dg.Failure):
    def __init__(self, code): self.code = code

class Impatient(dg.RetryRequested):
    def __init__(self): pass

class Hostile:
    def __str__(self): raise Panic("str")
    def __repr__(self): return 5
    def __eq__(self, other): raise Panic("eq")
    def __hash__(self): raise Panic("hash")
    def __bool__(self): raise Panic("bool")

class Text(str):
    def __str__(self): raise Panic("str")
    def encode(self, *args): raise Panic("encode")
    def isascii(self): raise Panic("isascii")
    def __len__(self): raise Panic("len")

class Table(dict):
    def items(self): raise Panic("items")
    keys = values = __iter__ = items

def surrogates(): return os.fsdecode(b"r\\xe9sum\\xe9.csv")

def circle(inner):
    inner["again"] = inner
    return inner

def deep(levels):
    value = []
    for _ in range(levels): value = [value]
    return value

def noted(error, *notes):
    error.__notes__ = list(notes)
    return error

def chained(length):
    error = ValueError("the first")
    for number in range(length):
        following = ValueError(f"number {number}")
        following.__cause__ = error
        error = following
    return error

def in_circle():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    return first

def recurse(n=0): return recurse(n + 1)

def eat_memory():
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 64 * 1024 * 1024, hard))
    eaten = []
    while True:
        eaten.append(bytearray(100_000))

def throw(error): raise error
"""

#: What an op does, the class of error that its step fails with, and words of the message. No class: it succeeds.
CASES: dict[str, tuple[str, str | None, str]] = {
    "lone_surrogate": (
        "raise FileNotFoundError('cannot read ' + surrogates())",
        "FileNotFoundError",
        r"r\udce9sum\udce9",
    ),
    "nul": ("raise ValueError('a\\0b')", "ValueError", r"a\x00b"),
    "failure": ("raise dg.Failure(surrogates(), metadata={'rows': 2**64})", "Failure", r"r\udce9sum"),
    "panic": ("raise Panic('cause')", "Panic", "cause"),
    "interrupt": ("raise KeyboardInterrupt('mine')", "KeyboardInterrupt", "mine"),
    "generator_exit": ("raise GeneratorExit('mine')", "GeneratorExit", "mine"),
    "cancelled": ("raise asyncio.CancelledError('mine')", "CancelledError", "mine"),
    "exit_text": ("sys.exit('bye ' + surrogates())", "SystemExit", "bye r"),
    "exit_object": ("sys.exit(Hostile())", "SystemExit", "cannot be shown"),
    "mute": ("raise Mute()", "Mute", "cannot be shown: Panic"),
    "wordless": ("raise Wordless()", "Wordless", "cannot be shown: TypeError"),
    "bottomless": ("raise Bottomless()", "Bottomless", "cannot be shown: RecursionError"),
    "nameless": ("raise Nameless('x')", "Nameless", "x"),
    "unread": ("raise Unread('x')", "Unread", "x"),
    "careless": ("raise Careless(3)", "Careless", "3"),
    "impatient": ("raise Impatient()", "Impatient", ""),
    "text": ("raise ValueError(Text('hostile'))", "ValueError", "cannot be shown: Panic"),
    "long": ("raise ValueError('x' * 20_000_000)", "ValueError", "(20,000,000 characters)"),
    "circle_of_causes": ("raise in_circle()", "ValueError", "first"),
    "many_causes": ("raise chained(500)", "ValueError", "number 499"),
    "recursion": ("recurse()", "RecursionError", "maximum recursion depth"),
    "memory": ("eat_memory()", "MemoryError", ""),
    "memory_raised": ("raise MemoryError('mine')", "MemoryError", "mine"),
    "retry": ("raise dg.RetryRequested(seconds_to_wait='3')", "InvalidDefinition", "from 0 to 604,800"),
    "retry_nan": ("raise dg.RetryRequested(seconds_to_wait=float('nan'))", "InvalidDefinition", "not nan"),
    "metadata_circle": (
        "return dg.Output(1, metadata={'rows': circle({})})",
        "InvalidDefinition",
        "key 'rows' of output",
    ),
    "metadata_deep": (
        "return dg.Output(1, metadata={'rows': deep(1000)})",
        "InvalidDefinition",
        "nested more than 100",
    ),
    "metadata_object": (
        "return dg.Output(1, metadata={'rows': Hostile()})",
        "InvalidDefinition",
        "key 'rows' of output",
    ),
    "metadata_mapping": (
        "return dg.Output(1, metadata=5)",
        "InvalidDefinition",
        "metadata of output 'result' is a dict",
    ),
    "metadata_big": ("return dg.Output(1, metadata={'rows': 2**64, 'json': {'n': [2**64, float('nan')]}})", None, ""),
    "metadata_text": ("return dg.Output(1, metadata={'text': surrogates(), 'hostile': Text('x')})", None, ""),
    "metadata_table": ("return dg.Output(1, metadata={'table': Table(a=Hostile()), surrogates(): 1})", None, ""),
    "metadata_long": ("return dg.Output(1, metadata={'text': 'x' * 20_000_000})", None, ""),
    "added": ("context.add_output_metadata({'rows': 2**64})", None, ""),
    "observed": ("context.log_event(dg.AssetObservation(surrogates(), metadata={surrogates(): 2**64}))", None, ""),
    "expected": ("context.log_event(dg.ExpectationResult(True, surrogates(), surrogates()))", None, ""),
    "logged": (
        "context.log.info(surrogates(), extra={'rows': 2**64, 'odd': Hostile(), 'deep': deep(1000)})",
        None,
        "",
    ),
    "logged_error": ("context.log.error('x', exc_info=Mute())", None, ""),
    "logged_long": ("context.log.info('x' * 20_000_000)", None, ""),
    "asked": ("context.instance.get_run_by_id(5)", "InvalidInvocation", "Expected `str"),
    "asked_filter": ("context.instance.get_runs(dg.RunsFilter(job_name=5))", "InvalidInvocation", "Expected `str"),
    "asked_limit": ("context.instance.get_runs(limit=10**30)", "InvalidInvocation", "cannot be asked this"),
    "asked_text": ("assert not context.instance.get_runs(dg.RunsFilter(job_name=surrogates()))", None, ""),
    "stream": ("sys.stdout = Hostile()", None, ""),
}

JOBS = """
@dg.op
def fine(): return 1

JOBS = []

def job_of(act):
    def body():
        act()
        fine()
    JOBS.append(dg.job(name=act.name)(body))

def sensors():
    return []
"""


def code() -> str:
    parts = [HEAD, JOBS]
    for name, (body, _, _) in CASES.items():
        parts.append(f"@job_of\n@dg.op\ndef {name}(context):\n{textwrap.indent(body, '    ')}\n")
    parts.append("defs = dg.Definitions(jobs=JOBS)\n")
    return "\n".join(parts)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with pytest.MonkeyPatch.context() as patch:
        made = Yard(tmp_path_factory.mktemp("shared") / "home")
        patch.setenv("YARD", made.runtime_dir)
        try:
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def location(yard: Yard) -> Location:
    return yard.location(code())


EXECUTORS: dict[str, dict[str, Any]] = {
    "multiprocess": {},
    "in_process": {"execution": {"config": {"in_process": {}}}},
}


def events_of(yard: Yard, run_id: str, kind: EventType) -> list[Event]:
    return [event for event in yard.events(run_id) if event.type is kind]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", CASES)
def test_step_ends_with_what_its_code_did_and_the_other_is_done(
    yard: Yard, location: Location, case: str, executor: str
) -> None:
    _, error_class, words = CASES[case]
    run = yard.finished(yard.launch(location, case, config=EXECUTORS[executor]))
    ends = {key: kind for kind, key in yard.steps(run.run_id, EventType.STEP_SUCCESS, EventType.STEP_FAILURE)}
    assert ends == {case: "STEP_FAILURE" if error_class else "STEP_SUCCESS", "fine": "STEP_SUCCESS"}, run.failure
    if error_class is None:
        assert run.status is RunStatus.SUCCESS
        return
    [failure] = events_of(yard, run.run_id, EventType.STEP_FAILURE)
    error = failure.data["error"]
    assert (run.status, error["class_name"]) == (RunStatus.FAILURE, error_class)
    assert words in error["message"]
    assert run.failure is not None
    assert (run.failure.error_class, run.failure.step_key, run.failure.by_step) == (error_class, case, True)
    assert words in run.failure.message
    assert len(run.failure.message) < 100_000
    assert any(f"in {case}" in frame for frame in error["stack"])


def metadata_of(yard: Yard, location: Location, case: str) -> dict[str, Any]:
    run = yard.finished(yard.launch(location, case))
    [output] = [event for event in events_of(yard, run.run_id, EventType.STEP_OUTPUT) if event.step_key == case]
    metadata: dict[str, Any] = output.data["metadata"]
    return metadata


def test_metadata_is_kept_exactly_where_json_has_it_and_as_text_elsewhere(yard: Yard, location: Location) -> None:
    big = metadata_of(yard, location, "metadata_big")
    assert big["rows"] == {"kind": "int", "value": 2**64}
    assert big["json"] == {"kind": "json", "value": {"n": [2**64, "nan"]}}
    assert metadata_of(yard, location, "metadata_text")["text"]["value"] == r"r\udce9sum\udce9.csv"
    table = metadata_of(yard, location, "metadata_table")
    assert table["table"]["value"] == {"a": "<its text cannot be shown: Panic>"}
    assert table[r"r\udce9sum\udce9.csv"] == {"kind": "int", "value": 1}
    long = metadata_of(yard, location, "metadata_long")["text"]["value"]
    assert long.endswith("… (20,000,000 characters)")
    assert metadata_of(yard, location, "added") == {"rows": {"kind": "int", "value": 2**64}}


def test_lines_are_kept_with_what_was_given_beside_them(yard: Yard, location: Location) -> None:
    run = yard.finished(yard.launch(location, "logged"))
    [line] = events_of(yard, run.run_id, EventType.LOG)
    assert line.message == r"r\udce9sum\udce9.csv"
    assert line.data["extra"]["rows"] == 2**64
    assert line.data["extra"]["odd"] == "<its text cannot be shown: Panic>"
    assert "nested more than 100 deep" in line.data["extra"]["deep"]
    run = yard.finished(yard.launch(location, "logged_long"))
    [line] = events_of(yard, run.run_id, EventType.LOG)
    assert line.message.count("characters)") == 1
    assert line.message.endswith("… (20,000,000 characters)")


SENSORS = """
@dg.op
def act(context, config: dict): context.log.info(repr(config))

@dg.job
def job(): act()

SENSORS = []

def sensor_of(function):
    SENSORS.append(dg.sensor(job=job, name=function.__name__)(function))
"""

#: What a sensor does, the class of error that its tick fails with, and words of the message. No class: a reason.
TICKS: dict[str, tuple[str, str | None, str]] = {
    "cursor": ("return dg.SensorResult(skip_reason='x', cursor=5)", "InvalidDefinition", "cursor is a string, not 5"),
    "set_cursor": ("context.update_cursor(5)", "InvalidDefinition", "cursor is a string, not 5"),
    "cursor_text": ("return dg.SensorResult(cursor=surrogates())", "InvalidDefinition", "half of a surrogate pair"),
    "cursor_long": ("context.update_cursor('x' * 20_000_000)", "InvalidDefinition", "has 20,000,000 characters"),
    "skip": ("return dg.SkipReason(5)", "InvalidDefinition", "the reason is a string, not 5"),
    "tags": ("return dg.RunRequest(tags=['a'])", "InvalidDefinition", "tags are a dict, not list"),
    "tag": ("return dg.RunRequest(tags={'a': surrogates()})", "InvalidDefinition", "Tag 'a': text is not valid"),
    "one": ("return dg.SensorResult(run_requests=dg.RunRequest())", "InvalidDefinition", "is a list of RunRequests"),
    "none": ("return dg.SensorResult(run_requests=[None])", "InvalidDefinition", "run_requests[0] is a RunRequest"),
    "run_key": ("return dg.RunRequest(run_key=5)", "InvalidDefinition", "run_key is a string, not 5"),
    "run_key_text": ("return dg.RunRequest(run_key=surrogates())", "InvalidDefinition", "half of a surrogate pair"),
    "job_name": ("return dg.RunRequest(job_name=5)", "InvalidDefinition", "job_name is a string, not 5"),
    "config": ("return dg.RunRequest(run_config={'ops': Hostile()})", "InvalidDefinition", "ops: "),
    "config_text": (
        "return dg.RunRequest(run_config={'a': surrogates()})",
        "InvalidDefinition",
        "a: text is not valid",
    ),
    "config_circle": ("return dg.RunRequest(run_config=circle({}))", "InvalidDefinition", "contains itself"),
    "config_large": ("return dg.RunRequest(run_config={'a': 'x' * 2_000_000})", "InvalidDefinition", "the most is"),
    "panic": ("raise Panic('cause')", "Panic", "cause"),
    "interrupt": ("raise KeyboardInterrupt('mine')", "KeyboardInterrupt", "mine"),
    "lone_surrogate": ("raise ValueError(surrogates())", "ValueError", r"r\udce9sum"),
    "mute": ("raise Mute()", "Mute", "cannot be shown"),
    "long": ("raise ValueError('x' * 20_000_000)", "ValueError", "(20,000,000 characters)"),
    "skip_text": ("return dg.SkipReason(surrogates())", None, r"r\udce9sum\udce9.csv"),
    "skip_long": ("return dg.SkipReason('x' * 20_000_000)", None, "… (20,000,000 characters)"),
    "logs": ("context.log.info(surrogates())\nreturn dg.SkipReason('logged')", None, "logged"),
}


DEFS = "defs = dg.Definitions(jobs=[job], sensors=SENSORS)\n"


def tick_code() -> str:
    parts = [HEAD, SENSORS]
    for name, (body, _, _) in TICKS.items():
        parts.append(f"@sensor_of\ndef {name}(context):\n{textwrap.indent(body, '    ')}\n")
    big = "return dg.RunRequest(run_config={'ops': {'act': {'config': {'rows': 2**64, 'less': -2**70}}}})"
    huge = "return [dg.RunRequest(str(n), {'ops': {'act': {'config': {'x': 'y' * 900_000}}}}) for n in range(100)]"
    many = "for _ in range(20_000): context.log.info('line')\n    return dg.SkipReason('x')"
    for name, body in (("big", big), ("huge", huge), ("many", many)):
        parts.append(f"@sensor_of\ndef {name}(context):\n    {body}\n")
    parts.append(DEFS)
    return "\n".join(parts)


@pytest.fixture(scope="module")
def sensing(yard: Yard, location: Location) -> Location:
    yard.write("sensing.py", tick_code())
    found = yard.open(yard.spec("sensing.py")).get("sensing")
    assert found is not None
    return found


def tick(location: Location, name: str) -> Evaluation:
    request = EvaluationRequest(key=InstigatorKey("sensor", location.name, name), tick_id=new_id())
    [answer] = location.evaluate([request], timeout=30)
    return answer


@pytest.mark.parametrize("case", TICKS)
def test_tick_ends_with_what_its_code_did(sensing: Location, case: str) -> None:
    _, error_class, words = TICKS[case]
    answer = tick(sensing, case)
    if error_class is None:
        assert answer.status is TickStatus.SKIPPED, answer.error
        assert answer.skip_reason is not None
        assert words in answer.skip_reason
        return
    assert (answer.status, answer.cursor, answer.runs) == (TickStatus.FAILURE, None, ())
    assert answer.error is not None
    assert answer.error.class_name == error_class
    assert words in answer.error.message
    assert len(answer.error.message) < 100_000
    assert any(f"in {case}" in frame for frame in answer.error.stack), "the user's own line"


def test_big_numbers_in_the_config_of_a_request_reach_the_op(yard: Yard, sensing: Location) -> None:
    answer = tick(sensing, "big")
    assert answer.error is None
    config = answer.runs[0].run_config
    assert config["ops"]["act"]["config"] == {"rows": 2**64, "less": -(2**70)}
    run = yard.finished(yard.launch(sensing, config=config))
    assert yard.run(run.run_id).run_config == config
    assert yard.lines(run.run_id) == [repr(config["ops"]["act"]["config"])]


def test_answers_that_fit_into_no_message_say_so(sensing: Location) -> None:
    answer = tick(sensing, "huge")
    assert answer.error is not None
    assert answer.error.class_name == "AnswerTooLarge"
    assert "Ask for fewer runs" in answer.error.message


def test_tick_without_memory_says_so(yard: Yard, location: Location) -> None:
    yard.write("hungry.py", HEAD + SENSORS + "@sensor_of\ndef eats(context): eat_memory()\n" + DEFS)
    hungry = yard.open(yard.spec("hungry.py")).get("hungry")
    assert hungry is not None
    error = tick(hungry, "eats").error
    assert error is not None
    assert error.class_name == "MemoryError"


def test_log_of_a_tick_is_bounded(sensing: Location) -> None:
    log = tick(sensing, "many").log
    assert (len(log), log[-1]) == (5_001, "… 15000 more lines")


BROKEN = {
    "panic": ("raise Panic('cause')", "Panic", "cause"),
    "interrupt": ("raise KeyboardInterrupt('mine')", "KeyboardInterrupt", "mine"),
    "lone_surrogate": ("raise ImportError(surrogates())", "ImportError", r"r\udce9sum"),
    "mute": ("raise Mute()", "Mute", "cannot be shown"),
    "nameless": ("raise Nameless('x')", "Nameless", "x"),
    "long": ("raise ValueError('x' * 20_000_000)", "ValueError", "(20,000,000 characters)"),
    "group": ("raise noted(ValueError('x'), 'see the manual')", "ValueError", "x"),
}


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
@pytest.mark.parametrize("case", BROKEN)
def test_code_that_does_not_load_says_why(yard: Yard, case: str, start_method: str) -> None:
    body, error_class, words = BROKEN[case]
    name = f"broken_{case}_{start_method}"
    yard.write(f"{name}.py", f"{HEAD}\n{body}\n")
    location = yard.open(yard.spec(f"{name}.py", start_method=start_method)).get(name)
    assert location is not None
    record = location.record()
    assert (record.state, record.definitions) == (LocationState.ERROR, None)
    assert record.error is not None
    assert record.error.class_name == error_class
    assert words in record.error.message
    assert f"{name}.py" in record.error.stack[-1]


def test_definitions_hold_what_the_wire_does_not(yard: Yard) -> None:
    body = """
class Settings(dg.Config):
    rows: int = 2**70
    rate: float = float("inf")

@dg.op(description=surrogates())
def act(context, config: Settings): context.log.info(str(config.rows))

@dg.job(description="a\\0b " + surrogates())
def job(): act()

defs = dg.Definitions(jobs=[job])
"""
    yard.write("odd.py", HEAD + body)
    location = yard.open(yard.spec("odd.py")).get("odd")
    assert location is not None
    record = location.record()
    assert record.error is None, record.error
    assert record.definitions is not None
    assert record.definitions.jobs[0].description == r"a\x00b r\udce9sum\udce9.csv"
    run = yard.finished(yard.launch(location))
    assert (run.status, yard.lines(run.run_id)) == (RunStatus.SUCCESS, [str(2**70)])


RESOURCES = """
def broken(_): {body}

class Falls(dg.ConfigurableResource):
    def teardown_after_execution(self, context): raise Panic("down")

@dg.op
def other(): return 1

@dg.op(required_resource_keys={{"thing"}})
def act(): return 1

@dg.op
def uses(falls: Falls): return 1

@dg.job(resource_defs={{"thing": dg.resource(broken)}})
def job(): act(), other()

@dg.job(resource_defs={{"falls": Falls()}})
def falling(): uses(), other()

defs = dg.Definitions(jobs=[job, falling])
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_resources_that_raise_anything(yard: Yard, executor: str) -> None:
    name = f"resources_{executor}"
    yard.write(f"{name}.py", HEAD + RESOURCES.format(body="raise Panic('no ' + surrogates())"))
    location = yard.open(yard.spec(f"{name}.py")).get(name)
    assert location is not None
    run = yard.finished(yard.launch(location, config=EXECUTORS[executor]))
    assert run.failure is not None
    assert (run.status, run.failure.error_class) == (RunStatus.FAILURE, "Panic")
    assert run.failure.message == r"no r\udce9sum\udce9.csv"
    assert events_of(yard, run.run_id, EventType.RESOURCE_INIT_FAILURE)
    run = yard.finished(yard.launch(location, "falling", config=EXECUTORS[executor]))
    assert run.status is RunStatus.SUCCESS
    told = [event.message for event in events_of(yard, run.run_id, EventType.ENGINE_EVENT)]
    assert any("Taking down the resource 'falls' failed: Panic: down" in message for message in told)


BREAKS_US = """
import runyard.execution.emitter

@dg.op
def act(): runyard.execution.emitter.kept_message = None

@dg.op
def other(): return 1

@dg.job
def job(): act(), other()

defs = dg.Definitions(jobs=[job])
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_whatever_fails_in_the_worker_itself_is_the_reason(yard: Yard, executor: str) -> None:
    """User code may break anything of ours in its process; the worker still says how it ended."""
    name = f"breaks_{executor}"
    yard.write(f"{name}.py", HEAD + BREAKS_US)
    location = yard.open(yard.spec(f"{name}.py")).get(name)
    assert location is not None
    run = yard.finished(yard.launch(location, config=EXECUTORS[executor]))
    assert run.failure is not None
    assert (run.status, run.failure.error_class) == (RunStatus.FAILURE, "TypeError")
    assert "object is not callable" in run.failure.message

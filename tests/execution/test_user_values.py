"""Values and exceptions of user code at the boundary: what is made of them, whatever they do."""

from __future__ import annotations

import asyncio
import builtins
import dataclasses
import importlib.util
import linecache
import os
import signal
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.error_info import error_info, error_lines, message_of, print_error
from runyard.core.errors import InvalidDefinition
from runyard.core.events import ErrorInfo, Event, EventType
from runyard.core.jsonable import unstorable
from runyard.core.kept import NotKept, kept, kept_data, kept_message
from runyard.core.launch import WorkerReport
from runyard.core.tick import Evaluation, EvaluationRequest, InstigatorKey, RunAsked, TickStatus
from runyard.definitions.policies import LONGEST_DELAY
from runyard.execution.errors import RunCancelled
from runyard.execution.evaluate import evaluate
from runyard.execution.run import execute_run
from runyard.execution.sink import MemorySink
from runyard.locations.codec import decoder, pack, unpack
from runyard.locations.messages import Evaluated, FromWorker, Report
from runyard.storage.rows import event_row, to_event

GROUP: Any = getattr(builtins, "BaseExceptionGroup", None)


class Panic(BaseException):
    pass


def fault(_self: Any, *_args: Any) -> Any:
    raise Panic("no")


class Hostile:
    __str__ = __repr__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = fault


class Masked(Hostile):
    """Not for hypothesis, which asks values for their class."""

    __class__ = property(fault)  # type: ignore[assignment]


class WrongTypes:
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307 - what it is for

    def __repr__(self) -> str:
        return b"x"  # type: ignore[return-value]


class Bottomless:
    def __str__(self) -> str:
        return str(self)

    __repr__ = __str__


class Text(str):
    __str__ = __len__ = __iter__ = __getitem__ = encode = isascii = replace = __eq__ = fault
    __hash__ = str.__hash__


class Number(int):
    __int__ = __index__ = __str__ = __le__ = __lt__ = bit_length = fault


class Real(float):
    __float__ = __str__ = __eq__ = fault
    __hash__ = float.__hash__


class Table(dict[Any, Any]):
    items = keys = values = __iter__ = __getitem__ = __len__ = fault


class Row(list[Any]):
    __iter__ = __len__ = __getitem__ = fault


def circle() -> list[Any]:
    inner: list[Any] = []
    inner.append({"again": inner})
    return inner


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**9000), max_value=2**9000),
    st.floats(),
    st.binary(max_size=20),
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.datetimes(),
    st.decimals(),
    st.uuids(),
    st.complex_numbers(),
    st.sampled_from([Hostile, WrongTypes, Bottomless]).map(lambda kind: kind()),
    st.just(Text("hostile \udce9")),
    st.just(Number(2**70)),
    st.just(Real("nan")),
    st.builds(circle),
    st.sampled_from([99, 100, 101, 3000]).map(deep),
    st.builds(lambda: Table(a=Hostile(), b=[Row([Text("x")])])),
)
KEYS = st.one_of(st.text(st.characters(exclude_categories=()), max_size=8), st.integers(), st.none(), st.floats())
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=4),
        st.frozensets(st.integers(), max_size=3),
        st.dictionaries(KEYS, inner, max_size=3).map(Table),
    ),
    max_leaves=12,
)
FUZZ = settings(deadline=None, max_examples=200)


def is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return all(type(key) is str for key in value) and all(is_plain(item) for item in value.values())
    if kind is list:
        return all(is_plain(item) for item in value)
    return value is None or kind in (bool, int, float, str)


@FUZZ
@given(VALUES)
def test_what_is_kept_is_plain_json_that_crosses_every_boundary_unchanged(value: Any) -> None:
    data = kept_data({"value": value})
    assert is_plain(data)
    assert unstorable(data) is None
    event = Event(run_id="r", type=EventType.LOG, timestamp=1.0, message=kept_message("x"), data=data)
    report = Report(id=1, report=WorkerReport(run_id="r", attempt=1, events=(event,)))
    received = decoder(FromWorker).decode(pack(report))
    assert received == report
    row = {"txn": 0, "id": 1, **event_row(received.report.events[0])}
    stored = to_event([row[name] for name in ROW])
    assert stored.event == event
    assert kept(data) == data, "keeping it again changes nothing"


ROW = ["txn", "id", "run_id", "attempt", "seq", "type", "timestamp", "step_key", "level", "body"]


def refusal(make: Callable[[], object]) -> str | None:
    """Why it is not made, None when it is."""
    try:
        make()
    except InvalidDefinition as error:
        return str(error)
    except Panic:
        return "The object itself raises where it is asked for its kind: the frame is the user's own."
    return None


@FUZZ
@given(VALUES)
def test_metadata_of_any_value_is_kept_or_refused_with_its_place(value: Any) -> None:
    told = refusal(lambda: dg.Output(1, metadata={"rows": dg.MetadataValue.json(value)}))
    if told is None:
        assert is_plain(kept(value))
    else:
        assert told.startswith("Metadata key 'rows' of output 'result' cannot be kept: ")


@FUZZ
@given(VALUES, VALUES, VALUES)
def test_any_value_through_every_constructor_is_taken_or_refused_by_name(first: Any, second: Any, third: Any) -> None:
    makers = [
        lambda: dg.SensorResult(first, second, third),
        lambda: dg.SkipReason(first),
        lambda: dg.RunRequest(run_key=first),
        lambda: dg.RunRequest(job_name=first),
        lambda: dg.RetryPolicy(max_retries=first, delay=second),
        lambda: dg.RetryRequested(first, second),
        lambda: dg.Failure(first, {"rows": second}),
        lambda: dg.Output(1, metadata={"rows": first}),
        lambda: dg.Output(1, first),
        lambda: dg.AssetMaterialization("a", description=first, partition=second),
        lambda: dg.ExpectationResult(first, second, third),
        lambda: dg.MetadataValue.int(first),
        lambda: dg.MetadataValue.float(first),
        lambda: dg.MetadataValue.text(first),
        lambda: dg.MetadataValue.timestamp(first),
    ]
    for make in makers:
        kept_message(refusal(make) or "").encode()


@FUZZ
@given(st.text(st.characters(exclude_categories=())), VALUES)
def test_any_exception_becomes_a_record_that_is_sent_stored_and_read(message: str, argument: Any) -> None:
    class Odd(Exception):
        pass

    info = caught(throw, Odd(message, argument))
    assert unpack(pack(info), ErrorInfo) == info
    assert msgspec.json.decode(msgspec.json.encode(info), type=ErrorInfo) == info
    assert info.class_name == "Odd"
    assert "\n".join(error_lines(info))


def test_numbers_of_more_than_64_bits_travel_as_they_are() -> None:
    config = {"a": [2**64, -(2**63) - 1, 2**63, 2**4000], "b": "x"}
    asked = RunAsked(job_name="j", run_config=config)
    message = Evaluated(id=1, evaluation=Evaluation(status=TickStatus.SUCCESS, runs=(asked,)))
    assert decoder(FromWorker).decode(pack(message)) == message


def test_object_that_denies_its_class_is_kept_as_text() -> None:
    assert kept({"a": Masked(), WrongTypes(): 1}) == {
        "a": "<its text cannot be shown: Panic>",
        "<its text cannot be shown: TypeError>": 1,
    }


def test_message_with_what_nobody_made_storable_still_has_bytes() -> None:
    class Own(str):
        __slots__ = ()

    message = Evaluated(
        id=1, evaluation=Evaluation(status=TickStatus.SKIPPED, skip_reason=Own("r\udce9sum"), log=("\ud800",))
    )
    received = decoder(FromWorker).decode(pack(message))
    assert (received.evaluation.skip_reason, received.evaluation.log) == (r"r\udce9sum", (r"\ud800",))


@pytest.mark.parametrize(
    ("value", "path", "why"),
    [
        (circle(), "0.again", "it contains itself"),
        ({"rows": deep(101)}, "rows.0.0", "nested more than 100 deep"),
        ({"n": 2**9000}, "n", "more than 8,192 bits"),
        ({"a": [0] * 200_001}, "a.", "more than 200,000 values"),
        (["x" * 1_000_000] * 9, "8", "more than 8,000,000 characters"),
    ],
)
def test_what_cannot_be_kept_is_named_with_its_place(value: Any, path: str, why: str) -> None:
    with pytest.raises(NotKept) as caught:
        kept(value)
    assert why in str(caught.value)
    assert caught.value.path.startswith(path)


# -- exceptions -------------------------------------------------------------------------------------------------------


def caught(raise_it: Any, *args: Any) -> ErrorInfo:
    try:
        raise_it(*args)
    except BaseException as error:  # noqa: BLE001 - the point of it
        return error_info(error)
    raise AssertionError("nothing was raised")


def throw(error: BaseException) -> None:
    raise error


def raised(error: BaseException) -> BaseException:
    """With a traceback."""
    try:
        throw(error)
    except BaseException as same:  # noqa: BLE001 - the point of it
        return same
    raise AssertionError


def test_notes_are_kept_and_bounded() -> None:
    error = ValueError("x")
    error.__notes__ = ["see the manual", Text("y"), 5, *("more" for _ in range(40))]  # type: ignore[attr-defined]
    notes = error_info(error).notes
    assert notes[:3] == ("see the manual", "y", "5")
    assert (len(notes), notes[-1]) == (21, "[23 notes not kept.]")
    error.__notes__ = Masked()  # type: ignore[attr-defined]
    assert error_info(error).notes == ("<its repr cannot be shown: Panic>",)


def test_causes_are_kept_with_their_frames_up_to_a_bound_and_circles_end() -> None:
    def chain(length: int) -> None:
        if length:
            try:
                chain(length - 1)
            except ValueError as error:
                raise ValueError(length) from error
        raise ValueError("the first")

    info: ErrorInfo | None = caught(chain, 5)
    messages = []
    while info is not None:
        messages.append(info.message)
        assert "in chain" in info.stack[-1]
        info = info.cause
    assert messages == ["5", "4", "3", "2", "1", "the first"]
    last = caught(chain, 50)
    depth = 0
    while last.cause is not None:
        last, depth = last.cause, depth + 1
    assert (depth, last.notes) == (20, ("[Further causes are not kept.]",))
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__context__ = second, first
    info = error_info(first)
    assert info.cause is not None
    assert (info.cause.message, info.cause.cause) == ("second", None)


@pytest.mark.skipif(GROUP is None, reason="groups came with Python 3.11")
def test_members_of_groups_are_kept_with_their_frames() -> None:

    def fail() -> None:
        members = [raised(Panic(f"member {number}")) for number in range(30)]
        raise GROUP("many", [*members[:2], GROUP("inner", members[2:])])

    info = caught(fail)
    assert [member.message for member in info.members[:2]] == ["member 0", "member 1"]
    assert "in throw" in info.members[0].stack[-1]
    inner = info.members[2]
    assert (len(inner.members), inner.notes) == (20, ("[8 members of the group not kept.]",))
    text = "\n".join(error_lines(info))
    assert "  Member 1 of 3:" in text
    assert "    Panic: member 0" in text
    bomb = GROUP("bomb", [ValueError()])
    for _ in range(500):
        bomb = GROUP("bomb", [bomb, bomb])
    assert len(pack(error_info(bomb))) < 100_000


def test_library_frames_are_folded_where_they_stand() -> None:
    def mine() -> None:
        list(map(dg.MetadataValue.int, ["three"]))

    info = caught(mine)
    assert "in mine" in info.stack[-1]
    assert [fold.before for fold in info.folded] == [len(info.stack)]
    assert any("definitions/metadata.py" in frame for frame in info.folded[0].frames)
    assert info.library_frames == sum(len(fold.frames) for fold in info.folded)
    assert f"  … {info.library_frames} library frames" in list(error_lines(info))


def test_stored_errors_of_before_are_read() -> None:
    old = b'{"class_name":"E","message":"m","stack":["  File x"],"library_frames":3,"cause":null}'
    info = msgspec.json.decode(old, type=ErrorInfo)
    assert list(error_lines(info)) == ["  File x", "  … 3 library frames", "E: m"]


def test_recursion_keeps_both_ends_of_the_traceback() -> None:
    def ping(n: int) -> None:
        pong(n + 1)

    def pong(n: int) -> None:
        ping(n + 1)

    info = caught(ping, 0)
    assert info.class_name == "RecursionError"
    assert "in caught" in info.stack[0]
    assert len(info.stack) == 81
    assert "more frames]" in info.stack[40]


def test_long_messages_are_cut_once_with_their_length() -> None:
    info = caught(throw, ValueError("x" * 20_000_000))
    assert info.message.endswith("… (20,000,000 characters)")
    assert kept_message(info.message).count("characters)") == 1


def test_class_whose_metaclass_lies_has_its_own_name() -> None:
    class Liar(type):
        __name__ = property(fault)  # type: ignore[assignment]
        __module__ = property(fault)  # type: ignore[assignment]

    class Mine(Exception, metaclass=Liar):
        pass

    assert caught(throw, Mine("x")).class_name == "Mine"
    print_error(Mine("x"))


def test_exception_whose_attributes_lie_is_read() -> None:
    class Unread(Exception):
        __cause__ = __context__ = __traceback__ = __notes__ = __suppress_context__ = property(fault)  # type: ignore[assignment]
        __str__ = fault

    info = caught(throw, Unread())
    assert (info.class_name, info.message) == ("Unread", "<its message cannot be shown: Panic>")
    assert "in throw" in info.stack[-1]


def test_source_that_cannot_be_read_leaves_the_frame(tmp_path: Any) -> None:
    class Loader:
        def get_source(self, _name: str) -> str:
            raise Panic("no source")

    names: dict[str, Any] = {"__name__": "odd", "__loader__": Loader(), "__spec__": None}
    exec(compile("def act():\n    raise ValueError('x')", "/odd/odd.py", "exec"), names)  # noqa: S102 - no other way
    linecache.clearcache()
    info = caught(names["act"])
    assert '"/odd/odd.py", line 2, in act' in info.stack[-1]


def test_any_code_of_sys_exit_has_a_message() -> None:
    for code in (3, None, "bye", Masked(), "x" * 100_000):
        message = message_of(SystemExit(code))
        assert message.startswith("sys.exit(")
        assert len(message) < 51_000


def test_a_cancellation_inside_of_a_message_is_none_of_the_users() -> None:
    class Slow(Exception):
        def __str__(self) -> str:
            raise RunCancelled

    with pytest.raises(RunCancelled):
        message_of(Slow())


# -- what ends a step -------------------------------------------------------------------------------------------------

RAISED = [Panic("x"), KeyboardInterrupt("x"), GeneratorExit("x"), asyncio.CancelledError("x"), SystemExit(0)]
if GROUP is not None:
    RAISED.append(GROUP("x", [Panic("y")]))


@pytest.mark.parametrize("generator", [False, True])
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_whatever_is_raised_ends_the_step_and_no_other(error: BaseException, generator: bool) -> None:
    def returns() -> None:
        raise error

    def yields() -> Any:
        raise error
        yield dg.Output(1)

    failing = dg.op(name="failing", retry_policy=dg.RetryPolicy(max_retries=1))(yields if generator else returns)

    @dg.op
    def fine() -> int:
        return 1

    @dg.job
    def job() -> None:
        failing()
        fine()

    result = job.execute_in_process(raise_on_error=False)
    assert not result.success
    assert result.is_node_failed("failing")
    assert result.output_for_node("fine") == 1
    # As in the field, sys.exit excepted: a RetryPolicy is for errors, and for what a program is interrupted by.
    again = isinstance(error, KeyboardInterrupt | SystemExit)
    assert result.retry_attempts_for_node("failing") == int(again)
    with pytest.raises(type(error)):
        job.execute_in_process()


class Unclassed(Exception):
    """Without a class that one could ask for."""

    __class__ = property(fault)  # type: ignore[assignment]


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    """Nothing can be assigned to it, not even the traceback that contextlib restores."""

    code: int


def outcome(body: Any, **resources: Any) -> tuple[str, list[str]]:
    """The class of the error of a step with this body, and the steps that succeeded beside it."""

    @dg.op
    def fine() -> None: ...

    @dg.job(resource_defs=resources)
    def job() -> None:
        dg.op(name="failing", required_resource_keys=set(resources))(body)()
        fine()

    sink = MemorySink()
    execute_run(job, run_id="r", attempt=0, run_config=None, tags={}, sink=sink, clock=ManualClock())
    [failed] = [event for event in sink.events if event.type is EventType.STEP_FAILURE]
    fine_ones = [event.step_key or "" for event in sink.events if event.type is EventType.STEP_SUCCESS]
    return failed.data["error"]["class_name"], fine_ones


@pytest.mark.parametrize("kind", [Unclassed, Frozen])
def test_exceptions_that_resist_handling_keep_their_class(kind: Callable[[int], Exception]) -> None:
    def returns(context: Any) -> None:
        raise kind(7)

    def yields(context: Any) -> Any:
        yield dg.Output(1)
        raise kind(7)

    async def waits(context: Any) -> None:
        raise kind(7)

    def uses(context: Any) -> None: ...

    expected = (kind.__name__, ["fine"])  # type: ignore[attr-defined]
    assert outcome(returns) == expected
    assert outcome(yields) == expected
    assert outcome(waits) == expected
    assert outcome(uses, part=dg.ResourceDefinition(returns)) == expected
    assert outcome(returns, part=dg.ResourceDefinition(lambda _: 1)) == expected


def test_ctrl_c_ends_the_run_and_the_call() -> None:
    seen = []

    @dg.resource
    def thing(_context: Any) -> Any:
        yield 1
        seen.append("down")

    @dg.op(required_resource_keys={"thing"}, retry_policy=dg.RetryPolicy(max_retries=2))
    def interrupted() -> None:
        seen.append("try")
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()

    @dg.op(ins={"after": dg.In(dg.Nothing)})
    def later() -> None:
        seen.append("later")

    @dg.job(resource_defs={"thing": thing})
    def job() -> None:
        later(interrupted())

    with pytest.raises(KeyboardInterrupt):
        job.execute_in_process(raise_on_error=False)
    assert seen == ["try", "down"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_failures_that_skip_our_init_fail_their_step() -> None:
    class Careless(dg.Failure):
        def __init__(self, code: int) -> None:
            self.code = code

    class Impatient(dg.RetryRequested):
        def __init__(self) -> None:
            pass

    for error in (Careless(3), Impatient()):

        @dg.op
        def act(error: Exception = error) -> None:
            raise error

        @dg.job
        def job() -> None:
            act()

        result = job.execute_in_process(raise_on_error=False)
        assert result.is_node_failed("act")


def test_metadata_that_is_changed_after_it_was_checked_is_told_of() -> None:
    @dg.op
    def act() -> None:
        failure = dg.Failure("broken", metadata={"rows": 1})
        failure.metadata["rows"] = object()  # type: ignore[index]
        raise failure

    @dg.job
    def job() -> None:
        act()

    [failure] = [e for e in job.execute_in_process(raise_on_error=False).all_events if e.is_step_failure]
    assert failure.event_specific_data["error"]["message"] == "broken"
    assert "Metadata key 'rows' of the Failure is object" in failure.event_specific_data["metadata"]


# -- retries ----------------------------------------------------------------------------------------------------------

BAD_SECONDS = ["3", -1, float("inf"), float("nan"), True, LONGEST_DELAY + 1, [], 10**400]
BAD_RETRIES = [1.5, -1, "2", True, None, float("nan")]


@pytest.mark.parametrize("seconds", BAD_SECONDS, ids=lambda value: repr(value)[:10])
def test_delays_out_of_bounds_are_refused(seconds: Any) -> None:
    with pytest.raises(InvalidDefinition, match=r"delay is a number of seconds from 0 to 604,800 \(7 days\), not"):
        dg.RetryPolicy(delay=seconds)
    with pytest.raises(InvalidDefinition, match="seconds_to_wait is a number of seconds from 0 to"):
        dg.RetryRequested(seconds_to_wait=seconds)


@pytest.mark.parametrize("number", BAD_RETRIES, ids=repr)
def test_numbers_of_retries_that_mean_nothing_are_refused(number: Any) -> None:
    for make in (dg.RetryPolicy, dg.RetryRequested):
        with pytest.raises(InvalidDefinition, match="max_retries is a whole number from 0 up, not"):
            make(max_retries=number)


@pytest.mark.parametrize("jitter", [None, *dg.Jitter])
@pytest.mark.parametrize("backoff", [None, *dg.Backoff])
def test_no_delay_outgrows_its_bound(backoff: Any, jitter: Any) -> None:
    policy = dg.RetryPolicy(max_retries=10**6, delay=LONGEST_DELAY, backoff=backoff, jitter=jitter)
    for attempt in (1, 2, 1000, 10**6):
        assert 0 <= policy.calculate_delay(attempt) <= LONGEST_DELAY


@pytest.mark.parametrize("part", [{"backoff": "LINEAR"}, {"jitter": "FULL"}])
def test_backoff_and_jitter_have_their_types(part: Any) -> None:
    with pytest.raises(InvalidDefinition, match="not '"):
        dg.RetryPolicy(delay=1, **part)


# -- ticks ------------------------------------------------------------------------------------------------------------


@dg.op
def nothing() -> None: ...


@dg.job
def plain() -> None:
    nothing()


@pytest.mark.parametrize("kind", [*map(type, RAISED), Unclassed, Frozen])
def test_whatever_a_sensor_raises_is_its_failure(kind: Any) -> None:
    def raises() -> None:
        raise kind("x", [Panic("y")]) if kind is GROUP else kind("x")

    sensor = dg.SensorDefinition("s", evaluation_fn=raises, job=plain)
    request = EvaluationRequest(key=InstigatorKey("sensor", "here", "s"), tick_id="t")
    defs = dg.Definitions(jobs=[plain], sensors=[sensor])
    answer = evaluate(defs, request, location_name="here", clock=ManualClock())
    assert answer.error is not None
    assert (answer.status, answer.error.class_name) == (TickStatus.FAILURE, kind.__name__)


def test_numbers_of_numpys_kind_are_kept() -> None:
    if importlib.util.find_spec("numpy") is None:
        return
    import numpy as np  # noqa: PLC0415 - not everywhere

    metadata = dg.Output(1, metadata={"n": np.int64(5), "f": np.float32(0.5)}).metadata
    assert (type(metadata["n"].value), type(metadata["f"].value)) == (int, float)
    assert dg.ExpectationResult(np.bool_(True)).success is True

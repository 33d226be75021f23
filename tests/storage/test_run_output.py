"""Lines of a run in order of time: merged, followed, from the end, and of every shape."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.storage.run_output import cursor
from runyard.storage.run_output.cursor import BEGINNING, Cursor
from runyard.storage.run_output.lines import LONGEST
from runyard.storage.run_output.merged import PAGE_BYTES, Line, RunOutput, Which

from .printed import Printer


@pytest.fixture
def printer(tmp_path: Path) -> Printer:
    return Printer(tmp_path)


def output(printer: Printer, stream: Which = "both", step: str | None = None) -> RunOutput:
    return RunOutput(printer.logs, printer.run_id, stream=stream, step_key=step)


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def everything(run: RunOutput, *, finished: bool = True, most: int = PAGE_BYTES) -> list[Line]:
    return read_on(run, BEGINNING, finished=finished, most=most)[0]


def read_on(run: RunOutput, after: Cursor, *, finished: bool, most: int = PAGE_BYTES) -> tuple[list[Line], Cursor]:
    lines: list[Line] = []
    while True:
        page = run.page(after, finished=finished, most=most)
        lines, after = lines + page.lines, cursor.decode(cursor.encode(page.next))
        if not page.more:
            return lines, after


def test_streams_and_steps_are_one_list_by_time(printer: Printer) -> None:
    printer.say("begin\n", at=1)
    printer.say("a1\n", step="a", at=2)
    printer.say("oops\n", step="b", stream="err", at=3)
    printer.say("a2\na3\n", step="a", at=4)
    printer.say("b1\n", step="b", at=5)
    printer.say("end\n", at=6)
    lines = output(printer).page(BEGINNING, finished=True).lines
    assert lines == [
        (1, 1.0, "out", None, "begin"),
        (1, 2.0, "out", "a", "a1"),
        (1, 3.0, "err", "b", "oops"),
        (2, 4.0, "out", "a", "a2"),
        (3, 4.0, "out", "a", "a3"),
        (2, 5.0, "out", "b", "b1"),
        (2, 6.0, "out", None, "end"),
    ]
    assert texts(everything(output(printer, "err"))) == ["oops"]
    assert texts(everything(output(printer, step="a"))) == ["a1", "a2", "a3"]
    assert output(printer, step="a").page(BEGINNING, finished=True).size == 9
    assert everything(output(printer, step="nosuch")) == []


def test_what_native_code_wrote_lies_between_the_notes(printer: Printer) -> None:
    printer.say("one\n", at=1)
    printer.say("native\n", noted=False)
    printer.say("two\n", at=9)
    assert [(line.at, line.text) for line in everything(output(printer))] == [(1, "one"), (1, "native"), (9, "two")]


def test_old_runs_without_an_index_come_out_first_then_err(printer: Printer) -> None:
    printer.say("bad\n", stream="err", noted=False)
    printer.say("good\nfine\n", noted=False)
    assert everything(output(printer)) == [
        (1, None, "out", None, "good"),
        (2, None, "out", None, "fine"),
        (3, None, "err", None, "bad"),
    ]
    assert texts(output(printer).tail(2, finished=True).lines) == ["fine", "bad"]


def test_a_line_that_has_not_ended_is_held_back_until_it_has_or_the_run_has(printer: Printer) -> None:
    printer.say("whole\npart", at=1)
    run = output(printer)
    first = run.page(BEGINNING, finished=False)
    assert texts(first.lines) == ["whole"]
    assert run.page(first.next, finished=False).lines == []
    assert texts(run.page(first.next, finished=True).lines) == ["part"]
    assert texts(run.tail(5, finished=False).lines) == ["whole"]
    assert texts(run.tail(5, finished=True).lines) == ["whole", "part"]
    printer.say("ial\nnext\n", at=2)
    more = run.page(first.next, finished=False)
    assert [(line.number, line.text) for line in more.lines] == [(2, "partial"), (3, "next")]
    assert run.page(run.tail(1, finished=True).next, finished=True).lines == []


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("\r 10%\r 50%\r100%\n", ["100%"]),
        ("windows\r\n", ["windows"]),
        ("\r\r\n\n", ["", ""]),
        (b"\xff\xfe caf\xc3\xa9\n", ["\ufffd\ufffd café"]),
        ("a\0b\x07\n", ["a␀b␇"]),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07\n", ["\x1b[31mred\x1b[0m ␛]0;title␇"]),
        ("tab\tand \u2028 stay\n", ["tab\tand \u2028 stay"]),
    ],
)
def test_lines_as_a_terminal_would_leave_them(printer: Printer, written: str | bytes, seen: list[str]) -> None:
    printer.say(written)
    assert texts(everything(output(printer))) == seen
    assert texts(output(printer).tail(10, finished=False).lines) == seen


def test_a_long_line_is_cut_with_a_note(printer: Printer) -> None:
    printer.say("before\n" + "x" * 200_000 + "\nafter\n")
    for lines in (everything(output(printer)), output(printer).tail(3, finished=True).lines):
        assert texts(lines)[::2] == ["before", "after"]
        assert lines[1].text.startswith("x" * LONGEST + " …")
        assert len(lines[1].text) < LONGEST + 100
        assert [line.number for line in lines] == [1, 2, 3]


def test_a_line_without_end_costs_no_memory_and_is_shown_once(printer: Printer) -> None:
    printer.say("first\n")
    for _ in range(30):
        printer.say(b"y" * (1 << 20), noted=False)
    tracemalloc.start()
    lines = everything(output(printer), finished=False)
    tail = output(printer).tail(10, finished=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line.text[:5] for line in lines] == ["first", "yyyyy"]
    assert peak < 6 << 20
    printer.say("\nlast\n")
    assert texts(output(printer).page(tail.next, finished=False).lines) == ["last"]
    assert texts(everything(output(printer)))[2:] == ["last"]


def test_a_progress_bar_that_never_ends_shows_its_last_state(printer: Printer) -> None:
    for done in range(0, 3000, 100):
        printer.say("".join(f"\r{number:>99}" for number in range(done, done + 100)), noted=False)
    run = output(printer)
    followed = run.page(BEGINNING, finished=False)
    assert followed.lines == []
    printer.say("\n")
    for page in (run.page(followed.next, finished=False), run.page(BEGINNING, finished=False)):
        assert [line.text.strip() for line in page.lines] == ["2999"]


def test_pages_are_bounded_and_more_says_so(printer: Printer) -> None:
    printer.say("".join(f"line {number}\n" for number in range(20_000)))
    page = output(printer).page(BEGINNING, finished=True)
    assert page.more
    assert sum(len(text) for text in texts(page.lines)) < PAGE_BYTES
    assert texts(everything(output(printer))) == [f"line {number}" for number in range(20_000)]
    tail = output(printer).tail(3, finished=True)
    assert [(line.number, line.text) for line in tail.lines] == [(n + 1, f"line {n}") for n in range(19_997, 20_000)]


def test_the_tail_of_a_big_file_reads_little_and_knows_no_numbers(printer: Printer) -> None:
    out = printer.logs.pair("r1").out
    with out.open("wb") as file:
        file.truncate(20 << 30)  # a hole: reading it would take minutes
        file.seek(0, 2)
        file.write(b"\n" + b"end\n" * 5)
    tail = output(printer).tail(3, finished=True)
    assert [(line.number, line.text) for line in tail.lines] == [(None, "end")] * 3
    assert output(printer).page(tail.next, finished=True).lines == []


@pytest.mark.parametrize("text", ["x", "€", "", "AAAA", "eJwDAAAAAAE", "a" * 5000])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no place"):
        cursor.decode(text)


_WRITES = st.lists(
    st.tuples(
        st.sampled_from(["out", "err"]),
        st.sampled_from([None, "a", "b"]),
        st.text(st.sampled_from("ab\n\n\r"), max_size=6),
        st.booleans(),
    ),
    max_size=25,
)


@settings(deadline=None)  # it writes files
@given(writes=_WRITES, most=st.sampled_from([1, 300, 100_000]), count=st.integers(1, 12))
def test_following_paging_and_the_tail_agree_with_reading_all(
    writes: list[tuple[str, str | None, str, bool]], most: int, count: int
) -> None:
    with tempfile.TemporaryDirectory() as base:
        printer = Printer(Path(base))
        followed: list[Line] = []
        after: Cursor = BEGINNING
        for at, (stream, step, text, look) in enumerate(writes):
            printer.say(text, stream="out" if stream == "out" else "err", step=step, at=at + 1)
            if look:
                lines, after = read_on(output(printer), after, finished=False, most=most)
                followed += lines
        followed += read_on(output(printer), after, finished=True, most=most)[0]
        whole = everything(output(printer))
        # Those that end only with the run come last, and so have other numbers and another place.
        assert sorted(map(repr, (line[1:] for line in followed))) == sorted(map(repr, (line[1:] for line in whole)))
        assert everything(output(printer), most=most) == whole
        tail = output(printer).tail(count, finished=True)
        assert tail.lines == whole[-count:]
        assert output(printer).page(tail.next, finished=True).lines == []

"""Which steps may begin and which never will: the same whatever the order in which things happen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runyard as dg
from runyard.definitions.steps import FromMany, FromStep, Step
from runyard.execution.executors.progress import Progress, State, step_priority

OUTPUTS = ("a", "b")


def step(key, inputs=None, *, nothing=(), tags=None):
    ins = {name: dg.In(dg.Nothing) if name in nothing else dg.In() for name in inputs or {}}

    def body(**_inputs):
        pass

    out = {name: dg.Out(is_required=False) for name in OUTPUTS}
    return Step(key, dg.op(name=key, ins=ins, out=out)(body), inputs or {}, tags or {}, None)


@st.composite
def plans(draw):
    steps = []
    for i in range(draw(st.integers(1, 8))):
        keys = [one.key for one in steps]
        singles = st.builds(FromStep, st.sampled_from(keys), st.sampled_from(OUTPUTS)) if keys else st.nothing()
        sources = singles | st.builds(FromMany, st.lists(singles, min_size=1, max_size=3).map(tuple))
        inputs = draw(st.dictionaries(st.sampled_from(["x", "y"]), sources, max_size=2)) if keys else {}
        nothing = draw(st.sets(st.sampled_from(["x", "y"])))
        tags = draw(
            st.sampled_from([{}, {"dagster/priority": "3"}, {"dagster/priority": "-1"}, {"dagster/priority": "x"}])
        )
        steps.append(step(f"s{i}", inputs, nothing=nothing, tags=tags))
    return steps


def fates(steps):
    """What each step does when it is tried: how often it fails first, and what it gives then; None: it fails."""
    one = st.tuples(st.integers(0, 2), st.none() | st.sets(st.sampled_from(OUTPUTS)))
    return st.fixed_dictionaries({s.key: one for s in steps})


def oracle(steps, fate, only, done):
    """Visit the steps one after the other, as one would on paper."""
    states, given_ = {}, set()
    for s in steps:
        if s.key in done:
            states[s.key] = State.SUCCEEDED
            given_ |= {(s.key, name) for name in done[s.key]}
        elif only is not None and s.key not in only:
            states[s.key] = State.LEFT_OUT
        else:
            states[s.key] = visit(s, states, given_, fate)
    return states


def visit(s, states, given_, fate):
    needed = {states[key] for key in s.needs()}
    if State.FAILED in needed:
        return State.BLOCKED
    for name, source in s.inputs.items():
        singles = source.sources if isinstance(source, FromMany) else (source,)
        unordered = s.op.ins[name].is_nothing and any(states[one.step_key] is State.LEFT_OUT for one in singles)
        if not unordered and not any(one in given_ for one in singles):
            return State.BLOCKED if State.BLOCKED in needed else State.SKIPPED
    if State.BLOCKED in needed:
        return State.BLOCKED
    outputs = fate[s.key][1]
    if outputs is None:
        return State.FAILED
    given_ |= {(s.key, name) for name in outputs}
    return State.SUCCEEDED


class Drive:
    """Has a Progress run to its end, the next thing to happen chosen by ``draw``."""

    def __init__(self, steps, progress, fate, draw):
        self.steps, self.progress, self.fate, self.draw = steps, progress, fate, draw
        self.now, self.running, self.skipped, self.begun = 0.0, [], {}, []

    def run(self):
        self.take_skips()
        while not self.progress.finished:
            ready = list(self.progress.ready(self.now))
            self.check_order(ready)
            moves = [*(("begin", s.key) for s in ready), *(("end", key) for key in self.running)]
            if not moves:
                self.now = self.progress.next_retry()
                assert self.now is not None, "nothing is ready, running or waiting, and yet it is not finished"
                continue
            self.move(*moves[self.draw(st.integers(0, len(moves) - 1))])
            self.take_skips()

    def check_order(self, ready):
        index = {s.key: i for i, s in enumerate(self.steps)}
        assert ready == sorted(ready, key=lambda s: (-step_priority(s), index[s.key]))

    def move(self, what, key):
        if what == "begin":
            self.progress.begin(key)
            self.running.append(key)
            self.begun.append(key)
            return
        self.running.remove(key)
        fails, outputs = self.fate[key]
        if self.progress.tries(key) < fails:
            self.progress.again(key, self.now + self.draw(st.integers(0, 5)))
        elif outputs is None:
            self.progress.failed(key)
        else:
            self.progress.succeeded(key, outputs)

    def take_skips(self):
        for skip in self.progress.take_skips():
            assert skip.step.key not in self.skipped
            self.skipped[skip.step.key] = skip.why


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_end_is_that_of_the_oracle_whatever_happens_first(data):
    steps = data.draw(plans())
    fate = data.draw(fates(steps))
    keys = [s.key for s in steps]
    only = data.draw(st.none() | st.sets(st.sampled_from(keys)))
    done = data.draw(st.dictionaries(st.sampled_from(keys), st.sets(st.sampled_from(OUTPUTS)), max_size=3))
    progress = Progress(steps, only=only, done=done)
    drive = Drive(steps, progress, fate, data.draw)
    drive.run()
    expected = oracle(steps, fate, only, done)
    assert {key: progress.state(key) for key in keys} == expected
    assert set(drive.skipped) == {key for key in keys if expected[key] in (State.SKIPPED, State.BLOCKED)}
    assert {s.key for s in progress.left()} == {k for k in keys if expected[k] in (State.FAILED, State.BLOCKED)}
    # Each try of each step was begun once, and nothing that is not to be done was begun at all.
    ran = {key for key in keys if key not in done and expected[key] in (State.SUCCEEDED, State.FAILED)}
    assert {key: drive.begun.count(key) for key in ran} == {key: fate[key][0] + 1 for key in ran}
    assert set(drive.begun) == ran


@pytest.mark.parametrize(
    ("tag", "priority"),
    [
        *(("5", 5), ("-2", -2), ("high", 0), ("", 0), ("1.5", 0)),
        *((str(2**40), 2**31 - 1), (str(-(2**40)), -(2**31)), ("9" * 5000, 2**31 - 1)),
    ],
)
def test_a_priority_that_is_no_whole_number_counts_as_none_and_a_very_large_one_as_the_largest(tag, priority):
    assert step_priority(step("a", tags={"dagster/priority": tag})) == priority


def test_a_chain_longer_than_the_stack_is_skipped_to_its_end():
    steps = [step("s0"), *(step(f"s{i}", {"x": FromStep(f"s{i - 1}", "a")}) for i in range(1, 3000))]
    progress = Progress(steps)
    progress.begin("s0")
    progress.failed("s0")
    assert progress.finished
    assert len(progress.take_skips()) == 2999


def test_a_waiting_retry_is_ready_at_its_time_and_not_before():
    progress = Progress([step("s0"), step("s1")])
    progress.begin("s0")
    progress.again("s0", 10.0)
    assert [s.key for s in progress.ready(9.9)] == ["s1"]
    assert (progress.next_retry(), progress.between_tries(), progress.tries("s0")) == (10.0, ["s0"], 1)
    assert [s.key for s in progress.ready(10.0)] == ["s0", "s1"]
    assert (progress.next_retry(), progress.between_tries()) == (None, ["s0"])
    progress.begin("s0")
    assert progress.between_tries() == []


def test_the_output_without_a_value_of_a_step_done_before_orders_what_comes_after():
    @dg.op
    def first() -> None:
        pass

    @dg.op(ins={"after": dg.In(dg.Nothing)})
    def second():
        pass

    @dg.job
    def ordered():
        second(after=first())

    progress = Progress(ordered.steps, done={"first": ()})
    assert [s.key for s in progress.ready(0)] == ["second"]

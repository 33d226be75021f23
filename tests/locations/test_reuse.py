"""Which steps are done again, decided without doing anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import runyard as dg
from runyard.definitions.steps import Step
from runyard.locations.worker.reuse import what_to_do


def chain() -> tuple[Step, ...]:
    """made → used → last, and other beside them."""

    @dg.op
    def made() -> int:
        return 1

    @dg.op
    def used(value: int) -> int:
        return value

    @dg.op
    def last(value: int) -> None: ...

    @dg.op
    def other() -> None: ...

    @dg.job
    def job() -> None:
        last(used(made()))
        other()

    return job.steps


STEPS = chain()
KEYS = [step.key for step in STEPS]
NEEDS = {step.key: step.needs() for step in STEPS}
RESULT = ("result",)


def every(*keys: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(keys, RESULT)


def pairs(*keys: str) -> set[tuple[str, str]]:
    return {(key, "result") for key in keys}


def test_without_anything_before_all_is_done() -> None:
    assert what_to_do(STEPS, {}, set(), None) == ({}, None)


def test_what_succeeded_is_not_done_again() -> None:
    found = what_to_do(STEPS, every("made", "used"), pairs("made", "used"), None)
    assert found == (every("made", "used"), None)


def test_a_value_that_is_gone_and_needed_is_made_again_with_what_that_needs() -> None:
    assert what_to_do(STEPS, every("made", "used"), pairs("made"), None).done == every("made")
    assert what_to_do(STEPS, every("made", "used"), set(), None).done == {}


def test_a_value_that_is_gone_and_not_needed_is_left_alone() -> None:
    assert what_to_do(STEPS, every("made", "used"), pairs("used"), None).done == every("made", "used")
    assert what_to_do(STEPS, every(*KEYS), set(), None).done == every(*KEYS)


def test_a_selection_takes_along_only_what_it_needs() -> None:
    before = every("made", "used", "other")
    assert what_to_do(STEPS, before, pairs(*before), {"last"}) == (every("used"), {"last"})


def test_a_selected_step_whose_input_cannot_be_had_has_it_made() -> None:
    assert what_to_do(STEPS, every("made"), pairs("made"), {"last"}) == (every("made"), {"last", "used"})
    assert what_to_do(STEPS, {}, set(), {"last"}) == ({}, {"last", "used", "made"})


def test_an_output_that_was_not_given_needs_not_be_kept() -> None:
    before = {"made": (), **every("last")}
    assert what_to_do(STEPS, before, set(), None).done == before


some_keys = st.sets(st.sampled_from(KEYS))


@given(before=some_keys, kept=some_keys, selected=st.none() | some_keys)
def test_every_step_that_is_done_has_its_inputs_and_nothing_is_done_in_vain(
    before: set[str], kept: set[str], selected: set[str] | None
) -> None:
    done, only = what_to_do(STEPS, every(*before), pairs(*kept), selected)
    wanted = set(KEYS) if selected is None else selected
    to_do = (set(KEYS) if only is None else set(only)) - done.keys()
    assert wanted <= to_do | done.keys()
    for key in to_do:
        assert all(need in to_do or (need in done and need in kept) for need in NEEDS[key])
        # Asked for and not done before, or made because somebody needs it.
        assert (key in wanted and key not in before) or any(key in NEEDS[user] for user in to_do)

"""What the log says of a failed try: one sentence of the user's, whatever his message ends with, then ours."""

from __future__ import annotations

import pytest

from runyard.core.clock import ManualClock
from runyard.core.events import ErrorInfo
from runyard.core.text import sentence
from runyard.execution.emitter import Emitter
from runyard.execution.step_events import StepEvents

from .fake_host import Sink

ENDINGS = {
    "not yet, try again.": "not yet, try again.",
    "no luck": "no luck.",
    "why?": "why?",
    "stop!": "stop!",
    "and so on…": "and so on…",
    "and so on...": "and so on...",
    'he said "no."': 'he said "no."',
    'he said "no"': 'he said "no".',
    "(see the log.)": "(see the log.)",
    "rows lost:\n  1\n  2": "rows lost.",
    "\n\n  at last a line  \n": "at last a line.",
    "one,": "one.",
    "": "",
    " \n ": "",
}


@pytest.mark.parametrize("text", ENDINGS)
def test_a_persons_text_becomes_one_sentence(text: str) -> None:
    assert sentence(text) == ENDINGS[text]


def said(message: str) -> tuple[str, str]:
    sink = Sink()
    events = StepEvents(Emitter(sink, ManualClock(), "r", 1), "load")
    events.up_for_retry(ErrorInfo("ValueError", message), 2.0, 1)
    events.failed(ErrorInfo("ValueError", message))
    again, failed = (event.message for event in sink.events)
    return again, failed


def test_the_next_try_is_announced_in_a_sentence_of_its_own() -> None:
    assert said("not yet, try again.") == (
        "Step 'load' failed: ValueError: not yet, try again. It is tried again in 2 s (retry 1).",
        "Step 'load' failed: ValueError: not yet, try again.",
    )


def test_an_error_without_a_message_is_called_by_its_class() -> None:
    assert said("") == (
        "Step 'load' failed: ValueError. It is tried again in 2 s (retry 1).",
        "Step 'load' failed: ValueError.",
    )

"""Crons that dagster 1.13.27 was asked about: which it refuses, and the next times of the others.

``crons_of_the_field.json`` has the answers. Left out are forms in which it contradicts the rule, its neighbours or
itself; docs/compatibility.md names them:

* ``5-5`` and ``6/2`` on the last value of a field, which it takes for the whole field;
* a step in a range over the end of the field, ``22-2/3``, which it counts anew there;
* a day of month beside ``5#2`` or ``L5``, and ``*/1`` beside another day field that starts with ``*``.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runyard.schedule.cron import next_times, previous_time, validate_cron
from runyard.schedule.errors import InvalidCron

ANSWERS = json.loads(Path(__file__).with_name("crons_of_the_field.json").read_text())


@pytest.mark.parametrize("expression", ANSWERS["times"])
def test_the_same_times(expression: str) -> None:
    for (zone_name, start), expected in zip(ANSWERS["after"], ANSWERS["times"][expression], strict=True):
        zone = ZoneInfo(zone_name)
        after = datetime.fromisoformat(start).replace(tzinfo=zone).timestamp()
        times = list(islice(next_times([expression], zone_name, after), len(expected)))
        shown = [datetime.fromtimestamp(time, zone).isoformat(timespec="minutes") for time in times]
        assert shown == expected, zone_name
        assert [previous_time([expression], zone_name, time) for time in times] == times


@pytest.mark.parametrize("expression", ANSWERS["refused"])
def test_the_same_refusals(expression: str) -> None:
    with pytest.raises(InvalidCron):
        validate_cron(expression)

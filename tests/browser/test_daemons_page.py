"""Deployment > Daemons."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .dev_yard import DevYard


@pytest.mark.parametrize("name", ["Scheduler", "Run queue", "Sensors", "Run monitor"])
def test_every_daemon_has_its_row(page: Page, dev: DevYard, name: str) -> None:
    page.goto("/deployment/daemons")
    row = page.get_by_role("row").filter(has_text=name)
    expect(row.first).to_be_visible()


def test_a_daemon_that_is_off_says_by_which_setting(page: Page, dev: DevYard) -> None:
    page.goto("/deployment/daemons")
    expect(page.get_by_role("row").filter(has_text="run_monitoring.enabled: false").first).to_contain_text("Off")


def test_the_others_are_well(page: Page, dev: DevYard) -> None:
    page.goto("/deployment/daemons")
    for bad in ("Not running", "Hung in a call", "Failing", "Late"):
        expect(page.get_by_role("table").get_by_text(bad, exact=True)).to_have_count(0)

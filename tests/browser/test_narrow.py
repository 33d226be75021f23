"""At 390 px nothing scrolls sideways, and every page of the interface draws without an error."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .dev_yard import DevYard

PATHS = (
    "/runs",
    "/queue",
    "/queue/what-if",
    "/jobs",
    "/jobs/jobs.py/report",
    "/jobs/jobs.py/report/launchpad",
    "/automation",
    "/deployment/daemons",
    "/deployment/locations",
    "/deployment/concurrency",
    "/deployment/configuration",
)

#: How far each table's head ends from the table's edge: a cell that spans hidden columns opens them again.
GAPS = """
[...document.querySelectorAll('table:has(thead)')].map((table) => {
  const heads = [...table.tHead.rows[0].cells].filter((cell) => cell.offsetWidth > 0);
  return table.getBoundingClientRect().right - heads[heads.length - 1].getBoundingClientRect().right;
})
"""
TABLES = ("/runs", "/queue", "/jobs", "/automation", "/deployment/daemons", "/deployment/concurrency")


@pytest.fixture
def busy(dev: DevYard) -> str:
    """Something runs, something waits; the id of what runs."""
    holder = dev.launch("gate", team="docs", note="a tag with a value that is longer than a narrow screen is wide")
    dev.launch("gate", team="docs")
    dev.wait_status(holder, "STARTED")
    return holder


@pytest.fixture
def failed(dev: DevYard) -> str:
    """A run with retries, skipped steps and output."""
    run_id = dev.launch("ingest")
    dev.wait_status(run_id, "FAILURE")
    return run_id


@pytest.mark.parametrize("page", [(390, 844)], indirect=True, ids=["390px"])
def test_nothing_scrolls_sideways(busy: str, failed: str, page: Page) -> None:
    for path in (*PATHS, f"/runs/{busy}", f"/runs/{failed}"):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        page.wait_for_load_state("load")
        wide = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"


@pytest.mark.parametrize("page", [(1440, 900), (900, 900)], indirect=True, ids=["1440px", "900px"])
def test_every_page_draws_without_an_error(busy: str, failed: str, page: Page) -> None:
    for path in (*PATHS, f"/runs/{busy}", f"/runs/{failed}"):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.get_by_text("Something went wrong")).to_have_count(0)
        if path in TABLES:
            expect(page.locator("tbody tr").first).to_be_visible()
            gaps = page.evaluate(GAPS)
            assert all(abs(gap) <= 2 for gap in gaps), f"{path}: a head ends short of its table by {gaps} px"

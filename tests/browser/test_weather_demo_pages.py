"""What `make demo` runs, as a newcomer sees it in the browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from weather_demo import demo

#: Milliseconds; a newcomer is promised all of this within the first minute.
PATIENCE = 60_000


def test_a_newcomer_sees_files_land_runs_wait_and_finish(browser: Browser, tmp_path: Path) -> None:
    with demo(tmp_path / "demo") as (_, url):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{url}/queue")
        waiting = page.get_by_role("row").filter(has_text="reprocess_month").first
        expect(waiting).to_contain_text("database=weather 2 of 2, held by", timeout=PATIENCE)
        page.goto(f"{url}/runs")
        for job in ("ingest_day", "reprocess_month"):
            finished = page.get_by_role("row").filter(has_text=job).filter(has_text="Success").first
            expect(finished).to_be_visible(timeout=PATIENCE)
        page.close()

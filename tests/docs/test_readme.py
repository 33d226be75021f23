"""The README's code works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import runyard as dg
from runyard.locations.workspace_file import read_workspace
from runyard.settings.loading import load_settings

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in text]
    return found


def test_the_example_job_runs() -> None:
    names: dict[str, dg.Definitions] = {}
    exec(block("python", "morning"), names)  # noqa: S102 - the README's own code
    defs = names["defs"]
    assert defs.get_schedule_def("morning_schedule").cron_schedule == "0 7 * * *"
    assert defs.get_job_def("morning").execute_in_process().success


def test_the_instance_file_is_read_without_a_complaint(tmp_path: Path) -> None:
    text = block("yaml", "max_concurrent_runs")
    (tmp_path / "runyard.yaml").write_text(text, encoding="utf-8")
    settings = load_settings(str(tmp_path), env={"DATABASE_URL": "postgresql://somewhere/db"})
    assert settings.notices == ()
    assert settings.monitoring.enabled
    assert len(settings.queue.rules.tag_rules) == len(
        yaml.safe_load(text)["concurrency"]["runs"]["tag_concurrency_limits"]
    )


def test_the_workspace_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text(block("yaml", "load_from"), encoding="utf-8")
    assert [spec.kind for spec in read_workspace(tmp_path / "workspace.yaml", env={})] == [
        "python_file",
        "python_module",
    ]


def test_links_lead_somewhere() -> None:
    root = Path(__file__).parents[2]
    pages = [root / "README.md", *(root / "docs").glob("*.md"), root / "examples" / "weather" / "README.md"]
    missing = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    # The screenshot is taken from the finished pages.
    assert [link for link in missing if not link.endswith("images/queue.png")] == []

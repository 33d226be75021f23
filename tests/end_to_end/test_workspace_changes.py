"""The workspace file and the code are followed by a running daemon."""

from __future__ import annotations

from runyard.core.location import LocationState
from runyard.core.run import RunStatus

EXTRA = """
import runyard as dg

@dg.op
def nothing(): ...

@dg.job
def extra_job():
    nothing()
"""


def test_a_changed_workspace_file_is_live_within_two_seconds(make_yard) -> None:
    yard = make_yard()
    yard.start()
    (yard.directory / "extra.py").write_text(EXTRA)
    yard.workspace_file.write_text("load_from:\n  - python_file: jobs.py\n  - python_file: extra.py\n")

    def extra_loaded() -> bool:
        record = yard.location("extra.py")
        return record is not None and record.state is LocationState.LOADED

    yard.wait(extra_loaded, seconds=2.0)
    yard.workspace_file.write_text("load_from:\n  - python_file: jobs.py\n")
    yard.wait(lambda: yard.location("extra.py") is None, seconds=2.0)


def test_changed_code_is_loaded_while_a_run_goes_on(make_yard) -> None:
    yard = make_yard()
    yard.start()
    run_id = yard.submit()
    yard.wait_mark(f"begin {run_id}")
    code = yard.directory / "jobs.py"
    code.write_text(
        code.read_text().replace("def tiny():", "def tiny_renamed():").replace("[gate, tiny]", "[gate, tiny_renamed]")
    )
    yard.wait(lambda: yard.location().definitions.job("tiny_renamed"))
    yard.go(run_id)
    assert yard.wait_end(run_id).status is RunStatus.SUCCESS


def test_code_that_breaks_keeps_the_last_good_definitions_and_shows_the_error(make_yard) -> None:
    yard = make_yard()
    yard.start()
    code = yard.directory / "jobs.py"
    good = code.read_text()
    code.write_text(good + "\nraise RuntimeError('half an edit')\n")
    record = yard.wait(lambda: yard.location() if yard.location().state is LocationState.ERROR else None)
    assert "half an edit" in record.error.message
    assert record.definitions.job("tiny") is not None
    code.write_text(good)
    yard.wait(lambda: yard.location().state is LocationState.LOADED)
    assert yard.wait_end(yard.submit("tiny")).status is RunStatus.SUCCESS

"""The package itself: light to import, names where they should be, and clear about those that are not there."""

import subprocess
import sys

import pytest

import runyard as dg


def fresh(code, *options):
    """Run ``code`` in a new interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = "{'pydantic', 'sqlalchemy', 'grpc', 'fastapi', 'alembic', 'asyncio', 'msgspec', 'cronsim', 'logging'}"


def test_definitions_without_config_import_nothing_heavy():
    code = f"""
import sys
import runyard as dg

@dg.op
def one(context: dg.In) -> int:
    return 1

@dg.job
def main():
    one()

@dg.sensor(job=main)
def watch():
    return dg.RunRequest()

dg.Definitions(jobs=[main], sensors=[watch])
print(sorted({HEAVY} & set(sys.modules)))
"""
    assert fresh(code) == "[]"


def test_execution_needs_no_database_and_no_server():
    code = """
import sys
import runyard.execution.run, runyard.execution.evaluate, runyard.execution.engine
import runyard.definitions.loading, runyard.definitions.describe
print(sorted({'sqlalchemy', 'grpc', 'fastapi', 'alembic', 'psycopg'} & set(sys.modules)))
"""
    assert fresh(code) == "[]"


def test_every_name_that_is_offered_is_there():
    names = [name for name in dir(dg) if not name.startswith("_")]
    assert len(names) > 70
    for name in names:
        assert getattr(dg, name) is not None


def test_packages_do_not_hide_decorators_of_the_same_name():
    code = """
import runyard.schedule.cron, runyard.definitions.job
import runyard as dg
from runyard import schedule, definitions
import runyard.schedule.catchup
print(callable(dg.schedule), callable(dg.definitions), schedule is dg.schedule)
"""
    assert fresh(code) == "True True True"


def test_missing_names_are_told_with_the_nearest():
    with pytest.raises(ImportError, match=r"'schedul' is missing in Runyard .* Did you mean 'schedule'"):
        from runyard import schedul  # noqa: F401, PLC0415
    with pytest.raises(AttributeError, match=r"'Definition' is missing in Runyard .* Did you mean 'Definitions'"):
        dg.Definition  # noqa: B018 - asking is the test
    assert not hasattr(dg, "nothing_like_it")
    from runyard import compat  # noqa: PLC0415 - submodules can still be imported

    assert compat.alias_dagster


def test_import_dagster_can_mean_runyard():
    code = """
from runyard.compat import alias_dagster
alias_dagster()
alias_dagster()
import dagster
import dagster as dg
import runyard
from dagster import job, op
import dagster.core.text, runyard.core.text
print(dagster is runyard, job is runyard.job, dg.op is op)
try:
    from dagster import multi_asset
except ImportError as error:
    print(error)
try:
    import dagster._core.storage
except ImportError as error:
    print(error)
import sys
print(sys.modules['dagster.core.text'] is sys.modules['runyard.core.text'], runyard.core.text.__spec__.name)
"""
    lines = fresh(code, "-W", "error").splitlines()
    assert lines[0] == "True True True"
    assert "'multi_asset' is missing in Runyard" in lines[1]
    assert "'dagster._core' is missing in Runyard" in lines[2]
    assert lines[3] == "True runyard.core.text"

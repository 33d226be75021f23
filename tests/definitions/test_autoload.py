"""autoload_defs_module: every module below it is loaded, and what they define is put together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from runyard.core.errors import InvalidDefinition
from runyard.definitions.definitions import Resolved
from runyard.definitions.errors import LocationLoadError
from runyard.definitions.loading import load_definitions

HEAD = "import runyard as dg\n\n@dg.op\ndef one(): ...\n\n"


def job(*names: str, more: str = "") -> str:
    return HEAD + "".join(f"@dg.job\ndef {name}():\n    one()\n\n" for name in names) + more


def defs(*names: str, variable: str = "defs", more: str = "") -> str:
    return job(*names, more=f"{variable} = dg.Definitions(jobs=[{', '.join(names)}]{more})\n")


Load = Callable[[Mapping[str, str]], Resolved]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Write modules below the package ``jobs_below`` and load it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def load_files(files: Mapping[str, str]) -> Resolved:
        for name, text in {"__init__.py": "", **files}.items():
            path = tmp_path / "jobs_below" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return load_definitions(
            kind="autoload_defs_module", target="jobs_below", working_directory=str(tmp_path)
        ).resolve()

    yield load_files
    for module in set(sys.modules) - before:
        del sys.modules[module]


def test_definitions_of_nested_modules_are_merged(load: Load) -> None:
    found = load({"one.py": defs("a"), "sub/__init__.py": defs("b"), "sub/deep/two.py": defs("c")})
    assert sorted(found.jobs) == ["a", "b", "c"]


def test_loose_jobs_schedules_and_sensors_of_all_modules(load: Load) -> None:
    schedule = "from .jobs import a\nimport runyard as dg\ns = dg.ScheduleDefinition(cron_schedule='@daily', job=a)\n"
    sensor = "import runyard as dg\n@dg.sensor(job_name='a')\ndef watch():\n    return dg.SkipReason('x')\n"
    found = load({"__init__.py": job("top"), "jobs.py": job("a"), "plans.py": schedule, "sensors/new.py": sensor})
    assert (sorted(found.jobs), list(found.schedules), list(found.sensors)) == (["a", "top"], ["a_schedule"], ["watch"])


def test_of_a_module_with_definitions_only_these_count(load: Load) -> None:
    named = job("a", "b", more="_mine = dg.Definitions(jobs=[a])\n")
    lazy = job("c", "d", more="@dg.definitions\ndef defs():\n    return dg.Definitions(jobs=[c])\n")
    assert sorted(load({"named.py": named, "lazy.py": lazy, "loose.py": job("e")}).jobs) == ["a", "c", "e"]


def test_a_file_called_definitions_stands_for_its_whole_directory(load: Load) -> None:
    files = {
        "shop/__init__.py": job("skipped"),
        "shop/definitions.py": defs("a"),
        "shop/other.py": job("skipped_too"),
        "shop/deep/more.py": job("skipped_as_well"),
        "else.py": job("b"),
    }
    assert sorted(load(files).jobs) == ["a", "b"]


def test_private_odd_and_packageless_modules_count_and_hidden_directories_do_not(load: Load) -> None:
    files = {
        "_private.py": job("a"),
        "_more/x.py": job("b"),
        "my-module.py": job("c"),
        ".hidden/x.py": job("no"),
        "__pycache__/x.py": job("no_either"),
        "v1.2/x.py": job("cannot_be_imported"),
        "old.copy.py": job("cannot_be_imported"),
        "data/notes.txt": "no module",
    }
    assert sorted(load(files).jobs) == ["a", "b", "c"]


def test_the_same_object_in_several_modules_is_one(load: Load) -> None:
    again = "from .one import a, defs\n"
    assert sorted(load({"one.py": defs("a"), "two.py": again, "three.py": "from .one import a\n"}).jobs) == ["a"]


def test_one_file_gives_the_resources_and_another_the_jobs(load: Load) -> None:
    needs = "import runyard as dg\n@dg.op(required_resource_keys={'r'})\ndef o(): ...\n@dg.job\ndef j():\n    o()\n"
    found = load(
        {"jobs.py": needs, "resources.py": "import runyard as dg\ndefs = dg.Definitions(resources={'r': 5})\n"}
    )
    assert found.jobs["j"].needed_resources() is not None


def test_nothing_at_all_is_no_error(load: Load) -> None:
    ops_only = "import runyard as dg\n@dg.op\ndef o(): ...\n@dg.graph\ndef g():\n    o()\n"
    assert load({"ops.py": ops_only, "empty.py": ""}).jobs == {}


@pytest.mark.parametrize(
    ("files", "error", "told"),
    [
        ({"x.py": "raise ValueError('boom')\n"}, ValueError, "boom"),
        ({"one.py": job("a"), "two.py": job("a")}, InvalidDefinition, r"called 'a'.*one\.py.*two\.py"),
        (
            {"x.py": job("a", "b", more="d1 = dg.Definitions(jobs=[a])\nd2 = dg.Definitions(jobs=[b])\n")},
            LocationLoadError,
            "x.py has 2 Definitions",
        ),
        (
            {
                "a.py": "import runyard as dg\ndefs = dg.Definitions(resources={'r': 'x'})\n",
                "b.py": "import runyard as dg\ndefs = dg.Definitions(resources={'r': 'y'})\n",
            },
            InvalidDefinition,
            "the resource 'r' is given twice",
        ),
    ],
)
def test_refusals(load: Load, files: dict[str, str], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        load(files)


def test_a_module_that_is_no_package_is_loaded_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "only_this_one.py").write_text(job("a"))
    (tmp_path / "beside_it.py").write_text("raise ValueError\n")
    found = load_definitions(
        kind="autoload_defs_module", target="only_this_one", working_directory=str(tmp_path)
    ).resolve()
    assert list(found.jobs) == ["a"]
    del sys.modules["only_this_one"]

"""Every form of a workspace entry, and what is wrong with those that are not."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.core.errors import ConfigError
from runyard.locations.spec import LocationSpec
from runyard.locations.workspace_file import default_name, read_workspace

Read = Callable[..., list[LocationSpec]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(text: str, **env: str) -> list[LocationSpec]:
        file = tmp_path / "workspace.yaml"
        file.write_text(textwrap.dedent(text))
        return read_workspace(file, env=env)

    return write_and_read


def test_strings(read: Read, tmp_path: Path) -> None:
    here = str(tmp_path)
    assert read(
        """
        load_from:
          - python_file: sub/jobs.py
          - python_module: my.module
          - python_package: my_package
          - autoload_defs_module: my.defs
        """
    ) == [
        LocationSpec(name="jobs.py", kind="python_file", target=f"{here}/sub/jobs.py", working_directory=here),
        LocationSpec(name="my.module", kind="python_module", target="my.module", working_directory=here),
        LocationSpec(name="my_package", kind="python_package", target="my_package", working_directory=here),
        LocationSpec(name="my.defs", kind="autoload_defs_module", target="my.defs", working_directory=here),
    ]


def test_mappings(read: Read, tmp_path: Path) -> None:
    here = str(tmp_path)
    assert read(
        """
        load_from:
          - python_file:
              relative_path: ../jobs.py
              attribute: defs
              location_name: etl
              working_directory: src
              executable_path: venv/bin/python
              start_method: spawn
              compat: true
          - python_module: {module_name: a.b, attribute: make, executable_path: /usr/bin/python3}
          - python_package: {package_name: pack, working_directory: /elsewhere, executable_path: python3.12}
          - autoload_defs_module: {module_name: a.defs, location_name: auto, start_method: fork}
        """
    ) == [
        LocationSpec(
            name="etl",
            kind="python_file",
            target=str(tmp_path.parent / "jobs.py"),
            attribute="defs",
            working_directory=f"{here}/src",
            executable_path=f"{here}/venv/bin/python",
            start_method="spawn",
            compat=True,
        ),
        LocationSpec(
            name="a.b:make",
            kind="python_module",
            target="a.b",
            attribute="make",
            working_directory=here,
            executable_path="/usr/bin/python3",
        ),
        LocationSpec(
            name="pack",
            kind="python_package",
            target="pack",
            working_directory="/elsewhere",
            executable_path="python3.12",
        ),
        LocationSpec(
            name="auto", kind="autoload_defs_module", target="a.defs", working_directory=here, start_method="fork"
        ),
    ]


def test_values_from_variables(read: Read, tmp_path: Path) -> None:
    first, second = read(
        """
        load_from:
          - python_file: {env: FILE}
          - python_module: {module_name: {env: MODULE}, location_name: {env: NAME}}
        """,
        FILE="x.py",
        MODULE="m",
        NAME="n",
    )
    assert (first.name, first.target) == ("x.py", str(tmp_path / "x.py"))
    assert (second.name, second.target) == ("n", "m")


def test_an_anchor_may_bring_common_keys(read: Read) -> None:
    specs = read(
        """
        load_from:
          - python_module: &common {module_name: a, start_method: spawn}
          - python_module: {<<: *common, module_name: b}
        """
    )
    assert [(spec.name, spec.start_method) for spec in specs] == [("a", "spawn"), ("b", "spawn")]


def test_an_empty_list_is_an_empty_workspace(read: Read) -> None:
    assert read("load_from: []") == []
    assert read("load_from:") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"load_from: missing"),
        ("load_form: []", r":1: load_form: unknown key. Did you mean 'load_from'\?"),
        ("load_from: jobs.py", r":1: load_from: expected a list, got a single value"),
        ("load_from:\n  - jobs.py", r":2: load_from\[0\]: expected a mapping with keys of python_file"),
        (
            "load_from:\n  - pyhton_file: a.py",
            r":2: load_from\[0\]\.pyhton_file: unknown key. Did you mean 'python_file'",
        ),
        (
            "load_from:\n  - python_file: {path: a.py}",
            r":2: load_from\[0\]\.python_file\.path: unknown key.* Keys here: relative_path, ",
        ),
        ("load_from:\n  - python_file: {attribute: a}", r"python_file\.relative_path: missing; it is required"),
        ("load_from:\n  - python_module: {module_nam: a}", r"Did you mean 'module_name'"),
        ("load_from:\n  - autoload_defs_module: {module_name: a, attribute: b}", r"attribute: unknown key"),
        ("load_from:\n  - python_file: 5", r":2: load_from\[0\]\.python_file: expected a string, got 5"),
        ("load_from:\n  - python_file: [a.py]", r"python_file: expected a string, got a list"),
        (
            "load_from:\n  - python_file: {relative_path: a.py, start_method: thread}",
            r"start_method: expected one of fork",
        ),
        ("load_from:\n  - python_file: {env: NOT_THERE}", r"the environment variable NOT_THERE is not set"),
        (
            "load_from:\n  - {python_file: a.py, python_module: b}",
            r"give exactly one of .* not python_file and python_mod",
        ),
        ("load_from:\n  - {}", r"load_from\[0\]: give exactly one of python_file"),
        ("load_from:\n  - grpc_server: {host: a, port: 1}", r":2: load_from\[0\]\.grpc_server: .* not there yet"),
        (
            "load_from:\n  - python_file: a/jobs.py\n  - python_file: b/jobs.py",
            r"workspace\.yaml:3: two locations are named 'jobs\.py', the first at .*\.yaml:2; give one of them",
        ),
        ("load_from: [", r"workspace\.yaml:2:1: malformed YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(read: Read, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert re.search(told, str(caught.value)), str(caught.value)
    assert "workspace.yaml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_workspace(tmp_path / "workspace.yaml", env={})


@given(st.text(st.characters(categories=["L", "N"]), min_size=1), st.none() | st.just("defs"))
def test_the_default_name_tells_attributes_apart(module: str, attribute: str | None) -> None:
    assert default_name("python_module", module, attribute) == (f"{module}:defs" if attribute else module)
    assert default_name("python_file", f"/a/{module}.py", None) == f"{module}.py"

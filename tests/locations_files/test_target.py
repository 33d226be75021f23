"""What a command works on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runyard.core.errors import ConfigError
from runyard.locations.spec import LocationSpec
from runyard.locations.target import NoTarget, TargetOptions, WorkspaceTarget, resolve_target


def resolve(cwd: Path, **options: object) -> WorkspaceTarget:
    return resolve_target(TargetOptions(**options), str(cwd))  # type: ignore[arg-type] # checked by what is asserted


def names(target: WorkspaceTarget) -> list[str]:
    return [spec.name for spec in target.specs(env={})]


def test_files_modules_and_packages_by_option(tmp_path: Path) -> None:
    target = resolve(
        tmp_path,
        python_file=("a.py", "/abs/b.py"),
        module_name=("m",),
        package_name=("p",),
        autoload_defs_module_name=("d",),
        working_directory="src",
    )
    assert [(spec.kind, spec.target) for spec in target.specs()] == [
        ("python_file", str(tmp_path / "a.py")),
        ("python_file", "/abs/b.py"),
        ("python_module", "m"),
        ("python_package", "p"),
        ("autoload_defs_module", "d"),
    ]
    assert {spec.working_directory for spec in target.specs()} == {str(tmp_path / "src")}
    assert target.watched_files() == []


def test_attributes_go_with_the_targets_in_order(tmp_path: Path) -> None:
    target = resolve(tmp_path, python_file=("a.py", "a.py"), attribute=("one", "two"))
    assert names(target) == ["a.py:one", "a.py:two"]
    with pytest.raises(ConfigError, match="-a is given 1 times for 2 files and modules"):
        resolve(tmp_path, python_file=("a.py", "b.py"), attribute=("one",))
    with pytest.raises(ConfigError, match="-a is given 1 times for 0"):
        resolve(tmp_path, attribute=("one",))


def test_the_same_target_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"two locations are named 'a\.py'"):
        resolve(tmp_path, python_file=("a.py", "./a.py")).specs()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("a/defs.py", "b/defs.py"), ["a.defs.py", "b.defs.py"]),
        (("defs.py", "sub/defs.py"), ["defs.py", "sub.defs.py"]),
        (("x/one/src/defs.py", "x/two/src/defs.py", "jobs.py"), ["one.src.defs.py", "two.src.defs.py", "jobs.py"]),
        (("../defs.py", "/srv/defs.py"), None),
    ],
)
def test_files_of_one_name_are_named_by_where_they_are(
    tmp_path: Path, files: tuple[str, ...], expected: list[str] | None
) -> None:
    found = names(resolve(tmp_path, python_file=files))
    assert len(set(found)) == len(files)
    assert not any("/" in name for name in found)
    if expected is not None:
        assert found == expected


def test_an_attribute_tells_apart_where_the_file_does_not(tmp_path: Path) -> None:
    target = resolve(tmp_path, python_file=("a/d.py", "b/d.py", "b/d.py"), attribute=("x", "x", "y"))
    assert names(target) == ["a.d.py:x", "b.d.py:x", "d.py:y"]


def test_a_module_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two locations are named 'm'"):
        resolve(tmp_path, module_name=("m", "m")).specs()


def test_workspace_files_by_option_add_up_and_are_read_again(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("load_from: [{python_module: a}]")
    (tmp_path / "two.yaml").write_text("load_from: [{python_module: b}]")
    target = resolve(tmp_path, workspace=("one.yaml", "two.yaml"))
    assert names(target) == ["a", "b"]
    assert target.watched_files() == [str(tmp_path / "one.yaml"), str(tmp_path / "two.yaml")]
    (tmp_path / "two.yaml").write_text("load_from: [{python_module: c}]")
    assert names(target) == ["a", "c"]
    (tmp_path / "two.yaml").write_text("load_from: [{python_module: a}]")
    with pytest.raises(ConfigError, match=r"two\.yaml:1: two locations are named 'a', the first at .*one\.yaml:1"):
        target.specs()


@pytest.mark.parametrize("name", ["workspace.yaml", "pyproject.toml"])
def test_a_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(tmp_path / "gone")
    for options in ({}, {"workspace": (name,)}):
        with pytest.raises(ConfigError, match=rf"{name}: .*it is a link to {tmp_path}/gone, which is not there"):
            resolve(tmp_path, **options).specs()


def test_a_workspace_that_is_a_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"workspace\.yaml: the file cannot be read: it is a directory"):
        resolve(tmp_path).specs()


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no workspace file 'nope\.yaml'"):
        resolve(tmp_path, workspace=("nope.yaml",))
    with pytest.raises(ConfigError, match="-w names a workspace file: it excludes -f"):
        resolve(tmp_path, workspace=("nope.yaml",), python_file=("a.py",))


def test_the_default_workspace_file_comes_before_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.runyard]\nmodule_name = "project"\n')
    assert names(resolve(tmp_path)) == ["project"]
    (tmp_path / "workspace.yaml").write_text("load_from: [{python_module: a}]")
    assert names(resolve(tmp_path)) == ["a"]
    assert names(resolve(tmp_path, module_name=("m",))) == ["m"]
    assert names(resolve(tmp_path, empty_workspace=True)) == []


def test_nothing_to_load_is_told_with_what_to_give(tmp_path: Path) -> None:
    for text in (None, "[project]\nname = 'x'\n"):
        if text:
            (tmp_path / "pyproject.toml").write_text(text)
        with pytest.raises(NoTarget, match="give -f FILE, -m MODULE or -w WORKSPACE") as caught:
            resolve(tmp_path)
        assert "\n" not in str(caught.value)


def test_project_tables(tmp_path: Path) -> None:
    def specs(text: str) -> list[LocationSpec]:
        (tmp_path / "pyproject.toml").write_text(text)
        target = resolve(tmp_path)
        assert target.watched_files() == [str(tmp_path / "pyproject.toml")]
        return target.specs()

    (own,) = specs(
        "[tool.runyard]\nmodule_name = 'm'\ncode_location_name = 'n'\ncompat = true\nworking_directory = 'src'\n"
        "start_method = 'spawn'\nattribute = 'defs'\n[tool.dagster]\nmodule_name = 'other'\n"
    )
    assert own == LocationSpec(
        name="n",
        kind="python_module",
        target="m",
        attribute="defs",
        working_directory=str(tmp_path / "src"),
        start_method="spawn",
        compat=True,
    )
    field = specs("[tool.dagster]\nmodules = [{type = 'module', name = 'a'}, {name = 'b'}]\nregistry = 1\n")
    assert [spec.name for spec in field] == ["a", "b"]
    (dg,) = specs("[tool.dg.project]\nroot_module = 'proj'\n")
    assert (dg.name, dg.kind, dg.target) == ("proj", "python_module", "proj.definitions")
    (named,) = specs(
        "[tool.dg.project]\nroot_module = 'proj'\ncode_location_name = 'x'\ncode_location_target_module = 'proj.d'\n"
    )
    assert (named.name, named.target) == ("x", "proj.d")
    (auto,) = specs("[tool.dg.project]\nroot_module = 'proj'\nautoload_defs = true\n")
    assert (auto.kind, auto.target) == ("autoload_defs_module", "proj.defs")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tool.runyard]\nmodul_name = 'm'\n", r"tool\.runyard\.modul_name: unknown key. Did you mean 'module_name'"),
        ("[tool.runyard]\nmodule_name = 5\n", r"tool\.runyard\.module_name: expected a str"),
        ("[tool.runyard]\n", r"tool\.runyard\.module_name: missing"),
        ("[tool.runyard]\nmodules = ['a']\n", r"expected entries like"),
        ("[tool.runyard]\nmodule_name = 'a'\nstart_method = 'x'\n", r"expected one of fork, spawn"),
        (
            "[tool.dagster]\nmodules = [{name = 'a'}, {name = 'b'}]\ncode_location_name = 'x'\n",
            r"code_location_name: it can name only one module",
        ),
        ("[tool]\nrunyard = 1\n", r"\[tool\.runyard\] must be a table"),
        ("[tool.dg.project]\n", r"tool\.dg\.project\.root_module: missing"),
        ("[tool.runyard\n", r"pyproject\.toml: malformed TOML: .*line 1"),
    ],
)
def test_project_tables_that_cannot_be_meant(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        resolve(tmp_path).specs()


def test_a_project_names_its_interpreter_from_its_own_directory(tmp_path: Path) -> None:
    for given, meant in ((".venv/bin/python", f"{tmp_path}/.venv/bin/python"), ("python3", "python3")):
        (tmp_path / "pyproject.toml").write_text(f"[tool.runyard]\nmodule_name = 'a'\nexecutable_path = '{given}'\n")
        (spec,) = resolve(tmp_path).specs(env={})
        assert spec.executable_path == meant


BAD_NAMES = [
    ("", "it is empty"),
    ("a/b", "it would be a path"),
    ("..", "it would be a path"),
    (".", "it would be a path"),
    ("a\\b", "it would be a path"),
    ("a\nb", "it holds a character that is not shown"),
    ("a\x1b]0;x\x07", "it holds a character that is not shown"),
    ("a\u202eb", "it holds a character that is not shown"),
    ("a\x85", "it holds a character that is not shown"),
    (" a", "it begins or ends with a blank"),
    ("a" * 201, "it has 201 characters"),
]


@pytest.mark.parametrize(("name", "fault"), BAD_NAMES)
def test_a_name_that_means_something_elsewhere_is_refused(tmp_path: Path, name: str, fault: str) -> None:
    """From whatever names a location: an option, a workspace file, a project's own file."""
    with pytest.raises(ConfigError, match=f"^the command line: .*cannot be the name of a location: {fault}"):
        resolve(tmp_path, module_name=(name,)).specs()
    written = json.dumps(name)
    (tmp_path / "pyproject.toml").write_text(f'[tool.runyard]\nmodule_name = "m"\ncode_location_name = {written}\n')
    with pytest.raises(ConfigError, match=f"pyproject.toml: .*{fault}.* Give it a location_name of 1 to 200"):
        resolve(tmp_path).specs()
    entry = f"- python_module: {{module_name: m, location_name: {written}}}"
    (tmp_path / "workspace.yaml").write_text(f"load_from:\n{entry}\n")
    with pytest.raises(ConfigError, match=rf"workspace\.yaml:2: .*({fault}|expected a string)") as caught:
        resolve(tmp_path).specs()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["jobs.py", "größe.py", "my jobs.py", "pkg.sub:defs", "日本", "a" * 200])
def test_names_of_files_and_modules_are_names(tmp_path: Path, name: str) -> None:
    assert names(resolve(tmp_path, module_name=(name,))) == [name]


def test_paths_that_cannot_be_passed_on_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'.*/\\udcff' is not valid Unicode text"):
        resolve(tmp_path, python_file=("a.py",), working_directory="\udcff").specs()
    with pytest.raises(ConfigError, match="nobody has the home directory that '~no-such-user' stands for"):
        resolve(tmp_path, python_file=("~no-such-user/a.py",))

"""Files with relative imports: a file is no package's module, and the error says how to load it as one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.definitions.errors import LocationLoadError
from runyard.definitions.loading import load_definitions

DEFS = "from .parts import made\njobs = made\n"
PARTS = "import runyard as dg\n\n@dg.op\ndef one(): ...\n\n@dg.job\ndef made():\n    one()\n"


@pytest.fixture(autouse=True)
def _clean_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for module in set(sys.modules) - before:
        del sys.modules[module]


def write(directory: Path, **files: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.py").write_text(text)


def refusal(kind: str, target: str, directory: Path) -> str:
    with pytest.raises(LocationLoadError) as caught:
        load_definitions(kind=kind, target=target, working_directory=str(directory))
    # The user's own line stays to be seen.
    assert isinstance(caught.value.__cause__, ImportError)
    return str(caught.value)


def test_a_file_of_a_package_is_told_by_its_module_name(tmp_path: Path) -> None:
    write(tmp_path / "shop" / "etl", __init__="", defs=DEFS, parts=PARTS)
    write(tmp_path / "shop", __init__="")
    told = refusal("python_file", str(tmp_path / "shop" / "etl" / "defs.py"), tmp_path)
    assert "defs.py:1 imports relatively" in told
    assert "load it as a module: -m shop.etl.defs" in told
    assert "-d" not in told
    assert (
        load_definitions(kind="python_module", target="shop.etl.defs", working_directory=str(tmp_path)).resolve().jobs
    )


def test_a_package_that_is_not_in_the_working_directory(tmp_path: Path) -> None:
    write(tmp_path / "src" / "pkg_a", __init__="", defs=DEFS, parts=PARTS)
    told = refusal("python_file", str(tmp_path / "src" / "pkg_a" / "defs.py"), tmp_path)
    assert f"-d {tmp_path / 'src'} -m pkg_a.defs" in told
    inside = refusal("python_file", str(tmp_path / "src" / "pkg_a" / "defs.py"), tmp_path / "src" / "pkg_a")
    assert f"-d {tmp_path / 'src'} -m pkg_a.defs" in inside


def test_a_directory_without_init_is_a_package_as_well(tmp_path: Path) -> None:
    write(tmp_path / "plain_b", defs=DEFS, parts=PARTS)
    assert "-m plain_b.defs" in refusal("python_file", str(tmp_path / "plain_b" / "defs.py"), tmp_path)


def test_a_module_that_is_loaded_from_inside_of_its_package(tmp_path: Path) -> None:
    write(tmp_path / "pkg_c", __init__="", defs_c=DEFS, parts=PARTS)
    told = refusal("python_module", "defs_c", tmp_path / "pkg_c")
    assert f"-d {tmp_path} -m pkg_c.defs_c" in told


def test_a_helper_that_was_imported_by_its_bare_name(tmp_path: Path) -> None:
    write(
        tmp_path / "pkg_d", __init__="", helper_d="from .parts import made\n", defs_d="import helper_d\n", parts=PARTS
    )
    sys.path.insert(0, str(tmp_path / "pkg_d"))
    told = refusal("python_file", str(tmp_path / "pkg_d" / "defs_d.py"), tmp_path)
    assert "helper_d.py:1 imports relatively" in told
    assert "import it as 'pkg_d.helper_d'" in told


def test_too_many_dots(tmp_path: Path) -> None:
    write(tmp_path / "pkg_e", __init__="", defs="from ..elsewhere import made\n")
    told = refusal("python_module", "pkg_e.defs", tmp_path)
    assert "goes up beyond 'pkg_e'" in told


def test_names_that_no_module_can_have(tmp_path: Path) -> None:
    write(tmp_path / "my-pkg", defs=DEFS, parts=PARTS)
    told = refusal("python_file", str(tmp_path / "my-pkg" / "defs.py"), tmp_path)
    assert "'my-pkg' is no name of a package" in told

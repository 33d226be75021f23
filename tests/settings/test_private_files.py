"""What an instance keeps is its owner's alone, whatever the umask."""

from __future__ import annotations

import ast
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import runyard
from runyard.settings.loading import load_settings
from runyard.settings.private_files import create, make_directory, make_named_directory, open_private, tighten


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_private_and_the_umask_stays(tmp_path: Path, umask: int) -> None:
    make_directory(tmp_path / "a/b")
    make_named_directory(tmp_path / "c/d")
    with create(tmp_path / "a/b/value") as file:
        file.write(b"x")
    os.close(open_private(tmp_path / "a/b/lock", os.O_RDWR))
    assert [mode(tmp_path / name) for name in ("a", "a/b", "c", "c/d")] == [0o700] * 4
    assert [mode(tmp_path / "a/b" / name) for name in ("value", "lock")] == [0o600] * 2
    assert os.umask(umask) == umask


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x")
    (tmp_path / "log").chmod(0o664)
    (tmp_path / "runs").mkdir(mode=0o775)
    os.close(open_private(tmp_path / "log", os.O_RDWR))
    make_directory(tmp_path / "runs")
    tighten(tmp_path / "nothing")
    assert (mode(tmp_path / "log"), mode(tmp_path / "runs")) == (0o600, 0o700)


def test_directories_that_a_person_made_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o775)
    make_named_directory(tmp_path / "shared")
    make_directory(tmp_path / "shared/runs")
    assert (mode(tmp_path / "shared"), mode(tmp_path / "shared/runs")) == (0o775, 0o700)


def test_a_file_in_the_way_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(OSError, match=str(tmp_path)):
            make_directory(path)


@pytest.mark.parametrize(
    ("open_mode", "told"),
    [(0o755, r"other users can read .*\(mode 755\)"), (0o770, r"can change .*\(mode 770\)"), (0o700, None)],
)
def test_an_open_home_is_pointed_out_and_left_as_it_is(tmp_path: Path, open_mode: int, told: str | None) -> None:
    tmp_path.chmod(open_mode)
    notices = load_settings(str(tmp_path), env={}).notices
    assert mode(tmp_path) == open_mode
    if told is None:
        assert notices == ()
    else:
        (notice,) = notices
        assert re.search(told, notice)
        assert f"chmod 700 {tmp_path}" in notice


#: They make files of the system, and of the directory for sockets, which nobody else may enter.
_ELSEWHERE = {
    "settings/private_files.py",
    "locations/cgroups.py",
    # In a runtime directory, which is private as a whole.
    "locations/host_start.py",
    "storage/shared_directory.py",
}
_MAKERS = {"mkdir", "makedirs", "touch", "write_text", "write_bytes", "copyfile", "copytree", "mkstemp"}


def _makes_files(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _MAKERS:
        return True
    if name != "open":
        return False
    if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "os":
        return not any(word in ast.unparse(call) for word in ("O_RDONLY", "os.devnull"))
    modes = [value.value for value in [*call.args, *(word.value for word in call.keywords)] if _is_mode(value)]
    return any(set("wxa+") & set(mode) for mode in modes)


def _is_mode(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and set(value.value) <= set("rwxab+t")


def test_no_other_module_makes_files_or_directories() -> None:
    source = Path(runyard.__file__).parent
    found = [
        f"{path.relative_to(source)}:{node.lineno}"
        for path in source.rglob("*.py")
        if str(path.relative_to(source)) not in _ELSEWHERE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _makes_files(node)
    ]
    assert found == [], "make them by settings.private_files"

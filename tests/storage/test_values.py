"""LocalValues: outputs as files."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from runyard.core.errors import UserError, ValueMissing, ValueNotStorable, ValueNotTrusted
from runyard.storage.file_names import quoted, unquoted
from runyard.storage.values import LocalValues


@pytest.fixture
def values(tmp_path: Path) -> LocalValues:
    return LocalValues(str(tmp_path / "outputs"))


def files(tmp_path: Path) -> list[str]:
    return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())


def test_what_is_put_is_got_and_replaced(values: LocalValues, tmp_path: Path) -> None:
    assert not values.has("r1", "outer.inner[a/b]", "result")
    values.put("r1", "outer.inner[a/b]", "result", {"n": 1})
    assert values.get("r1", "outer.inner[a/b]", "result") == {"n": 1}
    values.put("r1", "outer.inner[a/b]", "result", None)
    assert values.get("r1", "outer.inner[a/b]", "result") is None
    assert values.has("r1", "outer.inner[a/b]", "result")
    (file,) = files(tmp_path)
    assert file == "outputs/r1/outer.inner[a%2F;b]/result"
    assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600


def test_what_is_not_there_is_named(values: LocalValues) -> None:
    with pytest.raises(ValueMissing, match=r"Output 'rows' of step 'fetch' is needed, but it is not kept\."):
        values.get("r1", "fetch", "rows")


def test_what_cannot_be_read_back_says_why(values: LocalValues, tmp_path: Path) -> None:
    values.put("r1", "fetch", "rows", [1])
    (tmp_path / files(tmp_path)[0]).write_bytes(b"")
    with pytest.raises(ValueMissing, match="cannot be read back: EOFError"):
        values.get("r1", "fetch", "rows")


class Sulky:
    def __reduce__(self) -> str:
        raise RuntimeError("not me")


@pytest.mark.parametrize(
    ("value", "told"), [(threading.Lock(), "a lock"), (lambda: 1, "function"), (Sulky(), "not me")]
)
def test_what_cannot_be_pickled_is_named_and_leaves_nothing(
    values: LocalValues, tmp_path: Path, value: object, told: str
) -> None:
    with pytest.raises(ValueNotStorable, match=rf"Output 'rows' of step 'fetch', .*{told}") as caught:
        values.put("r1", "fetch", "rows", value)
    assert (caught.value.step_key, caught.value.output) == ("fetch", "rows")
    assert files(tmp_path) == []
    assert not values.has("r1", "fetch", "rows")


def test_a_value_that_cannot_be_stored_leaves_the_one_before(values: LocalValues) -> None:
    values.put("r1", "fetch", "rows", 1)
    with pytest.raises(ValueNotStorable):
        values.put("r1", "fetch", "rows", Sulky())
    assert values.get("r1", "fetch", "rows") == 1


def test_a_disk_that_takes_nothing_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueNotStorable, match="Not a directory"):
        LocalValues(str(tmp_path / "file")).put("r1", "fetch", "rows", 1)


def test_a_retry_has_the_values_of_its_parent_without_a_copy(values: LocalValues, tmp_path: Path) -> None:
    values.put("r1", "fetch", "rows", [1])
    values.put("r1", "fetch", "count", 1)
    values.link("r1", "r2", "fetch", ["rows", "count"])
    values.link("r1", "r2", "fetch", ["rows"])
    assert (values.get("r2", "fetch", "rows"), values.get("r2", "fetch", "count")) == ([1], 1)
    assert (tmp_path / "outputs/r2/fetch/rows").stat().st_nlink == 2
    values.delete("r1")
    values.put("r2", "fetch", "count", 2)
    assert (values.get("r2", "fetch", "rows"), values.get("r2", "fetch", "count")) == ([1], 2)
    assert not values.has("r1", "fetch", "rows")


def test_what_one_run_stores_again_stays_as_it_was_for_the_other(values: LocalValues) -> None:
    values.put("r1", "fetch", "rows", 1)
    values.link("r1", "r2", "fetch", ["rows"])
    values.put("r1", "fetch", "rows", 2)
    assert (values.get("r1", "fetch", "rows"), values.get("r2", "fetch", "rows")) == (2, 1)


def test_values_are_copied_where_links_are_not_possible(
    values: LocalValues, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    values.put("r1", "fetch", "rows", 1)
    values.link("r1", "r2", "fetch", ["rows"])
    assert values.get("r2", "fetch", "rows") == 1
    assert stat.S_IMODE((tmp_path / "outputs/r2/fetch/rows").stat().st_mode) == 0o600


def test_a_value_that_cannot_be_taken_over_is_missing(values: LocalValues, tmp_path: Path) -> None:
    values.put("r1", "fetch", "rows", 1)
    (tmp_path / "outputs/r2").write_text("in the way")
    with pytest.raises(ValueMissing, match="cannot be taken over"):
        values.link("r1", "r2", "fetch", ["rows"])


def test_only_what_is_there_can_be_linked(values: LocalValues) -> None:
    with pytest.raises(ValueMissing, match="Output 'rows' of step 'fetch'"):
        values.link("r1", "r2", "fetch", ["rows"])


def test_deleting_what_is_not_there_is_nothing(values: LocalValues) -> None:
    values.delete("r1")


@pytest.mark.parametrize("run_id", ["..", "a/b", "", "."])
def test_a_run_id_leads_nowhere_else(values: LocalValues, run_id: str) -> None:
    with pytest.raises(UserError, match="is no run id"):
        values.delete(run_id)


@pytest.mark.parametrize("name", ["plain", "a.b", "..", ".", ".hidden", "ä/ö", "x%", "%41;", "a[b]", "run"])
def test_names_come_back_from_files(name: str) -> None:
    assert unquoted(quoted(name)) == name
    assert not quoted(name).startswith(".") or quoted(name).endswith("%")
    assert "/" not in quoted(name)
    assert quoted(name) not in (".", "..")


def _stored(values: LocalValues, base: Path, place: str) -> Path:
    """A stored value, and the file or directory ``place`` on its way."""
    values.put("r1", "fetch", "rows", 1)
    assert values.get("r1", "fetch", "rows") == 1
    return base / place


PLACES = ["", "r1", "r1/fetch", "r1/fetch/rows"]


@pytest.mark.parametrize("bits", [0o020, 0o002])
@pytest.mark.parametrize("place", PLACES)
def test_what_others_can_write_is_not_read(values: LocalValues, tmp_path: Path, place: str, bits: int) -> None:
    path = _stored(values, tmp_path / "outputs", place)
    path.chmod(stat.S_IMODE(path.stat().st_mode) | bits)
    with pytest.raises(ValueNotTrusted, match=r"other users can write to it \(mode \d+\)") as caught:
        values.get("r1", "fetch", "rows")
    assert caught.value.path == str(path)
    assert "chmod go-w" in str(caught.value)
    assert not values.has("r1", "fetch", "rows")
    with pytest.raises(ValueNotTrusted):
        values.link("r1", "r2", "fetch", ["rows"])
    assert not values.has("r2", "fetch", "rows")
    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~bits)
    assert values.get("r1", "fetch", "rows") == 1


@pytest.mark.parametrize("place", PLACES)
def test_what_another_user_owns_is_not_read(
    values: LocalValues, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _stored(values, tmp_path / "outputs", place)
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        # Only root gives files to others: become the other one.
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ValueNotTrusted, match=r"user \d+ owns it"):
        values.get("r1", "fetch", "rows")


@pytest.mark.parametrize("place", PLACES[1:])
def test_links_are_not_followed(values: LocalValues, tmp_path: Path, place: str) -> None:
    path = _stored(values, tmp_path / "outputs", place)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueMissing, match="cannot be read back"):
        values.get("r1", "fetch", "rows")


def test_a_pipe_in_the_place_of_a_value_does_not_hang(values: LocalValues, tmp_path: Path) -> None:
    path = _stored(values, tmp_path / "outputs", "r1/fetch/rows")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueMissing, match="cannot be read back"):
        values.get("r1", "fetch", "rows")

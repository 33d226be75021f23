"""YAML within bounds: what a short text stands for, how deep it is, and which reader reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from runyard.core.errors import ConfigError
from runyard.settings import document
from runyard.settings.composer import DEEPEST, MOST_VALUES
from runyard.settings.document import compose, compose_json, line_of, plain


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both readers, whichever PyYAML was built with."""
    if request.param == "python":
        monkeypatch.setattr(document, "Loader", yaml.SafeLoader)
    else:
        assert document.Loader is yaml.CSafeLoader


def _doubling(levels: int, form: str) -> str:
    """Each level stands for ten of the one before."""
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, levels):
        below = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} {form.format(below=below, level=level)}")
    return "\n".join(lines)


@pytest.mark.parametrize("form", ["[{below}]", "{{<<: [{below}], z{level}: 1}}", "{{k: [{below}]}}"])
def test_an_alias_bomb_is_refused_where_it_begins(form: str) -> None:
    with pytest.raises(ConfigError, match=r"^f:[67]:\d+: the file holds more than 100,000 values"):
        compose(_doubling(60, form), "f")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1000,
        "[" * 100_000,
        "- " * 500,
        "{a: " * 1000,
        "a0: &a0 [1]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5000)),
    ],
    ids=["lists", "many lists", "block lists", "mappings", "aliases"],
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"nested too deeply|maximum nesting depth"):
        compose(text, "f")


@pytest.mark.parametrize(
    "number",
    ["9" * 5000, "0x" + "f" * 5000, "0b" + "1" * 50_000, "1" + ":59" * 2000, '!!int "' + "7" * 5000 + '"'],
    ids=["decimal", "hexadecimal", "binary", "sexagesimal", "by its tag"],
)
def test_a_number_of_thousands_of_digits_is_refused_at_its_place(number: str) -> None:
    """Python cannot write it as text again, and the time to read one in base 60 grows with the square of its length."""
    with pytest.raises(ConfigError, match=r"^f:1:4: a whole number may have 1,000 characters; this one has [\d,]+\.$"):
        compose(f"a: {number}", "f")


def test_text_of_thousands_of_digits_is_no_number() -> None:
    node = compose(f"a: '{'9' * 5000}'\nb: {'9' * 300}", "f")
    assert node is not None
    assert plain(node, "f") == {"a": "9" * 5000, "b": int("9" * 300)}


def test_what_is_within_the_bounds_is_read() -> None:
    depth = DEEPEST - 1
    node = compose("a: " + "[" * depth + "]" * depth, "f")
    assert node is not None
    assert plain(node, "f")["a"] is not None
    with pytest.raises(ConfigError, match=f"more than {DEEPEST} levels"):
        compose("a: " + "[" * DEEPEST + "]" * DEEPEST, "f")
    assert compose("[" + "1," * (MOST_VALUES - 1) + "]", "f") is not None
    with pytest.raises(ConfigError, match="more than"):
        compose("[" + "1," * MOST_VALUES + "]", "f")


def test_aliases_and_merge_keys_mean_what_they_say() -> None:
    text = "base: &b {x: 1, y: [1, 2]}\nmade: {<<: *b, x: 2}\nagain: *b\nname: &n é\nlist: [*n, !!str 6, ~, 'null']\n"
    node = compose(text, "f")
    assert isinstance(node, yaml.MappingNode)
    assert plain(node, "f") == {
        "base": {"x": 1, "y": [1, 2]},
        "made": {"x": 2, "y": [1, 2]},
        "again": {"x": 1, "y": [1, 2]},
        "name": "é",
        "list": ["é", "6", None, "null"],
    }
    assert [line_of(key) for key, _ in node.value] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: *b", r"f:1:4: malformed YAML: undefined alias; put a value that begins"),
        ("a: &x [*x]", r"f:1:8: malformed YAML: an anchor contains itself\."),
        ("a: 1\n---\nb: 1\n---\n", r"f:2:1: malformed YAML: expected a single document"),
        ("a: \ud800", r"^f: malformed YAML"),
        ("a: {<<: 5}", r"f:1:9: malformed YAML: .*merging"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        compose(text, "f")


def test_json_is_bounded_alike() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ConfigError, match="nested too deeply"):
        compose_json(nested)
    node = compose_json({"smile": "\U0001f600"})
    assert node is not None
    assert plain(node, "") == {"smile": "\U0001f600"}

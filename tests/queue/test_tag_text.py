"""Tags as text: every tag that can be stored has a spelling, and what is printed can be read again."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.core.tag_text import InvalidTagText, parse_tag, parse_tags, spell_key, spell_tag, split_spelled
from runyard.queue.limit_changes import rule_name
from runyard.queue.rules import TagRule

#: Whatever ``core.jsonable`` lets through.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.text("=\\*a'\" \n", max_size=6)
KEYS = TEXT.filter(bool)


@given(KEYS, TEXT)
def test_every_tag_has_a_spelling(key: str, value: str) -> None:
    assert parse_tag(spell_tag(key, value)) == (key, value)


@given(KEYS, TEXT)
def test_a_spelling_can_be_pasted_into_a_shell(key: str, value: str) -> None:
    (word,) = shlex.split(shlex.quote(spell_tag(key, value)))
    assert parse_tag(word) == (key, value)


@given(TEXT)
def test_every_text_is_read_or_refused(text: str) -> None:
    try:
        key, value = parse_tag(text)
    except InvalidTagText:
        return
    assert key
    assert parse_tag(spell_tag(key, value)) == (key, value)


@given(KEYS, TEXT)
def test_the_spelled_key_is_found_again(key: str, value: str) -> None:
    assert split_spelled(spell_tag(key, value)) == (spell_key(key), value)
    assert split_spelled(spell_key(key)) == (spell_key(key), None)


_RULES = st.builds(TagRule, KEYS, st.just(1), st.none() | TEXT, st.booleans()).map(
    lambda rule: TagRule(rule.key, 1) if rule.value is not None and rule.per_unique_value else rule
)


@given(_RULES, _RULES)
def test_rules_of_two_meanings_have_two_names(one: TagRule, other: TagRule) -> None:
    assert (rule_name(one) == rule_name(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("team=docs", "team", "docs"),
        ("t=1=x", "t", "1=x"),
        (r"t\=1=x", "t=1", "x"),
        (r"t\=1=x\=y", "t=1", r"x\=y"),
        (r"a\\=b", "a\\", "b"),
        (r"C:\\x=1", "C:\\x", "1"),
        ("url=http://a/?b=c", "url", "http://a/?b=c"),
        ("team=", "team", ""),
    ],
)
def test_how_tags_are_written(text: str, key: str, value: str) -> None:
    assert parse_tag(text) == (key, value)


@pytest.mark.parametrize("text", ["", "team", "=docs", r"team\=docs", "\\"])
def test_what_names_no_tag_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidTagText, match=r"write KEY=VALUE; a '=' of the key itself is written '\\='"):
        parse_tag(text)


def test_one_key_with_two_values_fits_no_run() -> None:
    assert parse_tags(["a=1", "b=2", "a=1"]) == {"a": "1", "b": "2"}
    with pytest.raises(InvalidTagText, match="'a=2' names no tag: 'a=1' is given too, and no run has both"):
        parse_tags(["a=1", "a=2"])

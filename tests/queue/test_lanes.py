"""Lane keys: canonical, and read back as they were written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runyard.core.pools import PoolNeeds
from runyard.core.tags import SLOTS
from runyard.queue.lanes import LONGEST_VALUE, Lane, lane_key, parse_lane, value_in_lane

text = st.text(st.characters(exclude_categories=["Cs"]))


def test_only_tracked_keys_count_and_their_order_does_not() -> None:
    here = {"location_name": "here", "job_name": "job"}
    tags = {"team": "docs", "user": "ann", "region": "eu"}
    key = lane_key(["team", "region"], tags=tags, **here)
    assert key == '{"location":"here","job":"job","tags":{"region":"eu","team":"docs"}}'
    other = {"region": "eu", "team": "docs", "user": "bob"}
    assert key == lane_key(["region", "team"], tags=other, **here)


def test_pools_count_in_whatever_order_they_are_told_and_the_weight_does() -> None:
    here = {"location_name": "here", "job_name": "job"}
    pools = PoolNeeds(all={"b": 2, "a": 1}, roots={"a": 3})
    key = lane_key((), tags={SLOTS: "2"}, pools=pools, **here)
    assert key == '{"location":"here","job":"job","pools":{"a":1,"b":2},"roots":{"a":3},"weight":2}'
    assert key == lane_key((), tags={SLOTS: "2"}, pools=PoolNeeds(all={"a": 1, "b": 2}, roots={"a": 3}), **here)


def test_a_missing_key_differs_from_an_empty_value() -> None:
    here = {"location_name": "here", "job_name": "job"}
    assert lane_key(["team"], tags={}, **here) != lane_key(["team"], tags={"team": ""}, **here)


def test_long_values_are_short_and_apart_in_lanes() -> None:
    here = {"location_name": "here", "job_name": "job"}
    one, other = "ü" * 5000 + "1", "ü" * 5000 + "2"
    found = [parse_lane(lane_key(["team"], tags={"team": value}, **here)).tags["team"] for value in (one, other)]
    assert found == [value_in_lane(one), value_in_lane(other)]
    assert found[0] != found[1]
    assert all(len(value) <= LONGEST_VALUE for value in found)
    assert value_in_lane("x" * LONGEST_VALUE) == "x" * LONGEST_VALUE


@given(text, text, st.dictionaries(text, text), st.dictionaries(text, st.integers(1, 1000)), st.integers(1, 1000))
def test_read_back(location: str, job: str, tags: dict[str, str], pools: dict[str, int], weight: int) -> None:
    needs = PoolNeeds(all=pools, roots=pools)
    lane = Lane(location=location, job=job, tags=tags, pools=pools, roots=pools, weight=weight)
    key = lane_key(sorted(tags), location_name=location, job_name=job, tags={**tags, SLOTS: str(weight)}, pools=needs)
    assert SLOTS in tags or parse_lane(key) == lane

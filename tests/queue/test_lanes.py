"""Lane keys: canonical, and read back as they were written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runyard.queue.lanes import Lane, lane_key, parse_lane

text = st.text(st.characters(exclude_categories=["Cs"]))


def test_only_tracked_keys_count_and_their_order_does_not() -> None:
    here = {"location_name": "here", "job_name": "job"}
    tags = {"team": "docs", "user": "ann", "region": "eu"}
    key = lane_key(["team", "region"], tags=tags, pools=["b", "a", "b"], **here)
    assert key == '{"location":"here","job":"job","tags":{"region":"eu","team":"docs"},"pools":["a","b"]}'
    other = {"region": "eu", "team": "docs", "user": "bob"}
    assert key == lane_key(["region", "team"], tags=other, pools=["a", "b"], **here)


def test_a_missing_key_differs_from_an_empty_value() -> None:
    here = {"location_name": "here", "job_name": "job", "pools": ()}
    assert lane_key(["team"], tags={}, **here) != lane_key(["team"], tags={"team": ""}, **here)


@given(text, text, st.dictionaries(text, text), st.sets(text))
def test_read_back(location: str, job: str, tags: dict[str, str], pools: set[str]) -> None:
    key = lane_key(sorted(tags), location_name=location, job_name=job, tags=tags, pools=list(pools))
    assert parse_lane(key) == Lane(location=location, job=job, tags=tags, pools=tuple(sorted(pools)))

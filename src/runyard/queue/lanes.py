"""Lanes: queued runs that the rules cannot tell apart stand in one lane, so that only its head need be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run's admissibility depends on. ``tags`` holds the tracked keys that the run has, with its values."""

    location: str
    job: str
    tags: dict[str, str] = {}
    pools: tuple[str, ...] = ()


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Lane)


def lane_key(
    tracked_keys: Sequence[str],
    *,
    location_name: str,
    job_name: str,
    tags: Mapping[str, str],
    pools: Sequence[str],
) -> str:
    """The lane of a run as canonical compact JSON: equal texts are equal lanes.

    Args:
        tracked_keys: the tag keys that some rule looks at (``Rules.tracked_keys``).
        location_name: the run's code location.
        job_name: the run's job.
        tags: all tags of the run; the untracked ones are left out.
        pools: pools that the run uses, in any order; naming one twice means the same as once.
    """
    lane = Lane(
        location=location_name,
        job=job_name,
        tags={key: tags[key] for key in tracked_keys if key in tags},
        pools=tuple(sorted(set(pools))),
    )
    return _encoder.encode(lane).decode()


def parse_lane(text: str) -> Lane:
    """The lane that ``lane_key`` wrote. Raises msgspec.DecodeError for any other text."""
    return _decoder.decode(text)

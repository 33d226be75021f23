"""Lanes: queued runs that the rules cannot tell apart stand in one lane, so that only its head need be looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from ..core.pools import PoolNeeds
from ..core.tags import slots_or_one


class Lane(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a run's admissibility depends on. ``tags`` holds the tracked keys that the run has, with its values as
    ``value_in_lane`` gives them.

    ``weight``: how many slots the run takes of every limit that counts runs. ``pools`` and ``roots`` as in PoolNeeds.
    """

    location: str
    job: str
    tags: dict[str, str] = {}
    pools: dict[str, int] = {}
    roots: dict[str, int] = {}
    weight: int = 1


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Lane)
_NO_POOLS = PoolNeeds()
#: Characters of a tag's value in a lane: lanes are in an index, and PostgreSQL's hold some 2,700 bytes.
LONGEST_VALUE = 128
_DIGEST = 32


def lane_key(
    tracked_keys: Sequence[str],
    *,
    location_name: str,
    job_name: str,
    tags: Mapping[str, str],
    pools: PoolNeeds = _NO_POOLS,
) -> str:
    """The lane of a run as canonical compact JSON: equal texts are equal lanes.

    Args:
        tracked_keys: the tag keys that some rule looks at (``Rules.tracked_keys``).
        location_name: the run's code location.
        job_name: the run's job.
        tags: all tags of the run; the untracked ones are left out.
        pools: what the run needs of pools.
    """
    lane = Lane(
        location=location_name,
        job=job_name,
        tags={key: value_in_lane(tags[key]) for key in tracked_keys if key in tags},
        pools=pools.all,
        roots=pools.roots,
        weight=slots_or_one(tags)[0],
    )
    return _encoder.encode(lane).decode()


def value_in_lane(value: str) -> str:
    """A tag's value as lanes have it: the end of a very long one is a digest, which tells it from all others."""
    if len(value) <= LONGEST_VALUE:
        return value
    digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]
    return f"{value[: LONGEST_VALUE - _DIGEST - 1]}…{digest}"


def lane_prefix(*, location_name: str, job_name: str) -> str:
    """What the lanes of a job's runs begin with, and no others."""
    return _encoder.encode(Lane(location=location_name, job=job_name)).decode().removesuffix("}")


def parse_lane(text: str) -> Lane:
    """The lane that ``lane_key`` wrote. Raises msgspec.DecodeError for any other text."""
    return _decoder.decode(text)

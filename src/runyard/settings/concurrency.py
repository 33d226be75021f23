"""The keys of ``concurrency:`` — what limits the queue and the pools — in the instance file and in what-if files."""

from __future__ import annotations

from ..core.pool_names import pool_name_fault
from .kinds import Choice, Either, Flag, Integer, Keys, Kind, Listing, Maybe, Named, Number, Text

MAX_POOL_LIMIT = 1000
#: Seconds of a year: when a launch counts no more has to be a time that can be told.
LONGEST_PERIOD = 366 * 86400

#: Each value on its own when true; all values together when false.
PER_VALUE = Keys({"applyLimitPerUniqueValue": Flag()}, required=("applyLimitPerUniqueValue",))

#: At most ``limit`` active runs that have the tag: of one value, of each value, or of all together.
TAG_LIMIT = Keys(
    {"key": Text(), "value": Either(Text(), PER_VALUE), "limit": Integer(minimum=0)}, required=("key", "limit")
)


def _limit_by(name: str) -> Keys:
    """At most ``limit`` active runs of the one that is named, or of each one."""
    fields: dict[str, Kind] = {name: Text(), "applyLimitPerUniqueValue": Flag(), "limit": Integer(minimum=0)}
    return Keys(fields, required=("limit",), one_of=(name, "applyLimitPerUniqueValue"))


#: At most ``limit`` launches in any ``per_seconds`` seconds: of a tag (``key`` and ``value`` as in a tag limit), of a
#: job or of a location, ``job: {applyLimitPerUniqueValue: true}`` being each on its own and ``false`` all together.
RATE_LIMIT = Keys(
    {
        "key": Text(),
        "value": Either(Text(), PER_VALUE),
        "job": Either(Text(), PER_VALUE),
        "location": Either(Text(), PER_VALUE),
        "limit": Integer(minimum=1),
        "per_seconds": Number(maximum=LONGEST_PERIOD, above=True),
    },
    required=("limit", "per_seconds"),
    one_of=("key", "job", "location"),
    excludes=[("value", "job"), ("value", "location")],
)

#: Among runs of one priority, the value of tag ``key`` goes first that has the fewest slots for its weight.
#: ``key`` may also be ``runyard/job`` or ``runyard/location``.
FAIR_SHARE = Keys(
    {"key": Text(), "weights": Named(Number(above=True)), "default_weight": Number(above=True)}, required=("key",)
)

#: What happens to a run of ``job`` that comes while others of it are queued or active; all locations without one.
OVERLAP = Keys(
    {
        "job": Text(),
        "location": Text(),
        "policy": Choice("allow", "skip", "queue_one", "cancel_old"),
        "max_queued": Integer(minimum=1),
    },
    required=("job",),
)

#: The limits that the field knows; ``run_queue`` and ``run_coordinator`` take these too.
FIELD_RUNS: dict[str, Kind] = {
    "max_concurrent_runs": Integer(minimum=-1),
    "tag_concurrency_limits": Listing(TAG_LIMIT),
}

RUNS = Keys(
    {
        **FIELD_RUNS,
        "job_limits": Listing(_limit_by("job")),
        "location_limits": Listing(_limit_by("location")),
        "rate_limits": Listing(RATE_LIMIT),
        "fair_share": Maybe(FAIR_SHARE),
        "overlap": Listing(OVERLAP),
    }
)

POOL_LIMIT = Integer(minimum=0, maximum=MAX_POOL_LIMIT)

#: ``limits``: pool → limit, for those that differ from ``default_limit``.
POOLS = Keys(
    {
        "default_limit": Maybe(POOL_LIMIT),
        "granularity": Choice("op", "run"),
        "op_granularity_run_buffer": Integer(minimum=0),
        "limits": Named(POOL_LIMIT, pool_name_fault),
    }
)

CONCURRENCY = Keys(
    {"runs": RUNS, "pools": POOLS, "default_op_concurrency_limit": POOL_LIMIT},
    excludes=[("pools", "default_op_concurrency_limit")],
)

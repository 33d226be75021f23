"""What if: the queue's own admission on a virtual clock, over recorded runs or a load, under other limits.

``runyard queue simulate --json`` and ``POST /api/v1/queue/simulate`` answer with this. Times are ISO 8601 in UTC,
durations seconds. ::

    {
      "source": {
        "kind": "history" | "load",
        "from": time | null, "to": time | null,     // null for a load, which begins at second 0
        "runs": 1200,                               // simulated
        "left_out": 3,                              // recorded, but canceled or failed before they were launched
        "assumed_durations": 7,                     // not over yet or never launched: the median of their job
        "notes": ["2 pauses that are in force now are left out."]
      },
      "recorded": [wait…] | null,                   // history: what really happened, in the shape of "waits"
      "before": outcome,                            // under the rules in force
      "after": outcome | null                       // under the other limits; null when none were given
    }

    outcome = {
      "launches": 1190,
      "never_started": 10,                          // no matter how long one waits
      "late": 25,                                   // started, but after the window (or the last arrival of a load)
      "refused": 4, "canceled": 1,                  // by overlap policies
      "makespan": 86400.0,                          // from the start to the end of the last run
      "waits": [                                    // seconds from enqueue to launch, of launched runs
        {"by": "all" | "priority" | "job" | tag key, "value": null | "5" | "load" | tag value,
         "runs": 1190, "never_started": 10, "median": 1.0, "p95": 60.0, "max": 600.0}    // null without a launch
      ],
      "limits": [                                   // most used first, at most 20
        {"rule": "team=docs", "kind": "tag", "limit": 2,
         "utilisation": 0.83,                       // mean share of the limit in use while there was work
         "peak": 2, "full_seconds": 41000.0}
      ],
      "starving": [                                 // the ten that wait longest, those that never start first
        {"run_id": "…", "job_name": "load", "location": "etl", "priority": -1, "tags": {tracked tags},
         "waited": 3600.0, "times_median": 120.5 | null, "started": true}
      ],
      "series": {                                   // for a picture; the same buckets before and after, at most 200
        "start": time | null, "bucket_seconds": 432.0,
        "queued": [mean in each bucket…], "active": […],
        "limits": {"team=docs": [mean slots in use…]}    // the limits above
      }
    }
"""

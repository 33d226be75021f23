"""The run queue at depth: many queued runs in few or many lanes, on both databases, beside the peer."""

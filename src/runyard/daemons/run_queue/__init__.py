"""The run queue daemon: admits queued runs by priority and limits, and hands them to their locations."""

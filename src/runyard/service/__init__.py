"""What every long-running service shares: its loop, its leadership, its heartbeat, and the care for lost hosts."""

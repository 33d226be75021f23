"""What runs in a worker process: the conversation with its host, and the run or the ticks."""

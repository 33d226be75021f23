"""The zygote: a process that has the user's code imported and does nothing but fork and reap."""

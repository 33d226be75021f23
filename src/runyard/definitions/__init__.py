"""What users write: ops, graphs, jobs, schedules, sensors, resources and their config."""

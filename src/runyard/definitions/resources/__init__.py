"""Resources: things that ops, schedules and sensors are given."""

"""Reading what a run printed: lines in order of time, from files that may be large and still grow."""

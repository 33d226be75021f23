"""Records, states, transitions, errors and the clock: what every other layer speaks in. Imports nothing of ours."""

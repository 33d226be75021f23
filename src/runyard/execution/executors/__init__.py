"""Executors: what decides which step begins when, and the two ways to have it done."""

"""Runyard and the PyPI package ``dagster``, measured side by side on the same job: ``python -m bench --help``.

Needs Linux: memory and processes are read from /proc.
"""

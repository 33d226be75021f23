"""Runyard: an orchestrator for Python data jobs."""

__version__ = "0.1.0"

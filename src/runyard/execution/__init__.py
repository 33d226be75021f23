"""Execution of definitions in this process; needs no database and no server."""

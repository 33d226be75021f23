"""Alembic's folder: one file a revision, replayed in order they give the schema of ``storage.schema``."""

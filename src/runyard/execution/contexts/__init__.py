"""What user functions are handed as ``context``."""

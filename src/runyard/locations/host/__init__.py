"""The location host: owns the workers of one code location. Runyard's own code; never imports a user's module."""

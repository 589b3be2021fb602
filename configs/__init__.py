"""The schema, how configs are read, presets, and the quickstart's model and data."""

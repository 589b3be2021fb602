"""Questions from files: one benchmark's form a module."""

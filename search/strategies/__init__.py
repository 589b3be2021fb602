"""Strategies, which decide the next trials: one a file, and what makes one from a config."""

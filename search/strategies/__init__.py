"""Which trials to ask for next: one strategy a file, and what makes one from a config."""

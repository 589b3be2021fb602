"""Wiring and running: a search or an evaluation from its config to its end, and what goes on with one."""

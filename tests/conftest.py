"""Hypothesis without deadlines: two shared cores say nothing about speed."""

from hypothesis import settings

settings.register_profile("truths", deadline=None)
settings.load_profile("truths")

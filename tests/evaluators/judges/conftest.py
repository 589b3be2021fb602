"""Fixtures of the tests of judges."""

from tests.evaluators.judges.functions import load

__all__ = ["load"]

"""Hypothesis without deadlines: two shared cores say nothing about speed.

Beside each other run whole files (`pytest -n 2 --dist loadgroup`), since their fixtures are dear, and never two that
start Ray.
"""

import pytest
from hypothesis import settings

settings.register_profile("truths", deadline=None)
settings.load_profile("truths")

_START_RAY = ("test_kill.py", "test_ray_workers.py", "test_prometheus.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = "ray" if item.path.name in _START_RAY else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))

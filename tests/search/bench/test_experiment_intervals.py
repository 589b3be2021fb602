"""How often intervals of experiments hold the truth."""

import numpy as np

from search.bench.experiment_intervals import crosses, held, table


def test_most_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(0)
    hits = np.array([held(3, 20, 0.3, random) for _ in range(60)]).mean(axis=0)
    assert all(0.85 <= share <= 1 for share in hits)
    assert sum(crosses(3, 20, 0.1, random) for _ in range(10)) >= 8


def test_the_table_has_a_line_for_each_case() -> None:
    lines = table([2, 3], [10], [0.0, 1.0], samples=2).splitlines()
    assert [line.split(" | ")[:3] for line in lines[2:]] == [
        [f"| {draws}", "10", spread] for draws in (2, 3) for spread in ("0", "1")
    ]

"""A search among simulated faults is the search without them."""

from pathlib import Path

import pytest

from search.bench.faults import simulate


@pytest.mark.parametrize("seed", range(20))
def test_a_search_among_faults_ends_with_the_same_journal_and_asks_for_no_durable_row_again(
    seed: int, tmp_path: Path
) -> None:
    assert simulate(seed, tmp_path) > 1

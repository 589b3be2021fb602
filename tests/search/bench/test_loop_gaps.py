"""The bench of the event loop's gaps."""

import argparse
import asyncio
from pathlib import Path

from search.bench.loop_gaps import measured


def test_a_search_is_run_to_its_end_and_its_gaps_are_noted(tmp_path: Path) -> None:
    given = argparse.Namespace(pool=20, questions=5, most=3, evaluations=60, words=5, seed=0)
    evaluations, gaps = asyncio.run(measured("screening", given, tmp_path))
    assert 65 <= evaluations <= 5 + 60 + 3 * 10
    assert gaps.seconds
    assert len(gaps.computed) == len(gaps.seconds)
    assert min(gaps.computed) >= 0
    assert (tmp_path / "journal.jsonl").read_text().count("\n") > 3

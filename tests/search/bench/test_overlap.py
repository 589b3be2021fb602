"""The benchmark measures what it says, however long it takes."""

import pytest

from search.bench.overlap import run_overlap

pytestmark = pytest.mark.heavy


def test_all_three_passes_make_the_same_evaluations_and_the_judge_is_used_to_its_limit() -> None:
    overlap = run_overlap(seconds=0.5, latency=0.05, in_flight=8, questions=20)
    evaluations = {one.evaluations for one in (overlap.generator, overlap.judge, overlap.both_at_once)}
    assert len(evaluations) == 1
    assert overlap.judge.at_once == overlap.both_at_once.at_once == 8
    assert overlap.ratio > 0

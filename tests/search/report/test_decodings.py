"""What a report says of a run in which the decoding varied too; "hot" gives every answer one point more."""

from pathlib import Path

import pytest

from search.report.caveats import caveats
from search.report.findings import Findings, find
from search.results.search_results import read_search_results
from tests.search.report.made_run import MadeRun

WORTH = {"a": 0.5, "b": 0.25, "c": -0.25}


def hot_run(path: Path) -> MadeRun:
    """Demonstrations are worth what they are worth in any place and any decoding."""
    run = MadeRun(
        path,
        {f"g{number}": "" for number in range(8)},
        {f"h{number}": "" for number in range(8)},
        lambda names, question: 5.0 + int(question[1:]) / 4 + sum(WORTH.get(name, 0.0) for name in names),
        hot="hot",
    )
    run.search()
    for name in ("a", "b", "c"):
        run.search(name)
        run.search(name, decoding="hot")
    run.search(decoding="hot")
    return run


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    run = hot_run(tmp_path_factory.mktemp("hot") / "run")
    run.judge_finalists(("a",), ("b",), (), decoding="hot")
    return find(read_search_results(run.write()))


def test_the_winner_has_the_gain_of_both_and_the_doubts_say_what_the_demonstrations_did(findings: Findings) -> None:
    assert findings.best is not None
    assert findings.best.held_out_gain is not None
    assert findings.best.held_out_gain.mean == pytest.approx(1.5)
    (said,) = [one for one in caveats(findings) if "decoding" in one]
    assert said.startswith("The gain is that of demonstrations and decoding (“hot”) together.")
    assert "Over the base prompt in the same decoding, the winner gains +0.50" in said
    assert "on 8 held-out questions" in said


def test_what_the_decoding_does_is_taken_for_no_demonstration_s_and_for_no_place_s(findings: Findings) -> None:
    found = findings.contributions
    assert found is not None
    assert {one.demonstration for one in found.demonstrations} == {"a", "b", "c"}
    assert found.last_over_first is None
    for one in found.demonstrations:
        assert one.by_place is None
        assert one.alone.mean == pytest.approx(WORTH[one.demonstration], abs=0.15)


def test_a_candidate_is_named_with_its_decoding(findings: Findings) -> None:
    names = [findings.labels.candidate(one.candidate) for one in findings.candidates]
    assert {"base prompt", "base 1, decoding hot", "a, base 1", "a, base 1, decoding hot"} <= set(names)

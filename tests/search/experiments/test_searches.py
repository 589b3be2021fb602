"""What an experiment takes from a search."""

from math import nan

import pytest

from evaluators.question import Question
from search.experiments.found_sets import FoundSet, Round
from search.experiments.rounds import rounds_of
from search.experiments.searches import best_by_size, found_in
from search.experiments.searches_table import rounds_table, searches_table, to_json
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.results.candidate_results import CandidateResults
from tests.search.report.made_run import MadeRun

_SEARCH = tuple(Question(f"q{at}", (f"Say {at}.",)) for at in range(2))
_BASE = Demonstration("own", "Say it.", "It.")
MATERIAL = Material("", (_BASE,), tuple(Demonstration(name, name, "Yes.") for name in "abc"), _SEARCH, (), {})


def _search(**means: float) -> dict[Candidate, CandidateResults]:
    """Means by the names of what was added in front of the base prompt's."""
    return {
        Candidate((*added.strip("_"), "own")): CandidateResults(at, {"q0": mean, "q1": mean})
        for at, (added, mean) in enumerate(means.items())
    }


def test_of_each_size_the_best_that_has_met_all_search_questions_is_taken() -> None:
    search = _search(_=5, a=6, b=7, ba=6, bc=8)
    search[Candidate(("c", "own"))] = CandidateResults(9, {"q0": 9.0})  # has met one of them
    best = best_by_size(search, MATERIAL, 0.95)
    assert {size: "".join(candidate.demonstrations[:-1]) for size, (candidate, _) in best.items()} == {
        0: "",
        1: "b",
        2: "bc",
    }


def test_of_the_papers_search_what_its_rounds_have_kept_is_taken_whatever_the_first_verdicts_said() -> None:
    best = best_by_size(_search(_=5, a=6, b=7, ac=6, ab=9), MATERIAL, 0.95, Candidate(("a", "c", "own")))
    assert ["".join(best[size][0].demonstrations[:-1]) for size in (0, 1, 2)] == ["", "a", "ac"]
    assert best[2][1].mean == 6


def test_a_round_is_told_by_its_candidates_their_mean_its_best_and_what_it_kept() -> None:
    rounds = rounds_of(_search(_=5, a=6, b=8, ba=6), MATERIAL, Candidate(("a", "own")))
    assert rounds == {
        0: Round(1, 5, 0, 5, questions=2),
        1: Round(2, 7, 2**0.5, 8, kept=6, questions=2),
        2: Round(1, 6, 0, 6, questions=2),
    }


def test_a_round_keeps_candidates_with_a_failed_question_and_counts_those_without_a_mean() -> None:
    search = _search(_=5, a=6)
    search[Candidate(("b", "own"))] = CandidateResults(2, {"q0": 8.0}, {"q1": "JudgeFailed"})
    search[Candidate(("c", "own"))] = CandidateResults(3, {}, {"q0": "JudgeFailed", "q1": "JudgeFailed"})
    of_one = rounds_of(search, MATERIAL, Candidate(("b", "own")))[1]
    assert of_one == Round(2, 7, 2**0.5, 8, kept=8, failed=1, questions=1)


SCORES = {"": 5.0, "a": 6.0, "b": 7.0, "c": nan, "ba": 6.0, "bc": 5.5}
NAMES = [f"g{number}" for number in range(4)]
GREEDY = "strategy={kind: exhaustive_greedy, max_demonstrations: 2, stop_without_gain: false, later_verdicts: 2}"


@pytest.fixture(scope="module")
def unproven(tmp_path_factory: pytest.TempPathFactory) -> FoundSet:
    """The paper's search kept `b`, then `bc`, though the first verdicts were for `ba`; too little was proven."""
    run = MadeRun(
        tmp_path_factory.mktemp("made") / "run",
        dict.fromkeys(NAMES, ""),
        dict.fromkeys(("h0", "h1", "h2"), ""),
        lambda names, question: SCORES["".join(names[:-1])] + 0.1 * int(question[1]),
        wobble=0.25,
        strategy=GREEDY,
    )
    for added in SCORES:
        run.search(*added)
    for added in ("ba", "bc"):
        run.search(*added, again=1)
    run.search(questions=NAMES[:2], again=1)  # a check for drift
    run.judge_finalists((), ("b", "c"), ("b", "a"), better=0.6)
    return found_in(run.write())


def test_of_a_search_that_kept_its_base_prompt_the_sets_are_those_that_its_rounds_have_kept(
    unproven: FoundSet,
) -> None:
    shown = {size: [one.id for one in demonstrations] for size, demonstrations in unproven.by_size.items()}
    assert shown == {0: ["base"], 1: ["b", "base"], 2: ["b", "c", "base"]}


def test_scores_of_a_round_are_means_of_all_verdicts_but_checks_for_drift(unproven: FoundSet) -> None:
    rounds = unproven.rounds
    assert [(size, one.count, one.failed, one.questions) for size, one in rounds.items()] == [
        (0, 1, 0, 4),
        (1, 2, 1, 4),
        (2, 2, 0, 4),
    ]
    assert [one.mean for one in rounds.values()] == pytest.approx([5.4, 6.9, 5.9])
    assert rounds[0].kept is None
    assert [rounds[1].kept, rounds[2].kept] == pytest.approx([7.4, 5.65])
    assert unproven.scores[2].mean == pytest.approx(5.65)


def test_what_was_found_stands_in_the_table_with_its_gains_where_the_base_prompt_was_kept(unproven: FoundSet) -> None:
    [table] = searches_table({"paper": unproven})
    [row] = table.rows
    assert row[1] == "2 (not proven; base prompt kept)"
    assert all("n=" in cell for cell in row[2:4])
    [as_json] = to_json({"paper": unproven})
    assert as_json["proven"] is False
    assert as_json["chosen"] == 2
    assert as_json["search_gain"]


def test_the_papers_rounds_stand_beside_ours_in_sufficient_too(unproven: FoundSet) -> None:
    [table] = rounds_table({"greedy-paper": unproven, "matching-found": unproven}, "Mistral-7B-v0.2")
    papers = [row[-1] for row in table.rows]
    assert papers[:2] == ["6.24", "101 candidates, 6.41, 0.15; kept 6.81"]
    assert not any(papers[3:])

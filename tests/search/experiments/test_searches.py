"""What an experiment takes from a search."""

from evaluators.question import Question
from search.experiments.found_sets import Round
from search.experiments.searches import best_by_size, rounds_of
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.results.candidate_results import CandidateResults

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


def test_a_round_is_told_by_its_candidates_their_mean_and_its_best() -> None:
    rounds = rounds_of(_search(_=5, a=6, b=8, ba=6), MATERIAL)
    assert rounds == {0: Round(1, 5, 0, 5), 1: Round(2, 7, 2**0.5, 8), 2: Round(1, 6, 0, 6)}

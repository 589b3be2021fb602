"""Candidates by what has been told of them."""

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.leaderboard import Leaderboard

BASE, A, B, C = (Candidate((name,)) for name in ("base", "a", "b", "c"))


def tell(board: Leaderboard, candidate: Candidate, scores: dict[str, float], mean: float | None = 0.0) -> None:
    board.tell(ScoredTrial(Trial(candidate, tuple(scores)), scores, {}, mean))


def board() -> Leaderboard:
    one = Leaderboard()
    tell(one, BASE, {"q1": 1.0, "q2": 9.0})
    return one


def test_blocks_of_one_candidate_come_together() -> None:
    one = board()
    tell(one, A, {"q1": 3.0})
    tell(one, A, {"q2": 9.0})
    assert one.scores(A) == {"q1": 3.0, "q2": 9.0}
    assert one.mean(A) == 6.0
    assert one.ranking() == [A, BASE]


def test_a_candidate_on_easy_questions_alone_does_not_lead_for_that() -> None:
    one = board()
    tell(one, A, {"q2": 9.0})
    tell(one, B, {"q1": 3.0, "q2": 9.0})
    assert one.ranking() == [B, BASE, A]
    assert one.mean(A) == 5.0
    assert one.shrunk_ranking(BASE) == [B, BASE, A]


def test_a_question_that_failed_for_the_base_prompt_helps_nobody() -> None:
    one = Leaderboard()
    tell(one, BASE, {"q1": 1.0})
    tell(one, A, {"q1": 2.0, "q2": 3.0})
    tell(one, B, {"q1": 1.5, "q2": 9.0})
    assert one.ranking() == [A, B, BASE]
    assert one.mean(A) == 2.0


def test_without_a_mean_of_the_base_prompt_means_are_plain() -> None:
    one = Leaderboard()
    tell(one, BASE, {"q1": 1.0}, mean=None)
    tell(one, A, {"q2": 3.0})
    tell(one, B, {"q1": 4.0, "q2": 3.0})
    assert one.ranking() == [B, A]
    assert one.mean(A) == 3.0


def test_much_on_one_question_counts_less_than_the_same_on_two() -> None:
    one = board()
    tell(one, A, {"q1": 3.0})
    tell(one, B, {"q1": 3.0, "q2": 11.0})
    assert one.shrunk_ranking(BASE) == [B, A, BASE]


def test_of_equal_gains_the_one_told_first_leads_and_the_base_before_all_without_gain() -> None:
    one = board()
    for candidate in (C, A):
        tell(one, candidate, {"q1": 1.0, "q2": 9.0})
    assert one.shrunk_ranking(BASE) == [BASE, C, A]


def test_the_ranking_follows_what_is_told_later() -> None:
    one = board()
    tell(one, A, {"q1": 0.0})
    tell(one, B, {"q1": 2.0})
    assert one.shrunk_ranking(BASE) == [B, BASE, A]
    tell(one, A, {"q2": 20.0})
    assert one.shrunk_ranking(BASE) == [A, B, BASE]


def test_a_candidate_without_a_mean_does_not_enter() -> None:
    one = board()
    tell(one, A, {"q1": 9.0}, mean=None)
    assert A not in one.ranking()
    assert A not in one.shrunk_ranking(BASE)

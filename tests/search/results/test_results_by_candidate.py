"""What trials say together, candidate by candidate."""

from hypothesis import given
from hypothesis import strategies as st

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.results.results_by_candidate import ResultsByCandidate

QUESTIONS = [f"q{number}" for number in range(6)]
SCORES = st.floats(1, 10)


@st.composite
def told(draw: st.DrawFn) -> ScoredTrial:
    """A trial of one of four candidates: some questions scored, others failed, with or without a mean."""
    candidate = Candidate(draw(st.sampled_from([(), ("a",), ("b",), ("a", "b")])))
    scored = draw(st.lists(st.sampled_from(QUESTIONS), unique=True))
    failed = draw(st.lists(st.sampled_from([name for name in QUESTIONS if name not in scored] or ["q"]), unique=True))
    some = st.lists(st.sampled_from(scored), unique=True) if scored else st.just([])
    return ScoredTrial(
        trial=Trial(candidate, (*scored, *failed)),
        scores={name: draw(SCORES) for name in scored},
        failures={name: draw(st.sampled_from(["Timeout", "PromptTooLong"])) for name in failed},
        mean=draw(st.sampled_from([None, 5.0])),
        lengths={name: draw(st.integers(0, 10**6)) for name in draw(some)},
        turns={name: tuple(draw(st.lists(st.none() | SCORES, min_size=2, max_size=3))) for name in draw(some)},
    )


@given(st.lists(told(), max_size=12))
def test_columns_say_what_dictionaries_would(trials: list[ScoredTrial]) -> None:
    results = ResultsByCandidate((1, 10))
    scores: dict[Candidate, dict[str, float]] = {}
    lengths: dict[Candidate, dict[str, int]] = {}
    turns: dict[Candidate, dict[str, tuple[float | None, ...]]] = {}
    failures: dict[Candidate, dict[str, str]] = {}
    for number, one in enumerate(trials):
        candidate = one.trial.candidate
        for known in (scores, lengths, turns, failures):
            known.setdefault(candidate, {})
        fresh = [one.turns.get(name, (0.0,)) for name in one.scores if name not in scores[candidate]]
        judged = results.add(candidate, one, number)
        assert judged == sum(len(by_turn) - by_turn.count(None) for by_turn in fresh)
        failures[candidate] |= one.failures
        if one.mean is not None:
            again = [name for name in one.scores if name in scores[candidate]]
            for known in (lengths, turns):
                for name in again:
                    known[candidate].pop(name, None)
            scores[candidate] |= one.scores
            lengths[candidate] |= one.lengths
            turns[candidate] |= one.turns
    assert [*results] == [*scores]
    for candidate, own in results.items():
        assert [*own.scores.items()] == [*scores[candidate].items()]
        assert (own.lengths, own.turns) == (lengths[candidate], turns[candidate])
        assert own.failures == {
            name: cause for name, cause in failures[candidate].items() if name not in scores[candidate]
        }
        assert results.failed(candidate) == own.failures.keys()
        assert results.lengths_of(candidate).tolist() == [*own.lengths.values()]
        assert own.starts == [at for at, trial in enumerate(trials) if trial.trial.candidate == candidate]
        asked, values = results.scores_of(candidate)
        assert {results.questions[number]: value for number, value in zip(asked, values, strict=True)} == own.scores
    assert results.answers_by_question() == {
        name: sum(name in own for own in scores.values()) for name in results.questions
    }


def test_scores_can_be_read_as_they_were_after_the_first_trials() -> None:
    results, base = ResultsByCandidate(), Candidate(("base",))
    for questions in (("q0", "q1"), ("q2",)):
        results.add(base, ScoredTrial(Trial(base, questions), dict.fromkeys(questions, 3.0), {}, 3.0))
    assert [len(results.scores_of(base, trials)[1]) for trials in (0, 1, 2)] == [0, 2, 3]


def test_a_candidate_without_a_trial_is_not_there() -> None:
    results = ResultsByCandidate()
    assert results.get(Candidate(("a",))) is None
    assert Candidate(("a",)) not in results
    assert results.place(Candidate(("a",))) == -1
    assert len(results) == 0

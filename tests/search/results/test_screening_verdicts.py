"""What is said of a cheap judge's held-out scores."""

import numpy as np

from search.results.screening_verdicts import ScreenedGain
from search.statistics.prediction_powered import prediction_powered


def _gain(common: int) -> ScreenedGain:
    scores = np.random.default_rng(3).normal(size=160).tolist()
    cheap = {f"q{place}": score for place, score in enumerate(scores) if place >= 40 - common}
    powered = prediction_powered({f"q{place}": score for place, score in enumerate(scores[:40])}, cheap, 0.95)
    assert powered is not None
    return ScreenedGain("winner", powered)


def test_the_sentence_counts_the_questions_that_both_judges_have_scored() -> None:
    gain = _gain(30)
    assert "(prediction-powered inference; both have scored 30 questions, over which" in gain.sentence()
    assert (gain.to_json()["n_common"], gain.to_json()["plain"]["n"], gain.to_json()["unused"]) == (30, 40, None)


def test_a_cheap_judge_that_is_not_used_is_said_to_be_so_for_its_reason_and_without_a_correlation() -> None:
    gain = _gain(5)
    assert gain.sentence().endswith(
        "held-out gain: both judges have scored fewer than 8 questions in common (both have scored 5 questions)."
    )
    assert (gain.to_json()["correlation"], gain.to_json()["unused"]) == (None, "few in common")

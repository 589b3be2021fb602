import asyncio
import json
import math
from typing import Literal

import pytest
import sacrebleu
from pydantic import ValidationError

from configs.errors import InputError
from configs.schema.judge import ReferenceJudgeConfig
from evaluators.failures import JudgeFailed
from evaluators.judges.reference import ReferenceJudge
from evaluators.question import Question
from tests.kits.judge_kit import JudgeKit, MakeJudge

HONEY = Question("q1", ("What do bees make?",), references=("Bees make honey.",))


class TestChrf(JudgeKit):
    lacking = Question("q3", ("What is missing here?",))
    metric: Literal["chrf", "rouge_l", "exact_match"] = "chrf"

    @pytest.fixture
    def make(self) -> MakeJudge:
        return lambda: ReferenceJudge(ReferenceJudgeConfig(kind="reference", metric=self.metric))


class TestExactMatch(TestChrf):
    metric = "exact_match"


class TestRougeL(TestChrf):
    metric = "rouge_l"


def _score(answer: str, **knobs: object) -> float:
    judge = ReferenceJudge(ReferenceJudgeConfig.model_validate({"kind": "reference"} | knobs))
    return asyncio.run(judge.judge(HONEY, (answer,))).score


@pytest.mark.parametrize("metric", ["chrf", "rouge_l", "exact_match"])
def test_identity_scores_high_and_nothing_in_common_scores_low(metric: str) -> None:
    assert _score("Bees make honey.", metric=metric, low=-1, high=3) == 3
    assert _score("0123", metric=metric, low=-1, high=3) == -1
    assert _score("", metric=metric, low=-1, high=3) == -1


@pytest.mark.parametrize("answer", ["Bees make wax.", "honey", "bees MAKE honey", "Bees make honey. Ask me more!"])
def test_chrf_is_sacrebleus_sentence_score(answer: str) -> None:
    expected = sacrebleu.sentence_chrf(answer, ["Bees make honey."]).score
    assert math.isclose(_score(answer, low=0, high=100), expected, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("answer", "common", "said"),
    [
        ("Bees make wax.", 2, 3),
        ("make BEES honey", 2, 3),
        ("Honey!", 1, 1),
        ("In summer bees do make honey, too", 3, 7),
    ],
)
def test_rouge_l_is_the_f_score_of_the_longest_common_sequence_of_words(answer: str, common: int, said: int) -> None:
    precision, recall = common / said, common / 3
    expected = 2 * precision * recall / (precision + recall)
    assert math.isclose(_score(answer, metric="rouge_l", low=0, high=1), expected, abs_tol=1e-9)


def test_a_later_turn_is_compared_with_its_own_reference() -> None:
    talk = Question("q1", ("What do bees make?", "For whom?"), references=("Bees make honey.", "For us."))
    judge = ReferenceJudge(ReferenceJudgeConfig(kind="reference", metric="exact_match"))
    assert asyncio.run(judge.judge(talk, ("Wax.", "For us."))).score == 10
    with pytest.raises(JudgeFailed, match="no reference for turn 2"):
        asyncio.run(judge.judge(HONEY, ("Bees make honey.", "For us.")))


def test_a_turn_without_reference_is_refused_where_it_counts() -> None:
    talk = Question("q8", ("What do bees make?", "For whom?"), references=("Bees make honey.",))
    judge = ReferenceJudge(ReferenceJudgeConfig(kind="reference"))
    judge.check([talk], [0])
    with pytest.raises(InputError, match="first: q8"):
        judge.check([HONEY, talk], [0, 1])


def test_exact_match_ignores_white_space_around_and_nothing_else() -> None:
    assert _score(" Bees make honey.\n", metric="exact_match") == 10
    assert _score("bees make honey.", metric="exact_match") == 1


@pytest.mark.parametrize(
    ("low", "high", "complaint"),
    [
        (3, 3, r"low \(3\) must lie below high \(3\)"),
        (4, 3, r"low \(4\) must lie below high \(3\)"),
        (0, math.inf, "finite"),
        (-math.inf, 0, "finite"),
        (math.nan, 1, "finite"),
    ],
)
def test_a_scale_that_is_none_is_refused_in_the_config(low: float, high: float, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        ReferenceJudgeConfig(kind="reference", low=low, high=high)


def test_a_question_without_reference_is_named() -> None:
    judge = ReferenceJudge(ReferenceJudgeConfig(kind="reference"))
    with pytest.raises(InputError, match=r"1 question has none.*q7"):
        judge.check([HONEY, Question("q7", ("What?",), references=(" \n",))], [0])


def test_the_fingerprint_names_the_metric_its_version_and_the_scale() -> None:
    judge = ReferenceJudge(ReferenceJudgeConfig(kind="reference", low=0, high=1))
    said = json.loads(judge.fingerprint)
    assert (said["metric"], said["low"], said["high"]) == ("chrf", 0, 1)
    assert f"version:{sacrebleu.__version__}" in said["signature"]

"""Judges that score the expected rating: behind a service, and with a model of one's own."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.schema.judge import MTBenchJudgeConfig, PairwiseJudgeConfig, RubricJudgeConfig
from evaluators.failures import VerdictUnreadable
from evaluators.judge import Judge, Verdict
from evaluators.judge_tools.local_chat_model import LocalChatModel
from evaluators.judges.mt_bench import MTBenchJudge
from evaluators.judges.pairwise import PairPrompts, PairwiseJudge
from evaluators.judges.rubric import RubricJudge
from evaluators.question import Question
from tests.evaluators.judges.served import chat_model, service
from tests.fakes import ScriptedModel
from tests.plain_chat import plain_chat
from tests.service_server import Reaction, Request, ServiceServer, completion, says
from workers.prompt import Continuations, Likelihood, PromptBlock

PROMPTS = Path(__file__).parents[2] / "golden" / "mt_bench" / "judge_prompts.jsonl"
HONEY = Question("q1", ("What do bees make?",), "facts", ("Honey.",), "Wax.")
CHANCES = {"7": 0.5, "8": 0.3, "10": 0.15, "x": 0.05}


def _weighs(chances: dict[str, float], before: str = "Fair. Rating: [[", behind: str = "]]") -> Reaction:
    """A service that says the likeliest, with the chances of all."""

    def body(request: Request) -> bytes:
        given = max(chances, key=lambda token: chances[token])
        answer: dict[str, Any] = json.loads(completion(request, f"{before}{given}{behind}"))
        places = [(before, {before: 1.0}), (given, chances), (behind, {behind: 1.0})]
        answer["choices"][0]["logprobs"] = {
            "content": [
                {
                    "token": token,
                    "top_logprobs": [{"token": name, "logprob": math.log(p)} for name, p in likely.items()],
                }
                for token, likely in places
            ]
        }
        return json.dumps(answer).encode()

    return Reaction(body)


class Weighing(ScriptedModel):
    """A model of one's own that says one rating and finds each as likely as it is told to."""

    def __init__(self, words: str, chances: dict[str, float]) -> None:
        super().__init__(lambda prompt: words)
        self._chances = chances

    async def score(self, block: PromptBlock, continuations: Continuations) -> Any:
        self.scored.append((block, continuations))
        for index, text in enumerate(continuations.texts):
            yield index, Likelihood(math.log(self._chances.get(text, 1e-12)), 1)


def _verdict(judge: Judge) -> Verdict:
    async def scenario() -> Verdict:
        await judge.start()
        try:
            return await judge.judge(HONEY, ("Honey.",))
        finally:
            await judge.close()

    return asyncio.run(scenario())


def _mt_bench(base_url: str, own: ScriptedModel | None = None, **knobs: object) -> MTBenchJudge:
    given = {"kind": "mt_bench", "prompts_path": PROMPTS, "service": service(base_url), "rating": "expected"}
    config = MTBenchJudgeConfig.model_validate(given | knobs)
    return MTBenchJudge.load(config, LocalChatModel(own, plain_chat()) if own else chat_model(config.service))


def test_a_service_is_asked_for_its_likeliest_tokens_and_the_distribution_is_kept_with_the_words() -> None:
    with ServiceServer(then=_weighs(CHANCES)) as server:
        verdict = _verdict(_mt_bench(server.base_url))
    (request,) = server.requests
    assert (request["logprobs"], request["top_logprobs"]) == (True, 20)
    assert verdict.score == pytest.approx((0.5 * 7 + 0.3 * 8 + 0.15 * 10) / 0.95)
    words, distribution = verdict.words.split("\n\n[expected rating] ")
    assert words == "Fair. Rating: [[7]]"
    assert json.loads(distribution)["probabilities"] == {"7": 0.5, "8": 0.3, "10": 0.15}
    assert json.loads(distribution)["off_scale"] == pytest.approx(0.05)


def test_a_service_without_probabilities_or_with_most_of_them_off_the_scale_fails_and_is_paid_for() -> None:
    for reaction in (says("Rating: [[7]]"), _weighs({"7": 0.4, "x": 0.35, "y": 0.25})):
        with ServiceServer(then=reaction) as server, pytest.raises(VerdictUnreadable) as failed:
            _verdict(_mt_bench(server.base_url, unreadable_retries=1))
        assert failed.value.usage.calls == len(server.requests) == 2


def test_the_other_readings_ask_for_no_probabilities() -> None:
    with ServiceServer() as server:
        _verdict(_mt_bench(server.base_url, rating="decision"))
    assert "logprobs" not in server.requests[0]


def test_a_comparison_is_the_expected_winner() -> None:
    with ServiceServer(then=_weighs({"A": 0.7, "B": 0.2, "C": 0.1})) as server:
        given = {"kind": "pairwise", "prompts_path": PROMPTS, "service": service(server.base_url), "rating": "expected"}
        config = PairwiseJudgeConfig.model_validate(given)
        verdict = _verdict(PairwiseJudge(config, chat_model(config.service), PairPrompts.read(config)))
    assert verdict.score == pytest.approx(0.75)


def test_a_model_of_ones_own_scores_each_rating_with_its_bracket_in_the_place_of_the_decision() -> None:
    model = Weighing("<think>[[3]]</think>Rating: [[1]]", {"1]]": 0.25, "10]]": 0.5, "9]]": 0.25})
    verdict = _verdict(_mt_bench("http://127.0.0.1:9/v1", model))
    ((block, continuations),) = model.scored
    assert block.prefix.endswith("<think>[[3]]</think>Rating: [[")
    assert continuations.texts == tuple(f"{rating}]]" for rating in range(1, 11))
    assert verdict.score == pytest.approx(0.25 * 1 + 0.5 * 10 + 0.25 * 9)
    assert verdict.usage.calls == 2


def test_a_rubric_weighs_the_whole_numbers_of_its_own_scale(tmp_path: Path) -> None:
    rubric = tmp_path / "rubric.txt"
    rubric.write_text("{question} {answer}", encoding="utf-8")
    given = {"kind": "rubric", "rubric_path": rubric, "rating": "expected", "low": 0, "high": 3}

    def judge(base_url: str, **knobs: object) -> RubricJudge:
        config = RubricJudgeConfig.model_validate(given | {"service": service(base_url)} | knobs)
        return RubricJudge.load(config, chat_model(config.service))

    with ServiceServer(then=_weighs({"3": 0.5, "0": 0.5})) as server:
        assert _verdict(judge(server.base_url)).score == pytest.approx(1.5)
    with pytest.raises(InputError, match="weighs whole numbers"):
        judge("http://127.0.0.1:9/v1", low=0.2, high=1.5)
    with pytest.raises(InputError, match="needs something behind the rating"):
        judge("http://127.0.0.1:9/v1", pattern=r"score: (\d+)")


@pytest.mark.heavy
def test_a_toy_judge_finds_each_rating_as_likely_as_its_own_logits_say() -> None:
    import torch  # noqa: PLC0415

    from tests.tiny_model import random_llama, tokenizer  # noqa: PLC0415 -- torch
    from workers.engines.transformers_engine import TransformersEngine  # noqa: PLC0415
    from workers.text_model import ModelCard  # noqa: PLC0415

    model, words = random_llama(), tokenizer()
    engine = TransformersEngine(model, words, ModelCard("toy", 512, "cpu"))
    prompt, ratings = "Rating: [[", [f"{rating}]]" for rating in range(1, 11)]
    block = PromptBlock(prompt, ("",) * len(ratings), bos=False)
    for index, likelihood in engine.score(block, Continuations(tuple(ratings))):
        begin = words(prompt, add_special_tokens=False)["input_ids"]
        whole = words(prompt + ratings[index], add_special_tokens=False)["input_ids"]
        assert whole[: len(begin)] == begin
        with torch.inference_mode():
            logs = model(torch.tensor([whole])).logits[0].float().log_softmax(-1)
        wanted = sum(float(logs[at - 1, whole[at]]) for at in range(len(begin), len(whole)))
        assert likelihood.log_probability == pytest.approx(wanted, abs=1e-4)

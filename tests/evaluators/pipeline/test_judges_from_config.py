"""A config becomes panel members: judges with their weights, repeats and models."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from configs.errors import InputError
from configs.schema.judge import JudgeConfig
from configs.schema.model import ModelConfig, RewardModelConfig
from configs.schema.workers import WorkersConfig
from evaluators.judge_tools.models import Models
from evaluators.pipeline.judges_from_config import make_panel_members
from evaluators.pipeline.panel import PanelMember
from evaluators.question import Question
from tests.evaluators.judges.served import NOBODY, service
from tests.fakes import EchoRewardEngine, ScriptedModel
from tests.tiny_model import tokenizer
from workers.local_worker import LocalWorker
from workers.text_model import RewardModel, TextModel

pytestmark = pytest.mark.heavy

PROMPTS = Path(__file__).parents[2] / "golden" / "mt_bench" / "judge_prompts.jsonl"
ALPACA = Path(__file__).parents[2] / "golden" / "alpaca_eval" / "prompt.txt"
HONEY = Question("q1", ("What do bees make?",), references=("Bees make honey.",), baseline="Wax.")
CHRF: dict[str, Any] = {"kind": "reference"}
EXACT: dict[str, Any] = {"kind": "reference", "metric": "exact_match"}


class Workshop:
    """Makes models of nothing, and remembers for what."""

    def __init__(self) -> None:
        self.made: list[tuple[str, WorkersConfig]] = []

    def text(self, config: ModelConfig, workers: WorkersConfig) -> TextModel:
        self.made.append((config.name, workers))
        return ScriptedModel(lambda prompt: "[[A]]")

    def reward(self, config: RewardModelConfig, workers: WorkersConfig) -> RewardModel:
        self.made.append((config.name, workers))
        return LocalWorker(EchoRewardEngine)

    @property
    def models(self) -> Models:
        return Models(self.text, self.reward)


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
def chatty(tmp_path: Path) -> str:
    """A folder with a tokenizer that has a chat template, and no model."""
    tokenizer().save_pretrained(tmp_path)
    template = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    (tmp_path / "chat_template.jinja").write_text(template, encoding="utf-8")
    return str(tmp_path)


def _members(workshop: Workshop, judge: dict[str, Any]) -> tuple[PanelMember, ...]:
    config: JudgeConfig = TypeAdapter(JudgeConfig).validate_python(judge)
    return make_panel_members(config, workshop.models)


async def _started(members: Sequence[PanelMember]) -> list[str]:
    for member in members:
        await member.judge.start()
    try:
        return [member.judge.fingerprint for member in members]
    finally:
        for member in members:
            await member.judge.close()


def test_a_judge_is_a_seat_with_its_repeats(workshop: Workshop) -> None:
    (member,) = _members(workshop, CHRF | {"repeats": 3, "average": "median"})
    assert (member.weight, member.repeats, member.average) == (1, 3, "median")


def test_a_comparison_in_both_orders_is_two_seats_that_share_a_model_and_the_weight(
    workshop: Workshop, chatty: str
) -> None:
    pair: dict[str, Any] = {"kind": "pairwise", "prompts_path": PROMPTS, "model": {"name": chatty}}
    members = _members(workshop, pair)
    assert [member.weight for member in members] == [0.5, 0.5]
    assert len(workshop.made) == 1

    async def scenario() -> list[float]:
        for member in members:
            await member.judge.start()
        verdicts = [await member.judge.judge(HONEY, ("Honey.",)) for member in members]
        for member in members:
            await member.judge.close()
        return [verdict.score for verdict in verdicts]

    assert asyncio.run(scenario()) == [1, 0], "who always says A has no say when both orders are asked"
    assert len(_members(workshop, pair | {"swap": False})) == 1


def test_an_ensemble_seats_its_members_with_their_weights_and_repeats(workshop: Workshop) -> None:
    configs = [{"weight": 3, "judge": CHRF | {"repeats": 2}}, {"judge": EXACT}]
    members = _members(workshop, {"kind": "ensemble", "members": configs})
    assert [(member.weight, member.repeats) for member in members] == [(3, 2), (1, 1)]
    metrics = [json.loads(one)["metric"] for one in asyncio.run(_started(members))]
    assert metrics == ["chrf", "exact_match"]


@pytest.mark.parametrize(
    "members", [[], [{"judge": {"kind": "ensemble", "members": [{"judge": CHRF}]}}], [{"weight": 0, "judge": CHRF}]]
)
def test_an_ensemble_of_nobody_of_ensembles_or_of_no_weight_is_refused(
    workshop: Workshop, members: list[dict[str, Any]]
) -> None:
    with pytest.raises(ValidationError):
        _members(workshop, {"kind": "ensemble", "members": members})


def test_a_model_of_ones_own_runs_in_this_process_unless_it_has_workers(workshop: Workshop, chatty: str) -> None:
    own: dict[str, Any] = {"kind": "alpaca_eval", "prompt_path": ALPACA, "model": {"name": chatty}}
    reward: dict[str, Any] = {"kind": "reward_model", "model": {"name": chatty}}
    for judge in (own, reward, own | {"workers": {"kind": "ray", "count": 2}}):
        _members(workshop, judge)
    assert [(name, workers.kind, workers.count) for name, workers in workshop.made] == [
        (chatty, "local", "auto"),
        (chatty, "local", "auto"),
        (chatty, "ray", 2),
    ]


def test_a_reward_model_that_reads_pairs_needs_no_chat_template(workshop: Workshop, tmp_path: Path) -> None:
    tokenizer().save_pretrained(tmp_path)
    judge: dict[str, Any] = {"kind": "reward_model", "model": {"name": str(tmp_path), "reads": "pair"}}
    asyncio.run(_started(_members(workshop, judge)))
    with pytest.raises(InputError, match=r"no chat template; set judge\.model\.reads to pair"):
        _members(workshop, {"kind": "reward_model", "model": {"name": str(tmp_path)}})
    with pytest.raises(InputError, match="no chat template; choose an instruct model"):
        _members(workshop, {"kind": "mt_bench", "prompts_path": PROMPTS, "model": {"name": str(tmp_path)}})


def test_a_reward_models_template_may_demand_the_answer_and_has_to_spell_it(workshop: Workshop, chatty: str) -> None:
    template = Path(chatty, "chat_template.jinja")
    reward: dict[str, Any] = {"kind": "reward_model", "model": {"name": chatty}}
    plain, at_answer = template.read_text(encoding="utf-8"), "{% if messages[-1].role == 'assistant' %}"
    never = "{{ raise_exception('no') }}"
    template.write_text(f"{at_answer}{plain}{{% else %}}{never}{{% endif %}}", encoding="utf-8")
    assert len(_members(workshop, reward)) == 1
    template.write_text(f"{at_answer}{never}{{% endif %}}{plain}", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be used \(no\); check judge\.model\.name"):
        _members(workshop, reward)


@pytest.mark.parametrize(
    ("knobs", "complaint"),
    [
        ({}, "set either service or model"),
        ({"service": service(NOBODY), "model": {"name": "a"}}, "set either service or model"),
        ({"service": service(NOBODY), "workers": {}}, "workers are for a model of your own"),
    ],
)
def test_a_speaking_judge_has_one_speaker(workshop: Workshop, knobs: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        _members(workshop, {"kind": "mt_bench", "prompts_path": PROMPTS} | knobs)


def test_a_function_is_found_by_its_name(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def score(question, answers):\n    return 1\n", encoding="utf-8")
    (member,) = _members(workshop, {"kind": "function", "function": "mine:score", "folder": tmp_path})
    assert asyncio.run(member.judge.judge(HONEY, ("Honey.",))).score == 1


def test_a_service_is_asked_for_its_key_when_seats_are_made(workshop: Workshop) -> None:
    given = service(NOBODY, api_key_variable="A_KEY_THAT_NOBODY_HAS")
    with pytest.raises(InputError, match="A_KEY_THAT_NOBODY_HAS"):
        _members(workshop, {"kind": "mt_bench", "prompts_path": PROMPTS, "service": given})

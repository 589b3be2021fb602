"""A cheap judge beside the judge of a search."""

import pickle
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.loading import load_config, load_evaluation
from configs.schema.judge import EnsembleJudgeConfig, ReferenceJudgeConfig
from configs.schema.search_judge import judge_alone, screening_judge
from configs.stored import dump_config, restore_config

SCREENING, OPTUNA = "strategy={kind: screening}", "strategy={kind: optuna}"
CHEAP = "judge.screening={kind: reference, metric: rouge_l}"


def test_a_cheap_judge_is_read_with_the_knobs_of_its_kind_and_comes_back_from_a_run_directory() -> None:
    config = load_config("quickstart", [SCREENING, CHEAP])
    assert screening_judge(config.judge) == ReferenceJudgeConfig(kind="reference", metric="rouge_l")
    assert restore_config(dump_config(config)) == config


def test_a_config_goes_to_another_process_and_back() -> None:
    config = load_config("quickstart", [SCREENING, CHEAP])
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_judge_alone_is_a_judge_as_an_evaluation_has_it() -> None:
    judge = judge_alone(load_config("quickstart", [SCREENING, CHEAP, "judge.screened_held_out_share=0.5"]).judge)
    assert type(judge) is ReferenceJudgeConfig
    assert judge.metric == "chrf"
    assert screening_judge(judge) is None


def test_a_judge_made_in_python_is_taken_as_it_is() -> None:
    config = load_config("quickstart", [SCREENING])
    judge = EnsembleJudgeConfig(kind="ensemble", members=({"judge": {"kind": "reference"}},))
    again = type(config)(**{**dict(config), "judge": judge})
    assert judge_alone(again.judge) == judge


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([OPTUNA, CHEAP], "only strategy.kind screening asks judge.screening, and this is optuna"),
        ([SCREENING, "judge.screening={kind: reference}"], "judge.screening is the judge itself"),
        ([SCREENING, "judge.screening={kind: refrence}"], "did you mean 'reference'?"),
        ([SCREENING, "judge.screening={kind: ensemble, members: []}"], "`judge.screening.kind` must be one of"),
        ([SCREENING, "judge.screening={metric: chrf}"], "`judge.screening.kind` is required: one of mt_bench"),
        ([SCREENING, "judge.screening=3"], "must be a mapping with `kind` or null, not 3"),
        ([SCREENING, "judge.screening={kind: reference, metrik: chrf}"], "did you mean `judge.screening.metric`?"),
        ([SCREENING, "judge.screening={kind: reference, low: hi}"], "`judge.screening.low` must be a number"),
        ([SCREENING, CHEAP, "judge.screening.screening={kind: reference}"], "`judge.screening.screening`: unknown"),
        ([SCREENING, CHEAP, "strategy.screening_judge_answers=-1"], "at least 0"),
        ([SCREENING, "judge.screened_held_out_share=0.5"], "scored by judge.screening, and there is none"),
        ([SCREENING, CHEAP, "judge.screened_held_out_share=1"], "below 1"),
    ],
)
def test_a_cheap_judge_that_cannot_be_is_refused_in_a_sentence(overrides: list[str], words: str) -> None:
    with pytest.raises(InputError) as refused:
        load_config("quickstart", overrides)
    assert words in str(refused.value)


def test_an_evaluation_has_no_cheap_judge(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`judge\.screening`: unknown setting"):
        load_evaluation("evaluate_quickstart", [CHEAP])

"""The figures that stand beside ours are those that the paper printed, table by table."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.experiments.catalogue import experiment_named
from search.experiments.cell import Label
from search.experiments.paper import ALPACA, AVERAGE, LLAMA, MISTRAL, TURN_1, TURN_2, printed_figure
from search.experiments.run import run_experiment
from tests.search.experiments.toy import toy_config, toy_values
from tests.shared_data import shared

PAIR = (MISTRAL, LLAMA)
MEASURES = (TURN_1, TURN_2, AVERAGE)
Case = tuple[str, str, dict[str, Label], str, float]
"""Experiment, model, condition, measure, figure."""


@pytest.fixture(scope="module")
def numbers() -> dict[str, Any]:
    """What was copied from the paper's tables and drawings."""
    content: dict[str, Any] = json.loads(shared("paper_numbers.json").read_text(encoding="utf-8"))
    return content


def _aligned(numbers: dict[str, Any]) -> Iterator[Case]:
    table = numbers["table1_mtbench_gpt4_judge"]["rows"]
    for name in PAIR:
        for row, asked in ((f"{name}+URIAL", "base with prompt"), (_instruct(name), "instruct")):
            for measure, value in zip(MEASURES, table[row], strict=True):
                yield "aligned", name, {"pair": name, "asked": asked}, measure, value


def _instruct(name: str) -> str:
    return "Mistral-7B-Instruct-v0.2" if name == MISTRAL else "Llama-3.1-8B-Instruct"


def _matching(numbers: dict[str, Any]) -> Iterator[Case]:
    kinds = {
        "X only": "queries only",
        "Y only": "answers only",
        "circular shift of Y": "circular shift",
        "in-domain random Y": "in-domain random answers",
        "out-of-domain random Y": "out-of-domain random answers",
        "correct Y": "correct answers",
        "no demonstrations": "no demonstrations",
    }
    for row, values in numbers["table2_qa_matching_turn1"]["rows"].items():
        for at, value in enumerate(values):
            shown = "base prompt" if at < 2 else "base prompt and 3 found"
            yield "matching", PAIR[at % 2], {"demonstrations": shown, "matching": kinds[row]}, TURN_1, value


def _greedy(numbers: dict[str, Any]) -> Iterator[Case]:
    for count, values in enumerate(numbers["table4_greedy_skillmix"]["rows"].values()):
        for name in PAIR:
            condition: dict[str, Label] = {"strategy": "paper" if count else "none", "chosen": count}
            yield "greedy", name, condition, TURN_1, values[name][0]
            yield "greedy", name, condition, ALPACA, values[name][1] / 100


def _many_shot(numbers: dict[str, Any]) -> Iterator[Case]:
    table = numbers["table10_scaling_alpacaeval2_LC_skillmix"]
    for name in PAIR:
        for count, value in zip(table["n"], table[name], strict=True):
            yield "many_shot", name, {"examples": "random" if count else "none", "n": count}, ALPACA, value / 100
        drawn = numbers["fig3_scaling"][name]
        for turn, measure in (("T1", TURN_1), ("T2", TURN_2)):
            for series, kind in (("noURIAL", "random"), ("+URIAL", "random and base prompt")):
                key = f"{turn} random{' ' if kind == 'random' else ''}{series}"
                for count, value in list(zip(drawn["n"], drawn[key], strict=True))[1:]:
                    yield "many_shot", name, {"examples": kind, "n": count}, measure, value


def _finetuning(numbers: dict[str, Any]) -> Iterator[Case]:
    for name in PAIR:
        drawn = numbers["fig5_icl_vs_ift"][name]
        for turn, measure in (("T1", TURN_1), ("T2", TURN_2)):
            for count, value in list(zip(drawn["n_ift"], drawn[f"{turn} SkillMix IFT"], strict=True))[1:]:
                yield "icl_vs_finetuning", name, {"examples": "fine-tuned (full)", "n": count}, measure, value


def _decoding(numbers: dict[str, Any]) -> Iterator[Case]:
    maps = numbers["decoding_heatmaps_turn1"]
    for penalty in (1.0, 1.15):
        for name in PAIR:
            for suffix, kind in (("base", "base"), ("URIAL", "base with prompt")):
                rows = maps[f"{name} rp={penalty} {suffix}"]
                for top_p, row in zip(maps["top_p_rows"], rows, strict=True):
                    for temperature, value in zip(maps["temperature_cols"], row, strict=True):
                        labels = {"repetition penalty": penalty, "top-p": top_p, "temperature": temperature}
                        yield "decoding", name, {"model": kind, **labels}, TURN_1, value


def _components(numbers: dict[str, Any]) -> Iterator[Case]:
    drawn = numbers["fig2_components_mistral"]
    for series, kind in (("examples-only", "examples only"), ("rule+examples", "rules and examples")):
        for turn, measure in (("turn1", TURN_1), ("turn2", TURN_2)):
            for count, value in zip(drawn["n"], drawn[f"{turn} {series}"], strict=True):
                yield "components", MISTRAL, {"prompt": kind, "n": count}, measure, value


def _transfer(numbers: dict[str, Any]) -> Iterator[Case]:
    for model, rows in numbers["table9_transfer_of_evolinstruct_mistral_prompts"]["rows"].items():
        for added, (turn_1, wins) in enumerate(rows.values()):
            shown = f"Evol-Instruct, {added} chosen" if added else "base prompt"
            yield "transfer", MISTRAL, {"set": shown, "model": model}, TURN_1, turn_1
            yield "transfer", MISTRAL, {"set": shown, "model": model}, ALPACA, wins / 100


TABLES = (_aligned, _matching, _greedy, _many_shot, _finetuning, _decoding, _components, _transfer)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__.strip("_"))
def test_every_figure_is_the_papers(table: Any, numbers: dict[str, Any]) -> None:
    cases = list(table(numbers))
    assert cases
    wrong = [
        (case, ours)
        for case in cases
        if (ours := printed_figure(case[0], case[1], case[2], case[3])) != pytest.approx(case[4], abs=1e-9)
    ]
    assert not wrong


SMALL: dict[str, Any] = {
    "components": {"counts": [0, 3]},
    "many_shot": {"counts": [0, 3], "draws": 1, "unsupervised": False},
    "decoding_sweep": {"temperatures": [0.0], "top_ps": [0.6], "repetition_penalties": [1.0]},
    "transfer": {
        "strategies": [{"name": "found", "strategy": {"kind": "random", "trials": 2, "max_demonstrations": 1}}],
    },
    "sufficient": {"experiments": ["components"]},
    "decoding": {"max_new_tokens": 8},
}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that no test pays for what another has paid."""
    return tmp_path_factory.mktemp("shared") / "ledger.sqlite"


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "figure"),
    [("aligned", "7.64"), ("many_shot", "6.10"), ("decoding", "7.85"), ("transfer", "6.99"), ("sufficient", "7.13")],
)
def test_the_papers_figures_stand_beside_ours_in_table_and_page(
    name: str, figure: str, ledger: Path, tmp_path: Path
) -> None:
    values = toy_values()["benchmarks"][0] | {"side": "all"}
    values["questions"]["limit"] = 3
    win_rates = values | {"name": ALPACA, "experiments": ["many_shot"], "scoring": {}}
    config = toy_config(
        tmp_path,
        ledger,
        pair=MISTRAL,
        paper_model=MISTRAL,
        benchmarks=[values | {"name": "MT-Bench"}, win_rates],
        **SMALL,
    )
    results = run_experiment(experiment_named(name), config, tmp_path / "run", images=False)
    beside = {row.measure.name: row.printed for row in results.rows if row.printed is not None}
    assert beside
    table, page = ((tmp_path / "run" / file).read_text(encoding="utf-8") for file in ("table.md", "page.html"))
    assert "the paper's" in table
    assert figure in table
    assert figure in page
    assert "hollow diamonds are the paper" in page or "the paper&#39;s figures in brackets" in page
    assert (f"Its figures of {ALPACA} are win rates controlled for length" in table) == (name == "many_shot")
    assert (ALPACA in beside) == (name == "many_shot")

"""The figures that stand beside ours are those that the paper printed, all of them."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from configs.loading import load_experiment
from search.experiments.catalogue import EXPERIMENTS, experiment_named
from search.experiments.paper import printed_figure, printed_figures
from search.experiments.paper_tables import ALPACA, MISTRAL, ROUNDS
from search.experiments.run import run_experiment
from tests.documents import ROOT
from tests.search.experiments.paper_map import PAIR, Place, leaves, places
from tests.search.experiments.toy import toy_config, toy_values
from tests.shared_data import shared


@pytest.fixture(scope="module")
def numbers() -> dict[str, Any]:
    """What was copied from the paper's tables and drawings."""
    content: dict[str, Any] = json.loads(shared("paper_numbers.json").read_text(encoding="utf-8"))
    return content


def _beside(place: Place) -> float | None:
    """What we print there, on the paper's scale."""
    assert place.condition is not None
    ours = printed_figure(place.experiment, place.model, place.condition, place.measure)
    return ours if ours is None or place.measure != ALPACA else 100 * ours


def test_every_number_of_the_paper_has_its_place_and_stands_there(numbers: dict[str, Any]) -> None:
    values, placed = dict(leaves(numbers)), places(numbers)
    assert values.keys() == placed.keys()
    wrong = [
        (path, place, values[path])
        for path, place in placed.items()
        if place.kind == "shown" and _beside(place) != pytest.approx(values[path], abs=1e-9)
    ]
    assert not wrong
    again = [(path, _beside(place)) for path, place in placed.items() if place.kind == "again"]
    assert all(ours == pytest.approx(values[path], abs=0.15) for path, ours in again)  # other runs of the same


def test_the_rounds_of_the_papers_search_are_its_own(numbers: dict[str, Any]) -> None:
    for name in PAIR:
        table = numbers["fig4_fig12_search_histograms_gpt4turbo_judge"][name]
        kept = (None, table["best 4th"], table["best 4&5"], None)
        rounds = ([1, table["URIAL"], 0.0], *table["round_n_mean_sd"])
        assert ROUNDS[name] == {size: (*of, kept[size]) for size, of in enumerate(rounds)}


def test_nothing_else_is_called_the_papers(numbers: dict[str, Any]) -> None:
    known = {
        (place.experiment, tuple((place.condition or {}).items()), place.measure, round(_beside(place) or 0, 6))
        for place in places(numbers).values()
        if place.kind in {"shown", "again"}
    }
    values = {value for _, value in leaves(numbers)}
    for name in EXPERIMENTS:
        for model in PAIR:
            for condition, measure, value in printed_figures(name, model) if name != "sufficient" else ():
                own = value if measure != ALPACA else round(100 * value, 6)
                entry = (name, tuple(condition.items()), measure, round(own, 6))
                assert entry in known or own in values, entry  # the same quantity in another experiment


def test_the_page_counts_the_numbers_of_each_table_as_they_are(numbers: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    told = {
        row[0]: tuple(int(count or 0) for count in row[1:])
        for row in re.findall(
            r"^\| ((?:table|figure|heat)[^|]*?) \| (\d+) \| (\d*) \| (\d*) \| (\d*) \|", text, re.MULTILINE
        )
    }
    counted: dict[str, Counter[str]] = {}
    for path, place in places(numbers).items():
        counted.setdefault(_in_words(str(path[0])), Counter())[place.kind] += 1
    assert told == {
        name: (kinds.total(), kinds["shown"] + kinds["round"], kinds["again"], kinds["none"] + kinds["setting"])
        for name, kinds in counted.items()
    }


@pytest.mark.parametrize("preset", ["experiment_mistral_7b_v0_2", "experiment_llama_3_1_8b"])
def test_the_presets_have_the_papers_settings(preset: str, numbers: dict[str, Any]) -> None:
    config, printed = load_experiment(ROOT / "configs" / f"{preset}.yaml"), numbers["table5_ift_hparams"]
    name, few, many = config.pair.partition("-")[0], printed["n<=300"], printed["n>=1000"]
    finetuning = config.finetuning
    assert finetuning.learning_rate == printed[f"{name} LR"]
    assert config.icl_vs_finetuning.draws == printed["seeds"][name]
    ours = (finetuning.max_tokens, finetuning.weight_decay, finetuning.warmup_share, finetuning.schedule)
    assert ours == (printed["ctx"], printed["wd"], printed["warmup"], printed["schedule"])
    of_three, of_others = map(int, re.findall(r"(\d+)(?: for n=3| \(4 GPUs)", few["batch"]))
    for count in config.icl_vs_finetuning.counts:
        length, group = finetuning.length_for(count), few if count <= 300 else many
        batch = many["batch"] if count > 300 else of_three if count == 3 else of_others
        assert (length.epochs, length.batch_size) == (group["epochs"], batch), count


def _in_words(table: str) -> str:
    """`table1_mtbench_gpt4_judge` is table 1."""
    kind, number = re.match(r"(table|fig|decoding)(\d*)", table).groups()  # type: ignore[union-attr]
    if table.startswith("fig4"):
        return "figures 4, 12"
    return {"table": f"table {number}", "fig": f"figure {number}", "decoding": "heat maps"}[kind]


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
    assert "Hollow diamonds are the paper" in page or "The paper&#39;s figures stand in brackets" in page
    assert (f"Its figures of {ALPACA} are win rates controlled for length" in table) == (name == "many_shot")
    assert (ALPACA in beside) == (name == "many_shot")

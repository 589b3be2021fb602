"""What a dry run leaves alone."""

from pathlib import Path

import pytest

from configs.loading import load_config
from search.forecast.dry_run import forecast_run


@pytest.mark.heavy
def test_a_dry_run_loads_no_embedding_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sentence_transformers.py").write_text("raise RuntimeError('loaded')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    strategy = "strategy={kind: screening, embedding: some/model, max_demonstrations: 2}"
    generations = forecast_run(load_config("quickstart", [strategy])).quantities[0]
    assert generations.about is not None


@pytest.mark.heavy
def test_a_dry_run_counts_the_prompts_read_for_likelihoods() -> None:
    strategy = "strategy={kind: screening, max_demonstrations: 2, hints: {likelihood_questions: %d}}"
    without, asked = (forecast_run(load_config("quickstart", ["pool.limit=9", strategy % count])) for count in (0, 8))
    read = [{one.name: one.at_most for one in forecast.quantities}["prompt tokens"] for forecast in (without, asked)]
    assert read[0] is not None
    assert read[1] is not None
    assert read[1] > read[0]
    assert [note for note in asked.notes if "80 prompts with reference answers" in note]
    assert asked.quantities[0] == without.quantities[0]

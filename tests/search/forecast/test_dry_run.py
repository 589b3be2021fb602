"""What a dry run leaves alone."""

from pathlib import Path

import pytest

from configs.errors import InputError
from configs.loading import load_config
from search.forecast.dry_run import forecast_run

pytestmark = pytest.mark.heavy


def test_a_dry_run_loads_no_embedding_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sentence_transformers.py").write_text("raise RuntimeError('loaded')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    strategy = "strategy={kind: screening, embedding: some/model, max_demonstrations: 2}"
    generations = forecast_run(load_config("quickstart", [strategy])).quantities[0]
    assert generations.about is not None


def test_a_dry_run_counts_the_prompts_read_for_likelihoods() -> None:
    strategy = "strategy={kind: screening, max_demonstrations: 2, hints: {likelihood_questions: %d}}"
    without, asked = (forecast_run(load_config("quickstart", ["pool.limit=9", strategy % count])) for count in (0, 8))
    read = [{one.name: one.at_most for one in forecast.quantities}["prompt tokens"] for forecast in (without, asked)]
    assert read[0] is not None
    assert read[1] is not None
    assert read[1] > read[0]
    assert [note for note in asked.notes if "80 prompts with reference answers" in note]
    assert asked.quantities[0] == without.quantities[0]


@pytest.mark.heavy
def test_a_dry_run_refuses_a_prompt_that_does_not_fit_as_the_run_does() -> None:
    with pytest.raises(InputError, match=r"the base prompt with the longest question has \d+ tokens"):
        forecast_run(load_config("quickstart", ["model.context_tokens=64"]))


@pytest.mark.heavy
def test_a_dry_run_says_what_was_read() -> None:
    notes = forecast_run(load_config("quickstart", ["pool.limit=8", "strategy={kind: random, trials: 3}"])).notes
    assert any("the pool has 8; 32 questions guide the search and 48 are held out" in note for note in notes)


def test_a_dry_run_counts_every_turn_of_the_demonstrations() -> None:
    given = ["pool.limit=8", "pool.path=configs/quickstart/two_turn_pool.jsonl", "strategy={kind: random, trials: 3}"]
    whole, first = (
        forecast_run(load_config("quickstart", [*given, *more])) for more in ((), ("pool.follow_up_query_field=null",))
    )
    read = [{one.name: one.at_most for one in made.quantities}["prompt tokens"] or 0 for made in (whole, first)]
    assert read[0] > read[1] > 0
    assert any("the pool has 8 (8 of several turns);" in note for note in whole.notes)
    assert any("the pool has 8;" in note for note in first.notes)

"""What a dry run leaves alone."""

from pathlib import Path

import pytest

from configs.loading import load_config
from search.dry_run import forecast_run


def test_a_dry_run_loads_no_embedding_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sentence_transformers.py").write_text("raise RuntimeError('loaded')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    strategy = "strategy={kind: screening, embedding: some/model, max_demonstrations: 2}"
    generations = forecast_run(load_config("quickstart", [strategy])).quantities[0]
    assert generations.about is not None

"""The table of strategies."""

from pathlib import Path

from configs.strategy_reference import strategy_table

DOCS = Path(__file__).parents[2] / "docs" / "strategies.md"


def test_the_table_in_the_docs_is_the_schemas() -> None:
    assert strategy_table() in DOCS.read_text(encoding="utf-8")

"""What `--dry-run` prints for people."""

from io import StringIO

from search.cli.forecast_table import forecast_view
from search.forecast.example import PromptExample
from search.forecast.forecast import Quantity, RunForecast
from search.live.safe_console import SafeConsole


def printed(*quantities: Quantity, prompt: PromptExample | None = None) -> str:
    out = StringIO()
    SafeConsole(file=out).print(forecast_view(RunForecast(quantities, ("notice: odd",), prompt)))
    return out.getvalue()


def test_hours_are_shown_in_a_unit_that_suits_them() -> None:
    said = printed(Quantity("GPU hours", 0.0442, 300.0, None, 500.0), Quantity("hours", None, 2.0, None, None))
    assert "GPU time" in said
    assert all(amount in said for amount in ("2.7 min", "12 days", "21 days", " 2 h", "?"))


def test_a_judge_without_a_model_has_no_rows_of_zeros() -> None:
    said = printed(Quantity("verdicts", 8, 8, None, None), Quantity("judge calls", 0.0, 0.0, None, None))
    assert "verdicts" in said
    assert "judge calls" not in said
    assert "judge calls" in printed(Quantity("judge calls", 0.0, 0.0, None, 10.0))


def test_a_prompt_stands_below_the_notes_and_no_line_ends_in_spaces() -> None:
    said = printed(Quantity("verdicts", 8, 8, None, None), prompt=PromptExample("one of them", "A\n\nB", 1200, False))
    assert "Notice: odd.\n\nA prompt of this run (one of them): about 1,200 tokens\n    A\n\n    B\n" in said

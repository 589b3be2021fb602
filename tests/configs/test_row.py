"""What is in a row's fields, and what of a text can be seen."""

import pytest

from configs.row import Row, is_blank


@pytest.mark.parametrize(("text", "blank"), [
    ("\U0001fae8", False), ("\ue000", False), ("\u0378", False), ("a", False),
    ("", True), (" \u00a0\u2028\n\u200b\ufeff\x00\u3164\u2800", True), (None, True),
])  # fmt: skip
def test_a_text_is_blank_where_nothing_of_it_can_be_seen(text: str | None, blank: bool) -> None:
    assert is_blank(text) == blank


def test_parts_of_text_are_one_text_wherever_they_stand() -> None:
    parts = [{"type": "text", "text": "Which"}, {"type": "text", "text": " river?"}]
    row = Row({"messages": [{"role": "user", "content": parts}], "images": [*parts, {"type": "image_url"}]}, "here")
    assert row.text("messages[0].content") == "Which river?"
    assert row.value("images") == [*parts, {"type": "image_url"}]

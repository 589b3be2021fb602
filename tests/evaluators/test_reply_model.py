"""Whether everything comes from one model, by the word of the service."""

import logging

import pytest

from evaluators.reply_model import ReplyModelWatch


@pytest.mark.parametrize(
    ("first", "replies", "warnings", "complaints"),
    [
        ("", ["", ""], 0, 0),
        ("", ["a", "a"], 0, 0),
        ("a", ["a", "b"], 0, 1),
        ("", ["a", "", "", "a"], 1, 0),
        ("", ["", "", "a"], 1, 0),
        ("a", [""], 1, 0),
        ("a", ["", "b"], 1, 1),
    ],
)
def test_another_model_is_refused_and_a_service_that_names_its_model_now_and_then_is_told_of_once(
    first: str, replies: list[str], warnings: int, complaints: int, caplog: pytest.LogCaptureFixture
) -> None:
    watch = ReplyModelWatch("the judge", first)
    with caplog.at_level(logging.WARNING):
        raised = [complaint for reply in replies if (complaint := watch.complaint(reply)) is not None]
    assert len(raised) == complaints
    assert caplog.text.count("whether one model gave them all is not known") == warnings

from datetime import date

import pytest

from workers.service.listing import notice, read_listing

OPENAI = "https://api.openai.com/v1"
TODAY = date(2026, 11, 29)


def _listed(*entries: dict[str, object]) -> object:
    return {"object": "list", "data": list(entries)}


@pytest.mark.parametrize(
    ("model", "entries", "sentence"),
    [
        ("judge", [{"id": "judge"}], None),
        ("judge", [{"id": "judge", "shutdown_date": None}], None),
        ("judge", [{"id": "judge", "shutdown_date": "2027-01-14"}], "judge will be shut down on 2027-01-14"),
        ("judge", [{"id": "judge", "shutdown_date": "2026-11-29"}], "judge was shut down on 2026-11-29"),
        ("judg", [{"id": "judge"}, {"id": "other"}], "does not list judg among its 2 models; it has judge"),
        ("gpt-4o", [{"id": "gpt-4o", "shutdown_date": "2027-02-01"}], "gpt-4o will be shut down on 2027-02-01"),
        ("gpt-4-turbo-2024-04-09", [{"id": "gpt-6-luna"}], "gpt-4-turbo-2024-04-09 was shut down on 2026-10-23"),
        ("gpt-4.1", [{"id": "gpt-4.1"}], "gpt-4.1 will be shut down on 2027-01-14"),
    ],
)
def test_a_model_that_is_unknown_or_ends_is_said(
    model: str, entries: list[dict[str, object]], sentence: str | None
) -> None:
    said = notice(model, OPENAI, read_listing(_listed(*entries), model), TODAY)
    assert said is None if sentence is None else sentence in str(said)


@pytest.mark.parametrize(
    "answer",
    [
        ["judge"],
        [{"id": "judge"}],
        _listed({"name": "judge"}),
        _listed({"id": "models/judge"}),
        _listed({"id": "jud*"}),
        _listed({"id": "other"}, {"id": 3}, {"id": "judge"}),
    ],
)
def test_a_model_is_found_however_a_service_lists_it(answer: object) -> None:
    assert notice("judge", OPENAI, read_listing(answer, "judge"), TODAY) is None
    assert "does not list critic" in str(notice("critic", OPENAI, read_listing(answer, "critic"), TODAY))


@pytest.mark.parametrize("listed", [["gpt-4o", "*"], ["*", "gpt-4o"], ["models/gpt-4o", "gpt-4o", "gpt-*"]])
def test_what_is_listed_of_a_model_itself_counts_wherever_a_pattern_stands(listed: list[str]) -> None:
    entries: list[dict[str, object]] = [{"id": name, "root": name} for name in listed]
    found = read_listing(_listed(*entries), "gpt-4o")
    assert found is not None
    assert found.entry == {"id": "gpt-4o", "root": "gpt-4o"}


def test_a_pattern_says_nothing_of_the_models_that_it_stands_for() -> None:
    entries: list[dict[str, object]] = [{"id": "*", "root": "a"}, {"id": "gpt-*", "root": "b"}]
    first, later = (read_listing(_listed(*order), "gpt-4o") for order in (entries, entries[::-1]))
    assert first is not None
    assert later is not None
    assert first.entry == later.entry == {}


def test_one_page_of_several_tells_nothing_of_what_is_not_on_it() -> None:
    assert read_listing({"data": [{"id": "other"}], "has_more": True}, "judge") is None


def test_openais_dates_are_for_openais_address_alone() -> None:
    assert notice("gpt-4", OPENAI, None, TODAY) is not None
    assert notice("gpt-4", "http://127.0.0.1:8000/v1", None, TODAY) is None


@pytest.mark.parametrize(
    "answer",
    [None, "x", [], [3], {}, {"data": None}, {"data": []}, {"data": [3]}, {"data": {"a": 1}}, {"m": {}}],
)
def test_what_lists_nothing_says_nothing(answer: object) -> None:
    assert read_listing(answer, "m") is None


def test_an_entry_is_the_same_whenever_it_is_asked_for() -> None:
    first, later = (read_listing(_listed({"id": "m", "root": "r", "created": now}), "m") for now in (1, 2))
    assert first is not None
    assert first == later

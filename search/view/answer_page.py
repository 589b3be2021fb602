"""What the page of one answer shows, from the query of its address."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from search.results.answers_table import AnswerPlace
from search.run_directory.reviews import Review
from search.view.answer_filter import Filter
from search.view.answer_index import AnswerIndex
from search.view.prompt_text import PromptTexts

_FILTER = TypeAdapter(Filter)


def read_filter(query: Mapping[str, str]) -> Filter:
    """The filter that a query asks for; what cannot be read is left out."""
    given: dict[str, Any] = {name: value for name, value in query.items() if value != ""}
    given |= {name: True for name in ("failed", "descending") if name in given}
    try:
        return _FILTER.validate_python(given)
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors()}
        return _FILTER.validate_python({name: value for name, value in given.items() if name not in wrong})


def read_place(query: Mapping[str, str]) -> AnswerPlace:
    """The place of an answer, by `trial` and `item`, the question's id; trial -1 holds none."""
    trial = query.get("trial", "")
    return AnswerPlace(int(trial) if trial.isdecimal() and len(trial) < 12 else -1, query.get("item", ""))


def answer_values(
    index: AnswerIndex, prompts: PromptTexts, query: Mapping[str, str], wanted: Filter
) -> dict[str, Any] | None:
    """The values of its template; None where there is no such answer.

    Args:
        query: `trial` and `item`, the question's id, say which; `beside`, a role, whose answer stands beside it.
    """
    place = read_place(query)
    answer = index.answer(place)
    if answer is None:
        return None
    by_role = {role: index.of_role([answer], role)[0] for role in index.roles}
    others = {role: other for role, other in by_role.items() if other is not None and other.prompt != answer.prompt}
    own = next((role for role, other in by_role.items() if other == answer), "")
    compared = query.get("beside", "")
    compared = compared if compared in others else next(iter(others), "")
    names = list(others)
    return {
        "place": place,
        "answer": answer,
        "review": index.review(answer),
        "other_review": index.review(others[compared]) if compared else Review(),
        "own_role": own,
        "other": others.get(compared),
        "beside": compared,
        "others": names,
        "turn_to": (names.index(compared) + 1) % len(names) if names else -1,
        "around": index.around(place, wanted),
        "wanted": asdict(wanted),
        "turns": prompts.turns(answer),
        "rendered": prompts.rendered(answer),
        "damage": index.damage,
        "prompt": prompts.text(answer.prompt, answer.candidate),
    }


def blind_values(index: AnswerIndex, prompts: PromptTexts, query: Mapping[str, str], wanted: Filter) -> dict[str, Any]:
    """The values of the page that shows an answer without its prompt, score and verdicts, drawn from what fits.

    Args:
        query: `after` is the place in the draw of the answer that is passed over.
    """
    after = query.get("after", "")
    drawn = index.draw(wanted, int(after) if after.isdecimal() and len(after) < 16 else -1)
    answer = index.answer(drawn.place) if drawn.place else None
    return {
        "place": drawn.place,
        "answer": answer,
        "review": index.review(answer) if answer else Review(),
        "turns": prompts.turns(answer) if answer else (),
        "left": drawn.left,
        "reviewed": drawn.reviewed,
        "after": drawn.at,
        "damage": index.damage,
        "wanted": asdict(wanted),
    }

"""Questions that are asked more than once, and ids that stand for several questions."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

from configs.errors import InputError
from configs.plural import show_many
from configs.row import places_in_words
from evaluators.question import Question
from search.problem.text_overlap import words_of

_LISTED = 50


def without_repeated(
    read: Sequence[tuple[Question, str]], policy: Literal["refuse", "drop", "keep"], parting: str | None = None
) -> tuple[list[int], tuple[str, ...]]:
    """Positions of the questions to keep, and a sentence about those that are left out.

    Args:
        read: questions, and where each was read.
        parting: a field that was not read, in which the rows of repetitions differ.

    Raises:
        InputError: an id stands for several questions, or a question is asked more than once and `policy` is not to
            drop the later ones. The text lists every line.
    """
    asked = _groups(tuple(words_of(turn) for turn in question.turns) for question, _ in read)
    dropped = {later for group in asked for later in group[1:]} if policy == "drop" else set()
    places = [place for _, place in read]
    if asked and policy == "refuse":
        belongs = f"name '{parting}' as questions.input_field if it belongs to the question, " if parting else ""
        raise InputError(
            f"{len(asked):,} question{_s(asked)} asked more than once: {_listed(asked, places)}; {belongs}delete the "
            "repetitions, or set questions.repeated to drop"
        )
    kept = [at for at in range(len(read)) if at not in dropped]
    by_id = [[kept[at] for at in group] for group in _groups(read[at][0].id for at in kept)]
    if by_id:
        names = "; ".join(f"'{read[group[0]][0].id}' ({_listed([group], places)})" for group in by_id[:_LISTED])
        raise InputError(
            f"{len(by_id):,} id{_s(by_id)} given to several questions: {names}; give each an id of its own"
        )
    if not asked:
        return kept, ()
    left_out = show_many(len(dropped), "row is left out", "rows are left out")
    consequence = left_out if dropped else "all are kept"
    more = f"{len(asked):,} question{_s(asked)} asked more than once, and {consequence}: {_listed(asked, places)}"
    return kept, (more,)


def _groups(keys: Iterable[Hashable]) -> list[list[int]]:
    """Positions of equal keys, of those that there are several of."""
    by_key: dict[Hashable, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        by_key[key].append(at)
    return [group for group in by_key.values() if len(group) > 1]


def _listed(groups: Sequence[Sequence[int]], places: Sequence[str]) -> str:
    shown = [places_in_words([places[at] for at in group]) for group in groups[:_LISTED]]
    return "; ".join(shown) + (f"; and {len(groups) - _LISTED:,} more" if len(groups) > _LISTED else "")


def _s(groups: Sequence[object]) -> str:
    return " is" if len(groups) == 1 else "s are"

import json
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.problem.shifted_answers import shift_of
from search.prompts.urial import load_base_prompt
from tests.shared_data import shared

Pairs = list[tuple[str, str]]


def prompt_pairs(name: str) -> Pairs:
    return [(one.query, one.answer) for one in load_base_prompt(shared(f"prompts/{name}")).demonstrations]


def shifted(pairs: Pairs, by: int) -> Pairs:
    """Query `i` stands beside the answer that belongs to query `i - by`."""
    return [(query, pairs[(at - by) % len(pairs)][1]) for at, (query, _) in enumerate(pairs)]


def pool_pairs() -> Pairs:
    rows = [json.loads(line) for line in shared("pools/icl_alignment_344.jsonl").read_text().splitlines()]
    return [(row["query"], row["answer"]) for row in rows]


@pytest.mark.parametrize("name", ["urial/urial", "urial_plus_3/urial_plus_3"])
def test_the_circular_shift_of_the_paper_is_seen_even_in_three_examples(name: str) -> None:
    assert shift_of(prompt_pairs(f"qa_matching/{name}.circular_shift.txt")) != 0
    assert shift_of(prompt_pairs(f"qa_matching/{name}.correct.txt")) == 0


def test_no_published_prompt_is_taken_for_shifted() -> None:
    for folder in ("greedy", "random", "diversity"):
        for path in shared(f"prompts/{folder}").iterdir():
            assert shift_of(prompt_pairs(f"{folder}/{path.name}")) == 0


@pytest.mark.parametrize(("by", "found"), [(0, 0), (1, 1), (-1, -1), (7, 0)])
def test_a_real_pool_shifted_by_one_row_is_seen_in_its_direction(by: int, found: int) -> None:
    assert shift_of(shifted(pool_pairs(), by)) == found


def test_pieces_of_a_real_pool_are_judged_as_the_whole() -> None:
    pairs = pool_pairs()
    for start in range(0, 340, 20):
        piece = list(islice(pairs, start, start + 20))
        assert (shift_of(piece), shift_of(shifted(piece, 1))) == (0, 1)


@settings(deadline=None)  # the machine is shared
@given(st.lists(st.tuples(st.text(), st.text()), max_size=6))
def test_any_texts_are_judged_without_a_fault(pairs: Pairs) -> None:
    assert shift_of(pairs) in (-1, 0, 1)


def test_answers_that_share_no_word_with_any_query_are_not_taken_for_shifted() -> None:
    assert shift_of([(f"question{number}", f"answer{number}") for number in range(40)]) == 0

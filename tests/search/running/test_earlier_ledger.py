"""Which demonstrations a prompt holds."""

from pathlib import Path

import pytest

from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS, V6, UrialForm
from search.running.earlier_ledger import demonstrations_in, prompts_of_ledger
from tests.search.report.made_run import MadeRun, Names

LONG = ("What is asked?", "Something that\n\nhas lines, and 4.")
TURNS = ("Begin.", "Begun.", "Go on.", "Gone on.")
OTHER = ("Is it there?", "It is not.")
SHORT = ("What", "4")


@pytest.mark.parametrize("form", [BACKTICKS, V6])
def test_demonstrations_are_found_in_the_order_of_the_prompt(form: UrialForm) -> None:
    shown = [Demonstration("t", *TURNS[:2], (TURNS[2:],)), Demonstration("l", *LONG)]
    prefix = UrialRenderer(form).block("Some rules.", shown, [("asked",)]).prefix
    assert demonstrations_in(prefix, [LONG, OTHER, TURNS]) == (TURNS, LONG)


def test_one_that_is_part_of_another_is_not_taken_for_held() -> None:
    prefix = f"User: {LONG[0]}\nModel: {LONG[1]}\n\n"
    assert demonstrations_in(prefix, [SHORT, LONG]) == (LONG,)
    assert demonstrations_in("User: What?\nModel: 44\n\n", [SHORT]) == ()
    assert demonstrations_in(prefix + "User: What\nModel: 4\n\n", [SHORT, LONG]) == (LONG, SHORT)


def test_a_query_whose_answer_stands_elsewhere_is_no_demonstration() -> None:
    assert demonstrations_in(f"{OTHER[0]} {'and so on ' * 20} {OTHER[1]}", [OTHER]) == ()


def test_equal_answers_behind_different_prompts_share_their_verdict(tmp_path: Path) -> None:
    def say(names: Names, question: str) -> str:
        return "alike"

    run = MadeRun(tmp_path / "run", {"g0": ""}, {"h0": ""}, lambda names, question: 5.0, say)
    run.start()
    for names in ("a", "b", "c"):
        run.search(names)
    ledger = run.write(ended=False) / "ledger.sqlite"
    pool = [(f"query {name}", f"answer {name}") for name in "abc"]
    prompts = prompts_of_ledger(ledger, pool, set())
    assert {prompt.demonstrations for prompt in prompts} == {(texts,) for texts in pool}


def test_scores_on_held_out_questions_do_not_even_set_the_scale(tmp_path: Path) -> None:
    def values_with(held_out_score: float, folder: Path) -> list[dict[str, float]]:
        def score(names: Names, question: str) -> float:
            return held_out_score if question == "g1" else float("abc".index(names[0]) + 1) if names else 4.0

        run = MadeRun(folder, {"g0": "", "g1": ""}, {"h0": ""}, score)
        run.start()
        for names in ("a", "b", "c"):
            run.search(names)
        pool = [(f"query {name}", f"answer {name}") for name in "abc"]
        return [
            dict(prompt.scores) for prompt in prompts_of_ledger(run.write(ended=False) / "ledger.sqlite", pool, {"g1"})
        ]

    assert values_with(1.0, tmp_path / "low") == values_with(10.0, tmp_path / "high")

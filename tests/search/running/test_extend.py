"""What may be extended, and what is said of it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest

from configs.errors import InputError
from configs.loading import override_config
from evaluators.failures import BudgetSpent
from search.results.status import read_status
from search.run_directory.file_formats import Extension
from search.run_directory.run import Run, read_config, read_extensions, read_manifest
from search.running import extend as extending
from search.running.extend import plan_extension
from search.running.launch import refuse_to_go_on
from tests.search.report.made_run import MadeRun, small_run, table

QUESTIONS = ("g1", "g2", "g3", "g4", "h1", "h2", "h3")
SCORES = {(): dict.fromkeys(QUESTIONS, 5.0), ("a",): dict.fromkeys(QUESTIONS, 6.0)}


def made(path: Path) -> MadeRun:
    run = small_run(path / "run", table(SCORES))
    run.search("a")
    run.judge_finalists(("a",), ())
    return run


def planned(path: Path, *changes: str) -> Extension | None:
    return plan_extension(path, override_config(read_config(path), changes))


def test_a_finished_search_is_extended_after_its_end(tmp_path: Path) -> None:
    assert planned(made(tmp_path).write(), "strategy.trials=500") == Extension(budget=500, after_end=True)


def test_a_stopped_search_is_extended_before_its_end(tmp_path: Path) -> None:
    stopped = made(tmp_path).write(ended=False)
    assert planned(stopped, "strategy.trials=500") == Extension(budget=500, after_end=False)


def test_what_does_not_decide_the_outcome_may_change_with_it(tmp_path: Path) -> None:
    path = made(tmp_path).write()
    assert planned(path, "strategy.trials=500", "budget.dollars=3") == Extension(budget=500, after_end=True)


def test_whoever_extends_to_the_budget_that_a_search_has_resumes_it(tmp_path: Path) -> None:
    path = made(tmp_path).write()
    extend(path, 500)
    again = override_config(read_config(path), ["strategy.trials=500", f"pool.path={tmp_path / 'nowhere.jsonl'}"])
    assert plan_extension(path, again) is None
    with pytest.raises(InputError, match="nowhere"):  # `resume` reads the pool
        extending.extend(path, again)
    assert read_extensions(path) == [Extension(budget=500, after_end=True)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("strategy.trials=5",), "set more"),
        (("strategy.trials=500", "strategy.max_demonstrations=2"), "changes strategy.trials and no other setting"),
        (("strategy={kind: exhaustive_greedy}",), "changes strategy.trials and no other setting"),
    ],
)
def test_what_is_no_larger_budget_of_the_same_strategy_is_refused(
    changes: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        planned(made(tmp_path).write(), *changes)


def extend(path: Path, budget: int) -> None:
    run = Run.open(path)
    run.extend(Extension(budget=budget, after_end=True))
    run.note_stop("")
    run.close()


def test_a_second_extension_must_be_larger_than_the_first(tmp_path: Path) -> None:
    path = made(tmp_path).write()
    extend(path, 500)
    with pytest.raises(InputError, match=r"already has strategy\.trials=500: set more"):
        planned(path, "strategy.trials=400")


def test_manifest_and_status_say_that_a_search_was_extended_and_is_not_over(tmp_path: Path) -> None:
    path = made(tmp_path).write()
    extend(path, 500)
    status = read_status(path)
    assert read_manifest(path)["extensions"] == [{"budget": 500, "after_end": True}]
    assert status.state == "stopped"
    assert "extended to strategy.trials=500, after held-out questions had been scored" in status.extended


def test_a_search_whose_budget_is_spent_is_not_extended_until_that_is_raised_too(tmp_path: Path) -> None:
    path = made(tmp_path).write()
    config = override_config(read_config(path), ["strategy.trials=500", "budget.dollars=0.000001"])
    for attempt in (
        lambda: extending.extend(path, config),
        lambda: refuse_to_go_on(config, path, pay_again=False, extends=True),
    ):
        with pytest.raises(BudgetSpent, match=r"go on with a larger one \(`--set budget\.dollars=\.\.\.`\)"):
            attempt()
    refuse_to_go_on(config, path, pay_again=False)
    assert read_extensions(path) == []
    assert read_status(path).state == "finished"


def test_of_processes_that_extend_a_search_at_the_same_moment_one_does(tmp_path: Path) -> None:
    path, together = made(tmp_path).write(), Barrier(8)
    config = override_config(read_config(path), ["strategy.trials=500", f"pool.path={tmp_path / 'nowhere.jsonl'}"])

    def try_to_extend(_: int) -> None:
        together.wait()
        with suppress(InputError):  # also who has extended it cannot go on: its pool is gone
            extending.extend(path, config)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(try_to_extend, range(8)))
    assert read_extensions(path) == [Extension(budget=500, after_end=True)]

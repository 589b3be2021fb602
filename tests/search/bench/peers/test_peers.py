import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from configs.errors import InputError
from search.bench.peers.answer_server import AnswerServer, serving
from search.bench.peers.comparison import peers_table
from search.bench.peers.searches import PeerOutcome, references_shown, run_ours, run_peer
from search.bench.peers.toy_task import ToyTask

pytestmark = pytest.mark.heavy
PYTHON = Path(sys.executable)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnswerServer]:
    with serving(ToyTask(tmp_path_factory.mktemp("task"))) as server:
        yield server


def test_a_search_in_another_process_is_counted_by_the_server_and_judged_on_held_out_questions(
    server: AnswerServer,
) -> None:
    outcome = run_peer(server, "optuna", "tpe", 64, 0, PYTHON)
    assert (outcome.used, outcome.size > 0) == (64, True)
    assert outcome.held_out != server.task.held_out_mean(())


def test_ours_takes_no_more_judged_answers_than_its_budget(server: AnswerServer, tmp_path: Path) -> None:
    outcome = run_ours(server.task, "random", 96, 0, tmp_path)
    assert 0 < outcome.used <= 96


def test_the_base_prompt_scores_what_the_quickstart_says(server: AnswerServer) -> None:
    assert server.task.held_out_mean(()) == pytest.approx(4.56, abs=0.005)
    assert references_shown(server.task, 0).held_out > 8


def test_no_search_sees_a_held_out_question(server: AnswerServer) -> None:
    body = {"search": "curious", "demonstrations": [], "question": server.task.held_out[0]}
    with pytest.raises(HTTPError, match="400"):
        urlopen(server.address + "/judge", json.dumps(body).encode())
    assert server.counts["curious"] == 0


def test_a_training_sample_of_the_pool_costs_a_judged_answer_as_a_question_does(server: AnswerServer) -> None:
    shown = server.task.plan.material.pool[0]
    body = {"search": "trainer", "demonstrations": [], "question": shown.id}
    judged = json.loads(urlopen(server.address + "/judge", json.dumps(body).encode()).read())
    assert judged["answer"]
    assert 1 <= judged["score"] <= 10
    assert server.counts["trainer"] == 1


def test_an_environment_without_the_peer_is_said_in_its_own_words(server: AnswerServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No module named 'opik_optimizer'"):
        run_peer(server, "opik", "few_shot_bayesian", 64, 0, PYTHON)
    with pytest.raises(InputError, match="cannot be started"):
        run_peer(server, "opik", "few_shot_bayesian", 64, 0, tmp_path / "python")


def test_the_table_holds_ours_against_each_method_at_equal_budgets() -> None:
    ours = [PeerOutcome("demosearch", "screening", 600, seed, 600, 3, 8.0 + seed / 10) for seed in range(3)]
    theirs = [PeerOutcome("peer", "tpe", 600, seed, 576, 3, 7.0 + seed / 10) for seed in range(3)]
    table = peers_table([*ours, *theirs], 4.5)
    line = next(line for line in table.splitlines() if "| peer |" in line)
    assert "7.10 [6.85, 7.35] | +1.00 [" in line

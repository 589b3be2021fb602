"""What another run has paid for is taken over, and counted as that run's."""

import asyncio
from pathlib import Path

from evaluators.judge import Verdict
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_completions, read_models, read_spend
from evaluators.ledger.tally import Tally, read_tally
from workers.prompt import Completion
from workers.usage import Usage

SAID = Completion("Because.", 12, 3, "stop")
VERDICT = Verdict(7.5, "Rating: [[7.5]]", Usage(2, 100, 64, 20, 0.25))


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


async def fill(path: Path) -> None:
    ledger = Ledger(path, "earlier")
    await ledger.keep_prompt(b"p", "a model", "{}", "prefix")
    await ledger.keep_completion(key(1), b"p", "q", SAID)
    await ledger.keep_judge(b"j", "a judge")
    await ledger.keep_verdict(key(2), b"j", "q", key(1), VERDICT)
    await ledger.close()


def test_what_a_neighbour_holds_is_found_and_kept_whole_without_being_paid_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        await fill(tmp_path / "earlier")
        ledger = Ledger(tmp_path / "own", "run", tmp_path / "tally", neighbours=[tmp_path / "earlier"])
        assert ledger.completions([key(1), key(9)]) == {key(1): SAID}
        assert ledger.verdicts([key(2)]) == {key(2): VERDICT}
        await ledger.flush()
        assert ledger.spend.generated == ledger.spend.judged == 0
        await ledger.keep_completion(key(3), b"p", "q", SAID)
        await ledger.close()

    asyncio.run(scenario())
    assert {*read_completions(tmp_path / "own", [key(1), key(3)])} == {key(1), key(3)}
    assert read_models(tmp_path / "own") == ["a model"]
    assert read_spend(tmp_path / "own", "run").generated == 1
    assert read_spend(tmp_path / "own", "run").dollars == 0
    assert read_tally(tmp_path / "tally") == Tally(1, 0)


def test_a_neighbour_that_is_no_ledger_or_gone_is_left_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "text").write_text("no ledger")
        await fill(tmp_path / "earlier")
        beside = [tmp_path / "text", tmp_path / "gone", tmp_path / "earlier"]
        ledger = Ledger(tmp_path / "own", "run", neighbours=beside)
        assert ledger.completions([key(1)]) == {key(1): SAID}
        await ledger.close()

    asyncio.run(scenario())


def test_what_is_in_ones_own_ledger_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    async def scenario() -> None:
        await fill(tmp_path / "earlier")
        ledger = Ledger(tmp_path / "own", "run", neighbours=[tmp_path / "earlier"])
        other = Completion("Own words.", 12, 3, "stop")
        await ledger.keep_completion(key(1), b"p", "q", other)
        assert ledger.completions([key(1)]) == {key(1): other}
        await ledger.close()

    asyncio.run(scenario())

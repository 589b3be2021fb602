"""Notice that a ledger has lost rows that were paid for, before they are paid for again in silence."""

from pathlib import Path

from configs.errors import InputError
from configs.plural import show_many
from evaluators.answer_keys import AnswerKeys
from evaluators.ledger.queries import read_completions, read_spend
from evaluators.ledger.tally import Tally, read_tally, write_tally
from search.run_directory.journal import read_journal
from search.run_directory.records import TrialRecord
from search.run_directory.run import TALLY, Run


def refuse_lost_rows(run: Run, ledger: Path, pay_again: bool) -> None:
    """Compare the ledger with what the run directory says of it.

    Args:
        pay_again: go on with the rows that are there, and count from them from now on.

    Raises:
        InputError: answers or verdicts are missing, and `pay_again` is not set.
    """
    spend = read_spend(ledger, run.id)
    there = Tally(spend.generated, spend.judged)
    noted = read_tally(run.path / TALLY)
    if pay_again:
        write_tally(run.path / TALLY, there)
    elif noted.exceeds(there):
        raise InputError(
            f"the ledger {ledger} holds {show_many(there.generations, 'answer')} and "
            f"{show_many(there.verdicts, 'verdict')} of this run, but "
            f"{noted.generations:,} and {noted.verdicts:,} were paid for and written to it: {_remedy(ledger)}"
        )
    elif noted == Tally() and not there.generations and (missing := _missing(run.path, ledger)):
        raise InputError(
            f"the ledger {ledger} holds no answer of this run, and {show_many(missing, 'answer')} that its journal "
            f"has scores of are not in it: {_remedy(ledger)}"
        )


def _remedy(ledger: Path) -> str:
    return (
        f"restore {ledger.name} and {ledger.name}-wal from where they were left behind, or go on with --pay-again, "
        "which resume and evaluate take, and which asks and pays for what is missing a second time"
    )


def _missing(folder: Path, ledger: Path) -> int:
    """How many answers of the journal the ledger has not, whoever paid for them: a run whose answers all came from
    another run's ledger has none of its own."""
    missing = 0
    for record in read_journal(folder / "journal.jsonl"):
        if isinstance(record, TrialRecord):
            keys = {key for text in record.scored.keys.values() for key in AnswerKeys.from_text(text).generations}
            missing += len(keys) - len(read_completions(ledger, [*keys]))
    return missing

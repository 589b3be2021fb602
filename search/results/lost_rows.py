"""What the ledger of a run has lost: said aloud, since spend, answers and failures are read from it."""

from collections.abc import Mapping
from pathlib import Path

from configs.plural import show_many
from evaluators.answer_keys import AnswerKeys
from evaluators.ledger.queries import read_completions
from evaluators.ledger.spend import Spend
from evaluators.ledger.tally import Tally, read_tally
from search.run_directory.run import TALLY


def lost_rows(folder: Path, ledger: Path, spend: Spend, keys: Mapping[str, str]) -> str:
    """A sentence; "" where nothing is lost.

    Args:
        folder: the run's; its tally must have been written before `spend` was read.
        keys: of some answers that the run has scored, by question id (`AnswerKeys`, as text).
    """
    noted, there = read_tally(folder / TALLY), Tally(spend.generated, spend.judged)
    if not ledger.exists():
        begun = keys or noted != Tally()
        return (
            f"The ledger {ledger} is missing: what was paid for, answered and failed cannot be shown." if begun else ""
        )
    if noted.exceeds(there):
        return (
            f"The ledger has lost rows: it holds {show_many(there.generations, 'answer')} and "
            f"{show_many(there.verdicts, 'verdict')} of this "
            f"run, and {noted.generations:,} and {noted.verdicts:,} were written to it. Restore {ledger.name} and "
            f"{ledger.name}-wal from where they were left behind."
        )
    wanted = {key for text in keys.values() for key in AnswerKeys.from_text(text).generations}
    lost = len(wanted) - len(read_completions(ledger, [*wanted]))
    return (
        f"The ledger has lost rows: {lost:,} of {show_many(len(wanted), 'answer')} looked up "
        f"{'is' if lost == 1 else 'are'} not in it."
        if lost
        else ""
    )

"""What `demosearch rejudge` prints."""

from rich.console import Group, RenderableType
from rich.text import Text

from configs.plural import show_many
from search.cli.status_table import NOT_COMPARABLE, failures_table
from search.cli.tables import WholeWordTable, facts_grid
from search.results.bridge import SideBridge
from search.results.wording import show_estimate, show_gain
from search.running.rejudge import Rejudged
from search.statistics.agreement import Agreement

_SIDES = {"search": "search questions", "held_out": "held-out questions", "all": "all questions"}


def rejudge_view(done: Rejudged, *, has_successor: bool = False) -> RenderableType:
    """Show how far two judges agree, side by side for each side of a run.

    Args:
        has_successor: the command has made a run directory, and would refuse to make it once more.
    """
    price = "" if done.spend.dollars is None else f", ${done.spend.dollars:,.2f}"
    failed = f"; {show_many(done.failed, 'answer')} got no score" if done.failed else ""
    head = Text(f"{show_many(done.spend.judged, 'verdict')} of the new judge{price}{failed}")
    again = f"the same command{' without --run-dir' if has_successor else ''} tries them again"
    why: list[RenderableType] = []
    if done.failures:
        why = [failures_table(done.failures), Text(f"Failed items are in no mean; {again}.")]
    return Group(head, *why, *(part for side in done.sides for part in _side(side)))


def _side(side: SideBridge) -> list[RenderableType]:
    facts = facts_grid()
    facts.add_row(f"{_SIDES[side.side]}", f"{show_many(side.answers, 'answer')} that both judges scored")
    facts.add_row("shift", f"{show_estimate(side.shift)} (new minus old)")
    facts.add_row(
        "agreement", f"{_shown(side.alpha)} (Krippendorff's alpha), ranks {_shown(side.ranks)} (Kendall's tau)"
    )
    same = "the same prompt is best under both" if side.best[0] == side.best[1] else f"best now: {side.best[1]}"
    facts.add_row("best", Text(f"{side.best[0]}; {same}" if side.best[0] != side.best[1] else same))
    table = WholeWordTable("prompt", "before", "now", "gain before", "gain now", "what changes")
    for prompt in side.prompts:
        gains = ["" if gain is None else show_gain(gain) for gain in (prompt.earlier_gain, prompt.now_gain)]
        table.add_row(
            Text(prompt.name), show_estimate(prompt.earlier), show_estimate(prompt.now), *gains, prompt.changes
        )
    differ = len({prompt.now.n for prompt in side.prompts}) > 1
    return [facts, table, *([Text(NOT_COMPARABLE)] if differ else [])]


def _shown(figure: Agreement) -> str:
    return (
        "cannot be told"
        if figure.value != figure.value
        else f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
    )

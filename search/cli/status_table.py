"""What the commands print for people."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from configs.knobs import Knob
from configs.plural import show_many
from evaluators.drafting import NO_DRAFTING, Drafting
from evaluators.ledger.spend import Spend
from search.cli.tables import WholeWordTable, facts_grid
from search.results.status import FailedItems, Standing, Status
from search.results.wording import show_drafting, show_estimate, show_gain, show_span, show_unseen

NOT_COMPARABLE = (
    "Scores over different questions cannot be compared; gains are paired, over the questions that both have met."
)
_SAMPLE = 300  # characters of a failure's message
STATES = {
    "running": "running now",
    "finished": "finished",
    "stopped": "stopped; `demosearch resume` goes on",
    "crashed": "crashed or killed; `demosearch resume` goes on",
}


def status_view(status: Status, path: Path) -> RenderableType:
    """A run at a glance."""
    parts: list[RenderableType] = [Text(str(path), style="bold"), _facts(status)]
    if status.lost:
        parts.append(Text(status.lost, style="bold red"))
    if status.failures:
        parts += [failures_table(status.failures), Text(_continuation(status, path))]
    if status.base is not None:
        parts.append(_standings(status))
    if status.state == "finished":
        parts.append(Text(_verdict(status)))
    if status.choice is not None:
        parts.append(Text(status.choice.title, style="bold"))
        parts += [Text(f"  {sentence}") for sentence in status.choice.sentences()]
    return Group(*parts)


def _facts(status: Status) -> Table:
    spend, facts = status.spend, facts_grid()
    add_state(facts, STATES[status.state] if status.may_go_on else "stopped for good", status.reason)
    if status.has_ledger:
        add_spend(facts, spend, status.drafting)
    else:
        facts.add_row("paid for", "unknown: the ledger is missing")
    scored = f"{show_many(status.candidates, 'candidate')} scored in {show_many(status.trials, 'trial')}"
    facts.add_row("search", scored)
    if status.screening is not None:
        facts.add_row("screening", status.screening.sentence())
        for gain in status.screening.gains:
            facts.add_row("by both judges", gain.sentence())
    if status.amended:
        facts.add_row(
            "amended", f"{show_many(status.amended, 'score')} by `retry-failed`, which the search itself did not know"
        )
    if status.extended:
        facts.add_row("extended", Text(status.extended))
    if status.succeeds:
        facts.add_row("goes on from", Text(f"{status.succeeds}, whose judge was another"))
    return facts


def failures_table(failures: Iterable[FailedItems]) -> Table:
    """Failed items by cause, each with what one of them met."""
    table = WholeWordTable("failed", "at", "cause", "for example", header_style="bold red")
    for failure in failures:
        table.add_row(f"{failure.count:,}", failure.stage, failure.cause, Text(_shortened(failure.sample)))
    return table


def _continuation(status: Status, path: Path) -> str:
    if status.state == "running" or not status.may_go_on:
        return "Failed items are in no mean."
    if not status.trials:  # its journal has none of them
        return f"Failed items are in no mean; `demosearch resume {path}` tries them again."
    return f"Failed items are in no mean; `demosearch retry-failed {path}` tries them again, and nothing else."


def _shortened(text: str) -> str:
    return text if len(text) <= _SAMPLE else text[:_SAMPLE] + "..."


def add_spend(facts: Table, spend: Spend, drafting: Drafting = NO_DRAFTING) -> None:
    """Rows that say what was paid, and what drafts saved."""
    facts.add_row(
        "paid for",
        f"{show_many(spend.generated, 'generation')} ({show_many(spend.new_tokens, 'token')}), "
        f"{show_many(spend.judged, 'verdict')}",
    )
    if spend.judge.calls:
        judge = spend.judge
        facts.add_row(
            "judge",
            f"{show_many(judge.calls, 'call')}, {show_many(judge.prompt_tokens, 'token')} read, {judge.new_tokens:,} "
            "written",
        )
    if spend.dollars != 0:
        facts.add_row(
            "price", "unknown: set prices in `service`" if spend.dollars is None else _price(spend.dollars, spend)
        )
    if spend.estimated:
        facts.add_row(
            "estimated", f"the tokens of {show_many(spend.estimated, 'call')}, which the service did not count"
        )
    facts.add_row("time", _time(spend))
    if (words := show_drafting(drafting)) is not None:
        facts.add_row("drafts", words)


def _price(dollars: float, spend: Spend) -> str:
    return f"{'about ' if spend.estimated else ''}${dollars:,.2f}"


def add_state(facts: Table, state: str, reason: str) -> None:
    """Rows that say how a run stands, and why where there is something to say."""
    facts.add_row("state", state)
    if reason:
        facts.add_row("why", Text(reason))


def _time(spend: Spend) -> str:
    gpu_time = f", {show_span(spend.gpu_seconds)} of GPU time" if spend.gpu_seconds else ""
    return f"{show_span(spend.seconds)} of work{gpu_time}"


def _standings(status: Status) -> RenderableType:
    table = WholeWordTable("", "search score", "held-out score", "gain over base", "questions", gap=1)
    winner = "winner" if status.state == "finished" else "best so far"
    named = ((winner, status.winner), ("runner-up", status.runner_up), ("base prompt", status.base))
    present = [(name, standing) for name, standing in named if standing is not None]
    for name, contender in present:
        scores = (contender.search_score, contender.held_out_score)
        shown = [show_estimate(value, with_n=False) if value else "" for value in scores]
        gain = show_gain(contender.held_out_gain) if contender.held_out_gain else ""
        table.add_row(name, *shown, gain, " + ".join(str(value.n) for value in scores if value))
    chosen = [Text(f"{name}: {status.in_words(contender)}{_length(contender)}") for name, contender in present]
    sides = zip(*((contender.search_score, contender.held_out_score) for _, contender in present), strict=True)
    differ = any(len({score.n for score in side if score}) > 1 for side in sides)
    remark = [Text(NOT_COMPARABLE)] if differ else []
    return Group(table, *remark, *chosen)


def _length(standing: Standing) -> str:
    return "" if standing.length is None else f" (answers of {standing.length:,.0f} characters)"


def _verdict(status: Status) -> str:
    """The one sentence to take home."""
    gain = status.winner.held_out_gain if status.winner else None
    if status.winner is None or status.winner == status.base:
        return _nothing_found(status.win_probability)
    if gain is None:
        return "The winner has no score on held-out questions: nothing is known of it beyond those that chose it."
    is_certain = (
        ""
        if status.win_probability is None
        else f" All scores together make it {_probable(status.win_probability)} that it is better."
    )
    if gain.low > 0:
        return f"On {show_unseen(status.seen)}, the winner beats the base prompt by {show_estimate(gain)}.{is_certain}"
    return (
        f"On {show_unseen(status.seen)}, the winner does not clearly beat the base prompt: {show_estimate(gain)}."
        + is_certain
    )


def _probable(win_probability: float) -> str:
    return f"{100 * win_probability:.1f} % probable" if win_probability < 0.9995 else "more than 99.9 % probable"


def _nothing_found(win_probability: float | None) -> str:
    if win_probability is None:
        return "Nothing beat the base prompt on the search questions."
    return (
        "Nothing beats the base prompt with enough evidence, so it stays the winner: all scores together "
        f"make it {100 * win_probability:.0f} % probable that the best one found, the runner-up, is better "
        "(`scoring.min_win_probability` says what is enough). `demosearch export --anyway` takes that one anyway; "
        "`demosearch report` says what more answers would decide."
    )


def knob_list(knobs: Iterable[Knob]) -> RenderableType:
    """The reference of the config's knobs."""
    parts: list[RenderableType] = []
    for knob in knobs:
        default = "required" if knob.default is None else f"default {knob.default}"
        kinds = f", only for {knob.when}" if knob.when else ""
        parts.append(Text.assemble((knob.name, "bold"), f"  {knob.type}; {default}{kinds}"))
        parts.append(Padding(Text(knob.description), (0, 0, 1, 4)))
    return Group(*parts)

"""What a report says of a search, section by section."""

from collections.abc import Iterator

from configs.plural import show_many
from search.report.candidates import CandidateScore
from search.report.contributions import Contribution, Contributions
from search.report.document import (
    Block,
    Bullets,
    Column,
    Exchanges,
    Facts,
    Figure,
    Folded,
    Heading,
    Paragraph,
    ReportTable,
    Section,
    SideBySide,
    TableCell,
    Verbatim,
    estimate_cell,
    number_cell,
    words_column,
)
from search.report.findings import Findings
from search.report.lengths import LengthGuard
from search.report.numbers import NOTHING, count, share
from search.report.run_sections import run_sections
from search.report.sentences import averaged, decoded
from search.results.journal_results import SIDES


def search_sections(findings: Findings) -> list[Section]:
    """All of them; of a search without any score those that every report has."""
    sections = [section for section in _of_scores(findings) if section.blocks] if findings.finalists else []
    return [*sections, *run_sections(findings, "a resumed run must agree in all of it")]


def _of_scores(findings: Findings) -> Iterator[Section]:
    choice = findings.status.choice
    yield Section("result", "Result", "Result", (*_result(findings), *_turns(findings)))
    if choice is not None:
        points = tuple(("", sentence) for sentence in choice.sentences())
        yield Section("choice", choice.title, choice.title, (Bullets(points),))
    yield Section("history", "The search", "Search", tuple(_history(findings)))
    yield Section("prompt", "The chosen demonstrations", "Demonstrations", tuple(_prompt(findings)))
    if findings.contributions is not None:
        blocks = tuple(_contributions(findings, findings.contributions))
        yield Section("contributions", "What each demonstration adds", "Contributions", blocks)
    yield Section("candidates", "Candidates", "Candidates", tuple(_candidates(findings)))
    yield Section("categories", "Categories", "Categories", tuple(_categories(findings)))
    yield Section("lengths", "Length of the answers", "Length", (*_lengths(findings), Figure("lengths")))
    yield Section("answers", "Answers side by side", "Answers", tuple(_answers(findings)))


def _best_name(findings: Findings) -> str:
    return findings.best.role if findings.best else "winner"


def _result(findings: Findings) -> Iterator[Block]:
    numbers = findings.numbers
    heads = ("held-out score", "held-out gain", "search score", "search gain", "overstated by")
    rows = tuple(
        (
            TableCell(finalist.role, (findings.labels.candidate(finalist.candidate),), is_strong=True),
            estimate_cell(numbers, finalist.held_out),
            estimate_cell(numbers, finalist.held_out_gain, signed=True),
            estimate_cell(numbers, finalist.search),
            estimate_cell(numbers, finalist.search_gain, signed=True),
            estimate_cell(numbers, finalist.overstatement, signed=True, with_n=False),
        )
        for finalist in findings.finalists
    )
    chosen = frozenset([0] if findings.best else [])
    yield ReportTable("Result", (words_column("prompt"), *map(Column, heads)), rows, chosen)
    yield Figure("gains")
    yield from _by_both_judges(findings)
    yield Paragraph(
        f"Intervals are at {share(findings.results.confidence)} over questions: Student's t, and one that knows the "
        "ends of the scale where scores stand there or are mostly equal. A gain is the mean of paired differences to "
        "the base prompt, question by question; it has its own interval, and two overlapping intervals of scores say "
        "nothing against it. The search score of a winner is too high, since it was chosen for it: report the held-out "
        "score. “Overstated by” is search gain minus held-out gain, so that it does not matter which questions are "
        "easier. Questions that failed are in no mean.",
        is_note=True,
    )


def _by_both_judges(findings: Findings) -> Iterator[Block]:
    """Gains with a cheap judge as control variate; the table has the plain ones."""
    screening = findings.status.screening
    for gain in screening.gains if screening else ():
        yield Paragraph(gain.sentence())


def _turns(findings: Findings) -> Iterator[Block]:
    if findings.turns:
        numbers = findings.numbers
        heads = (Column("turn", rises=True), *map(Column, ("base prompt", _best_name(findings), "gain")))
        rows = tuple(
            (
                TableCell(SIDES[row.side]),
                number_cell(row.turn),
                estimate_cell(numbers, row.base),
                estimate_cell(numbers, row.winner),
                estimate_cell(numbers, row.gain, signed=True),
            )
            for row in findings.turns
        )
        yield Heading("Turn by turn")
        yield ReportTable("Turn by turn", (words_column("questions"), *heads), rows)


def _history(findings: Findings) -> Iterator[Block]:
    history, status = findings.history, findings.status
    trials, candidates = show_many(status.trials, "trial"), show_many(len(findings.candidates), "candidate")
    greedy = f"; the paper's exhaustive greedy search of the same space takes {count(history.greedy or 0)}"
    took = f"{trials} of {candidates} took {show_many(history.judged, 'judged generation')} on search questions"
    yield Paragraph(f"{took}{greedy if history.greedy else ''}.")
    if status.screening is not None:
        yield Paragraph(f"{status.screening.sentence()}.")
    yield Figure("history")
    if findings.allocation:
        yield Heading("Where the answers went")
        yield Figure("allocation")
        yield Figure("asked")


def _prompt(findings: Findings) -> Iterator[Block]:
    material, chosen = findings.results.material, findings.best or findings.base
    assert material is not None
    assert chosen is not None
    whose = f"The {_best_name(findings)}" if findings.best else "The base prompt"
    exported = "`demosearch export` writes it exactly as it was scored."
    yield Paragraph(f"{whose}'s prompt, from the top down. {exported} {decoded(findings)}".rstrip(), is_note=True)
    if material.rules.strip():
        yield Folded("Rules", (Verbatim(material.rules),))
    for number, name in enumerate(chosen.candidate.demonstrations, 1):
        turns = tuple(material.demonstrations[name].turns)
        yield Exchanges(f"{number}. {findings.labels.demonstration(name)}", turns)
    if not chosen.candidate.demonstrations:
        yield Paragraph("It has none.")


def _contributions(findings: Findings, contributions: Contributions) -> Iterator[Block]:
    best_name, level = _best_name(findings), share(findings.results.confidence)
    yield Paragraph(
        f"Estimated from {show_many(contributions.scores, 'search score')} of "
        f"{show_many(contributions.candidates, 'candidate')} "
        "together, by the hierarchical model of `search/statistics/effects.py`: question, demonstration, place and set "
        f"each have an effect. Intervals are the model's own, at {level}, and hold as far as it does; n counts the "
        "candidates in which a demonstration stood, answers those behind them. Demonstrations that are in every "
        f"candidate cannot be separated from the base prompt. {averaged(findings)}".rstrip()
    )
    place = contributions.last_over_first
    if place is not None:
        no_difference = ", which may be no difference" if place.low <= 1 <= place.high else ""
        yield Paragraph(
            f"Place: a demonstration counts {place.mean:.2f} times as much in the last place as in the first "
            f"({place.low:.2f} to {place.high:.2f}, from {show_many(place.n, 'candidate')} with two or "
            f"more){no_difference}."
        )
    yield Figure("contributions")
    heads = (f"in the {best_name}", "position effect", "alone", "n", "answers")
    shown = contributions.demonstrations
    yield ReportTable(
        "Contributions",
        (words_column("demonstration"), Column("place", rises=True), *map(Column, heads)),
        tuple(_contribution(findings, contribution) for contribution in shown),
        frozenset(number for number, contribution in enumerate(shown) if contribution.place is not None),
        is_long=True,
    )
    yield Paragraph(
        f"In the {best_name}: what it would lose without this demonstration. Position effect: here versus the opposite "
        "end. Alone: what the demonstration adds to a prompt without any of these.",
        is_note=True,
    )


def _contribution(findings: Findings, contribution: Contribution) -> tuple[TableCell, ...]:
    name, numbers = contribution.demonstration, findings.numbers
    estimates = (contribution.in_winner, contribution.by_place, contribution.alone)
    behind = findings.allocation.behind.get(name, 0) if findings.allocation else 0
    return (
        TableCell(findings.labels.demonstration(name), (findings.labels.gist(name),), is_strong=True),
        number_cell(contribution.place),
        *(estimate_cell(numbers, value, signed=True, with_n=False) for value in estimates),
        number_cell(contribution.alone.n),
        number_cell(behind),
    )


def _candidates(findings: Findings) -> Iterator[Block]:
    text = (
        "Search questions only. Ranked by the lower end of the interval of the paired gain over the base prompt, so a "
        "few lucky questions cannot decide the ranking; the best of many is partly luck all the same."
    )
    if len({candidate.score.n for candidate in findings.candidates if candidate.score}) > 1:
        text += " Not all have met the same questions: their search scores cannot be compared, their gains can."
    yield Paragraph(text)
    rank, tried = Column("rank", rises=True), Column("tried as", rises=True)
    heads = map(Column, ("gain", "search score", "questions", "failed", "characters"))
    best = findings.best and findings.best.candidate
    yield ReportTable(
        "Candidates",
        (rank, words_column("demonstrations"), *heads, tried),
        tuple(_candidate(findings, candidate) for candidate in findings.candidates),
        frozenset(number for number, candidate in enumerate(findings.candidates) if candidate.candidate == best),
        is_long=True,
    )
    yield Figure("questions")


def _candidate(findings: Findings, candidate: CandidateScore) -> tuple[TableCell, ...]:
    is_best = findings.best is not None and candidate.candidate == findings.best.candidate
    tag = "base prompt" if candidate.candidate == findings.results.base else _best_name(findings) if is_best else ""
    return (
        number_cell(candidate.rank),
        TableCell(findings.labels.candidate(candidate.candidate), tag=tag),
        estimate_cell(findings.numbers, candidate.gain, signed=True, with_n=False),
        estimate_cell(findings.numbers, candidate.score, with_n=False),
        number_cell(candidate.score.n if candidate.score else 0),
        number_cell(candidate.failed),
        number_cell(candidate.length),
        number_cell(candidate.place + 1),
    )


def _categories(findings: Findings) -> Iterator[Block]:
    if not findings.categories:
        return
    numbers = findings.numbers
    yield Paragraph(
        "“Without” is the gain on all other categories together: a gain that falls apart without one category is a "
        "gain in that category."
    )
    yield Figure("categories")
    heads = ("base prompt", _best_name(findings), "gain", "gain without")
    rows = tuple(
        (
            TableCell(row.category or "none"),
            TableCell(SIDES[row.side]),
            estimate_cell(numbers, row.base, with_n=False),
            estimate_cell(numbers, row.winner, with_n=False),
            estimate_cell(numbers, row.gain, signed=True),
            estimate_cell(numbers, row.without, signed=True),
        )
        for row in findings.categories
    )
    yield ReportTable("Categories", (words_column("category"), words_column("questions"), *map(Column, heads)), rows)


def _lengths(findings: Findings) -> Iterator[Block]:
    if findings.lengths is not None:
        yield Facts(tuple(_length_facts(findings, findings.lengths)))


def _length_facts(findings: Findings, guard: LengthGuard) -> Iterator[tuple[str, str]]:
    numbers, best_name = findings.numbers, _best_name(findings)
    first, second, equal = guard.first, guard.second, guard.equal_length_gain
    asked = f"n = {show_many(first.n, f'{SIDES[findings.side]} question')}"
    yield "base prompt", f"{first.mean:.0f} characters ({first.low:.0f} to {first.high:.0f}), {asked}"
    interval = f"({second.low:.0f} to {second.high:.0f})"
    yield best_name, f"{second.mean:.0f} characters {interval}, {guard.ratio:.2f} times as long"
    if guard.correlation is not None:
        correlation = number_cell(guard.correlation, "+.2f").words
        yield "change in length with change in score", f"correlation {correlation} over questions"
    if equal is not None:
        gain = f"{numbers.gain(equal.mean)} ({numbers.interval(equal, signed=True) or NOTHING})"
        rough = "a rough guide, since what makes an answer good may also make it long"
        yield "gain at equal length", f"{gain}, by a straight line through the questions; {rough}"
    cut = findings.answers.cut if findings.answers else None
    if cut:
        shares = f"{share(cut[0])} of the base prompt's answers, {share(cut[1])} of the {best_name}'s"
        yield "cut off at the token limit", shares


def _answers(findings: Findings) -> Iterator[Block]:
    answers, numbers = findings.answers, findings.numbers
    if answers is None:
        return
    if answers.missing:
        yield Paragraph(f"There is nothing to show: {answers.missing}.")
        return
    yield Paragraph(f"The {SIDES[findings.side]} questions that changed most, in both directions.")
    for title, pairs in (("Better", answers.better), ("Worse", answers.worse)):
        yield Heading(title)
        for pair in pairs:
            base = ("base prompt", numbers.score(pair.base_score), pair.base)
            best = (_best_name(findings), numbers.score(pair.winner_score), pair.winner)
            yield SideBySide(pair.question, numbers.gain(pair.gain), (base, best))
        if not pairs:
            yield Paragraph("No question.")

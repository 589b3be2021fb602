"""Runs beside each other: their prompts on the questions that they share, in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.schema.evaluation import EvaluationConfig
from configs.schema.judge_knobs import Bounds
from configs.schema.run import RunConfig
from configs.score_bounds import score_bounds
from evaluators.ledger.spend import Spend
from search.results.answers_table import Answer, AskedPrompt, asked_prompts, read_answers, read_any_results
from search.results.evaluation_status import read_evaluation
from search.results.status import read_status
from search.results.wording import show_judge
from search.run_directory.run import read_any_config
from search.statistics.estimates import Estimate, estimate, paired_difference
from search.view.prompt_text import PromptTexts, read_prompt_texts

AnyConfig = RunConfig | EvaluationConfig
Scores = dict[str, float]
"""Scores by a question's text, so that runs with other ids for the same questions meet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A prompt of a run with its scores.

    Attributes:
        run, prompt: names; `label` is the prompt's for people.
        side: of the split: "held_out", "search" or "evaluation".
        demonstrations: ids, from the top of the prompt down; `text` is the whole prompt.
        judge: its kind and model: entries of different judges are not comparable.
        categories: by a question's text.
        spend: of the whole run.
        dollars, new_tokens: of this prompt's answers on this side and their verdicts, whoever paid.
        bounds: ends of the judge's scale; None where they are not known.
        kept_base: it leads the search, and is the base prompt.
    """

    run: str
    prompt: str
    side: str
    demonstrations: tuple[str, ...]
    text: str
    judge: str
    scores: Scores
    categories: dict[str, str]
    spend: Spend
    bounds: Bounds | None = None
    dollars: float = 0.0
    new_tokens: int = 0
    kept_base: bool = False

    @property
    def label(self) -> str:
        return f"{self.prompt} (base prompt)" if self.kept_base else self.prompt


@dataclass(frozen=True, slots=True)
class ComparedEntry:
    """An entry against the first one.

    Attributes:
        score: over all its questions.
        shared: questions that both have a score for.
        difference: to the first one over these, paired; None for the first one itself, and where nothing is shared.
        categories: the paired difference by category.
    """

    entry: Entry
    score: Estimate | None
    shared: int
    difference: Estimate | None
    categories: dict[str, Estimate]

    def to_json(self) -> dict[str, Any]:
        """What `demosearch compare --json` prints."""
        return {
            "run": self.entry.run,
            "prompt": self.entry.prompt,
            "label": self.entry.label,
            "side": self.entry.side,
            "demonstrations": list(self.entry.demonstrations),
            "judge": self.entry.judge,
            "score": self.score and self.score.to_json(),
            "shared": self.shared,
            "difference": self.difference and self.difference.to_json(),
            "categories": {name: value.to_json() for name, value in self.categories.items()},
            "dollars": self.entry.spend.dollars,
            "prompt_dollars": self.entry.dollars,
            "prompt_new_tokens": self.entry.new_tokens,
        }


def compare_runs(
    runs: Sequence[tuple[str, Path]],
    confidence: float = 0.95,
    prompts: Sequence[tuple[str, Path, int]] = (),
) -> tuple[ComparedEntry, ...]:
    """Every run's winner and base prompt, or its variants, and further prompts, each against the first of all.

    Args:
        runs: names and directories.
        prompts: names and directories of their runs, and trials of theirs; at least one of both is given.

    Raises:
        InputError: one of them is not a run, or nothing is scored in any.
    """
    entries = [entry for name, path in runs for entry in run_entries(name, path)]
    entries += [entry for name, path, trial in prompts for entry in _trial_entry(name, path, trial)]
    if not any(entry.scores for entry in entries):
        raise InputError("nothing is scored yet in these runs: compare them once `demosearch status` shows a score")
    return tuple(_against(entry, entries[0], confidence) for entry in entries)


def remarks(compared: Sequence[ComparedEntry]) -> list[str]:
    """What must be known of scores that stand in one table, a sentence each."""
    scored = [line.entry for line in compared if line.entry.scores]
    sentences = []
    if len({frozenset(entry.scores) for entry in scored}) > 1:
        sentences.append("Scores are over each line's own questions, which differ: only the differences compare lines.")
    if len({line.entry.judge for line in compared}) > 1:
        sentences.append("Lines of another judge have no difference.")
    if any(not line.shared for line in compared if line.entry.judge == compared[0].entry.judge):
        sentences.append("Lines that share no question with the first have none either.")
    return sentences


def _against(entry: Entry, first: Entry, confidence: float) -> ComparedEntry:
    shared = entry.scores.keys() & first.scores.keys()
    comparable = entry is not first and entry.judge == first.judge
    by_category: dict[str, Estimate] = {}
    for category in sorted({entry.categories[text] for text in shared} - {""}) if comparable else ():
        own = {text: entry.scores[text] for text in shared if entry.categories[text] == category}
        difference = paired_difference(own, first.scores, confidence, entry.bounds)
        if difference is not None:
            by_category[category] = difference
    return ComparedEntry(
        entry=entry,
        score=estimate([*entry.scores.values()], confidence, bounds=entry.bounds),
        shared=len(shared),
        difference=paired_difference(entry.scores, first.scores, confidence, entry.bounds) if comparable else None,
        categories=by_category,
    )


def run_entries(name: str, path: Path) -> list[Entry]:
    """Winner first, then the base prompt; of an evaluation every variant in its order. On held-out questions where the
    prompt has scores on them, else on search ones.

    Raises:
        InputError: `path` is not a run directory.
    """
    config, texts = read_any_config(path), read_prompt_texts(path)
    if isinstance(config, EvaluationConfig):
        answers, evaluation = read_answers(path), read_evaluation(path)
        return [
            _entry(name, result.name, _of(answers, result.name), config, evaluation.spend, texts)
            for result in evaluation.results
        ]
    status = read_status(path)
    standings = {"winner" if status.state == "finished" else "best so far": status.winner, "base prompt": status.base}
    shown = {(standing.demonstrations, standing.candidate.decoding) for standing in standings.values() if standing}
    answers = read_answers(path, lambda asked: (asked.candidate, asked.decoding) in shown)
    entries, seen = [], set()
    for prompt, standing in standings.items():
        if standing is None or standing.candidate in seen:
            continue
        seen.add(standing.candidate)
        own = [row for row in answers if _is_of(row, standing.demonstrations, standing.candidate.decoding)]
        kept_base = standing == status.base and prompt != "base prompt"
        entry = _entry(name, prompt, _preferred(own), config, status.spend, texts)
        entries.append(replace(entry, kept_base=kept_base))
    return entries


def _trial_entry(name: str, path: Path, trial: int) -> list[Entry]:
    """The prompt of this trial with all its scores on the side that `run_entries` prefers; empty without such a one."""
    results = read_any_results(path)
    first = next((asked for asked, _ in asked_prompts(results) if asked.trial == trial), None)
    if first is None:
        return []
    own = read_answers(path, lambda asked: _names(asked) == _names(first))
    texts = read_prompt_texts(path)
    return [_entry(name, first.prompt, _preferred(own), results.config, results.spend, texts)]


def _preferred(rows: Sequence[Answer]) -> list[Answer]:
    """Answers to held-out questions where some have a score, else to the others."""
    held_out = [row for row in rows if row.side == "held_out" and row.score is not None]
    return held_out or [row for row in rows if row.side != "held_out"]


def _names(asked: AskedPrompt) -> tuple[str, tuple[str, ...], str]:
    return asked.prompt, asked.candidate, asked.decoding


def _is_of(row: Answer, demonstrations: tuple[str, ...], decoding: str) -> bool:
    return row.candidate == demonstrations and row.decoding == decoding


def _of(answers: Sequence[Answer], prompt: str) -> list[Answer]:
    return [row for row in answers if row.prompt == prompt]


def _entry(run: str, prompt: str, rows: Sequence[Answer], config: AnyConfig, spend: Spend, texts: PromptTexts) -> Entry:
    demonstrations = rows[0].candidate if rows else ()
    return Entry(
        run=run,
        prompt=prompt,
        side=rows[0].side if rows else "search",
        demonstrations=demonstrations,
        text=texts.text(prompt, demonstrations),
        judge=show_judge(config.judge),
        scores={row.query: row.score for row in rows if row.score is not None},
        categories={row.query: row.category for row in rows},
        spend=spend,
        bounds=score_bounds(config.scoring, config.judge),
        dollars=sum(row.dollars for row in rows),
        new_tokens=sum(row.new_tokens for row in rows),
    )

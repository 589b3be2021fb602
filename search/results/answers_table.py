"""A run as a table: a row for every question that was put behind a prompt.

pandas.DataFrame(read_answers(Path("runs/first")))
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from configs.errors import DemosearchError
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.prompts.render import Renderer, make_renderer
from search.results.comparison import VariantResult
from search.results.evaluation_results import EvaluationEvidence, read_evaluation_evidence
from search.results.labels import Labels
from search.results.search_results import SIDES, Evidence, Side, read_evidence
from search.results.stored_answers import find_answers, find_verdicts
from search.run_directory.run import is_evaluation


@dataclass(frozen=True, slots=True)
class Answer:
    """One question behind one prompt, and what the judge made of it.

    Attributes:
        trial: the prompt's, in the order in which they were told, from 0.
        side: of the split; "evaluation" in an evaluation, which has no sides.
        prompt: its name, for people: as the report has it, or a variant's.
        candidate: ids of all its demonstrations, from the top of the prompt down.
        added: those of them that are none of the base prompt's, in order; all of them for a variant.
        decoding: its name; "" for the run's own, and for a variant.
        question, category, query: its id, its category ("" for none) and its first turn.
        score: the objective, on the judge's scale; None for a failure.
        failure: its cause; "" for none.
        length: of all turns' answers, in characters; None for a failure.
        turns: scores by turn where there are several; None for a turn that does not count.
        answers: turn by turn, as the judge read them; empty for a failure, where the ledger is gone, and where the
            prompt cannot be spelt here.
        verdicts: scores on the last turn, judge by judge, repeat by repeat.
        words: what the judge said with each of them; "" for a metric.
    """

    trial: int
    side: Side | Literal["evaluation"]
    prompt: str
    candidate: tuple[str, ...]
    added: tuple[str, ...]
    decoding: str
    question: str
    category: str
    query: str
    score: float | None
    failure: str
    length: int | None
    turns: tuple[float | None, ...]
    answers: tuple[str, ...]
    verdicts: tuple[float, ...]
    words: tuple[str, ...]


def read_answers(path: Path) -> list[Answer]:
    """Every answer of the search or the evaluation at `path`, prompt by prompt; whoever works on it is not disturbed.

    A trial that had too many failures to have a mean is in it, with what scores it has.

    Raises:
        InputError: there is no run.
    """
    if is_evaluation(path):
        return list(_of_evaluation(read_evaluation_evidence(path)))
    return list(_of_search(read_evidence(path)))


def _of_search(evidence: Evidence) -> Iterator[Answer]:
    material = evidence.material
    if material is None:
        return
    base, labels, renderer = {one.id for one in material.base}, Labels(material), _renderer(evidence)
    for trial, line in enumerate(evidence.lines):
        for side in SIDES:
            if side in line:
                candidate = Candidate.from_json(line[side])
                added = tuple(name for name in candidate.demonstrations if name not in base)
                asked = _Asked(trial, side, candidate, added)
                outcome = VariantResult(
                    name=labels.candidate(candidate),
                    scores=line["scores"],
                    failures=line["failures"],
                    lengths=line["lengths"],
                    turns=line.get("turns", {}),
                    answers=_said(evidence, material, renderer, candidate, line["scores"]),
                )
                yield from _rows(asked, outcome, material.questions, evidence.ledger, evidence.manifest["judge"])


def _of_evaluation(evidence: EvaluationEvidence) -> Iterator[Answer]:
    material = evidence.material
    if material is None:
        return
    for trial, outcome in enumerate(evidence.outcomes):
        shown = tuple(one.id for one in material.prompts[outcome.name].demonstrations)
        asked = _Asked(trial, "evaluation", Candidate(shown), shown)
        yield from _rows(asked, outcome, material.questions, evidence.ledger, evidence.manifest["judge"])


def _renderer(evidence: Evidence) -> Renderer | None:
    try:
        return make_renderer(evidence.config.render, evidence.config.model)
    except DemosearchError:  # the model's chat template may be gone
        return None


def _said(
    evidence: Evidence, material: Material, renderer: Renderer | None, candidate: Candidate, scored: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """By question id, of those scored, as far as the ledger has it."""
    if renderer is None:
        return {}
    questions = [material.questions[name] for name in scored]
    found = find_answers(evidence, renderer, material, candidate, questions)
    return {name: one.answers for name, one in found.items()}


@dataclass(frozen=True, slots=True)
class _Asked:
    trial: int
    side: Side | Literal["evaluation"]
    candidate: Candidate
    added: tuple[str, ...]


def _rows(
    asked: _Asked, outcome: VariantResult, questions: Mapping[str, Question], ledger: Path, judges: Sequence[Any]
) -> Iterator[Answer]:
    said = {name: tuple(outcome.answers.get(name, ())) for name in outcome.scores}
    judged = [(questions[name], answers) for name, answers in said.items() if answers]
    verdicts = find_verdicts(ledger, judges, judged)
    for name in (*outcome.scores, *outcome.failures):
        own = verdicts.get(name, ())
        yield Answer(
            trial=asked.trial,
            side=asked.side,
            prompt=outcome.name,
            candidate=asked.candidate.demonstrations,
            added=asked.added,
            decoding=asked.candidate.decoding,
            question=name,
            category=questions[name].category,
            query=questions[name].query,
            score=outcome.scores.get(name),
            failure=outcome.failures.get(name, ""),
            length=outcome.lengths.get(name),
            turns=tuple(outcome.turns.get(name, ())),
            answers=said.get(name, ()),
            verdicts=tuple(one.score for one in own),
            words=tuple(one.words for one in own),
        )

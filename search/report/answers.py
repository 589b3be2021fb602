"""What base prompt and winner said to the same questions, and what the judge made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from configs.errors import DemosearchError
from evaluators.keys import generation_keys, verdict_key
from evaluators.objective import Objective
from evaluators.question import Question
from evaluators.receipts import read_completions, read_verdicts
from search.material import Material
from search.render import Renderer, make_renderer
from search.report.evidence import Evidence, Names, Side
from workers.prompt import Completion, Decoding

_EACH_WAY = 4


@dataclass(frozen=True, slots=True)
class Said:
    """One prompt's answers to one question.

    Attributes:
        answers: turn by turn, as the judge read them.
        words: of the judge on the last turn, verdict by verdict; empty where it has none.
        cut: an answer ended because it had reached the largest number of new tokens.
    """

    answers: tuple[str, ...]
    words: tuple[str, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Contrast:
    """A question on which winner and base prompt differ."""

    question: Question
    base_score: float
    winner_score: float
    base: Said
    winner: Said

    @property
    def gain(self) -> float:
        return self.winner_score - self.base_score


@dataclass(frozen=True, slots=True)
class Contrasts:
    """The questions that changed most, on one side of the split.

    Attributes:
        better, worse: the largest change first; a question without a change is in neither.
        cut: share of all answers on this side that were cut, of base prompt and winner.
        missing: why there is nothing to show; "" when there is.
    """

    side: Side
    better: tuple[Contrast, ...] = ()
    worse: tuple[Contrast, ...] = ()
    cut: tuple[float, float] | None = None
    missing: str = ""


def contrasts(evidence: Evidence, winner: Names) -> Contrasts:
    """On held-out questions where they are scored, else on guiding ones."""
    base, material = evidence.base, evidence.material
    assert base is not None
    assert material is not None
    side: Side = "held_out" if winner in evidence.held_out and base in evidence.held_out else "search"
    told = evidence.side(side)
    gains = told[winner].gains(told[base])
    questions = [material.questions[name] for name in gains]
    try:
        renderer = make_renderer(evidence.config.render, evidence.config.model)
        first, second = (_read_said(evidence, renderer, material, names, questions) for names in (base, winner))
    except DemosearchError as error:  # the model's chat template may be gone
        return Contrasts(side, missing=f"the prompts cannot be spelt here ({error})")
    found = [one for one in questions if one.id in first and one.id in second]
    if not found:
        return Contrasts(side, missing="the ledger does not hold the answers to the prompts that this version spells")
    pairs = [
        Contrast(one, told[base].scores[one.id], told[winner].scores[one.id], first[one.id], second[one.id])
        for one in sorted(found, key=lambda one: -gains[one.id])
    ]
    return Contrasts(
        side=side,
        better=tuple(pair for pair in pairs if pair.gain > 0)[:_EACH_WAY],
        worse=tuple(pair for pair in reversed(pairs) if pair.gain < 0)[:_EACH_WAY],
        cut=(_share_cut(first), _share_cut(second)),
    )


def _share_cut(said: Mapping[str, Said]) -> float:
    return sum(one.cut for one in said.values()) / len(said)


def _read_said(
    evidence: Evidence, renderer: Renderer, material: Material, names: Names, questions: Sequence[Question]
) -> dict[str, Said]:
    """By question id; a question whose answers the ledger has not is left out."""
    demonstrations = [material.demonstrations[name] for name in names]
    decoding = Decoding(**evidence.manifest["decoding"] | {"stop": tuple(evidence.manifest["decoding"]["stop"])})
    answers: dict[str, tuple[str, ...]] = {one.id: () for one in questions}
    cut: set[str] = set()
    for turn in range(Objective.of(evidence.config.scoring).turns):
        going = [one for one in questions if len(one.turns) > turn and len(answers[one.id]) == turn]
        if not going:
            break
        block = renderer.block(material.rules, demonstrations, [_conversation(one, answers[one.id]) for one in going])
        keys = generation_keys(evidence.manifest["model"], decoding, block)
        found: dict[bytes, Completion] = read_completions(evidence.ledger, keys)
        for one, key in zip(going, keys, strict=True):
            if key in found:
                answers[one.id] += (renderer.clean(found[key].text),)
                cut |= {one.id} if found[key].finish == "length" else set()
    words = _read_words(evidence, [(one, answers[one.id]) for one in questions if answers[one.id]])
    return {one.id: Said(answers[one.id], words[one.id], one.id in cut) for one in questions if answers[one.id]}


def _conversation(question: Question, answers: tuple[str, ...]) -> tuple[str, ...]:
    said = zip(question.turns, answers, strict=False)
    return (*(words for pair in said for words in pair), question.turns[len(answers)])


def _read_words(evidence: Evidence, items: Sequence[tuple[Question, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    seats = [(fingerprint, repeats) for fingerprint, _, repeats, _ in evidence.manifest["judge"]]
    keys = {
        question.id: [
            verdict_key(fingerprint, question, answers, repeat)
            for fingerprint, repeats in seats
            for repeat in range(repeats)
        ]
        for question, answers in items
    }
    found = read_verdicts(evidence.ledger, [key for own in keys.values() for key in own])
    return {
        name: tuple(found[key].words for key in own if key in found and found[key].words) for name, own in keys.items()
    }

"""What of an evaluation stands in a ledger already, whoever paid for it: found by keys, without loading the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configs.schema.judge import EnsembleJudgeConfig
from configs.schema.model import AnyModelConfig, ServedModelConfig
from evaluators.ledger.keys import generation_keys
from evaluators.ledger.queries import read_completions, read_models, read_prices, read_verdicts
from evaluators.question import Conversation, Question
from search.problem.prompt_variant import PromptVariant
from search.running.evaluation_plan import EvaluationPlan
from workers.prompt import Decoding, PromptBlock


@dataclass(slots=True)
class PaidAlready:
    """Attributes:
    complete: names of the variants for which nothing is left to pay.
    """

    generations: int = 0
    verdicts: int = 0
    dollars: float = 0.0
    complete: set[str] = field(default_factory=set)


def paid_already(plan: EvaluationPlan, ledger: Path) -> PaidAlready:
    """Look up every answer and verdict that this evaluation will ask for.

    A verdict counts where its judge is known before it is started: one whose model is loaded here is not.
    """
    known, paid = read_models(ledger), PaidAlready()
    generations, verdicts = set[bytes](), set[bytes]()
    for variant in plan.variants:
        found = max(
            (_found(plan, variant, model, ledger) for model in _of_model(variant.model, known)),
            key=lambda keys: len(keys.generations),
            default=_Found(),
        )
        generations |= found.generations
        verdicts |= found.verdicts
        if found.is_complete and found.generations:
            paid.complete.add(variant.name)
    paid.generations, paid.verdicts = len(generations), len(verdicts)
    paid.dollars = sum(read_prices(ledger, "generations", [*generations]).values())
    paid.dollars += sum(read_prices(ledger, "verdicts", [*verdicts]).values())
    return paid


def paid_for_search(
    ledgers: Sequence[Path],
    model: AnyModelConfig,
    blocks: Sequence[tuple[Decoding, PromptBlock]],
) -> int:
    """How many of the first answers to these blocks stand in one of the ledgers, whoever paid for them."""
    paid = set[bytes]()
    for ledger in ledgers:
        for fingerprint in _of_model(model, read_models(ledger)):
            keys = [key for decoding, block in blocks for key in generation_keys(fingerprint, decoding, block)]
            paid |= read_completions(ledger, keys).keys()
    return len(paid)


def _of_model(model: AnyModelConfig, known: Sequence[str]) -> Iterator[str]:
    """The fingerprints among these that this model can have."""
    if isinstance(model, ServedModelConfig):
        service = model.service
        signs = (f"{service.model},", f" served by {model.server} ", f" at {service.base_url}")
        yield from (one for one in known if ", served by " in one and any(sign in one for sign in signs))
        return
    name = model.name
    prefix = f"{name}@" if model.revision is None else f"{name}@{model.revision}"
    candidates = [one for one in known if one.startswith((prefix, f"{Path(name).name}@sha256:"))]
    if candidates and Path(name).is_dir():  # a folder of the same name may hold another model
        from workers.shared_prefix.weights import find  # noqa: PLC0415 -- torch

        identity = find(model).identity
        candidates = [candidate for candidate in candidates if candidate.startswith(f"{identity} ")]
    yield from candidates


@dataclass(slots=True)
class _Found:
    """Keys of what stands in the ledger."""

    generations: set[bytes] = field(default_factory=set)
    verdicts: set[bytes] = field(default_factory=set)
    is_complete: bool = False


def _found(plan: EvaluationPlan, variant: PromptVariant, model: str, ledger: Path) -> _Found:
    found, wanted = _Found(is_complete=True), list[bytes]()
    going: list[tuple[Question, Conversation, tuple[str, ...]]] = [(one, (one.query,), ()) for one in plan.questions]
    for turn in range(plan.objective.turns):
        block = variant.renderer.block(variant.rules, variant.demonstrations, [words for _, words, _ in going])
        keys = generation_keys(model, variant.decoding, block)
        completions = read_completions(ledger, keys)
        found.generations |= completions.keys()
        found.is_complete = found.is_complete and len(completions) == len({*keys})
        asked, going = going, []
        for (question, words, answers), key in zip(asked, keys, strict=True):
            if key not in completions:
                continue
            said = (*answers, variant.renderer.clean(completions[key].text))
            if plan.objective.counts(turn):
                wanted += _verdict_keys(plan, question, said)
            if turn + 1 < min(plan.objective.turns, len(question.turns)):
                going.append((question, (*words, said[-1], question.turns[turn + 1]), said))
    found.verdicts = {*read_verdicts(ledger, wanted)}
    found.is_complete = found.is_complete and len(found.verdicts) == len({*wanted}) and bool(wanted)
    return found


def _verdict_keys(plan: EvaluationPlan, question: Question, answers: tuple[str, ...]) -> Iterator[bytes]:
    config = plan.config.judge
    judges = [member.judge for member in config.members] if isinstance(config, EnsembleJudgeConfig) else [config]
    if all(getattr(judge, "model", None) is None for judge in judges):
        for member in plan.judges.members:
            yield from member.keys(question, answers)

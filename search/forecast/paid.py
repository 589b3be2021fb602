"""What of an evaluation stands in a ledger already, whoever paid for it: found by keys, without loading the model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig, ServedModelConfig
from configs.schema.run import RunConfig
from evaluators.ledger.keys import generation_keys
from evaluators.ledger.queries import read_completions, read_models, read_prices, read_verdicts
from evaluators.question import Conversation, Question
from search.problem.prompt_variant import PromptVariant
from search.run_directory.files import holds_run
from search.run_directory.neighbours import ledgers_of_neighbours
from search.run_directory.run import ledger_path
from search.running.evaluation_plan import EvaluationPlan
from workers.prompt import Decoding, PromptBlock

V = TypeVar("V")


@dataclass(slots=True)
class PaidAlready:
    """What a run would find in its ledger.

    Attributes:
        verdicts: on these answers; one that equal answers share counts for each of them, as in a forecast.
        complete: names of the variants for which nothing is left to pay.
    """

    generations: int = 0
    verdicts: int = 0
    dollars: float = 0.0
    complete: set[str] = field(default_factory=set)


def paid_already(plan: EvaluationPlan, ledgers: Sequence[Path]) -> PaidAlready:
    """Look up every answer and verdict that this evaluation will ask for.

    A verdict counts where its judge is known before it is started: one whose model is loaded here is not.
    """
    models, paid = list(dict.fromkeys(model for ledger in ledgers for model in read_models(ledger))), PaidAlready()
    generations, verdicts, judged = set[bytes](), set[bytes](), set[tuple[bytes, bytes]]()
    for variant in plan.variants:
        fullest = max(
            (_paid_answers(plan, variant, model, ledgers) for model in _of_model(variant.model, models)),
            key=lambda keys: len(keys.generations),
            default=_PaidAnswers(),
        )
        generations |= fullest.generations
        verdicts |= fullest.verdicts
        judged |= fullest.judged
        if fullest.is_complete and fullest.generations:
            paid.complete.add(variant.name)
    paid.generations, paid.verdicts = len(generations), len(judged)
    answers, words = [*generations], [*verdicts]
    paid.dollars = sum(_merged(read_prices(ledger, "generations", answers) for ledger in ledgers).values())
    paid.dollars += sum(_merged(read_prices(ledger, "verdicts", words) for ledger in ledgers).values())
    return paid


def _merged(read: Iterable[dict[bytes, V]]) -> dict[bytes, V]:
    """What several ledgers hold; of what more than one holds, that of the first."""
    return {key: value for rows in reversed([*read]) for key, value in rows.items()}


def ledgers_to_reuse(config: RunConfig | EvaluationConfig, path: Path | None) -> list[Path]:
    """The ledgers that hold what a run need not pay for again.

    Args:
        path: of the run; None where it is not known yet.
    """
    if config.ledger_path is not None:
        return [config.ledger_path] if config.ledger_path.exists() else []
    if path is None:
        return []
    own = [ledger_path(path, config)] if holds_run(path) else []
    return own + (ledgers_of_neighbours(path) if config.reuse_folder else [])


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


def _of_model(model: AnyModelConfig, models: Sequence[str]) -> Iterator[str]:
    """The fingerprints among these that this model can have."""
    if isinstance(model, ServedModelConfig):
        service = model.service
        signs = (f"{service.model},", f" served by {model.server} ", f" at {service.base_url}")
        yield from (
            fingerprint
            for fingerprint in models
            if ", served by " in fingerprint and any(sign in fingerprint for sign in signs)
        )
        return
    name = model.name
    prefix = f"{name}@" if model.revision is None else f"{name}@{model.revision}"
    candidates = [
        fingerprint for fingerprint in models if fingerprint.startswith((prefix, f"{Path(name).name}@sha256:"))
    ]
    if candidates and Path(name).is_dir():  # a folder of the same name may hold another model
        from workers.shared_prefix.weights import find  # noqa: PLC0415 -- torch

        identity = find(model).identity
        candidates = [candidate for candidate in candidates if candidate.startswith(f"{identity} ")]
    yield from candidates


@dataclass(slots=True)
class _PaidAnswers:
    """Keys of what stands in the ledger; `judged` has each answer's with each of its verdicts'."""

    generations: set[bytes] = field(default_factory=set)
    verdicts: set[bytes] = field(default_factory=set)
    judged: set[tuple[bytes, bytes]] = field(default_factory=set)
    is_complete: bool = False


def _paid_answers(plan: EvaluationPlan, variant: PromptVariant, model: str, ledgers: Sequence[Path]) -> _PaidAnswers:
    paid, wanted = _PaidAnswers(is_complete=True), list[tuple[bytes, bytes]]()
    going: list[tuple[Question, Conversation, tuple[str, ...]]] = [
        (question, (question.query,), ()) for question in plan.questions
    ]
    for turn in range(plan.objective.turns):
        block = variant.renderer.block(variant.rules, variant.demonstrations, [words for _, words, _ in going])
        keys = generation_keys(model, variant.decoding, block)
        completions = _merged(read_completions(ledger, keys) for ledger in ledgers)
        paid.generations |= completions.keys()
        paid.is_complete = paid.is_complete and len(completions) == len({*keys})
        asked, going = going, []
        for (question, words, answers), key in zip(asked, keys, strict=True):
            if key not in completions:
                continue
            given = (*answers, variant.renderer.clean(completions[key].text))
            if plan.objective.counts(turn):
                wanted += [(key, verdict) for verdict in _verdict_keys(plan, question, given)]
            if turn + 1 < min(plan.objective.turns, len(question.turns)):
                going.append((question, (*words, given[-1], question.turns[turn + 1]), given))
    verdicts = [verdict for _, verdict in wanted]
    paid.verdicts = {*_merged(read_verdicts(ledger, verdicts) for ledger in ledgers)}
    paid.judged = {pair for pair in wanted if pair[1] in paid.verdicts}
    paid.is_complete = paid.is_complete and len(paid.judged) == len({*wanted}) and bool(wanted)
    return paid


def _verdict_keys(plan: EvaluationPlan, question: Question, answers: tuple[str, ...]) -> Iterator[bytes]:
    if all(getattr(judge, "model", None) is None for judge in plan.config.judge.judges):
        for member in plan.judges.members:
            yield from member.keys(question, answers)

"""`--dry-run`: everything is read and checked, nothing is loaded and nothing is spent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig, ServedModelConfig
from configs.schema.run import RunConfig
from configs.schema.strategy import StrategyConfig
from configs.schema.workers import WorkersConfig
from evaluators.ledger.queries import last_run, read_spend
from evaluators.ledger.spend import Spend
from evaluators.objective import Objective
from search.forecast.cost import Basis, Speed, judge_costs
from search.forecast.forecast import Assumptions, RunForecast, forecast
from search.forecast.paid import paid_for_search
from search.forecast.rehearsal import Asked, rehearse
from search.forecast.token_length import GUESS, refuse_too_long, tokens_a_character
from search.forecast.workload import PlannedWork, Surveyor, together
from search.results.wording import show_many
from search.run_directory.neighbours import ledgers_of_neighbours
from search.run_directory.run import ledger_path, read_any_config, read_id
from search.running.assembly import Plan, make_plan
from search.running.evaluation_plan import make_evaluation_plan
from search.running.finalists import most_finalists
from search.running.prices import missing_prices
from search.running.service_check import service_notices, with_keys_to_come
from search.strategies.make import make_strategy
from workers.prompt import PromptBlock

_PATIENCE = 20.0  # seconds that a rehearsal may take
_SAMPLE = 50  # demonstrations and questions whose tokens are counted


@dataclass(frozen=True, slots=True)
class Experience:
    """Where speed and lengths may come from, beside the run itself.

    Attributes:
        like: the directory of an earlier run.
        tokens_per_second: new ones, of all workers together; in the place of what was measured.
        answer_tokens, verdict_tokens: assumed where nothing was measured.
        gpus: that all workers hold together, assumed where neither a run nor the config says it.
    """

    like: Path | None = None
    tokens_per_second: float | None = None
    answer_tokens: float | None = None
    verdict_tokens: float | None = None
    gpus: float | None = None


NONE = Experience()
_NOWHERE = Path("runs")  # nothing is written there


def forecast_run(
    config: RunConfig, path: Path | None = None, experience: Experience = NONE, new_at: Path | None = None
) -> RunForecast:
    """What this search would cost, from its beginning.

    Args:
        path: of the run, where it is one that goes on.
        new_at: where a new run would be kept.

    Raises:
        InputError: something is wrong with config or files.
    """
    environment, missing = with_keys_to_come(config)
    plan = make_plan(config, path or _NOWHERE, environment)
    surveyor = Surveyor(plan.material.questions, Objective.of(config.scoring), plan.judges.members)
    with TemporaryDirectory() as folder:
        strategy = make_strategy(_without_model(config.strategy), plan.space, config.seed, plan.material, Path(folder))
        planned = strategy.planned()
        held_out = [question.id for question in plan.material.held_out]
        asked = rehearse(strategy, plan.space, held_out, config.window, _PATIENCE)
    beside, notes = _beside(plan, surveyor)
    likely = None if asked is None else together([_rehearsed(plan, surveyor, asked), *beside])
    notes += [
        "at most: every answer that the strategy plans, behind the longest demonstrations, texts as long as allowed",
        "about: what the strategy asks for in a rehearsal with made-up scores"
        if asked
        else f"about: unknown, since a rehearsal of the strategy takes longer than {_PATIENCE:g} s",
        *_paid(plan, asked, path or new_at),
    ]
    material, shown = plan.material, [*plan.material.demonstrations.values()][:_SAMPLE]
    asked_first = [(question.query,) for question in material.search[:_SAMPLE]]
    sample = "".join(_texts(plan.renderer.block(material.rules, shown, asked_first)))
    spent, pace, source = _measured(config, path, experience)
    longest = max(decoding.max_new_tokens for decoding in plan.decodings.values())
    base = plan.renderer.block(
        material.rules, material.base, [(question.query,) for question in material.questions.values()]
    )
    refuse_too_long(config.model, "the base prompt", _texts(base), longest)
    assumed = _assume(
        config,
        sample,
        longest,
        pace,
        [*_notes(plan.material.notices), *_summary(plan), *notes, *source, *missing, *service_notices(config)],
    )
    return forecast(likely, together([_most(plan, surveyor, planned), *beside]), assumed, config.budget, spent)


def forecast_evaluation(
    config: EvaluationConfig, path: Path | None = None, experience: Experience = NONE
) -> RunForecast:
    """As `forecast_run`, for an evaluation."""
    environment, missing = with_keys_to_come(config)
    plan = make_evaluation_plan(config, path or _NOWHERE, environment)
    surveyor = Surveyor({one.id: one for one in plan.questions}, plan.objective, plan.judges.members)
    ids = [question.id for question in plan.questions]
    work = together(
        surveyor.work(variant.renderer, variant.rules, variant.demonstrations, ids) for variant in plan.variants
    )
    sample = "".join(text for variant in plan.variants for text in _texts(variant.block(plan.questions[:_SAMPLE])))
    longest = max(variant.decoding.max_new_tokens for variant in plan.variants)
    for one in plan.variants:
        name, texts = f"the prompt of '{one.name}'", _texts(one.block(plan.questions))
        refuse_too_long(one.model, name, texts, one.decoding.max_new_tokens)
    spent, pace, source = _measured(config, path, experience)
    notes = [
        *_notes(plan.notices),
        "at most: every answer and verdict as long as allowed",
        *source,
        *missing,
        *service_notices(config),
    ]
    return forecast(work, work, _assume(config, sample, longest, pace, notes), config.budget, spent)


def _notes(notices: Sequence[str]) -> list[str]:
    """Without the full stop, which is put behind every note."""
    return [notice.removesuffix(".") for notice in notices]


def _summary(plan: Plan) -> list[str]:
    """What was read, in a sentence."""
    material = plan.material
    several = sum(bool(demonstration.further) for demonstration in material.pool)
    turns = f" ({several:,} of several turns)" if several else ""
    return [
        f"the base prompt has rules of {len(material.rules):,} characters and "
        f"{show_many(len(material.base), 'demonstration')}; "
        f"the pool has {len(material.pool):,}{turns}; {len(material.search):,} questions guide the search and "
        f"{len(material.held_out):,} are held out"
    ]


def _without_model(config: StrategyConfig) -> StrategyConfig:
    """With the embedding that loads nothing; a rehearsal asks for about as much with any."""
    if getattr(config, "embedding", "none") == "none":
        return config
    return config.model_copy(update={"embedding": "hashed"})


def _texts(block: PromptBlock) -> tuple[str, ...]:
    return (block.prefix, *block.suffixes)


def _rehearsed(plan: Plan, surveyor: Surveyor, asked: Asked) -> PlannedWork:
    material = plan.material
    return together(
        surveyor.work(plan.renderer, material.rules, material.shown(candidate), questions)
        for candidate, questions in asked.items()
    )


def _beside(plan: Plan, surveyor: Surveyor) -> tuple[list[PlannedWork], list[str]]:
    """What the model reads before anything is asked, and a sentence that says so; empty where it reads nothing."""
    answers = plan.reference_answers(plan.space)
    if answers is None:
        return [], []
    said = (
        f"before anything is judged, {answers.prompts:,} prompts with reference answers are read "
        "(strategy.hints.likelihood_questions); their tokens are included, nothing is written"
    )
    return [surveyor.reading(answers.characters)], [said]


def _paid(plan: Plan, asked: Asked | None, path: Path | None) -> Iterator[str]:
    """A sentence on answers that need not be paid for, where another run has."""
    ledgers = _ledgers(plan.config, path)
    if not asked or not ledgers:
        return
    material = plan.material
    blocks = [
        (
            plan.decodings[candidate.decoding],
            plan.renderer.block(
                material.rules,
                material.shown(candidate),
                [(material.questions[name].query,) for name in sorted(questions)],
            ),
        )
        for candidate, questions in asked.items()
    ]
    paid, total = paid_for_search(ledgers, plan.config.model, blocks), sum(map(len, asked.values()))
    where = plan.config.ledger_path or (path.parent if path else "")
    yield (
        f"of the {total:,} first answers of the rehearsal, {paid:,} are paid for already (in {where}); what the real "
        "search shares with earlier ones may be more or less"
    )


def _ledgers(config: RunConfig, path: Path | None) -> list[Path]:
    """That hold what need not be paid for."""
    if config.ledger_path is not None:
        return [config.ledger_path] if config.ledger_path.exists() else []
    if path is None:
        return []
    own = [ledger_path(path, config)] if (path / "config.json").exists() else []
    return own + (ledgers_of_neighbours(path) if config.reuse_folder else [])


def _most(plan: Plan, surveyor: Surveyor, planned: int) -> PlannedWork:
    """The longest candidate over and over, on all search questions, for as many answers as are planned."""
    material = plan.material
    lengths = {name: one.characters for name, one in material.demonstrations.items()}
    longest = sorted(plan.space.pool, key=lambda name: -lengths[name])[: plan.space.max_added]
    candidates = plan.space.compose(()), plan.space.compose(longest)
    most = max(candidates, key=lambda one: sum(lengths[name] for name in one.demonstrations))
    shown = material.shown(most)
    search, held_out = (
        surveyor.work(plan.renderer, material.rules, shown, [question.id for question in side])
        for side in (material.search, material.held_out)
    )
    candidates_worth = ceil(planned / len(material.search))
    return together([search.times(candidates_worth), held_out.times(most_finalists(plan.space))])


def _measured(
    config: RunConfig | EvaluationConfig, path: Path | None, experience: Experience
) -> tuple[Spend, Speed, list[str]]:
    """What this run has spent, what is known of speed and lengths, and where from."""
    own = Spend() if path is None else read_spend(ledger_path(path, config), read_id(path))
    spend, source = own, "this run"
    if experience.like is not None:
        ledger = ledger_path(experience.like, read_any_config(experience.like))
        spend, source = read_spend(ledger, read_id(experience.like)), str(experience.like)
    elif not own.generated and config.ledger_path is not None and (run := last_run(config.ledger_path)) is not None:
        spend, source = read_spend(config.ledger_path, run), f"the latest run in {config.ledger_path}"
    pace = Speed.of(spend)
    notes = [f"lengths and speed: as measured in {source}"] if pace.answer is not None else []
    if experience.tokens_per_second is not None:
        pace = replace(pace, speed=experience.tokens_per_second)
    if pace.answer is None and experience.answer_tokens is not None:
        pace = replace(pace, answer=experience.answer_tokens)
        notes.append(f"an answer is assumed to have {experience.answer_tokens:,.0f} tokens")
    if pace.words is None and experience.verdict_tokens is not None:
        pace = replace(pace, words=experience.verdict_tokens)
        notes.append(f"a verdict is assumed to have {experience.verdict_tokens:,.0f} tokens")
    if pace.gpus is None and experience.gpus is not None and _gpus(config.model, config.workers) is None:
        pace = replace(pace, gpus=experience.gpus)
        notes.append(f"the workers are assumed to hold {experience.gpus:g} GPUs together")
    return own, pace, notes


def _assume(
    config: RunConfig | EvaluationConfig, sample: str, max_new_tokens: int, pace: Speed, notes: Sequence[str]
) -> Assumptions:
    rate, said = tokens_a_character(config.model, sample or "no prompt")
    judges = judge_costs(config.judge)
    all_notes = [*notes, said]
    if any(judge.calls for judge in judges):
        all_notes.append("the judge's tokens are guessed as characters / 4")
    return Assumptions(
        basis=Basis(rate, GUESS, judges, config.model.service if isinstance(config.model, ServedModelConfig) else None),
        pace=pace,
        max_new_tokens=max_new_tokens,
        gpus=_gpus(config.model, config.workers),
        unpriced=missing_prices(config),
        notes=all_notes,
    )


def _gpus(model: AnyModelConfig, workers: WorkersConfig) -> float | None:
    """That the workers will hold; None where only the machine knows."""
    if isinstance(model, ServedModelConfig) or model.device == "cpu" or workers.gpus_per_worker == 0:
        return 0.0
    if workers.kind == "local" or workers.count == "auto" or workers.gpus_per_worker == "auto":
        return None
    return workers.count * workers.gpus_per_worker

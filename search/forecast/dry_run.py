"""`--dry-run`: everything is read and checked, nothing is loaded and nothing is spent."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.plural import show_many
from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig
from configs.schema.run import RunConfig
from evaluators.objective import Objective
from search.forecast.example import example_of_evaluation, example_of_search
from search.forecast.experience import NONE, Experience, assume, measured
from search.forecast.forecast import RunForecast, forecast
from search.forecast.paid import ledgers_to_reuse, paid_already, paid_for_search
from search.forecast.rehearsal import Asked, rehearse
from search.forecast.search_work import most_work, reading_work, rehearsed_work, screening_notes
from search.forecast.templates import DryTemplates
from search.forecast.token_length import doubt_of_length, refuse_unreadable, unfit
from search.forecast.workload import Surveyor, combined
from search.problem.prompt_variant import PromptVariant
from search.run_directory.new_place import refuse_unusable_directory
from search.run_directory.run import Run, read_config
from search.running.assembly import Plan, make_plan, planned_manifest
from search.running.evaluate import planned_manifest as planned_manifest_of_evaluation
from search.running.evaluate import refuse_search
from search.running.evaluation_plan import EvaluationPlan, make_evaluation_plan
from search.running.place_check import models_of, models_of_judges, notes_on_models, refuse_missing_models
from search.running.service_check import service_notices, with_keys_to_come
from search.strategies.strategy import screened_by
from workers.failures import PromptsTooLong
from workers.prompt import PromptBlock

_SAMPLE = 50  # demonstrations and questions whose tokens are counted


_NOWHERE = Path("runs")  # nothing is written there


def forecast_run(
    config: RunConfig,
    path: Path | None = None,
    experience: Experience = NONE,
    new_at: Path | None = None,
    *,
    extends: bool = False,
) -> RunForecast:
    """What this search would cost, from its beginning.

    Args:
        path: of the run, where it is one that goes on.
        new_at: where a new run would be kept.
        extends: the run goes on under a larger budget of its strategy.

    Raises:
        InputError: something is wrong with config, files or directory, or the run was started with other settings.
    """
    environment, missing = with_keys_to_come(config)
    templates = DryTemplates()
    if path is None and new_at is not None:
        refuse_unusable_directory(new_at)
    plan = make_plan(config, path or _NOWHERE, environment, templates.load)
    _refuse_changes(plan, path, extends)
    surveyor, material = _surveyor(plan), plan.material
    with TemporaryDirectory() as folder:
        strategy = _without_model(plan).strategy(plan.space, Path(folder))
        planned, screened = strategy.planned(), screened_by(strategy)
        asked = rehearse(strategy, plan.space, plan.held_out, config.window, experience.patience)
    reading, notes = reading_work(plan, surveyor)
    likely = None if asked is None else combined([rehearsed_work(plan, surveyor, asked), *reading])
    most = combined([most_work(plan, surveyor, planned, screened), *reading])
    notes += [
        *screening_notes(plan, likely, most),
        "at most: every answer that the strategy plans, behind the longest demonstrations, texts as long as allowed",
        "about: what the strategy asks for in a rehearsal with made-up scores"
        if asked
        else f"about: unknown, since a rehearsal of the strategy takes longer than {experience.patience:g} s",
        *_paid(plan, asked, path or new_at),
    ]
    shown = [*material.demonstrations.values()][:_SAMPLE]
    asked_first = [(question.query,) for question in material.search[:_SAMPLE]]
    sample = "".join(_texts(plan.renderer.block(material.rules, shown, asked_first)))
    spent, rates, source = measured(config, path, experience)
    longest = max(decoding.max_new_tokens for decoding in plan.decodings.values())
    missing += notes_on_models(models_of(config))
    missing += [*_base_and_pool_notes(plan, longest), *templates.notes]
    notes = [*_notes(plan.material.notices), *_summary(plan), *notes, *source, *missing, *service_notices(config)]
    assumed = assume(config, sample, longest, rates, notes, example_of_search(plan))
    return forecast(likely, most, assumed, config.budget, spent)


def forecast_evaluation(
    config: EvaluationConfig,
    path: Path | None = None,
    experience: Experience = NONE,
    new_at: Path | None = None,
    *,
    look_up: bool = True,
    leave_out: bool = False,
) -> RunForecast:
    """Forecast an evaluation; see `forecast_run`.

    Args:
        leave_out: as `evaluate`: a model that cannot be loaded, or that prompts do not fit, is a note and no error.
        look_up: whether to say what need not be paid for: every answer and verdict is looked up in ledgers for that.
    """
    environment, missing = with_keys_to_come(config)
    templates = DryTemplates()
    if path is not None:
        refuse_search(path)
    elif new_at is not None:
        refuse_unusable_directory(new_at)
    plan = make_evaluation_plan(config, path or _NOWHERE, environment, templates.load)
    if path is not None:
        Run(path).refuse_changes(planned_manifest_of_evaluation(plan))
    judges = [*models_of_judges(config.judge)]
    refuse_missing_models([*judges, *(() if leave_out else plan.models)])
    missing += notes_on_models([*plan.models, *judges])
    surveyor = Surveyor({question.id: question for question in plan.questions}, plan.objective, plan.judges.members)
    ids = [question.id for question in plan.questions]
    work = combined(
        surveyor.work(variant.renderer, variant.rules, variant.demonstrations, ids) for variant in plan.variants
    )
    sample = "".join(text for variant in plan.variants for text in _texts(variant.block(plan.questions[:_SAMPLE])))
    longest = max(variant.decoding.max_new_tokens for variant in plan.variants)
    for variant in plan.variants:
        missing += _length_notes_of(variant, plan, leave_out)
    spent, rates, source = measured(config, path, experience)
    notes = [
        *_notes(plan.notices),
        *_summary_of_evaluation(plan),
        "at most: every answer and verdict as long as allowed",
        *(_paid_of_evaluation(plan, path or new_at) if look_up else ()),
        *source,
        *missing,
        *templates.notes,
        *service_notices(config),
    ]
    assumed = assume(config, sample, longest, rates, notes, example_of_evaluation(plan))
    return forecast(work, work, assumed, config.budget, spent)


def _base_prompt(plan: Plan) -> PromptBlock:
    """The base prompt with every question."""
    material = plan.material
    asked = [(question.query,) for question in material.questions.values()]
    return plan.renderer.block(material.rules, material.base, asked)


def _refuse_changes(plan: Plan, path: Path | None, extends: bool) -> None:
    """Raises InputError where the run in `path`, if it is one that goes on, was started with other settings."""
    if path is None:
        return
    config = plan.config
    started = config.model_copy(update={"strategy": read_config(path).strategy}) if extends else config
    Run(path).refuse_changes(planned_manifest(replace(plan, config=started)))


def _length_notes(model: AnyModelConfig, name: str, block: PromptBlock, new_tokens: int) -> list[str]:
    """A sentence where prompts may not fit. Raises InputError where they do not, or begin twice."""
    refuse_unreadable(model, name, block, new_tokens)
    doubt = doubt_of_length(model, name, block, new_tokens)
    return [] if doubt is None else [doubt]


def _base_and_pool_notes(plan: Plan, new_tokens: int) -> list[str]:
    """Sentences where the base prompt or demonstrations may not fit. Raises InputError where the base prompt does
    not."""
    notes = _length_notes(plan.config.model, "the base prompt", _base_prompt(plan), new_tokens)
    return [*notes, *_unfit_demonstrations(plan, new_tokens)]


def _unfit_demonstrations(plan: Plan, new_tokens: int) -> list[str]:
    """A sentence on demonstrations with which no candidate fits, unless the search has a limit of its own."""
    strategy, material = plan.config.strategy, plan.material
    if strategy.max_prompt_tokens is not None:
        return []
    asked = [(question.query,) for question in material.search]
    block = plan.renderer.block(material.rules, material.base if strategy.base == "keep" else (), asked)
    texts = ["\n".join(demonstration.texts) for demonstration in material.pool]
    long = unfit(plan.config.model, block, texts, new_tokens)
    if not long:
        return []
    many = show_many(len(long), "demonstration")
    return [
        f"notice: {many} of the pool's {len(texts):,} (first: {material.pool[long[0]].id}) cannot be read with the "
        "longest question, since the model's context is too short, so every candidate with one of them fails there; "
        "shorten them, or set strategy.max_prompt_tokens"
    ]


def _length_notes_of(variant: PromptVariant, plan: EvaluationPlan, leave_out: bool) -> list[str]:
    """A sentence where prompts of a variant may not fit, or, with `leave_out`, do not. Raises InputError."""
    block, new_tokens = variant.block(plan.questions), variant.decoding.max_new_tokens
    try:
        return _length_notes(variant.model, f"the prompt of '{variant.name}'", block, new_tokens)
    except PromptsTooLong as error:
        if not leave_out:
            raise
        return [f"'{variant.name}' is left out: {error}"]


def _notes(notices: Sequence[str]) -> list[str]:
    """What is odd about the data."""
    return [f"notice: {notice}" for notice in notices]


def _summary(plan: Plan) -> list[str]:
    """What was read, in a sentence."""
    material = plan.material
    several = sum(bool(demonstration.further) for demonstration in material.pool)
    turns = f" ({several:,} of several turns)" if several else ""
    return [
        f"the base prompt has rules of {show_many(len(material.rules), 'character')} and "
        f"{show_many(len(material.base), 'demonstration')}; "
        f"the pool has {len(material.pool):,}{turns}; "
        f"{show_many(len(material.search), 'question guides', 'questions guide')} the search and "
        f"{show_many(len(material.held_out), 'is', 'are')} held out{_screened_alone(plan)}"
    ]


def _screened_alone(plan: Plan) -> str:
    """How many held-out questions the screening judge scores alone, for the end of a sentence; "" for none."""
    held_out = plan.held_out
    if not held_out.screened:
        return ""
    return f", {len(held_out.screened) - len(held_out.judged):,} of these for judge.screening alone"


def _summary_of_evaluation(plan: EvaluationPlan) -> list[str]:
    """What was read, in a sentence."""
    config = plan.config
    side = "" if config.side == "all" else f" ({config.side.replace('_', '-')} side)"
    models = show_many(len([*plan.by_model()]), "model")
    return [
        f"{show_many(len(plan.variants), 'prompt')} for {models}, {show_many(len(plan.questions), 'question')}{side}"
    ]


def _paid_of_evaluation(plan: EvaluationPlan, path: Path | None) -> Iterator[str]:
    """A sentence on answers and verdicts that need not be paid for."""
    ledgers = ledgers_to_reuse(plan.config, path)
    if not ledgers:
        return
    paid = paid_already(plan, ledgers)
    where = plan.config.ledger_path or (path.parent if path else "")
    worth = f", worth {paid.dollars:,.3g} dollars" if paid.dollars else ""
    yield (
        f"of these, {show_many(paid.generations, 'answer')} and {show_many(paid.verdicts, 'verdict')} are paid for "
        f"already (in {where}){worth}"
    )


def _surveyor(plan: Plan) -> Surveyor:
    objective, judges = Objective.of(plan.config.scoring), plan.judges
    return Surveyor(plan.material.questions, objective, judges.members, judges.screening)


def _without_model(plan: Plan) -> Plan:
    """The plan with the embedding that loads nothing; a rehearsal asks for about as much with any."""
    strategy = plan.config.strategy
    if getattr(strategy, "embedding", "none") == "none":
        return plan
    hashed = strategy.model_copy(update={"embedding": "hashed"})
    return replace(plan, config=plan.config.model_copy(update={"strategy": hashed}))


def _texts(block: PromptBlock) -> tuple[str, ...]:
    return (block.prefix, *block.suffixes)


def _paid(plan: Plan, asked: Asked | None, path: Path | None) -> Iterator[str]:
    """A sentence on answers that need not be paid for, where another run has."""
    ledgers = ledgers_to_reuse(plan.config, path)
    if not asked or not ledgers:
        return
    material = plan.material
    blocks = [
        (
            plan.decodings[candidate.decoding],
            plan.renderer.block(
                material.rules,
                material.shown(candidate),
                [(material.questions[name].query,) for name in questions.answered],
            ),
        )
        for candidate, questions in asked.items()
    ]
    paid = paid_for_search(ledgers, plan.config.model, blocks)
    total = sum(len(questions.answered) for questions in asked.values())
    where = plan.config.ledger_path or (path.parent if path else "")
    yield (
        f"of the {total:,} first answers of the rehearsal, {paid:,} are paid for already (in {where}); what the real "
        "search shares with earlier ones may be more or less"
    )

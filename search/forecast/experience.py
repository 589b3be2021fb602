"""What a forecast rests on beside the workload: speed, lengths, tokenizer, prices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig, ServedModelConfig
from configs.schema.run import RunConfig
from configs.schema.workers import WorkersConfig
from evaluators.ledger.queries import last_run, read_spend
from evaluators.ledger.spend import Spend
from search.forecast.cost import Basis, Speed, judge_costs
from search.forecast.example import PromptExample
from search.forecast.forecast import Assumptions
from search.forecast.token_length import GUESS, tokens_a_character
from search.run_directory.run import ledger_path, read_any_config, read_id
from search.running.prices import missing_prices


@dataclass(frozen=True, slots=True)
class Experience:
    """What is known of speed and lengths, beside the run itself.

    Attributes:
        like: the directory of an earlier run.
        tokens_per_second: new ones, of all workers together; in the place of what was measured.
        answer_tokens, verdict_tokens: assumed where nothing was measured.
        gpus: that all workers hold together, assumed where neither a run nor the config says it.
        patience: seconds that the rehearsal of a search's strategy may take.
        otherwise: directories of earlier runs, of which the first one tells where neither the run nor another one in
            its ledger has measured anything.
    """

    like: Path | None = None
    tokens_per_second: float | None = None
    answer_tokens: float | None = None
    verdict_tokens: float | None = None
    gpus: float | None = None
    patience: float = 20.0
    otherwise: Sequence[Path] = ()


NONE = Experience()


def measured(
    config: RunConfig | EvaluationConfig, path: Path | None, experience: Experience
) -> tuple[Spend, Speed, list[str]]:
    """What this run has spent, what is known of speed and lengths, and where from."""
    own = Spend() if path is None else read_spend(ledger_path(path, config), read_id(path))
    spend, source = own, "this run"
    like = experience.like
    if like is None and not own.generated:
        run = None if config.ledger_path is None else last_run(config.ledger_path)
        if config.ledger_path is not None and run is not None:
            spend, source = read_spend(config.ledger_path, run), f"the latest run in {config.ledger_path}"
        else:
            like = next(iter(experience.otherwise), None)
    if like is not None:
        spend, source = read_spend(ledger_path(like, read_any_config(like)), read_id(like)), str(like)
    rates = Speed.of(spend)
    notes = [f"lengths and speed: as measured in {source}"] if rates.answer is not None else []
    if experience.tokens_per_second is not None:
        rates = replace(rates, speed=experience.tokens_per_second)
    return own, *_with_assumptions(rates, config, experience, notes)


def _with_assumptions(
    rates: Speed, config: RunConfig | EvaluationConfig, experience: Experience, notes: list[str]
) -> tuple[Speed, list[str]]:
    """The rates with what is assumed in the place of what was not measured, by options first and then by the config's
    `forecast`; and the notes with a sentence on each assumption."""
    assumed = config.forecast
    answer = experience.answer_tokens or assumed.answer_tokens
    if rates.answer is None and answer is not None:
        rates = replace(rates, answer=answer)
        notes.append(f"an answer is assumed to have {answer:,.0f} tokens{_setting(experience.answer_tokens)}")
    verdict = experience.verdict_tokens or assumed.verdict_tokens
    if rates.verdict_tokens is None and verdict is not None and any(judge.calls for judge in judge_costs(config.judge)):
        rates = replace(rates, verdict_tokens=verdict)
        notes.append(f"a verdict is assumed to have {verdict:,.0f} tokens{_setting(experience.verdict_tokens)}")
    if rates.speed is None and assumed.tokens_per_second is not None:
        rates = replace(rates, speed=assumed.tokens_per_second)
        notes.append(f"{assumed.tokens_per_second:,.0f} new tokens a second are assumed{_setting(None)}")
    gpus = assumed.gpus if experience.gpus is None else experience.gpus
    if rates.gpus is None and gpus is not None and _gpus(config.model, config.workers) is None:
        rates = replace(rates, gpus=gpus)
        held = f"{gpus:g} {'GPU' if gpus == 1 else 'GPUs'} together" if gpus else "no GPU"
        notes.append(f"the workers are assumed to hold {held}{_setting(experience.gpus)}")
    return rates, notes


def _setting(option: float | None) -> str:
    """Name the place of an assumption; nothing where it was given with the command."""
    return " (set by `forecast`)" if option is None else ""


def assume(
    config: RunConfig | EvaluationConfig,
    sample: str,
    max_new_tokens: int,
    rates: Speed,
    notes: Sequence[str],
    prompt: PromptExample,
) -> Assumptions:
    """Put together what a forecast rests on; `sample` is text whose tokens are counted."""
    rate, note = tokens_a_character(config.model, sample or "no prompt")
    judges = judge_costs(config.judge)
    all_notes = [*notes, note]
    if any(judge.calls for judge in judges):
        all_notes.append("the judge's tokens are guessed as characters / 4")
    return Assumptions(
        basis=Basis(rate, GUESS, judges, config.model.service if isinstance(config.model, ServedModelConfig) else None),
        rates=rates,
        max_new_tokens=max_new_tokens,
        gpus=_gpus(config.model, config.workers),
        unpriced=missing_prices(config),
        notes=all_notes,
        prompt=prompt,
    )


def _gpus(model: AnyModelConfig, workers: WorkersConfig) -> float | None:
    """GPUs that the workers will hold; None where only the machine knows."""
    if isinstance(model, ServedModelConfig) or model.device == "cpu" or workers.gpus_per_worker == 0:
        return 0.0
    if workers.kind == "local" or workers.count == "auto" or workers.gpus_per_worker == "auto":
        return None
    return workers.count * workers.gpus_per_worker

"""Judges, one kind a class, and the panel."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    FiniteFloat,
    JsonValue,
    model_validator,
)

from configs.schema.judge_knobs import Bounds, JudgeKnobs, LanguageModelJudgeKnobs, ScaleKnobs, WritingJudgeKnobs
from configs.schema.knobs import Knobs, LocalPath
from configs.schema.model import RewardModelConfig
from configs.schema.workers import WorkersConfig


class MTBenchJudgeConfig(WritingJudgeKnobs):
    """A language model that grades answers to one or two turns with MT-Bench's prompts, 1 to 10 (Zheng et al. 2023;
    temperature 0, at most 2048 tokens)."""

    kind: Literal["mt_bench"]
    prompts_path: LocalPath
    """FastChat's judge_prompts.jsonl, or the folder it stands in."""

    @property
    def bounds(self) -> Bounds | None:
        return 1.0, 10.0


class RubricJudgeConfig(ScaleKnobs, WritingJudgeKnobs):
    """A language model that grades an answer by a rubric of your own, on a scale of your own."""

    kind: Literal["rubric"]
    rubric_path: LocalPath
    """A text file with the fields {question}, {answer}, {reference} (those of the turn judged) or {conversation} (all
    turns, the answer judged last), braces doubled elsewhere. A line `[system]` may open it, and the system message then
    ends at a line `[user]`."""
    pattern: str = r"\[\[(-?\d+\.?\d*)\]\]"
    """Regular expression whose one group is the rating; which match counts, `rating` says. As it stands: `[[7]]`."""


class PairwiseJudgeConfig(WritingJudgeKnobs):
    """A language model that says whether the answer or the question's baseline is better, from 0 (it lost) to 1 (it
    won); a tie is 0.5. First turns only."""

    kind: Literal["pairwise"]
    prompts_path: LocalPath | None = None
    """FastChat's judge_prompts.jsonl, or the folder it stands in: `pair-v2`, and `pair-math-v1` for mathematics,
    reasoning and coding. Give this or `rubric_path`."""
    rubric_path: LocalPath | None = None
    """A text file as for the kind `rubric`, with the fields {question}, {answer_a}, {answer_b}, {reference}; it must
    ask for `[[A]]`, `[[B]]` or, for a tie, `[[C]]`."""
    swap: bool = True
    """Ask twice, the second time with the answers in the other order, and take the mean; else the answer is always A,
    and the judge's liking for a position is in every score."""

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if (self.prompts_path is None) == (self.rubric_path is None):
            raise ValueError("set either prompts_path or rubric_path")
        return self

    @property
    def bounds(self) -> Bounds | None:
        return 0.0, 1.0

    @property
    def orders(self) -> int:
        return 2 if self.swap else 1


class AlpacaEvalJudgeConfig(LanguageModelJudgeKnobs):
    """The preference of AlpacaEval 2.0 over the question's baseline, from 0 to 1, weighted by the probabilities of the
    judge's first token (Dubois et al. 2024). First turns only."""

    kind: Literal["alpaca_eval"]
    prompt_path: LocalPath
    """AlpacaEval's alpaca_eval_clf.txt, or a text in its format with {instruction}, {output_1} and {output_2}."""

    @model_validator(mode="after")
    def _has_log_probabilities(self) -> Self:
        if self.service is not None and self.service.reasoning_effort not in {None, "none"}:
            raise ValueError("this judge reads log-probabilities, which exist only at service.reasoning_effort none")
        return self

    @property
    def bounds(self) -> Bounds | None:
        return 0.0, 1.0


class RewardModelJudgeConfig(JudgeKnobs):
    """A reward model that rates the conversation, on its own scale; no service, no price."""

    kind: Literal["reward_model"]
    model: RewardModelConfig
    workers: WorkersConfig | None = None
    """Workers that run it; when absent it runs in this process, beside everything else. On a cluster give it Ray
    workers of its own, and say how many: `count: auto` takes all GPUs."""

    @property
    def calls(self) -> int:
        return 1


class ReferenceJudgeConfig(ScaleKnobs, JudgeKnobs):
    """Similarity to the reference answer of the turn judged, from `low` (nothing in common) to `high` (the same);
    local, free, deterministic."""

    kind: Literal["reference"]
    metric: Literal["chrf", "rouge_l", "exact_match"] = "chrf"
    """`chrf`: character n-gram F-score (Popovic 2015; sacrebleu). `rouge_l`: F-score of the longest common sequence of
    words (Lin 2004; rouge-score, for English). `exact_match`: equal after stripping."""


class FunctionJudgeConfig(JudgeKnobs):
    """A Python function of your own, `f(question, answers, **options)`, plain or async: a `Question`, its answers turn
    by turn, the last one to be scored. It returns a number, or a number and words."""

    kind: Literal["function"]
    function: str
    """`module:function`."""
    folder: LocalPath | None = None
    """Folder in which the module is looked for first."""
    whole_batch: bool = False
    """The function takes a list of pairs (question, answers) instead and returns a list as long."""
    max_in_flight: Annotated[int, Field(ge=1)] = 8
    """Calls under way at the same time; plain functions run in threads."""
    timeout: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """Seconds one call may take; then its answers fail. A call cannot be ended: when as many as may be under way have
    never returned, the run stops."""
    options: dict[str, JsonValue] = {}
    """Arguments given to the function by name, and part of its identity, as are the sources of its module and of your
    own modules that it imports, and files that these name, written out, and do not write."""

    @model_validator(mode="after")
    def _well_named(self) -> Self:
        module, _, name = self.function.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), name)):
            raise ValueError(f"function is written as module:function, not {self.function!r}")
        return self


_SingleJudgeConfig = (
    MTBenchJudgeConfig
    | RubricJudgeConfig
    | PairwiseJudgeConfig
    | AlpacaEvalJudgeConfig
    | RewardModelJudgeConfig
    | ReferenceJudgeConfig
    | FunctionJudgeConfig
)


SingleJudgeConfig = Annotated[_SingleJudgeConfig, Field(discriminator="kind")]


class MemberConfig(Knobs):
    """One judge of an ensemble."""

    weight: Annotated[FiniteFloat, Field(gt=0, le=1e9)] = 1.0
    """Weight of its score as it is, relative to the others: put judges on one scale before weighing them."""
    judge: SingleJudgeConfig
    """A judge of any other kind, with that kind's knobs."""


class EnsembleJudgeConfig(Knobs):
    """Several judges; the score is the weighted mean of theirs."""

    kind: Literal["ensemble"]
    members: tuple[MemberConfig, ...]
    """Judges of any other kind, each with its weight; at least one."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.members:
            raise ValueError("members is empty: add a judge")
        return self

    @property
    def judges(self) -> tuple[JudgeKnobs, ...]:
        """The members' judges."""
        return tuple(member.judge for member in self.members)

    @property
    def bounds(self) -> Bounds | None:
        """The weighted mean of the members' bounds; None where one member's are not known."""
        weights = [member.weight for member in self.members]
        ends = [judge.bounds for judge in self.judges if judge.bounds is not None]
        if len(ends) < len(weights):
            return None
        low, high = (
            sum(weight * end[side] for weight, end in zip(weights, ends, strict=True)) / sum(weights) for side in (0, 1)
        )
        return low, high


JudgeConfig = Annotated[_SingleJudgeConfig | EnsembleJudgeConfig, Field(discriminator="kind")]

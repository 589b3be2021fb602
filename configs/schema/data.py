"""The base prompt, the pool and the questions: where they come from, and how questions are split."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from configs.schema.knobs import Knobs, LocalPath, Seed, Share


def _readable_tag(tag: str) -> str:
    if tag != tag.strip() or len(tag.splitlines()) != 1:
        raise ValueError("a separation tag is one line, without white space around it")
    if "```" in tag or re.match(r"# (Query|Answer|User|Assistant)\b", tag):
        raise ValueError("this separation tag looks like a heading or a fence of the prompt; choose another line")
    return tag


SeparationTag = Annotated[str, AfterValidator(_readable_tag)]
"""A line that can be told from everything else in a URIAL prompt."""


class BasePromptConfig(Knobs):
    """What every candidate starts from: rules, and demonstrations that are always there."""

    path: LocalPath
    """A URIAL prompt file: rules, then demonstrations (possibly none of either)."""


class RecordsConfig(Knobs):
    """Rows of a file, or of a data set of a Hugging Face hub."""

    path: LocalPath | None = None
    """JSONL, JSON (a list of objects), CSV, TSV or Parquet file; told apart by the ending. Give this or `hub`."""
    hub: str | None = None
    """Name of a hub data set, for example `PrincetonPLI/Instruct-SkillMix-SDA`."""
    hub_split: str = "train"
    """Split of the hub data set."""
    hub_revision: str | None = None
    """Commit or tag of the hub data set; pin it, so that a resumed run reads the same rows."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Use a random sample of this many rows (drawn with `sample_seed`); all of them when absent."""
    sample_seed: Seed = 0
    """Seed of that sample."""


class PoolConfig(RecordsConfig):
    """The demonstrations that may be chosen."""

    query_field: str = "query"
    """Field of a row that holds the query, as text; inside another as `instances[0].input`. For a demonstration of
    several turns, a list of texts, one a turn. Where there is none, a conversation is read from `messages`,
    `conversations` or `conversation`, all of its turns; a system message has to be the same in all of them, and is left
    to the rules."""
    answer_field: str = "answer"
    """Field of a row that holds the answer, as text, or a list with the answer to each turn."""
    follow_up_query_field: str | None = "follow_up_query"
    """Field that holds the query of a second turn, where a row has one, as text (or a list, of further turns): such a
    row is a demonstration of several turns. null leaves it out."""
    follow_up_answer_field: str | None = "follow_up_answer"
    """Field that holds the answer to it."""
    input_field: str | None = "input"
    """Field with further text that belongs to the query, as Alpaca's `input`: where a row has it, it stands behind the
    query and an empty line, and a notice says how many rows have it. null leaves it out."""
    id_field: str | None = None
    """Field that holds the demonstration's id; when absent, or when a row lacks it, the id is a hash of its content."""
    contamination: Literal["drop", "refuse", "keep"] = "drop"
    """What becomes of demonstrations that are, or contain, a question of the benchmark, whatever its case, white space,
    punctuation and Unicode form. `drop`: they are left out of the pool, and a base prompt that shows a question is
    refused. `refuse`: the run does not start. `keep`: they stay, and the report says so. What only resembles a question
    is reported in any case."""


class SplitConfig(Knobs):
    """The division of questions into those that guide the search and those that judge the winner alone. First match
    wins: field, file, share.
    """

    by_field: str | None = None
    """Field of a question row that says `search` or `held_out` (data sets that come with a split of their own)."""
    held_out_path: LocalPath | None = None
    """A separate file of held-out questions; then all of `questions.path` guides."""
    held_out_benchmark: Literal["jsonl", "mt_bench", "alpaca_eval"] | None = None
    """How that file is read, as `questions.benchmark`; as the search questions are when absent."""
    held_out_share: Share = 0.5
    """Share of the questions held out where neither field nor file says so, stratified by category, in (0, 1)."""
    seed: Seed = 0
    """Seed of the stratified draw."""


class QuestionsConfig(RecordsConfig):
    """The benchmark's questions."""

    benchmark: Literal["jsonl", "mt_bench", "alpaca_eval"] = "jsonl"
    """`jsonl`: rows with the fields below. `mt_bench`: FastChat's question.jsonl, or the folder it stands in.
    `alpaca_eval`: a file of model outputs with `instruction` and `output`, which become question and baseline."""
    reference_path: LocalPath | None = None
    """`mt_bench`: FastChat's reference answers (reference_answer/gpt-4.jsonl). They belong to the benchmark, whatever
    the judge is called."""
    baseline_path: LocalPath | None = None
    """Another model's answers, which a pairwise judge compares with: a JSON or JSONL file with `instruction` and
    `output`, as AlpacaEval keeps them. Must answer every question."""
    id_field: str = "id"
    """Field of a row that holds the question's id; where a row lacks it, the id is a hash of the query."""
    query_field: str = "query"
    """Field that holds the question, as text, or a list of turns."""
    input_field: str | None = "input"
    """Field with further text that belongs to a question of one turn, as Alpaca's `input` (benchmark `jsonl`): where a
    row has it, it stands behind the question and an empty line, and a notice says how many rows have it. null leaves it
    out."""
    category_field: str = "category"
    """Field that holds the category; may be missing in a row."""
    reference_field: str = "reference"
    """Field that holds the reference answer, as text (or a list, one a turn); may be missing in a row."""
    judge_fields: tuple[str, ...] = ()
    """Further fields of a row that judge functions are handed, as `question.fields`, whatever JSON they hold: test
    cases, a difficulty, forbidden words. Every row must have them; they are part of every verdict's key."""
    repeated: Literal["refuse", "drop", "keep"] = "refuse"
    """What becomes of a question that is asked more than once, whatever its case, white space and punctuation: `refuse`
    lists all of them, `drop` keeps the first of each, `keep` keeps all (each with an id of its own)."""
    split: SplitConfig = SplitConfig()


class RenderConfig(Knobs):
    """How rules, demonstrations and a question become a prompt."""

    template: Literal["urial_backticks", "urial_v5", "urial_v6", "chat"] = "urial_backticks"
    """`urial_backticks`: `# Query:` / `# Answer:` with fences, the paper's. `urial_v5`, `urial_v6`: `# User:` /
    `# Assistant:` without fences, with more and with less white space. `chat`: the model's own chat template, rules as
    the system message."""
    clean_up: Literal["strip", "faithful"] = "strip"
    """`strip`: a closing fence and white space around an answer are removed. `faithful`: upstream's clean-up, which
    deletes every triple backtick and so breaks answers with code; for reproducing published numbers."""
    separation_tag: SeparationTag | None = None
    """A line that parts conversations in the URIAL forms, such as `# Conversation`, so that demonstrations of several
    turns can be told from several demonstrations. An answer ends before it, too. In a base prompt it says which turns
    belong together. Without it, turns follow one another as demonstrations do."""
    separation_tag_between: Literal["conversations", "turns"] = "conversations"
    """Place of the tag: in front of every conversation, the question's own included; or between the turns of each
    conversation, where the same conversation goes on."""

    @model_validator(mode="after")
    def _chats_need_no_tag(self) -> Self:
        if self.separation_tag is not None and self.template == "chat":
            raise ValueError("a chat template marks its turns itself; leave separation_tag out")
        return self

    @model_serializer(mode="wrap")
    def _without_unset_tag(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is written down of a config without a tag is what was written before there were tags: manifests, and the
        names of trained models, stay as they are."""
        content: dict[str, Any] = dump(self)
        if self.separation_tag is None:
            content.pop("separation_tag", None)
            content.pop("separation_tag_between", None)
        return content

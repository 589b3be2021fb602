"""A search's material from the files that its config names."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from configs.plural import show_many
from configs.schema.data import RenderConfig
from configs.schema.run import RunConfig
from evaluators.question import Question
from search.problem.material import Material
from search.problem.pool import load_pool
from search.problem.shown_questions import without_questions
from search.problem.split import load_split
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer
from search.prompts.unread_turns import doubtful_turns
from search.prompts.urial import BasePrompt, form_of, load_base_prompt
from workers.control_tokens import control_tokens


def load_material(config: RunConfig, renderer: Renderer) -> Material:
    """Read all files of a config, and leave out what `renderer` cannot spell.

    Raises:
        InputError: whatever is wrong with them, in one sentence.
    """
    prompt = load_base_prompt(config.base_prompt.path, form_of(config.render))
    pool = load_pool(config.pool, renderer.holds).without(prompt.demonstrations)
    split = load_split(config.questions)
    pool, contamination = without_questions(pool, prompt, split, config.pool)
    digests = {
        "base prompt": _digest((prompt.rules, [demonstration.texts for demonstration in prompt.demonstrations])),
        "pool": f"{len(pool)} demonstrations, {pool.digest[:16]}",
        "questions": f"{len(split.search)} search, {len(split.held_out)} held-out, {split.digest[:16]}",
    }
    return Material(
        rules=prompt.rules,
        base=prompt.demonstrations,
        pool=tuple(pool.values()),
        search=split.search,
        held_out=split.held_out,
        digests=digests,
        notices=(
            *pool.report.sentences(),
            *pool.report.unshown(prompt.rules),
            *_untold_turns(pool.values(), config.render),
            *_odd_rules(str(config.base_prompt.path), prompt),
            *_control_tokens(prompt.rules, pool, (*split.search, *split.held_out)),
            *split.notices,
            *contamination.notices(),
        ),
        contamination=contamination,
        template=renderer.template,
    )


def _odd_rules(path: str, prompt: BasePrompt) -> Iterator[str]:
    """A notice if what counts as rules may be meant as demonstrations."""
    if (doubt := doubtful_turns(prompt.rules)) is not None:
        yield (
            f"{path}: what counts as rules may be meant as demonstrations, which are not read: {doubt}; write them as "
            "docs/data.md says"
        )


def _control_tokens(rules: str, pool: Mapping[str, Demonstration], questions: Iterable[Question]) -> Iterator[str]:
    """A notice if texts spell what steers a model."""
    texts = [("the rules", rules)]
    texts += [(f"demonstration {shown.id}", "\n".join(shown.texts)) for shown in pool.values()]
    texts += [(f"question {question.id}", "\n".join(question.turns)) for question in questions]
    spelled = [(name, tokens[0]) for name, text in texts if (tokens := control_tokens(text))]
    if spelled:
        shown = ", ".join(f"{token} in {name}" for name, token in spelled[:3])
        more = f" and {len(spelled) - 3:,} more" if len(spelled) > 3 else ""
        yield (
            f"texts spell control tokens ({shown}{more}), which a model may read as such; remove them unless they are "
            "meant"
        )


def _untold_turns(pool: Iterable[Demonstration], render: RenderConfig) -> Iterator[str]:
    """A notice if a prompt does not say which turns belong together."""
    several = sum(bool(shown.further) for shown in pool)
    if several and render.template != "chat" and render.separation_tag is None:
        has = show_many(several, "demonstration of the pool has", "demonstrations of the pool have")
        yield (
            f"{has} several turns, which the prompt spells like several demonstrations; set render.separation_tag to "
            "say which turns belong together"
        )


def _digest(content: object) -> str:
    return sha256(repr(content).encode()).hexdigest()[:16]

"""Everything a search is made from: rules, demonstrations, questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from configs.errors import InputError
from configs.schema import RunConfig
from evaluators.question import Question
from search.demonstration import Demonstration
from search.pool import load_pool
from search.render import Renderer
from search.space import SearchSpace
from search.split import load_split
from search.urial import load_base_prompt


@dataclass(frozen=True, slots=True)
class Material:
    """What the config's files hold.

    Attributes:
        rules: of the base prompt, verbatim.
        base: its demonstrations, in order.
        pool: demonstrations that may be added, none of them in `base`.
        guiding, held_out: questions that guide the search, and questions that only judge its winner.
        digests: of each part, for the manifest.
        notices: what a person should know about the data, a sentence each.
    """

    rules: str
    base: tuple[Demonstration, ...]
    pool: tuple[Demonstration, ...]
    guiding: tuple[Question, ...]
    held_out: tuple[Question, ...]
    digests: Mapping[str, str]
    notices: tuple[str, ...] = ()

    @property
    def demonstrations(self) -> dict[str, Demonstration]:
        """By id, the base prompt's and the pool's."""
        return {one.id: one for one in (*self.base, *self.pool)}

    @property
    def questions(self) -> dict[str, Question]:
        """By id, guiding and held-out."""
        return {one.id: one for one in (*self.guiding, *self.held_out)}

    def space(self, insert: str | int, max_added: int) -> SearchSpace:
        """The candidates that this material allows.

        Raises:
            InputError: the insert position lies beyond the base prompt.
        """
        if isinstance(insert, int) and insert > len(self.base):
            raise InputError(
                f"strategy.insert is {insert}, but the base prompt has only {len(self.base)} demonstrations: "
                "give at most that, or `back`"
            )
        places = {"front": 0, "back": len(self.base)}
        return SearchSpace(
            base=tuple(one.id for one in self.base),
            pool=tuple(one.id for one in self.pool),
            questions=tuple(one.id for one in self.guiding),
            insert_at=insert if isinstance(insert, int) else places[insert],
            max_added=min(max_added, len(self.pool)),
        )

    def to_json(self) -> dict[str, Any]:
        """For material.json in the run directory."""
        return {
            "rules": self.rules,
            "base": [[one.id, one.query, one.answer] for one in self.base],
            "pool": [[one.id, one.query, one.answer] for one in self.pool],
            "guiding": [[one.id, one.query, one.category, one.reference] for one in self.guiding],
            "held_out": [[one.id, one.query, one.category, one.reference] for one in self.held_out],
            "digests": dict(self.digests),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            rules=content["rules"],
            base=tuple(Demonstration(*row) for row in content["base"]),
            pool=tuple(Demonstration(*row) for row in content["pool"]),
            guiding=tuple(Question(*row) for row in content["guiding"]),
            held_out=tuple(Question(*row) for row in content["held_out"]),
            digests=content["digests"],
        )


def load_material(config: RunConfig, renderer: Renderer) -> Material:
    """Read all files of a config, and leave out what `renderer` cannot spell.

    Raises:
        InputError: whatever is wrong with them, in one sentence.
    """
    prompt = load_base_prompt(config.base_prompt.path)
    pool = load_pool(config.pool, renderer.holds).without(prompt.demonstrations)
    split = load_split(config.questions)
    digests = {
        "base prompt": _digest((prompt.rules, [(one.query, one.answer) for one in prompt.demonstrations])),
        "pool": f"{len(pool)} demonstrations, {pool.digest[:16]}",
        "questions": f"{len(split.guiding)} guiding, {len(split.held_out)} held-out, {split.digest[:16]}",
    }
    return Material(
        rules=prompt.rules,
        base=prompt.demonstrations,
        pool=tuple(pool.values()),
        guiding=split.guiding,
        held_out=split.held_out,
        digests=digests,
        notices=tuple(problem.text for problem in pool.report.problems),
    )


def _digest(content: object) -> str:
    return sha256(repr(content).encode()).hexdigest()[:16]

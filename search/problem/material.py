"""Everything a search is made from: rules, demonstrations, questions."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import TypeAdapter

from configs.errors import InputError
from configs.schema.search_space import SearchSpaceConfig, VaryingKnobs
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.contamination import NONE_FOUND, Contamination
from search.problem.space import SearchSpace
from search.prompts.demonstration import Demonstration, demonstration_of
from workers.chat_template import StoredTemplate


@dataclass(frozen=True, slots=True)
class Material:
    """What the config's files hold.

    Attributes:
        rules: of the base prompt, verbatim.
        base: its demonstrations, in order.
        pool: demonstrations that may be added, none of them in `base`.
        search, held_out: questions that guide the search, and questions that only judge its winner.
        digests: of each part, for the manifest.
        template: the model's chat template, where prompts are in it.
        notices: what a person should know about the data, a sentence each.
        contamination: questions that stand in demonstrations, or in each other.
    """

    rules: str
    base: tuple[Demonstration, ...]
    pool: tuple[Demonstration, ...]
    search: tuple[Question, ...]
    held_out: tuple[Question, ...]
    digests: Mapping[str, str]
    template: StoredTemplate | None = None
    notices: tuple[str, ...] = ()
    contamination: Contamination = NONE_FOUND

    @property
    def demonstrations(self) -> dict[str, Demonstration]:
        """Demonstrations by id, the base prompt's and the pool's."""
        return {demonstration.id: demonstration for demonstration in (*self.base, *self.pool)}

    @property
    def questions(self) -> dict[str, Question]:
        """Questions by id, search and held-out."""
        return {question.id: question for question in (*self.search, *self.held_out)}

    def shown(self, candidate: Candidate) -> tuple[Demonstration, ...]:
        """A candidate's demonstrations, in order."""
        demonstrations = self.demonstrations
        return tuple(demonstrations[name] for name in candidate.demonstrations)

    def space(self, config: SearchSpaceConfig) -> SearchSpace:
        """The candidates that this material and these knobs allow, without a limit on tokens.

        Raises:
            InputError: the insert position lies beyond the base prompt, an id is none of the pool's, or no candidate is
                left.
        """
        if isinstance(config.insert, int) and config.insert > len(self.base):
            raise InputError(
                f"strategy.insert is {config.insert}, but the base prompt has {len(self.base)} of its own: "
                "give at most that, or `back`"
            )
        base = tuple(demonstration.id for demonstration in self.base)
        pool = tuple(demonstration.id for demonstration in self.pool) + (base if config.base == "optional" else ())
        for knob, names in (("required", [config.required]), ("mutually_exclusive", config.mutually_exclusive)):
            unknown = sorted({name for group in names for name in group} - set(pool))
            if unknown:
                raise InputError(
                    f"strategy.{knob} names {unknown[0]!r}, which is not among the demonstrations to choose "
                    "from: use ids of the pool"
                )
        varying = config if isinstance(config, VaryingKnobs) else VaryingKnobs()
        places = {"front": 0, "back": len(self.base)}
        space = SearchSpace(
            base=base,
            pool=pool,
            questions=tuple(question.id for question in self.search),
            insert_at=config.insert if isinstance(config.insert, int) else places[config.insert],
            max_added=min(config.max_demonstrations, len(pool)),
            min_added=config.min_demonstrations,
            base_use=config.base,
            order=config.order,
            required=config.required,
            mutually_exclusive=tuple(frozenset(group) for group in config.mutually_exclusive),
            vary_position=varying.vary_position,
            decodings=tuple(decoding.name for decoding in varying.decodings),
        )
        if not space.fits(config.required) or space.min_added > space.max_added:
            raise InputError(
                "no candidate is left: strategy.required breaks strategy.mutually_exclusive, or "
                "strategy.min_demonstrations is more than the pool holds"
            )
        return space

    def to_json(self) -> dict[str, Any]:
        """The content of material.json in the run directory."""
        return {
            "rules": self.rules,
            "base": rows_of(self.base),
            "pool": rows_of(self.pool),
            "search": [question.to_json() for question in self.search],
            "held_out": [question.to_json() for question in self.held_out],
            "digests": dict(self.digests),
            "contamination": self.contamination.to_json(),
            "template": asdict(self.template) if self.template else None,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError where the content is no material's."""
        return cls(
            rules=_TEXT.validate_python(content["rules"]),
            base=demonstrations_of(content["base"]),
            pool=demonstrations_of(content["pool"]),
            search=questions_of(content["search"]),
            held_out=questions_of(content["held_out"]),
            digests=_DIGESTS.validate_python(content["digests"]),
            template=_TEMPLATE.validate_python(content["template"]),
            contamination=Contamination.from_json(content.get("contamination", {})),
        )


_TEXT = TypeAdapter(str)
_DIGESTS = TypeAdapter(dict[str, str])
_TEMPLATE = TypeAdapter(StoredTemplate | None)
_DEMONSTRATIONS = TypeAdapter(list[list[str]])
_QUESTIONS = TypeAdapter(tuple[Question, ...])


def rows_of(demonstrations: Iterable[Demonstration]) -> list[list[str]]:
    """A row a demonstration: its id, then query and answer, turn by turn."""
    return [[demonstration.id, *demonstration.texts] for demonstration in demonstrations]


def demonstrations_of(rows: object) -> tuple[Demonstration, ...]:
    """The inverse of `rows_of`. Raises ValueError."""
    return tuple(
        demonstration_of(list(zip(texts[::2], texts[1::2], strict=True)), name)
        for name, *texts in _DEMONSTRATIONS.validate_python(rows)
    )


def questions_of(rows: object) -> tuple[Question, ...]:
    """Questions from their fields, as JSON has them. Raises ValueError."""
    questions = _QUESTIONS.validate_python(rows)
    if not all(question.turns for question in questions):
        raise ValueError("a question without turns")
    return questions

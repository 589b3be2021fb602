"""The page of all knobs, read off the schema: `python -m configs.knob_reference > docs/configuration.md`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from configs.knobs import Knob, describe_knobs
from configs.schema.evaluation import EvaluationConfig
from configs.schema.experiment import ExperimentConfig
from configs.schema.run import RunConfig

_OPENING = """\
# Configuration reference

Written by `python -m configs.knob_reference > docs/configuration.md`; a test compares. The same at the terminal:
`demosearch knobs judge`, `demosearch knobs --evaluation`, `demosearch knobs --experiment`.

A config is a YAML file. Every knob has a dotted name: `decoding.top_p` stands in a file as `top_p` below `decoding`,
and on the command line as `--set decoding.top_p=0.9`. A knob that does not exist is an error with a suggestion.
Relative paths in a file start at the file, those on the command line at the working directory. Where a group has
kinds, "only for" names those that have the knob; `members[].weight` is a knob of every member of a list.
"""
_SEARCH = "## A search: `demosearch run`\n"
_EVALUATION = """\
## An evaluation: `demosearch evaluate`

`questions`, `render`, `model`, `decoding`, `judge`, `scoring`, `budget`, `workers` and `ledger_path` as above, and:
"""
_EXPERIMENT = """\
## An experiment: `demosearch experiment NAME`

{shared} as above, and:
"""
_TABLE = "| knob | type | default | what it does |\n|---|---|---|---|"


def reference() -> str:
    """The page, in Markdown."""
    searching = list(describe_knobs(RunConfig))
    shared = {_group(knob) for knob in searching}
    further = [knob for knob in describe_knobs(EvaluationConfig) if _group(knob) not in shared]
    same, own = _experiment(searching)
    return "\n".join(
        [
            *(_OPENING, _SEARCH, *_sections(searching)),
            *(_EVALUATION, *_sections(further)),
            *(_EXPERIMENT.format(shared=same), *_sections(own)),
        ]
    )


def _experiment(searching: Sequence[Knob]) -> tuple[str, list[Knob]]:
    """The groups that an experiment has as a search has them, as a list in words; and its other knobs."""
    above, own = _by_group(searching), _by_group(describe_knobs(ExperimentConfig))
    same = [f"`{name}`" for name, knobs in own.items() if _shape(knobs) == _shape(above.get(name, []))]
    further = [knobs for name, knobs in own.items() if f"`{name}`" not in same]
    return f"{', '.join(same[:-1])} and {same[-1]}", [knob for knobs in further for knob in knobs]


def _by_group(knobs: Iterable[Knob]) -> dict[str, list[Knob]]:
    return {name: list(members) for name, members in groupby(knobs, key=_group)}


def _shape(knobs: Iterable[Knob]) -> list[tuple[str, str]]:
    """Names and types; what a group does for a whole experiment may read otherwise."""
    return [(knob.name, knob.type) for knob in knobs]


def _group(knob: Knob) -> str:
    return knob.name.partition(".")[0].removesuffix("[]")


def _sections(knobs: Iterable[Knob]) -> Iterator[str]:
    for name, members in groupby(knobs, key=_group):
        yield "\n".join([f"### {name}\n", _TABLE, *map(_row, members), ""])


def _row(knob: Knob) -> str:
    default = "required" if knob.default is None else f"`{knob.default}`" if knob.default else "empty"
    only = f" Only for {knob.when}." if knob.when else ""
    cells = (f"`{knob.name}`", knob.type, default, knob.description + only)
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def main() -> None:
    """The command."""
    print(reference(), end="")


if __name__ == "__main__":
    main()

"""The card of a pushed data set: what was found, how good it is on questions the search never saw, what to doubt."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from configs.plural import show_many
from configs.schema.data import RecordsConfig
from configs.schema.run import RunConfig
from configs.score_bounds import score_bounds
from search.export.best_prompt import BestPrompt
from search.problem.candidate import OWN
from search.report.caveats import caveats
from search.report.comparison import Finalist
from search.report.findings import Findings
from search.report.markup import plain, table, with_interval
from search.report.numbers import share
from search.report.sentences import summary
from search.results.printable import printable
from search.results.wording import show_decoding, show_judge, shown_model
from search.run_directory.files import refusing_damage

_MEANS = (
    "A gain is the mean of paired differences to the base prompt, question by question. The search score of a winner "
    "is too high, since it was chosen for it: report the held-out score. “Overstated by” is search gain minus held-out "
    "gain. All of it speaks of this model, this judge and questions of this kind."
)
_USES = {
    "demonstrations.jsonl": "the demonstrations, from the top of the prompt down",
    "held_out.jsonl": "the score of every held-out question, with these demonstrations and with the base prompt",
    "prompt.txt": "rules and demonstrations as the model reads them before a question: a URIAL prompt file",
    "chat.json": "the same for the model's chat template (`demosearch export --format hugging_face`)",
    "found.json": "for `demosearch evaluate CONFIG --prompt found=found.json`: everything, with scores and provenance",
    "manifest.json": "what decided the outcome: digests, settings, versions",
}


def card(best: BestPrompt, findings: Findings, names: Sequence[str]) -> str:
    """README.md with the header that hubs read; `names` are the other files."""
    return printable(f"---\n{_header(best, names)}\n---\n\n" + "\n\n".join(_parts(best, findings, names)) + "\n")


def _header(best: BestPrompt, names: Sequence[str]) -> str:
    from huggingface_hub import DatasetCardData  # noqa: PLC0415 -- takes a second

    tables = [name for name in names if name.endswith(".jsonl")]
    configs = [
        {"config_name": Path(name).stem, "data_files": name} | ({"default": True} if at == 0 else {})
        for at, name in enumerate(tables)
    ]
    return DatasetCardData(
        pretty_name=f"Demonstrations of {best.status.run}",
        task_categories=["text-generation"],
        size_categories=["n<1K"],
        tags=["demosearch", "in-context-learning", "few-shot"],
        configs=configs,
    ).to_yaml()


def _parts(best: BestPrompt, findings: Findings, names: Sequence[str]) -> Iterator[str]:
    decoding = "" if best.decoding_name == OWN else f" and the decoding “{plain(best.decoding_name)}”"
    yield f"# Demonstrations of {plain(best.status.run)}"
    yield (
        f"{show_many(len(best.demonstrations), 'in-context demonstration')}{decoding} for "
        f"{plain(shown_model(best.config.model.name))}, found "
        f"by demosearch {best.results.manifest['versions']['demosearch']} among "
        f"{show_many(best.status.candidates, 'candidate')}."
    )
    if best.warning:
        yield f"**Not proven: {plain(best.warning)}.**"
    yield " ".join(map(plain, summary(findings)))
    yield "## Scores"
    heads = ("prompt", "held-out score", "held-out gain", "search score", "overstated by")
    yield table(heads, [_row(findings, finalist) for finalist in findings.finalists])
    yield f"Means with {share(findings.results.confidence)} intervals over questions. {_MEANS}"
    doubted = caveats(findings)
    if doubted:
        yield "## What a sceptic should know"
        yield "\n".join(f"- {plain(caveat)}" for caveat in doubted)
    yield "## Files"
    yield "\n".join(f"- `{name}`: {_USES[name]}" for name in names)
    yield "## How it was measured"
    yield table(("what", "which"), _conditions(best, findings))
    yield (
        f"The demonstrations come from `{best.config.base_prompt.path.name}` and `{_source(best.config.pool)}`; the "
        "licence of those data applies to them, and this card states none."
    )


def _row(findings: Findings, finalist: Finalist) -> list[str]:
    numbers = findings.numbers
    return [
        finalist.role,
        with_interval(numbers, finalist.held_out),
        with_interval(numbers, finalist.held_out_gain, signed=True),
        with_interval(numbers, finalist.search),
        with_interval(numbers, finalist.overstatement, signed=True, with_n=False),
    ]


def _conditions(best: BestPrompt, findings: Findings) -> list[list[str]]:
    config = best.config
    with refusing_damage(best.results.path / "manifest.json"):
        questions, pool = (best.results.manifest[name] for name in ("questions", "pool"))
    stop = ", ".join(plain(json.dumps(stop, ensure_ascii=False)) for stop in best.decoding.stop) or "none"
    return [
        ["model", plain(shown_model(config.model.name))],
        ["judge", plain(_judge(config))],
        ["questions", plain(f"{_source(config.questions)}: {questions}")],
        ["pool", plain(f"{_source(config.pool)}: {pool}")],
        ["strategy", plain(config.strategy.kind)],
        ["template", plain(config.render.template)],
        *_decodings(best, findings),
        ["stop strings", stop],
    ]


def _decodings(best: BestPrompt, findings: Findings) -> list[list[str]]:
    if best.decoding_name == OWN or findings.base is None:
        return [["decoding", show_decoding(best.decoding)]]
    own = findings.results.decoding(findings.base.candidate)
    return [
        ["decoding", f"“{plain(best.decoding_name)}”: {show_decoding(best.decoding)}"],
        ["decoding of the base prompt", show_decoding(own)],
    ]


def _judge(config: RunConfig) -> str:
    bounds = score_bounds(config.scoring, config.judge)
    scale = "" if bounds is None else f", scores from {bounds[0]:g} to {bounds[1]:g}"
    return show_judge(config.judge) + scale


def _source(config: RecordsConfig) -> str:
    """The name of a file or of a hub's data set."""
    return config.hub or (config.path.name if config.path else "")

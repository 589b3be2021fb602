"""Figures that the paper printed, by the experiment, condition and measure that they stand beside."""

from collections.abc import Iterator, Sequence

from search.experiments import paper_tables as tables
from search.experiments.cell import Condition, Label, cell_name
from search.experiments.paper_tables import ALPACA, AVERAGE, LLAMA, MISTRAL, TURN_1, TURN_2

Printed = tuple[dict[str, Label], str, float]
"""Condition, measure, figure."""


def printed_figure(experiment: str, model: str | None, condition: Condition, measure: str) -> float | None:
    """What the paper printed for this condition of this experiment; None where it printed nothing.

    Args:
        model: the paper's name of the base model; None where ours is none of its.
    """
    if model is None:
        return None
    rows = printed_figures(experiment, model)
    return next((value for of, name, value in rows if name == measure and of == dict(condition)), None)


def printed_figures(experiment: str, model: str) -> Iterator[Printed]:
    """All that the paper has of this experiment, those of further models too."""
    return _ROWS[experiment](model)


def _three(condition: dict[str, Label], values: Sequence[float]) -> Iterator[Printed]:
    for measure, value in zip((TURN_1, TURN_2, AVERAGE), values, strict=True):
        yield condition, measure, value


def _components(model: str) -> Iterator[Printed]:
    if model != MISTRAL:  # what other tables have of it
        yield from _three({"prompt": "examples only", "n": 0}, tables.BASE[model])
        yield from _three({"prompt": "rules and examples", "n": 3}, tables.URIAL[model])
        return
    for (kind, measure), values in tables.COMPONENTS.items():
        for count, value in enumerate(values):
            yield {"prompt": kind, "n": count}, measure, value
    for count, three in enumerate(tables.COMPONENTS_INSTRUCT):
        yield from _three({"prompt": "instruct model, rules and examples", "n": count}, three)
    yield from _three({"prompt": "instruct model, no prompt", "n": 0}, tables.EMPTY_INSTRUCT)


def _many_shot(model: str) -> Iterator[Printed]:
    yield from _three({"examples": "none", "n": 0}, tables.BASE[model])
    yield from _three({"examples": "base prompt", "n": 3}, tables.URIAL[model])
    counts, series = tables.SHOTS[model]
    for (kind, measure), values in series.items():
        for count, value in zip(counts, values, strict=True):
            if (kind, count) != ("random and base prompt", 3):  # which are the base prompt's alone
                yield {"examples": kind, "n": count}, measure, value
    yield {"examples": "base prompt", "n": 3}, ALPACA, tables.ALPACA_GREEDY[model][0] / 100
    for count, value in tables.ALPACA_SHOTS[model].items():
        yield {"examples": "random" if count else "none", "n": count}, ALPACA, value / 100


def _icl_vs_finetuning(model: str) -> Iterator[Printed]:
    yield from _three({"examples": "none", "n": 0}, tables.BASE[model])
    yield from _three({"examples": "instruct model", "n": 0}, tables.INSTRUCT[model])
    counts, series = tables.SHOTS[model]
    for measure in (TURN_1, TURN_2):
        for count, value in zip(counts, series["random", measure], strict=True):
            yield {"examples": "in context", "n": count}, measure, value
        for count, value in zip(tables.TRAINED, tables.FINETUNED[model, measure], strict=True):
            yield {"examples": "fine-tuned (full)", "n": count}, measure, value
        for count, value in zip(counts, tables.EVOL_IN_CONTEXT[model, measure], strict=True):
            yield {"examples": "Evol-Instruct, in context", "n": count}, measure, value
        for count, value in zip(tables.TRAINED, tables.EVOL_FINETUNED[model, measure], strict=True):
            yield {"examples": "Evol-Instruct, fine-tuned (full)", "n": count}, measure, value


def _matching(model: str) -> Iterator[Printed]:
    for name, by_kind in {"base prompt": tables.MATCHING, "base prompt and 3 found": tables.MATCHING_FOUND}.items():
        for kind, values in by_kind.items():
            yield {"demonstrations": name, "matching": kind}, TURN_1, values[model == LLAMA]
    if model == MISTRAL:
        for kind, three in tables.MATCHING_INSTRUCT.items():
            yield from _three({"demonstrations": "base prompt, instruct model", "matching": kind}, three)


def _transfer(model: str) -> Iterator[Printed]:
    """Sets that were found on Llama-3.1-8B were not tried elsewhere."""
    if model == LLAMA:
        yield {"set": "base prompt", "model": model}, TURN_1, tables.GREEDY[model][0]
        yield {"set": "base prompt", "model": model}, ALPACA, tables.ALPACA_GREEDY[model][0] / 100
    if model == MISTRAL:
        for name, values in tables.TRANSFER.items():
            for added, value in enumerate(values):
                prompt_set = "base prompt" if added == 0 else f"Evol-Instruct, {added} chosen"
                yield {"set": prompt_set, "model": name}, TURN_1, value
                yield {"set": prompt_set, "model": name}, ALPACA, tables.ALPACA_TRANSFER[name][added] / 100


def _multi_turn(model: str) -> Iterator[Printed]:
    yield from _three({"demonstrations": "none", "turns": 0, "tag": "no"}, tables.BASE[model])
    yield from _three({"demonstrations": "base prompt", "turns": 1, "tag": "no"}, tables.URIAL[model])
    for (name, turns, tag), values in tables.MULTI_TURN.items():
        yield from _three({"demonstrations": name, "turns": turns, "tag": tag}, values[model == LLAMA])


def _decoding(model: str) -> Iterator[Printed]:
    for (of, kind, penalty), rows in tables.DECODING.items():
        for top_p, row in zip(tables.TOP_PS, rows, strict=True):
            for temperature, value in zip(tables.TEMPERATURES, row, strict=True):
                labels = {"repetition penalty": penalty, "top-p": top_p, "temperature": temperature}
                if of == model:
                    yield {"model": kind, **labels}, TURN_1, value


def _aligned(model: str) -> Iterator[Printed]:
    yield from _three({"pair": model, "asked": "base, no prompt"}, tables.BASE[model])
    for name, (prompted, instruct) in tables.ALIGNED.items():
        yield from _three({"pair": name, "asked": "base with prompt"}, prompted)
        yield from _three({"pair": name, "asked": "instruct"}, instruct)


def _greedy(model: str) -> Iterator[Printed]:
    three = zip(tables.GREEDY[model], tables.GREEDY_TURN_2[model], tables.ALPACA_GREEDY[model], strict=True)
    for count, (first, second, wins) in enumerate(three):
        condition: dict[str, Label] = {"strategy": "paper" if count else "none", "chosen": count}
        yield condition, TURN_1, first
        yield condition, TURN_2, second
        yield condition, ALPACA, wins / 100


def _sufficient(model: str) -> Iterator[Printed]:
    """Every figure of the others, under the name that it has on the page that puts them together."""
    yield from _three({"experiment": "reference", "condition": "base, no prompt"}, tables.BASE[model])
    yield from _three({"experiment": "reference", "condition": "instruct model"}, tables.INSTRUCT[model])
    for name, rows in _ROWS.items():
        if name != "sufficient":
            for condition, measure, value in rows(model):
                yield {"experiment": name, "condition": cell_name(condition, None)}, measure, value


_ROWS = {
    "components": _components,
    "many_shot": _many_shot,
    "decoding": _decoding,
    "matching": _matching,
    "multi_turn": _multi_turn,
    "aligned": _aligned,
    "greedy": _greedy,
    "icl_vs_finetuning": _icl_vs_finetuning,
    "transfer": _transfer,
    "sufficient": _sufficient,
}

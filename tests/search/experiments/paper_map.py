"""Which row of which experiment every number of the paper stands beside: all of `paper_numbers.json`, none left out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from search.experiments.cell import Label
from search.experiments.paper_tables import ALPACA, AVERAGE, LLAMA, MISTRAL, TURN_1, TURN_2

Path = tuple[str | int, ...]
PAIR = (MISTRAL, LLAMA)
MEASURES = (TURN_1, TURN_2, AVERAGE)
TURNS = (("T1", TURN_1), ("T2", TURN_2))


@dataclass(frozen=True)
class Place:
    """Attributes:
    model: whose preset, or whose `paper_model`, shows the row.
    kind: `shown`: this number stands beside the row. `again`: another print of the same quantity stands there.
        `setting`: no result, but a setting of the presets, which `test_the_presets_have_the_papers_settings` compares.
        `none`: no row.
    """

    kind: Literal["shown", "again", "round", "setting", "none"] = "shown"
    experiment: str = ""
    model: str = ""
    condition: Mapping[str, Label] | None = None
    measure: str = ""


Placed = Iterator[tuple[Path, Place]]
NOWHERE, SETTING, ROUND = Place("none"), Place("setting"), Place("round")


def places(numbers: dict[str, Any]) -> dict[Path, Place]:
    """By the path to each number in the file."""
    return {(table, *path): place for table, placed in _TABLES.items() for path, place in placed(numbers[table])}


def leaves(content: Any, path: Path = ()) -> Iterator[tuple[Path, float]]:
    """Every number of the file, but for the axes of its tables."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name not in {"n", "n_ift", "n_icl", "greedy n", "temperature_cols", "top_p_rows", "seeds", "runs"}:
                yield from leaves(value, (*path, name))
    elif isinstance(content, list):
        for at, value in enumerate(content):
            yield from leaves(value, (*path, at))
    elif isinstance(content, int | float):
        yield path, content
    elif spread_out := re.fullmatch(r"([\d.]+)\+-([\d.]+)", content):
        mean, spread = spread_out.groups()
        yield (*path, "mean"), float(mean)
        yield (*path, "sd"), float(spread)


def _of_three(path: Path, experiment: str, model: str, condition: Mapping[str, Label]) -> Placed:
    for at, measure in enumerate(MEASURES):
        yield (*path, at), Place("shown", experiment, model, condition, measure)


def _aligned(table: dict[str, Any]) -> Placed:
    for row in table["rows"]:
        pair = row.removesuffix("+URIAL").replace("-Instruct", "").replace("GPT-4-Base", "GPT-4").split(" (")[0]
        asked = "base with prompt" if row.endswith("+URIAL") else "instruct"
        yield from _of_three(("rows", row), "aligned", MISTRAL, {"pair": pair, "asked": asked})


_KINDS = {
    **dict.fromkeys(("no demonstrations", "no demos"), "no demonstrations"),
    "X only": "queries only",
    "Y only": "answers only",
    **dict.fromkeys(("circular shift of Y", "circular shift"), "circular shift"),
    **dict.fromkeys(("in-domain random Y", "in-domain random"), "in-domain random answers"),
    **dict.fromkeys(("out-of-domain random Y", "out-of-domain random"), "out-of-domain random answers"),
    "correct Y": "correct answers",
}


def _matching(table: dict[str, Any]) -> Placed:
    for row, values in table["rows"].items():
        for at in range(len(values)):
            shown = "base prompt" if at < 2 else "base prompt and 3 found"
            condition: dict[str, Label] = {"demonstrations": shown, "matching": _KINDS[row]}
            yield ("rows", row, at), Place("shown", "matching", PAIR[at % 2], condition, TURN_1)


def _matching_instruct(table: dict[str, Any]) -> Placed:
    for row in table["rows"]:
        condition = {"demonstrations": "base prompt, instruct model", "matching": _KINDS[row]}
        yield from _of_three(("rows", row), "matching", MISTRAL, condition)


_TURNED = {
    "base, no prompt": ("none", 0, "no"),
    "URIAL single-turn": ("base prompt", 1, "no"),
    "two-turn URIAL": ("base prompt", 2, "no"),
    **{
        f"URIAL + {count} two-turn SkillMix, {tag}": (f"base prompt and {count} drawn", 2, said)
        for count in (3, 6)
        for tag, said in (("no tag", "no"), ("tag", "yes"))
    },
}


def _multi_turn(table: dict[str, Any]) -> Placed:
    for row, values in table["rows"].items():
        condition: dict[str, Label] = dict(zip(("demonstrations", "turns", "tag"), _TURNED[row], strict=True))
        for at in range(len(values)):
            yield ("rows", row, at), Place("shown", "multi_turn", PAIR[at // 3], condition, MEASURES[at % 3])


def _chosen(count: int) -> dict[str, Label]:
    return {"strategy": "paper" if count else "none", "chosen": count}


def _greedy(table: dict[str, Any]) -> Placed:
    for count, row in enumerate(table["rows"]):
        for name in PAIR:
            for at, measure in enumerate((TURN_1, ALPACA)):
                yield ("rows", row, name, at), Place("shown", "greedy", name, _chosen(count), measure)


def _transferred(rows: Sequence[str], path: Path, model: str) -> Placed:
    for count, row in enumerate(rows):
        condition = {"set": f"Evol-Instruct, {count} chosen" if count else "base prompt", "model": model}
        for at, measure in enumerate((TURN_1, ALPACA)):
            yield (*path, row, at), Place("shown", "transfer", MISTRAL, condition, measure)


def _evol(table: dict[str, Any]) -> Placed:
    yield from _transferred([*table["rows"]], ("rows",), MISTRAL)


def _transfer(table: dict[str, Any]) -> Placed:
    for model, rows in table["rows"].items():
        yield from _transferred([*rows], ("rows", model), model)


def _components_instruct(table: dict[str, Any]) -> Placed:
    for number, row in enumerate(table["rows"]):
        kind, count = ("no prompt", 0) if number == 0 else ("rules and examples", number - 1)
        condition: dict[str, Label] = {"prompt": f"instruct model, {kind}", "n": count}
        for path, place in _of_three(("rows", row), "components", MISTRAL, condition):
            yield (*path, "mean"), place
            yield (*path, "sd"), NOWHERE


def _components(table: dict[str, Any]) -> Placed:
    for series, kind in (("examples-only", "examples only"), ("rule+examples", "rules and examples")):
        for turn, measure in (("turn1", TURN_1), ("turn2", TURN_2)):
            for at, count in enumerate(table["n"]):
                condition = {"prompt": kind, "n": count}
                yield (f"{turn} {series}", at), Place("shown", "components", MISTRAL, condition, measure)


def _win_rates(table: dict[str, Any]) -> Placed:
    for name, spread in ((MISTRAL, "sd_Mistral"), (LLAMA, "sd_Llama")):
        for at, count in enumerate(table["n"]):
            condition = {"examples": "random" if count else "none", "n": count}
            yield (name, at), Place("shown", "many_shot", name, condition, ALPACA)
            yield (spread, at), NOWHERE


def _many_shot(table: dict[str, Any]) -> Placed:
    for name in PAIR:
        for turn, measure in TURNS:
            for series, kind in ((" noURIAL", "random"), ("+URIAL", "random and base prompt")):
                for at, count in enumerate(table[name]["n"]):
                    alone = "none" if count == 0 else "base prompt" if (series, count) == ("+URIAL", 3) else ""
                    condition = {"examples": alone or kind, "n": count}
                    place = Place("again" if alone else "shown", "many_shot", name, condition, measure)
                    yield (name, f"{turn} random{series}", at), place
            none = Place("again", "many_shot", name, {"examples": "none", "n": 0}, measure)
            yield (name, f"{turn} greedy", 0), none
            for chosen in range(4):  # 3 to 6 with the base prompt's three
                place = Place("shown", "greedy", name, _chosen(chosen), measure)
                yield (name, f"{turn} greedy", 1 + chosen), place
        for at in range(2):
            condition = {"pair": name, "asked": "instruct"}
            yield (name, "instruct", at), Place("shown", "aligned", name, condition, MEASURES[at])


def _finetuning(table: dict[str, Any]) -> Placed:
    for name in PAIR:
        for series in (key for key in table[name] if key[:2] in {"T1", "T2"}):
            source, before = ("Evol", "Evol-Instruct, ") if " Evol" in series else ("SkillMix", "")
            kind = "fine-tuned (full)" if "IFT" in series else "in context"
            for at, count in enumerate(table[name]["n_ift" if "IFT" in series else "n_icl"]):
                condition = {"examples": f"{before}{kind}" if count else "none", "n": count}
                twice = count == 0 or (kind, source) == ("in context", "SkillMix")  # figure 3 has it, too
                measure = TURN_1 if series.startswith("T1") else TURN_2
                place = Place("again" if twice else "shown", "icl_vs_finetuning", name, condition, measure)
                yield (name, series, at), place


def _decoding(table: dict[str, Any]) -> Placed:
    for map_name, rows in table.items():
        if " rp=" not in map_name:
            continue
        model, rest = map_name.split(" rp=")
        penalty, _, prompt = rest.partition(" ")
        kind = "instruct" if "Instruct" in model else {"base": "base", "URIAL": "base with prompt"}[prompt]
        for down, top_p in enumerate(table["top_p_rows"]):
            for across, temperature in enumerate(table["temperature_cols"]):
                condition = {
                    "model": kind,
                    "repetition penalty": float(penalty),
                    "top-p": top_p,
                    "temperature": temperature,
                }
                assert len(rows[down]) == len(table["temperature_cols"])
                name = LLAMA if "Llama" in model else MISTRAL
                yield (map_name, down, across), Place("shown", "decoding", name, condition, TURN_1)


def _settings(table: dict[str, Any]) -> Placed:
    for path, _ in leaves(table):
        yield path, SETTING


def _rounds(table: dict[str, Any]) -> Placed:
    """The table of rounds has no conditions: `test_the_rounds_of_the_papers_search_are_its_own` compares it."""
    for path, _ in leaves(table):
        is_bin = str(path[1]).startswith("round") and path[1] != "round_n_mean_sd"
        yield path, NOWHERE if is_bin else ROUND


_TABLES = {
    "table1_mtbench_gpt4_judge": _aligned,
    "table2_qa_matching_turn1": _matching,
    "table3_multiturn": _multi_turn,
    "table4_greedy_skillmix": _greedy,
    "table5_ift_hparams": _settings,
    "table6_greedy_evolinstruct_mistral": _evol,
    "table7_components_instruct_mistral_3runs": _components_instruct,
    "table8_qa_matching_instruct": _matching_instruct,
    "table9_transfer_of_evolinstruct_mistral_prompts": _transfer,
    "table10_scaling_alpacaeval2_LC_skillmix": _win_rates,
    "fig2_components_mistral": _components,
    "fig3_scaling": _many_shot,
    "fig5_icl_vs_ift": _finetuning,
    "decoding_heatmaps_turn1": _decoding,
    "fig4_fig12_search_histograms_gpt4turbo_judge": _rounds,
}

"""What the demonstrations do to the quickstart model: the figures of `build --check`, in chrF from 0 to 100."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, quantiles

import torch
from rich.progress import track
from sacrebleu import sentence_chrf
from scipy.stats import spearmanr
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from configs.quickstart.corpus import ANSWER, QUERY, demonstration_text
from configs.records import read_rows
from configs.row import Row

HERE = Path(__file__).parent
MOST_NEW_TOKENS = 56
RANDOM_SETS = 30
GREEDY_CHOICES = 16
SPLITS = ("search", "held_out")

Place = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True)
class CheckScores:
    """Mean chrF on either split."""

    search: float
    held_out: float = float("nan")


class StyleCheck:
    """The model with its questions: text of a prompt in, mean scores out."""

    def __init__(self, here: Path) -> None:
        self.base = (here / "base_prompt.txt").read_text(encoding="utf-8")
        self.pool = read_rows(here / "pool.jsonl")
        self.questions = read_rows(here / "questions.jsonl")
        self._tokenizer = AutoTokenizer.from_pretrained(here / "model")
        self._model = AutoModelForCausalLM.from_pretrained(here / "model")

    def scores(self, prompt: str, splits: Sequence[str] = SPLITS) -> CheckScores:
        """Mean chrF of the greedy answers to the questions of these splits."""
        questions = [question for question in self.questions if question["split"] in splits]
        by_split: dict[str, list[float]] = {split: [] for split in splits}
        for question, answer in zip(questions, self.answers(prompt, questions), strict=True):
            by_split[question["split"]].append(sentence_chrf(answer, question["reference"]).score)
        return CheckScores(**{split: mean(values) for split, values in by_split.items()})

    def answers(self, prompt: str, questions: Sequence[Row]) -> list[str]:
        """Greedy answers, the prompt read once."""
        tokens, mask, cache = self._read(prompt, questions)
        done, new = torch.zeros(len(tokens), dtype=torch.bool), []
        for _ in range(MOST_NEW_TOKENS):
            tokens, mask = self._step(tokens, mask, cache)
            new.append(tokens)
            done |= tokens[:, 0] == self._fence
            if done.all():
                break
        return [text.partition("\n```")[0] for text in self._tokenizer.batch_decode(torch.cat(new, dim=1))]

    @property
    def _fence(self) -> int:
        return self._tokenizer.get_vocab()["```"]

    @torch.inference_mode()
    def _read(self, prompt: str, questions: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor, DynamicCache]:
        tails = [QUERY + question["turns"][0] + ANSWER for question in questions]
        suffixes = self._tokenizer(tails, add_special_tokens=False, padding=True, return_tensors="pt")
        prefix = self._tokenizer(prompt, return_tensors="pt")["input_ids"]
        cache = DynamicCache()
        self._model(input_ids=prefix, past_key_values=cache, logits_to_keep=1)
        cache.batch_repeat_interleave(len(questions))
        seen = torch.ones(len(questions), prefix.shape[1], dtype=torch.long)
        return suffixes["input_ids"], torch.cat([seen, suffixes["attention_mask"]], dim=1), cache

    @torch.inference_mode()
    def _step(self, tokens: torch.Tensor, mask: torch.Tensor, cache: DynamicCache) -> tuple[torch.Tensor, torch.Tensor]:
        positions = (mask.cumsum(1) - 1)[:, -tokens.shape[1] :].clamp(min=0)
        output = self._model(
            input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
        )
        chosen = output.logits[:, -1].argmax(-1, keepdim=True)
        return chosen, torch.cat([mask, torch.ones_like(chosen)], dim=1)


def _text(row: Row) -> str:
    return demonstration_text(row["query"], row["answer"])


def front(base: str, added: Sequence[str]) -> str:
    """New demonstrations before the old ones, right after the rules; the last found is the first."""
    cut = base.index(QUERY)
    return base[:cut] + "".join(reversed(added)) + base[cut:]


def back(base: str, added: Sequence[str]) -> str:
    """New demonstrations after the old ones; the last found is the last."""
    return base + "".join(added)


def check(here: Path = HERE) -> None:
    """Print the base prompt, every single addition, greedy sets, random sets; then how the figures go together."""
    bench = StyleCheck(here)
    print(f"{'mean chrF: least [quartiles] most':36}{'search':32}held-out")
    _print("base", [bench.scores(bench.base)])
    singles = {place: _singles(bench, place) for place in (front, back)}
    for place, scores in singles.items():
        _greedy(bench, place, scores)
    _print(f"base + {RANDOM_SETS} random threes, back", _random_sets(bench))
    _relations(*singles.values())
    _speed(bench)


def _print(name: str, scores: Sequence[CheckScores]) -> None:
    search, held_out = (_spread([getattr(s, split) for s in scores]) for split in SPLITS)
    print(f"{name:36}{search:32}{held_out}", flush=True)


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.1f}"
    low, middle, high = quantiles(values, n=4)
    return f"{min(values):.1f} [{low:.1f} {middle:.1f} {high:.1f}] {max(values):.1f}"


def _singles(bench: StyleCheck, place: Place) -> list[CheckScores]:
    rows = track(bench.pool, f"one demonstration, {place.__name__}")
    scores = [bench.scores(place(bench.base, [_text(row)])) for row in rows]
    _print(f"base + one, {place.__name__}", scores)
    return scores


def _greedy(bench: StyleCheck, place: Place, singles: Sequence[CheckScores]) -> None:
    """Make up to three additions, each the best for the search questions of those that did best alone."""
    ranked = sorted(zip(singles, bench.pool, strict=True), key=lambda pair: -pair[0].search)
    rest, chosen = [row for _, row in ranked[:GREEDY_CHOICES]], list[Row]()
    for _ in range(3):
        rest.sort(key=lambda row: -_search_score(bench, place, [*chosen, row]))
        chosen.append(rest.pop(0))
        _print(_named(place, chosen), [bench.scores(place(bench.base, [_text(row) for row in chosen]))])


def _search_score(bench: StyleCheck, place: Place, rows: Sequence[Row]) -> float:
    return bench.scores(place(bench.base, [_text(row) for row in rows]), splits=("search",)).search


def _named(place: Place, rows: Sequence[Row]) -> str:
    return f"greedy, {place.__name__}: " + " ".join(row["id"].removeprefix("demo-") for row in rows)


def _random_sets(bench: StyleCheck) -> list[CheckScores]:
    rng = random.Random(0)  # noqa: S311 - a sample, not a secret
    sets = [rng.sample(bench.pool, 3) for _ in range(RANDOM_SETS)]
    return [bench.scores(back(bench.base, [_text(row) for row in rows])) for rows in track(sets, "random sets")]


def _relations(in_front: Sequence[CheckScores], at_the_back: Sequence[CheckScores]) -> None:
    both = [*in_front, *at_the_back]
    splits = spearmanr([s.search for s in both], [s.held_out for s in both]).statistic
    places = spearmanr([s.search for s in in_front], [s.search for s in at_the_back]).statistic
    print(f"rank correlation: search with held-out {splits:.2f}, front with back {places:.2f}")


def _speed(bench: StyleCheck) -> None:
    started = time.perf_counter()
    bench.scores(bench.base, splits=("search",))
    print(f"the search questions under one prompt: {time.perf_counter() - started:.2f} s")

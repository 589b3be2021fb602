"""From logits to the next token, for a batch of rows that do not know of each other.

The order is transformers': repetition penalty, temperature, top-k, top-p. A sampled token is the inverse of the
cumulative distribution at a number that was drawn for this row and step before the first one, so that a row's draws
depend on the seed and its prompt's text alone. (Drawing by `torch.multinomial` would tie each row to its neighbours.)
"""

from __future__ import annotations

import hashlib

import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from workers.prompt import Decoding
from workers.shared_prefix.ahead import Ahead

UNKNOWN = -1  # no token


def penalised(logits: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """Logits [B, V] after the repetition penalty, where `seen` [B, V] is true for tokens of the prompt or the output.

    Transformers' own processor is not used because it would penalise the padding of a batch as well.
    """
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def probabilities(logits: torch.Tensor, decoding: Decoding) -> torch.Tensor:
    """What is sampled from: [B, V] in float64, for a temperature above 0 and logits [B, V] already penalised."""
    unused = torch.empty(0, dtype=torch.long)
    scores = TemperatureLogitsWarper(float(decoding.temperature))(unused, logits)
    if decoding.top_k:
        scores = TopKLogitsWarper(decoding.top_k)(unused, scores)
    if decoding.top_p < 1:
        scores = TopPLogitsWarper(decoding.top_p)(unused, scores)
    return torch.softmax(scores.double(), dim=-1)


def draws(prompt: str, decoding: Decoding) -> torch.Tensor:
    """Uniform numbers [max_new_tokens] in [0, 1), float64, one a new token of this prompt."""
    digest = hashlib.sha256(f"{decoding.seed}\0{prompt}".encode("utf-8", "surrogatepass")).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=True))
    return torch.rand(decoding.max_new_tokens, dtype=torch.float64, generator=generator)


class TokenChooser:
    """The choosing state of the rows now in the batch, on the model's device."""

    def __init__(self, decoding: Decoding, vocabulary: int, device: torch.device) -> None:
        self._decoding = decoding
        self._vocabulary = vocabulary  # V, the width of the logits
        self.device = device
        self._seen: torch.Tensor | None = None  # [B, V] bool, only with a penalty
        self._draws: torch.Tensor | None = None  # [B, max_new_tokens], only when sampling
        self._steps = torch.empty(0, dtype=torch.long, device=device)  # [B] tokens chosen so far

    def enter(self, prompts: list[str], tokens: list[list[int]], steps: list[int]) -> None:
        """Rows join at the end of the batch.

        Args:
            prompts: their texts.
            tokens: prompt and output so far.
            steps: how many of those are output.
        """
        self._steps = torch.cat([self._steps, torch.tensor(steps, dtype=torch.long, device=self.device)])
        if self._decoding.repetition_penalty != 1:
            seen = torch.zeros(len(tokens), self._vocabulary, dtype=torch.bool)
            for row, row_tokens in enumerate(tokens):
                seen[row, row_tokens] = True
            self._seen = _joined(self._seen, seen.to(self.device))
        if self._decoding.temperature > 0:
            drawn = torch.stack([draws(prompt, self._decoding) for prompt in prompts])
            self._draws = _joined(self._draws, drawn.to(self.device))

    def keep(self, rows: torch.Tensor) -> None:
        """Only these rows stay, in this order; `rows` [B'] are indices."""
        self._steps = self._steps[rows]
        self._seen = None if self._seen is None else self._seen[rows]
        self._draws = None if self._draws is None else self._draws[rows]

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """The next token of every row, [B], from logits [B, V] of any float type; `UNKNOWN` where those are NaN."""
        drawn = None if self._draws is None else self._draws.gather(1, self._steps[:, None])
        tokens = self._chosen(logits, self._seen, drawn)
        if self._seen is not None:
            self._seen.scatter_(1, tokens.clamp_min(0)[:, None], True)  # a row without a token ends
        self._steps = self._steps + 1
        return tokens

    def choose_ahead(self, logits: torch.Tensor, ahead: Ahead) -> torch.Tensor:
        """What every row would take at each of its positions, [N], if it took all of its draft before: as `choose`.
        `take` says how much of it counts.

        Args:
            logits: [N, V], behind each token of `ahead`.
        """
        drawn = seen = None
        if self._draws is not None:
            steps = (self._steps[ahead.rows] + ahead.offsets).clamp_max(self._draws.shape[1] - 1)
            drawn = self._draws[ahead.rows, steps][:, None]
        if self._seen is not None:
            seen = self._seen[ahead.rows]
            at, offsets = ahead.drafted_before()
            seen[at, ahead.padded[ahead.rows[at], offsets]] = True
        return self._chosen(logits, seen, drawn)

    def take(self, said: list[list[int]]) -> None:
        """Every row has said these tokens, at least one each."""
        self._steps = self._steps + torch.tensor([len(tokens) for tokens in said], device=self.device)
        if self._seen is not None:
            pairs = [(row, token) for row, tokens in enumerate(said) for token in tokens if token != UNKNOWN]
            rows, tokens = torch.tensor(pairs, device=self.device).reshape(-1, 2).unbind(1)
            self._seen[rows, tokens] = True

    def _chosen(self, logits: torch.Tensor, seen: torch.Tensor | None, drawn: torch.Tensor | None) -> torch.Tensor:
        scores = logits.float()
        broken = scores.amax(dim=-1).isnan()
        if seen is not None:
            scores = penalised(scores, seen, self._decoding.repetition_penalty)
        tokens = scores.argmax(dim=-1) if drawn is None else self._sampled(scores, drawn)
        return tokens.masked_fill(broken, UNKNOWN)

    def _sampled(self, scores: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        cumulative = probabilities(scores, self._decoding).cumsum(dim=-1)
        level = drawn * cumulative[:, -1:]
        # level may round up to the total, and a NaN is found nowhere: both would point behind the last token
        return torch.searchsorted(cumulative, level, right=True).squeeze(1).clamp_max(scores.shape[1] - 1)


def _joined(old: torch.Tensor | None, new: torch.Tensor) -> torch.Tensor:
    return new if old is None else torch.cat([old, new])

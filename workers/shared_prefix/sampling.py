"""The next token from logits, for a batch of rows that do not know of each other.

The order is transformers': repetition penalty, temperature, top-k, top-p. A sampled token has the largest of the scores
with Gumbel noise added (Gumbel-max), which depends on the seed, the prompt's text, the step and the token, and on
nothing else. Its lead is then as wide as that of a greedy choice, so that rounding, which differs with a row's
neighbours, matters in one of some 100,000 choices. Where a lead is within what float32 rounds by, the row is `UNSURE`,
and its token is chosen by logits that are computed for it alone.
"""

from __future__ import annotations

import hashlib

import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from workers.prompt import Decoding
from workers.shared_prefix.ahead import UNSURE, Ahead
from workers.shared_prefix.transfer import to_device

UNKNOWN = -1  # no token: the logits are NaN
ROUNDING = 2.0**-19  # of the largest score: three times what float32 was seen to differ by between batches
NOISE_ROUNDING = 2.0  # score as large as that by which computed noise may differ
MIXING = ((16, 0x7FEB352D), (15, -0x7B935975))  # shifts and factors of lowbias32 (Wellons 2018), as int32
SPREAD = -0x61C88647  # 2**32 / golden ratio, as int32


def penalised(logits: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """Logits [B, V] after the repetition penalty, where `seen` [B, V] is true for tokens of the prompt or the output.

    Transformers' own processor is not used because it would penalise the padding of a batch as well. Source: Keskar et
    al., CTRL, arXiv 1909.05858, section 4.1.
    """
    # a negative logit is multiplied: divided, it would rise, and the token with it
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def warped(logits: torch.Tensor, decoding: Decoding) -> torch.Tensor:
    """Scores [B, V] whose softmax is sampled from, for a temperature above 0 and logits [B, V] already penalised."""
    unused = torch.empty(0, dtype=torch.long)
    scores: torch.Tensor = TemperatureLogitsWarper(float(decoding.temperature))(unused, logits)
    if decoding.top_k:
        scores = TopKLogitsWarper(decoding.top_k)(unused, scores)
    if decoding.top_p < 1:
        scores = TopPLogitsWarper(decoding.top_p)(unused, scores)
    return scores


def row_key(prompt: str, decoding: Decoding) -> tuple[int, int]:
    """What tells a prompt's noise from that of others: two numbers of 32 bits, signed."""
    digest = hashlib.sha256(f"{decoding.seed}\0{prompt}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big", signed=True), int.from_bytes(digest[4:8], "big", signed=True)


def gumbel(keys: torch.Tensor, steps: torch.Tensor, vocabulary: int) -> torch.Tensor:
    """Gumbel noise [B, V] in float32 of rows with `keys` [B, 2] (int32) at `steps` [B].

    A counter-based generator: no state, the same bits on every device and at every place in a batch.
    """
    step = steps.to(torch.int32) * SPREAD ^ keys[:, 0]
    _mix(step, torch.empty_like(step))
    bits = torch.arange(vocabulary, dtype=torch.int32, device=keys.device) * SPREAD ^ (step ^ keys[:, 1])[:, None]
    part = torch.empty_like(bits)
    _mix(bits, part)
    _mix(bits.add_(keys[:, :1]), part)
    uniform = bits.bitwise_and_(0x7FFFFFFF).float()  # small ones are exact to their last digit
    # half a step above 0 and 2**-24 below 1: at either end one of the two logarithms would be infinite
    return uniform.add_(0.5).mul_(2.0**-31).clamp_max_(1 - 2.0**-24).neg_().log1p_().neg_().log_().neg_()


def _mix(x: torch.Tensor, part: torch.Tensor) -> None:
    """An integer hash of int32, in place; it wraps around. `part` is room for as many."""
    for shift, factor in MIXING:
        torch.bitwise_right_shift(x, shift, out=part)
        x.bitwise_xor_(part.bitwise_and_(2 ** (32 - shift) - 1)).mul_(factor)
    torch.bitwise_right_shift(x, 16, out=part)
    x.bitwise_xor_(part.bitwise_and_(0xFFFF))


class TokenChooser:
    """The choosing state of the rows now in the batch, on the model's device."""

    def __init__(self, decoding: Decoding, vocabulary: int, device: torch.device) -> None:
        self._decoding = decoding
        self._vocabulary = vocabulary  # V, the width of the logits
        self.device = device
        self._seen: torch.Tensor | None = None  # [B, V] bool, only with a penalty
        self._keys: torch.Tensor | None = None  # [B, 2], only when sampling
        self._steps = torch.empty(0, dtype=torch.long, device=device)  # [B] tokens chosen so far

    def enter(self, prompts: list[str], tokens: list[list[int]], steps: list[int]) -> None:
        """Rows join at the end of the batch.

        Args:
            prompts: their texts.
            tokens: prompt and output so far.
            steps: how many of those are output.
        """
        self._steps = torch.cat([self._steps, to_device(steps, self.device)])
        if self._decoding.repetition_penalty != 1:
            seen = torch.zeros(len(tokens), self._vocabulary, dtype=torch.bool)
            for row, row_tokens in enumerate(tokens):
                seen[row, row_tokens] = True
            self._seen = _joined(self._seen, seen.to(self.device, non_blocking=True))
        if self._decoding.temperature > 0:
            keys = [row_key(prompt, self._decoding) for prompt in prompts]
            self._keys = _joined(self._keys, to_device(keys, self.device, torch.int32))

    def keep(self, rows: torch.Tensor) -> None:
        """Only these rows stay, in this order; `rows` [B'] are indices."""
        self._steps = self._steps[rows]
        self._seen = None if self._seen is None else self._seen[rows]
        self._keys = None if self._keys is None else self._keys[rows]

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """The next token of every row, [B], from logits [B, V] of any float type; `UNKNOWN` where those are NaN, and
        `UNSURE` where float32 logits leave it open. `take_one` or `take` says what counts."""
        return self._chosen(logits, self._seen, self._noise(self._keys, self._steps))

    def choose_ahead(self, logits: torch.Tensor, ahead: Ahead) -> torch.Tensor:
        """What every row would take at each of its positions, [N], if it took all of its draft before: as `choose`.

        Args:
            logits: [N, V], behind each token of `ahead`.
        """
        keys = seen = None
        if self._keys is not None:
            keys = self._keys[ahead.rows]
        if self._seen is not None:
            seen = self._seen[ahead.rows]
            at, offsets = ahead.drafted_before()
            seen[at, ahead.padded[ahead.rows[at], offsets]] = True
        return self._chosen(logits, seen, self._noise(keys, self._steps[ahead.rows] + ahead.offsets))

    def choose_alone(self, logits: torch.Tensor) -> int:
        """The next token of the only row, by logits [1, V] that were computed for it alone, which decide."""
        return int(self._chosen(logits, self._seen, self._noise(self._keys, self._steps), decides=True))

    def take_one(self, tokens: torch.Tensor) -> None:
        """Every row has said its token, [B]."""
        self._steps = self._steps + 1
        if self._seen is not None:
            self._seen.scatter_(1, tokens.clamp_min(0)[:, None], True)  # a row without a token ends

    def take(self, new_tokens: list[list[int]]) -> None:
        """Every row has said these tokens, at least one each."""
        self._steps = self._steps + torch.tensor([len(tokens) for tokens in new_tokens], device=self.device)
        if self._seen is not None:
            pairs = [(row, token) for row, tokens in enumerate(new_tokens) for token in tokens if token != UNKNOWN]
            rows, tokens = torch.tensor(pairs, device=self.device).reshape(-1, 2).unbind(1)
            self._seen[rows, tokens] = True

    def _noise(self, keys: torch.Tensor | None, steps: torch.Tensor) -> torch.Tensor | None:
        return None if keys is None else gumbel(keys, steps, self._vocabulary)

    def _chosen(
        self, logits: torch.Tensor, seen: torch.Tensor | None, noise: torch.Tensor | None, decides: bool = False
    ) -> torch.Tensor:
        scores = logits.float()
        if seen is not None:
            scores = penalised(scores, seen, self._decoding.repetition_penalty)
        high = scores.amax(dim=-1)  # NaN where one is
        perturbed = scores if noise is None else warped(scores, self._decoding) + noise
        best = perturbed.argmax(dim=-1)
        if not decides and logits.dtype == torch.float32:  # half precision rounds by more than leads are
            spread = torch.maximum(high, -scores.amin(dim=-1)) / (self._decoding.temperature or 1.0)
            margin = (spread + (0.0 if noise is None else NOISE_ROUNDING)) * ROUNDING
            lead = perturbed.gather(1, best[:, None])
            second = perturbed.scatter(1, best[:, None], float("-inf")).amax(dim=-1)
            best = best.masked_fill(lead[:, 0] - second < margin, UNSURE)
        return best.masked_fill(high.isnan(), UNKNOWN)


def _joined(old: torch.Tensor | None, new: torch.Tensor) -> torch.Tensor:
    return new if old is None else torch.cat([old, new])

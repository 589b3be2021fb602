"""What a run has paid for."""

from dataclasses import dataclass

from workers.usage import NOTHING, Usage


@dataclass(frozen=True, slots=True)
class Spend:
    """What one run has spent, all its processes together.

    Attributes:
        generated, judged, failed: distinct items; those that failed and have not succeeded since.
        prompt_tokens, new_tokens: of the generations, as the model counted them, with those that gave no usable answer
            and prefixes warmed beforehand.
        judge: calls and tokens of all verdicts, the unreadable ones included; its dollars are the judges' share.
        dollars: of all of this; None where a price is not known.
        seconds: that coordinators have worked on it.
        gpu_seconds: GPUs held, times seconds.
        estimated: calls, of model and judges, whose tokens the service did not count: they are estimated from the
            words, and so are the sums above, dollars included.
    """

    generated: int = 0
    judged: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    judge: Usage = NOTHING
    dollars: float | None = 0.0
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    estimated: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        """Return what both have spent; dollars are unknown where either's are."""
        dollars = None if self.dollars is None or other.dollars is None else self.dollars + other.dollars
        return Spend(
            generated=self.generated + other.generated,
            judged=self.judged + other.judged,
            failed=self.failed + other.failed,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            new_tokens=self.new_tokens + other.new_tokens,
            judge=self.judge + other.judge,
            dollars=dollars,
            seconds=self.seconds + other.seconds,
            gpu_seconds=self.gpu_seconds + other.gpu_seconds,
            estimated=self.estimated + other.estimated,
        )

"""How well scores tell what people call good from what they call bad.

The probability that a good one scores higher than a bad one, ties counting half: the area under the ROC curve, 0.5 for
a judge that knows nothing of what people want, whatever its scale and however mild it is. The interval is Newcombe's
fifth ("Confidence intervals for an effect size measure based on the Mann-Whitney statistic, Part 2", Statistics in
Medicine 2006): it holds every probability that a score test does not reject, so a few answers told apart without a
mistake do not make a certainty. It counts questions, not answers, since answers to one question are not independent,
and where some have more answers than others, as many as an effective sample size makes of them (Kish 1965, Survey
Sampling).
Rejected: a bootstrap over questions, whose 95 % intervals held the truth in 53 to 98 % of samples (these: 93 to 100 %).
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from search.statistics.agreement import Agreement
from search.statistics.quantiles import of_normal

_STEPS = 40  # halvings


def _effective_questions(answers: Sequence[tuple[str, float]]) -> float:
    """Return (sum k)^2 / sum k^2 of the numbers k of answers to each question: all of them where they are alike."""
    counts = Counter(question for question, _ in answers).values()
    return sum(counts) ** 2 / sum(count**2 for count in counts)


def separation(good: Sequence[tuple[str, float]], bad: Sequence[tuple[str, float]], confidence: float) -> Agreement:
    """The probability with its interval, from questions and scores, at least one of each."""
    higher = np.sign(np.subtract.outer([score for _, score in good], [score for _, score in bad]))
    value, z = float((higher.mean() + 1) / 2), of_normal(confidence)
    n, m = (_effective_questions(answers) for answers in (good, bad))

    def rejected(truth: float) -> bool:
        spread = 1 + ((n + m) / 2 - 1) * ((1 - truth) / (2 - truth) + truth / (1 + truth))
        return abs(value - truth) > z * math.sqrt(truth * (1 - truth) * spread / (n * m))

    def edge(outside: float) -> float:
        inside = value
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
        return inside

    return Agreement(value, edge(0.0), edge(1.0))

"""What landscapes there are, and what makes each; the formula: `search.bench.landscape`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, slots=True)
class LandscapeKnobs:
    """What a landscape is like. Spreads are standard deviations, in points of the judge's scale.

    Attributes:
        level: of the base prompt on an average question.
        question_spread, sensitivity_spread: of d_q; of s_q around 1.
        effect_spread, effect_tail: of a_c; Student's degrees of freedom of its part that no embedding explains.
        explained_share: share of that variance which is linear in the embedding, in [0, 1].
        harmful: share of the pool with a further loss of 0.2 to 0.8.
        decisive: what one single demonstration adds.
        dilution: 0 adds effects up, 1 averages them.
        saturation: no prompt gains more than this; infinite for none.
        recency, position_spread: as in the formula of `search.bench.landscape`.
        pair_spread, order_spread, similarity_loss: of the terms of its `pairs`.
        set_spread: of its `own`, drawn for each set of demonstrations.
        question_effect_spread: of g_cq.
        noise, noise_variation: its spread; how much that varies between questions (log scale).
        thresholds: the judge says `lowest` plus `step` for each of these that the noisy score passes.
        topics, topic_width: the pool's embeddings lie around so many directions, so widely.
        drift: how far the judge's level moves while a search runs.
        styles, style_loss: every demonstration has one of so many styles; what a set loses whose members are not all of
            one style, in full where no two are.
    """

    level: float = 6.3
    question_spread: float = 1.5
    sensitivity_spread: float = 0.4
    effect_spread: float = 0.15
    effect_tail: float = 5.0
    explained_share: float = 0.3
    harmful: float = 0.05
    decisive: float = 0.0
    dilution: float = 0.35
    saturation: float = 2.0
    recency: float = 0.15
    position_spread: float = 0.04
    pair_spread: float = 0.04
    order_spread: float = 0.03
    similarity_loss: float = 0.1
    set_spread: float = 0.0
    question_effect_spread: float = 0.4
    noise: float = 1.0
    noise_variation: float = 0.25
    thresholds: tuple[float, ...] = tuple(value + 0.5 for value in range(1, 10))
    lowest: float = 1.0
    step: float = 1.0
    topics: int = 8
    topic_width: float = 0.22
    embedding_size: int = 16
    styles: int = 1
    style_loss: float = 0.0
    drift: float = 0.0


MIXED = LandscapeKnobs()
NO_SIGNAL = replace(
    MIXED,
    effect_spread=0.0,
    harmful=0.0,
    position_spread=0.0,
    pair_spread=0.0,
    order_spread=0.0,
    similarity_loss=0.0,
)
LANDSCAPES: Mapping[str, LandscapeKnobs] = {
    "mixed": MIXED,
    "additive": replace(
        MIXED,
        dilution=0.0,
        saturation=np.inf,
        pair_spread=0.0,
        order_spread=0.0,
        similarity_loss=0.0,
        position_spread=0.0,
    ),
    "diminishing": replace(MIXED, dilution=1.0, saturation=0.8),
    "interacting": replace(MIXED, pair_spread=0.12),
    "order": replace(MIXED, recency=0.5, position_spread=0.12, order_spread=0.09),
    "clusters": replace(MIXED, similarity_loss=0.4, topics=12, topic_width=0.06, explained_share=0.7),
    "noisy": replace(MIXED, noise=1.8, noise_variation=0.5, question_effect_spread=0.8),
    "binary": replace(MIXED, thresholds=(6.3,), lowest=0.0),
    "decisive": replace(MIXED, effect_spread=0.03, harmful=0.0, decisive=1.2, explained_share=0.0),
    "adversarial": replace(MIXED, effect_spread=0.06, explained_share=0.0, harmful=0.0, set_spread=0.25),
    "style": replace(MIXED, styles=3, style_loss=0.8),
    "drift": replace(MIXED, drift=1.0),
    "drift_no_signal": replace(NO_SIGNAL, drift=1.0),
    "floor": replace(MIXED, level=0.0, question_spread=0.8, effect_spread=0.4),
    "ceiling": replace(MIXED, level=9.8),
    "rare_yes": replace(MIXED, thresholds=(9.3,), lowest=0.0),
    "preference": replace(
        MIXED,
        question_spread=4.0,
        thresholds=tuple(float(value) for value in np.linspace(9.0, 11.0, 10)),
        lowest=0.0,
        step=0.1,
        effect_spread=0.4,
        position_spread=0.08,
        pair_spread=0.08,
        order_spread=0.06,
    ),
    "question_luck": replace(
        MIXED,
        effect_spread=0.0,
        harmful=0.0,
        position_spread=0.0,
        pair_spread=0.0,
        order_spread=0.0,
        similarity_loss=0.0,
        question_effect_spread=1.0,
    ),
    "no_signal": NO_SIGNAL,
}

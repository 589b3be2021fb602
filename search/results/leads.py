"""The candidate that led after each trial of a search, and its gain."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.results.search_results import SearchResults


class Lead(NamedTuple):
    """The candidate that led after a trial.

    Attributes:
        judged: answers judged so far, each turn that counts is one.
        ahead: of the base prompt, on the questions that both had scores for then, [n]; zeros for the base prompt.
        is_new: whether `ahead` is another than after the trial before.
    """

    judged: int
    ahead: NDArray[np.float64]
    is_new: bool


def leads(results: SearchResults) -> Iterator[Lead]:
    """Read them from the journal; those trials after which nothing led that has a score are left out."""
    if results.base is None:
        return
    names, scores = results.search.scores_of(results.base)
    of_base = dict(zip(names.tolist(), scores.tolist(), strict=True))
    leader, ahead = None, np.empty(0)
    for step in results.journal.steps():
        is_new = step.leader is not None and (step.leader != leader or step.candidate == leader)
        if is_new and step.leader is not None:
            leader = step.leader
            asked, own = results.search.scores_of(leader, step.trials)
            pairs = zip(asked.tolist(), own.tolist(), strict=True)
            ahead = np.array([score - of_base[name] for name, score in pairs if name in of_base])
        if len(ahead):
            yield Lead(step.judged, ahead, is_new)

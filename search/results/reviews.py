"""What people have said of a run's answers, and how far the judge agrees with them."""

from collections.abc import Mapping
from dataclasses import dataclass

from configs.plural import show_many
from search.results.answers_table import candidate_key
from search.results.evaluation_results import EvaluationResults
from search.results.search_results import SearchResults
from search.results.wording import show_share
from search.run_directory.reviews import Review, Reviewed, readable_reviews
from search.statistics.agreement import Agreement
from search.statistics.separation import separation

_ENOUGH = 5  # questions with either verdict: fewer make an interval that holds nearly everything


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """All reviews of a run together.

    Attributes:
        good, bad: answers that people call so and that have a score.
        blind: of both, those whose verdict was given before the judge's was seen.
        comments: with or without a verdict.
        agreement: the probability that the judge scores a good one above a bad one; None with too few of either.
        damage: what is wrong with their file, of which nothing is known then.
    """

    good: int
    bad: int
    blind: int
    comments: int
    agreement: Agreement | None
    damage: str = ""

    def sentences(self) -> list[str]:
        """Sentences for a report."""
        if self.damage:
            return [f"What people said of the answers cannot be shown: {self.damage}."]
        counts = f"People call {show_many(self.good, 'answer')} good and {self.bad:,} bad"
        counts += f", and commented on {self.comments:,}." if self.comments else "."
        if self.agreement is None:
            few = (
                f"The judge's agreement is shown once {_ENOUGH} questions have a good answer, and {_ENOUGH} a bad one."
            )
            return [f"{counts} {few}"]
        value, low, high = map(show_share, (self.agreement.value, self.agreement.low, self.agreement.high))
        pairs = (
            f"In {value} ({low} to {high}) of the pairs of a good and a bad answer, the judge scores the good one "
            "higher; ties count half. A judge that knew nothing of what people want would do so in 50 %."
        )
        if self.blind == self.good + self.bad:
            return [counts, pairs, "All verdicts were given blind, before the judge's were seen."]
        bias = "the others may be influenced by the judge's score, which was visible"
        return [counts, pairs, f"Given blind: {self.blind:,} of {self.good + self.bad:,} verdicts; {bias}."]


def summarize_reviews(results: SearchResults | EvaluationResults) -> ReviewSummary | None:
    """None where there are none."""
    reviews, damage = readable_reviews(results.path)
    if damage:
        return ReviewSummary(0, 0, 0, 0, None, damage)
    if not reviews:
        return None
    scores = _scores(results, reviews)
    scored = {of: review for of, review in reviews.items() if review.good is not None and of in scores}
    good = [(of.question, scores[of]) for of, review in scored.items() if review.good]
    bad = [(of.question, scores[of]) for of, review in scored.items() if not review.good]
    enough = min(len({question for question, _ in answers}) for answers in (good, bad)) >= _ENOUGH
    return ReviewSummary(
        good=len(good),
        bad=len(bad),
        blind=sum(review.blind for review in scored.values()),
        comments=sum(bool(review.comment) for review in reviews.values()),
        agreement=separation(good, bad, results.confidence) if enough else None,
    )


def _scores(results: SearchResults | EvaluationResults, reviews: Mapping[Reviewed, Review]) -> dict[Reviewed, float]:
    """Scores of the prompts that somebody has reviewed answers of."""
    prompts = {of.prompt for of in reviews}
    if isinstance(results, EvaluationResults):
        own = [(name, variant.scores) for name, variant in results.variants.items() if name in prompts]
    else:
        own = [
            (key, side[candidate].scores)
            for side in (results.search, results.held_out)
            for candidate in side
            if (key := candidate_key(candidate.demonstrations, candidate.decoding)) in prompts
        ]
    return {Reviewed(key, question): score for key, scores in own for question, score in scores.items()}

"""Ratings that a judge gives, in the ordinary phrases that resemble those about a rating of somebody else."""

import re

import pytest

from evaluators.judge_tools.decision import read_decision
from evaluators.judge_tools.ratings import MT_BENCH


def _score(words: str) -> float:
    return read_decision(words, "stop", MT_BENCH).score


OWN_RATINGS = (
    "The response includes all requested points: [[9]]",
    "It fully answers the user's question: [[9]]",
    "Rating of the response to the user question: [[8]]",
    "The response tries to help but fails: [[3]]",
    "The response attempts to answer the question and deserves a [[5]]",
    "This expert-level answer deserves [[9]]",
    "I rate the false and misleading answer [[1]]",
    "The answer earns a [[9]] rating.",
    "Rating: [[7]] mainly for its clarity.",
    "Rating: [[7]] even though it is short.",
    "Score: [[8]] after all points are weighed.",
    "This is a perfect answer: [[10]]",
    "This matches the reference answer: [[10]]",
    "The answer is close to the reference solution, so [[9]]",
    "Better than the baseline: [[8]]",
    "It is a flawless response that deserves [[10]]",
    "The response gives the user exactly what was asked for: [[9]]",
    "It provides everything the user asked for: [[9]]",
    "The response contains several factual errors: [[3]]",
    "The response ends with a good summary: [[8]]",
    "The response includes clear instructions: [[8]]",
    "The response ignores the constraint on length: [[4]]",
    "The response claims that Sydney is the capital: [[2]]",
    "The answer says little and deserves a [[3]]",
    "That said: [[7]]",
    "I rate it [[7]] as the answer lacks depth.",
    "I would give this response a [[8]] rating.",
    "Rating: [[7]] is not higher because sources are missing.",
    "Overall, I'd rate the assistant's answer [[8]] here.",
    "Feedback: The response meets the criteria of the rubric. [RESULT] [[4]]",
    "So the overall score is [[4]].",
    "**Final verdict:** The reply helps users a lot: [[9]]",
    "Humans would like it: [[8]]",
    "The answer contains false statements that warrant a low score: [[3]]",
    "The assistant wrote a clear poem that deserves [[9]]",
    "The false claim leads to a low rating: [[2]]",
    "The response refuses the request: [[1]]",
    "The user asked for a poem and the assistant gave one: [[8]]",
    "[[8]] would be my rating.",
    "Rating: [[6]]\n\nCorrection: the capital is Canberra, not Sydney.",
    "Rating: [[6]]\n\nRevised answer: Canberra is the capital.",
    "Rating: [[5]]. The score should be higher if sources were cited.",
    "Rating: [[5]]. The score should be 8 if sources were cited.",
    "Rating: [[7]]\n\nUpdated answer: 42",
    "Good work [[8]] (short). Wait times were right.",
    "Rating: [[7]]. More examples would make it a better answer.",
    "Rating: [[7]]. I cannot rate it higher, as it has no sources.",
    "Rating: [[7]]. I would revise the last sentence.",
    "Rating: [[8]]. Actually, no errors were found.",
    "Rating: [[8]]. I cannot judge the runtime of the code.",
    "The assistant's response is:\n- right\n- short\nRating: [[9]]",
    "What the answer lacks is:\ndepth.\nRating: [[6]]",
    "The answer is good. What the user asked is\nwhy.\n\n[[5]]",
    "The answer says:\n> Paris\n\nThat is right.\n\n### Rating\n[[8]]",
    "The HTML comment begins with <!-- and never ends.\n\nRating: [[6]]",
    "It has ~5 words ~~ a few. Rating: [[6]]",
    "Here is my rating in the required format: [[7]]",
    "Reasoning: it is right.\n\nRating: [[9]]",
    "<explanation>It is right.</explanation>\n<rating>[[9]]</rating>",
    "Die Antwort ist gut und verdient [[8]].",
    "The assistant never states\nits assumptions; rating: [[5]]",
    "In the last paragraph the model says\nwhat matters. Rating: [[8]]",
    "My verdict on the response reads as follows:\n\nRating: [[7]]",
    "My rating of this answer reads:\n[[7]]",
    "So I rate the response as the text below states:\n[[7]]",
    "## What the answer says\n\nRating: [[7]]",
    "<meal-plan> is not closed.\nRating: [[7]]",
    "<plan> is not closed.\nRating: [[7]]",
    "It has <thinking budget=high> unclosed.\nRating: [[7]]",
    "The answer uses the <plan> element wrongly. Rating: [[4]]",
    "The page's <content-analysis id=x> section is missing. Rating: [[4]]",
    "The answer's <draft> and </draft> hold nothing.\nRating: [[4]]",
)


@pytest.mark.parametrize("words", OWN_RATINGS)
def test_an_ordinary_verdict_has_its_rating(words: str) -> None:
    number = re.search(r"\[\[(\d+)", words)
    assert number is not None
    assert _score(words) == float(number[1])


@pytest.mark.parametrize("filler", ["\n", " ", ".", "[", "]", "(", "*", "\n.", " \n", "Wait", "I ", "rating "])
def test_long_runs_of_one_mark_are_read_in_linear_time(filler: str) -> None:
    """Patterns are bounded: one that is quadratic in the run keeps the suite for minutes."""
    run = filler * (50_000 // len(filler))
    assert _score(f"Rating: [[7]]{run}.\nx") == 7
    assert _score(f"{run}\nRating: [[7]]") == 7
    assert _score(f"[[7]]\n{run}\nRating: [[7]]") == 7


@pytest.mark.parametrize("beginning", ["<!--", "<quote>", '"\n\n'])
def test_quotations_that_never_end_are_read_in_linear_time(beginning: str) -> None:
    """Looking for the end of each of them anew keeps the suite for minutes."""
    assert _score(f"{beginning * (150_003 // len(beginning))}\nRating: [[7]]") == 7

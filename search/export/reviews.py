"""What people have said of a run's answers, a line of JSON each, with the answer and what the judge said of it."""

import json
from pathlib import Path

from configs.errors import InputError
from search.results.answers_table import read_answers
from search.run_directory.reviews import read_reviews


def reviewed_answers(path: Path) -> tuple[str, int]:
    """Every reviewed answer of the search or the evaluation at `path`, once, as JSONL; where several trials have it, of
    the last that did not fail. And how many reviews are of answers that the run does not hold.

    Raises:
        InputError: there is no run, it has no reviews of its answers, or their file is damaged.
    """
    reviews = read_reviews(path)
    prompts = {of.prompt for of in reviews}
    tried = read_answers(path, lambda prompt: prompt.key in prompts)
    answers = {answer.reviewed: answer for answer in sorted(tried, key=lambda answer: not answer.failure)}
    lines = [
        {
            "prompt": answer.prompt,
            "demonstrations": answer.candidate,
            "decoding": answer.decoding,
            "side": answer.side,
            "question": answer.question,
            "category": answer.category,
            "query": answer.query,
            "answers": answer.answers,
            "good": review.good,
            "comment": review.comment,
            "blind": review.blind,
            "score": answer.score,
            "verdicts": answer.verdicts,
        }
        for of, review in reviews.items()
        if (answer := answers.get(of))
    ]
    if not lines:
        few = "no reviews of answers that it holds" if reviews else "no reviews"
        raise InputError(f"{path} has {few}: give some in `demosearch view {path.parent} --edit`")
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return text, len(reviews) - len(lines)

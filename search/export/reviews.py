"""What people have said of a run's answers, a line of JSON each, with the answer and what the judge said of it."""

import json
from pathlib import Path

from configs.errors import InputError
from search.results.answers_table import read_answers
from search.run_directory.reviews import read_reviews


def reviewed_answers(path: Path) -> str:
    """Every reviewed answer of the search or the evaluation at `path`, once, as JSONL.

    Raises:
        InputError: there is no run, it has no reviews, or their file is damaged.
    """
    answers, reviews = {answer.reviewed: answer for answer in read_answers(path)}, read_reviews(path)
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
            "good": reviews[of].good,
            "comment": reviews[of].comment,
            "blind": reviews[of].blind,
            "score": answer.score,
            "verdicts": answer.verdicts,
        }
        for of, answer in answers.items()
        if of in reviews
    ]
    if not lines:
        raise InputError(f"{path} has no reviews: give some in `demosearch view {path.parent} --edit`")
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)

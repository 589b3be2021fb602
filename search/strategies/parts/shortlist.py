"""What a model of every demonstration and every question looks at where there are more than it can hold.

A posterior over N demonstrations and Q questions takes (N + Q)^2 numbers, and a budget of answers meets only so many of
them anyway. So of a larger pool the half that is nearest to the questions by its texts stays, and as many others drawn
at random, since nearness may tell nothing; of more questions, a random part.
"""

import random
from dataclasses import replace

import numpy as np

from search.problem.space import SearchSpace
from search.run_directory.files import Floats

MOST_DEMONSTRATIONS = 1000
MOST_QUESTIONS = 400
_LEAST_DEMONSTRATIONS = 100
_GROUP, _BLOCK = 8, 8  # demonstrations of a group at most, questions that it is judged on


def shortlist(space: SearchSpace, answers: int, closeness: Floats | None, seed: int) -> SearchSpace:
    """Return the space with no more demonstrations to choose from than groups can meet once, and at most
    `MOST_DEMONSTRATIONS`: those required and the base prompt's own, then half of the others by `closeness`, half at
    random, in the pool's order; the same space where it has no more than `MOST_DEMONSTRATIONS`.

    Args:
        answers: on search questions, that groups of demonstrations are judged by.
        closeness: of each demonstration of the pool to the questions, [N]; None where nothing is known of it.
    """
    if len(space.pool) <= MOST_DEMONSTRATIONS:
        return space
    most = min(MOST_DEMONSTRATIONS, max(_LEAST_DEMONSTRATIONS, answers // _BLOCK * min(space.max_added, _GROUP)))
    chosen = {name for name in space.pool if name in {*space.required, *space.base}}
    others = [number for number, name in enumerate(space.pool) if name not in chosen]
    room = max(0, most - len(chosen))
    near = np.argsort(-closeness[others], kind="stable")[: room // 2].tolist() if closeness is not None else []
    nearest = [others[place] for place in near]
    left = sorted(set(others).difference(nearest))
    drawn = random.Random(seed).sample(left, min(room - len(nearest), len(left)))  # noqa: S311 -- no cryptography here
    chosen |= {space.pool[number] for number in (*nearest, *drawn)}
    return replace(space, pool=tuple(name for name in space.pool if name in chosen))


def fewer_questions(space: SearchSpace, seed: int) -> SearchSpace:
    """Return the space with at most `MOST_QUESTIONS` search questions, drawn at random, in their order; the same space
    where they are no more."""
    count = len(space.questions)
    if count <= MOST_QUESTIONS:
        return space
    drawn = random.Random(seed).sample(range(count), MOST_QUESTIONS)  # noqa: S311 -- no cryptography here
    return replace(space, questions=tuple(space.questions[number] for number in sorted(drawn)))

"""DSPy's searches over demonstrations alone: LabeledFewShot, random search, MIPROv2.

An adapter of ours hands DSPy's demonstrations and inputs to the toy task, so that prompts are spelled alike for every
system. The teacher says the pool's own answers, so that "bootstrapped" demonstrations are pairs of the pool too.
"""

import contextlib
import io
import logging
import os
import random
import tempfile

from peer_client import BUDGET, METHOD, SEED, PeerTask

os.environ["DSPY_CACHEDIR"] = tempfile.mkdtemp()

import dspy

logging.disable(logging.CRITICAL)
TASK = PeerTask()
LABELS = {shown["query"]: shown["answer"] for shown in TASK.pool}
TRIALS = BUDGET // len(TASK.questions)


class ToyAdapter(dspy.Adapter):
    """Answers by the toy task in place of a language model."""

    def __call__(self, lm, lm_kwargs, signature, demos, inputs):
        shown = [(demo["query"], demo["answer"]) for demo in demos]
        return [{"answer": TASK.answer(shown, inputs["query"])}]


class TeacherAdapter(dspy.Adapter):
    """Answers with the pool's own answer; costs nothing."""

    def __call__(self, lm, lm_kwargs, signature, demos, inputs):
        return [{"answer": LABELS[inputs["query"]]}]


class QueryAnswer(dspy.Signature):
    """Answer the query."""

    query: str = dspy.InputField()
    answer: str = dspy.OutputField()


class NoEngine:
    """A stand-in for DSPy's language model; never called."""

    def complete(self, request):
        raise NotImplementedError("the adapter answers")

    def stream(self, request):
        raise NotImplementedError("the adapter answers")

    def close(self):
        pass


class DemonstrationsOnly(dspy.MIPROv2):
    """MIPROv2 with the instruction as it is."""

    def _propose_instructions(self, program, *args, **kwargs):
        return {0: [program.signature.instructions]}


def metric(example, prediction, trace=None):
    if example.query in LABELS:  # a teacher's own answer
        return 1.0
    return TASK.score(example.query, prediction.answer)


def compile_with(method, student, pool, questions):
    """The program that a method ends with."""
    teacher = {"adapter": TeacherAdapter()}
    sizes = {"max_bootstrapped_demos": TASK.most, "max_labeled_demos": TASK.most, "num_threads": 1}
    if method == "labeled":
        return dspy.LabeledFewShot(k=TASK.most).compile(student, trainset=pool)
    if method == "random_search":  # it tries three programs of its own before its candidates
        search = dspy.BootstrapFewShotWithRandomSearch(
            metric=metric, num_candidate_programs=TRIALS - 3, teacher_settings=teacher, **sizes
        )
        return search.compile(student, trainset=pool, valset=questions)
    trials = TRIALS - 1  # it scores the program as it is before its trials
    search = DemonstrationsOnly(
        metric=metric, auto=None, num_candidates=max(2, int(trials / 1.5)), seed=SEED, teacher_settings=teacher, **sizes
    )
    return search.compile(student, trainset=pool, valset=questions, num_trials=trials, minibatch=False)


def main():
    dspy.configure(lm=dspy.LM("toy/toy", engine=NoEngine(), cache=False), adapter=ToyAdapter())
    pool = [dspy.Example(query=query, answer=answer).with_inputs("query") for query, answer in LABELS.items()]
    random.Random(SEED).shuffle(pool)  # noqa: S311 -- its random search has no seed; the order of its training set is one
    questions = [
        dspy.Example(query=asked["query"], answer=asked["reference"]).with_inputs("query") for asked in TASK.questions
    ]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        best = compile_with(METHOD, dspy.Predict(QueryAnswer), pool, questions)
    TASK.chosen([(demo["query"], demo["answer"]) for demo in best.demos], dspy.__version__)


if __name__ == "__main__":
    main()

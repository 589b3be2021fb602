"""How an engine is told its task, and how one that batches answers it alone."""

from collections.abc import Iterator

from workers.failures import GenerationFailed
from workers.messages import Ended
from workers.prompt import A_co, Answer, Completion, Continuations, Decoding, PromptBlock, Rating, Task
from workers.text_model import Batch, Engine, RewardEngine

VERBS: dict[type, str] = {Decoding: "generate", Continuations: "score", Rating: "rate"}


def perform(engine: Engine | RewardEngine, block: PromptBlock, task: Task[A_co]) -> Iterator[tuple[int, A_co]]:
    """What the engine's method for this task yields.

    Raises:
        GenerationFailed: it has none; and whatever the method raises.
    """
    verb = VERBS[type(task)]
    method = getattr(engine, verb, None)
    if method is None:
        needed = "a reward model" if isinstance(task, Rating) else "a language model"
        raise GenerationFailed(f"the model loaded here cannot {verb}: name {needed} for this task")
    answers: Iterator[tuple[int, A_co]] = method(block) if isinstance(task, Rating) else method(block, task)
    return answers


def answers_of_one_job(batch: Batch) -> Iterator[tuple[int, Completion]]:
    """Run a batch that has one job, and yield what is answered. What the job fails with is raised."""
    while True:
        for message in batch.step():
            if isinstance(message, Ended):
                if message.error is not None:
                    raise message.error
                return
            assert isinstance(message.answer, Completion)
            yield message.index, message.answer


def new_tokens(answer: Answer) -> int:
    """Tokens generated for the answer; scoring and rating generate none."""
    return answer.new_tokens if isinstance(answer, Completion) else 0

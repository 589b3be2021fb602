"""promptolution's CAPO on demonstrations alone: the model that would rewrite instructions hands back one and the same.

Its prompts are texts; the demonstrations are read back out of them by its own template, in their order.
"""

import logging
import random
from contextlib import suppress
from importlib.metadata import version

import numpy as np
import pandas as pd
from peer_client import BUDGET, SEED, AnswersSpent, PeerTask
from promptolution.llms.base_llm import BaseLLM
from promptolution.optimizers.capo import CAPO
from promptolution.predictors.base_predictor import BasePredictor
from promptolution.tasks.reward_tasks import RewardTask
from promptolution.utils.callbacks import BaseCallback
from promptolution.utils.templates import CAPO_FEWSHOT_TEMPLATE

logging.disable(logging.CRITICAL)
TASK = PeerTask()
INSTRUCTION, POPULATION, CROSSOVERS, BLOCK = "Answer.", 10, 4, 8


def demonstrations_in(prompt):
    """The pairs of the pool that a prompt of CAPO's shows."""
    places = []
    for shown in TASK.pool:
        text = CAPO_FEWSHOT_TEMPLATE.replace("<input>", shown["query"]).replace("<output>", shown["answer"])
        if text in prompt:
            places.append((prompt.index(text), (shown["query"], shown["answer"])))
    return [pair for _, pair in sorted(places)]


class ToyModel(BaseLLM):
    """Answers the question in a prompt's last line."""

    def _get_response(self, prompts, system_prompts):
        return [TASK.answer(demonstrations_in(prompt), prompt.rsplit("\n", 1)[1]) for prompt in prompts]


class SameInstruction(BaseLLM):
    def _get_response(self, prompts, system_prompts):
        return [f"<prompt>{INSTRUCTION}</prompt>"] * len(prompts)


class WholeAnswer(BasePredictor):
    def _extract_preds(self, preds):
        return preds


class WhileAffordable(BaseCallback):
    """Ends the search where its budget is spent."""

    def on_step_end(self, optimizer):
        return TASK.used < BUDGET


def main():
    random.seed(SEED)
    np.random.seed(SEED)  # the generator that promptolution draws from
    asked = pd.DataFrame({"x": [row["query"] for row in TASK.questions], "y": [row["query"] for row in TASK.questions]})
    asked = asked.sample(frac=1, random_state=SEED)
    asked["query"] = asked["x"]
    task = RewardTask(
        asked,
        reward_function=lambda answer, query: TASK.score(query, answer),
        reward_columns=["query"],
        y_column="y",
        n_subsamples=BLOCK,
        eval_strategy="sequential_block",
        seed=SEED,
    )
    search = CAPO(
        WholeAnswer(ToyModel()),
        task,
        SameInstruction(),
        initial_prompts=[INSTRUCTION] * POPULATION,
        upper_shots=TASK.most,
        crossovers_per_iter=CROSSOVERS,
        max_n_blocks_eval=len(asked) // BLOCK,
        length_penalty=0.0,
        check_fs_accuracy=False,
        create_fs_reasoning=False,
        df_few_shots=pd.DataFrame(
            {"x": [shown["query"] for shown in TASK.pool], "y": [shown["answer"] for shown in TASK.pool]}
        ),
        callbacks=[WhileAffordable()],
    )
    with suppress(AnswersSpent):  # in the middle of a step: the last whole one stands
        search.optimize(BUDGET)
    TASK.chosen(demonstrations_in(str(search.prompts[0])), version("promptolution"))


if __name__ == "__main__":
    main()

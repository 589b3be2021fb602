"""Opik's FewShotBayesianOptimizer: its own Optuna search over demonstrations, with the toy task as dataset and judge.

What of it needs an Opik server or a capable model is answered here: the dataset, the template (ours), the evaluation.
"""

import logging
import os
import warnings
from importlib.metadata import version
from types import SimpleNamespace

from peer_client import BUDGET, SEED, PeerTask

os.environ.update(OPIK_SENTRY_ENABLE="false", OPIK_TRACK_DISABLE="true", OPIK_URL_OVERRIDE="http://127.0.0.1:9/api")
warnings.simplefilter("ignore")

from opik_optimizer.algorithms.few_shot_bayesian_optimizer import few_shot_bayesian_optimizer as module  # noqa: E402

logging.disable(logging.CRITICAL)
TASK = PeerTask()
PAIRS = [(shown["query"], shown["answer"]) for shown in TASK.pool]


class ToyDataset:
    name = id = "toy"

    def get_items(self, *args, **kwargs):
        return [{"id": str(place), "query": query, "answer": answer} for place, (query, answer) in enumerate(PAIRS)]


class ToyOptimizer(module.FewShotBayesianOptimizer):
    """Opik's search as it is; around it, what a server would do."""

    def __init__(self, **knobs):
        vars(self).update(knobs)

    def _prepare_sampling_plan(self, **kwargs):
        return SimpleNamespace(dataset_item_ids=None, nb_samples=None)

    def _build_task_from_messages(self, **kwargs):
        return None

    def _build_sampling_tag(self, **kwargs):
        return ""

    def _reconstruct_prompts_with_examples(self, **kwargs):
        return {}

    def set_selection_meta(self, meta):
        pass

    def get_history_entries(self):
        return []

    def evaluate(self, context, prompts, config, sampling_tag=None):
        return TASK.mean([PAIRS[place] for place in config["configuration"]["example_indices"]])


def main():
    module.prepare_experiment_config = lambda **kwargs: {"configuration": {}}
    module.build_optuna_round = lambda **kwargs: None
    module.AlgorithmResult = SimpleNamespace
    search = ToyOptimizer(
        min_examples=1,
        max_examples=TASK.most,
        seed=SEED,
        enable_columnar_selection=True,
        enable_diversity=True,
        enable_multivariate_tpe=True,
        enable_optuna_pruning=True,
        model="toy",
        model_parameters={},
        current_optimization_id=None,
        project_name="toy",
    )
    context = SimpleNamespace(
        should_stop=False, extra_params={}, allow_tool_use=False, trials_completed=0, n_samples_strategy=None
    )
    outcome = search._run_bayesian_optimization(
        context=context,
        prompts={},
        original_prompts={},
        few_shot_prompt_template="{query} {answer}",
        agent=object(),
        dataset=ToyDataset(),
        validation_dataset=None,
        metric=None,
        baseline_score=0.0,
        n_trials=BUDGET // len(TASK.questions),
    )
    TASK.chosen([PAIRS[place] for place in outcome.metadata["example_indices"]], version("opik_optimizer"))


if __name__ == "__main__":
    main()

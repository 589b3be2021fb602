"""Plain Optuna as one would write it by hand: TPE over a slot for each demonstration, all search questions a trial."""

import optuna
from peer_client import BUDGET, SEED, PeerTask


def main():
    task = PeerTask()
    pairs = [(shown["query"], shown["answer"]) for shown in task.pool]

    def chosen(params):
        places = dict.fromkeys(params[f"slot{slot}"] for slot in range(task.most))
        return [pairs[place] for place in places if place is not None]

    def objective(trial):
        for slot in range(task.most):
            trial.suggest_categorical(f"slot{slot}", [None, *range(len(pairs))])
        return task.mean(chosen(trial.params))

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(objective, n_trials=BUDGET // len(task.questions))
    task.chosen(chosen(study.best_params), optuna.__version__)


if __name__ == "__main__":
    main()

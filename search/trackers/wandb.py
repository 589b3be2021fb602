"""Weights & Biases: one run a search, under the search's own id; online, or into a folder for `wandb sync`."""

from collections.abc import Sequence
from pathlib import Path

import wandb

from configs.errors import InputError
from configs.schema.trackers import WandbConfig
from search.trackers.tracker import Conclusion, Figures, Point, Tracked, with_now

_STEP = "search/answers"  # the axis of every figure


class WandbTracker:
    """The key comes from the environment (WANDB_API_KEY) or from `wandb login`; nobody is asked for it here.

    Offline every process leaves a folder of its own in the run directory's `wandb`, all with the same run id. Nothing
    is gathered that is no figure of the search: no source code, no commands, no output, no machine's load.
    """

    def __init__(self, config: WandbConfig) -> None:
        self._config = config
        self._run: wandb.Run | None = None

    def begin(self, tracked: Tracked, last: int) -> int:
        """Raises InputError where there is no key."""
        offline = self._config.offline
        if not offline and not wandb.login(prompt=False):
            raise InputError(
                "Weights & Biases has no key: set WANDB_API_KEY, run `wandb login`, or set trackers.wandb.offline"
            )
        self._run = run = wandb.init(
            id=tracked.id,
            name=tracked.name,
            project=self._config.project,
            entity=self._config.entity,
            dir=str(tracked.path),
            config=dict(tracked.knobs),
            mode="offline" if offline else "online",
            resume=None if offline else "allow",
            allow_val_change=True,
            settings=_settings(),
        )
        run.define_metric(_STEP)
        run.define_metric("*", step_metric=_STEP)
        return last

    def note(self, points: Sequence[Point], now: Figures) -> None:
        assert self._run is not None
        for point in with_now(points, now):
            self._run.log({**point.figures, _STEP: point.step}, step=point.step)

    def conclude(self, conclusion: Conclusion) -> None:
        assert self._run is not None
        self._run.summary.update(dict(conclusion.figures))
        folder = Path(self._run.dir)
        for name, text in conclusion.files.items():
            (folder / name).write_text(text, encoding="utf-8")
            self._run.save(str(folder / name), base_path=str(folder), policy="now")

    def close(self, is_finished: bool) -> None:
        if self._run is not None:
            self._run.finish(exit_code=0 if is_finished else 1)


def _settings() -> wandb.Settings:
    return wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,
    )

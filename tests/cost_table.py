"""The table of `docs/costs.md`, from dry runs on the real MT-Bench and AlpacaEval: `python -m tests.cost_table`.

Lengths are those of real texts: 1,429 characters are the mean of 80 first-turn answers of a 7B model (FastChat's
`model_answer`), 799 of 800 verdicts by GPT-4 (`model_judgment`). Four characters are a token.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.loading import load_config
from search.forecast.dry_run import forecast_run
from tests.documents import named
from tests.shared_data import shared

_ANSWER = 360  # tokens
_LENGTHS = (f"decoding.max_new_tokens={_ANSWER}", "judge.unreadable_retries=0")
_ALPACA_EVAL = (
    "questions={benchmark: alpaca_eval, path: data/alpaca_eval/model_outputs.json, limit: 80}",
    "judge={kind: alpaca_eval, prompt_path: data/alpaca_eval/alpaca_eval_clf.txt, service: {model: gpt-4-1106-preview, "
    "dollars_per_million_prompt_tokens: 10, dollars_per_million_new_tokens: 30}}",
)
_WORDS = "judge.max_tokens=200"
_ROWS = {
    "`screening`, the default": (_WORDS,),
    "`screening`, both turns": (_WORDS, "scoring.objective=mean"),
    "`screening`, AlpacaEval 2.0's judge": _ALPACA_EVAL,
    "`racing_greedy`": (_WORDS, "strategy={kind: racing_greedy}"),
    "`successive_halving`": (_WORDS, "strategy={kind: successive_halving}"),
    "`beam`": (_WORDS, "strategy={kind: beam}"),
    "`exhaustive_greedy`, three rounds": (_WORDS, "strategy={kind: exhaustive_greedy, stop_without_gain: false}"),
    "`similar`": (_WORDS, "strategy={kind: similar}"),
}
_HEAD = """\
| search | judged answers, about | at most | tokens written | judge tokens | dollars, about | at most |
|---|---|---|---|---|---|---|"""


def table(folder: Path) -> str:
    """Args:
    folder: empty; is furnished with the real files.
    """
    _furnish(folder)
    return "\n".join([_HEAD, *_lines(folder / "search.yaml")])


def _furnish(folder: Path) -> None:
    data = folder / "data"
    shutil.copytree(shared("mt_bench"), data / "mt_bench")
    (data / "alpaca_eval").mkdir()
    shutil.copy(shared("prompts/urial.txt"), data)
    pool = json.loads(shared("pools/instruct_skillmix_sda_1000.json").read_text(encoding="utf-8"))
    (data / "pool.jsonl").write_text("\n".join(map(json.dumps, pool)), encoding="utf-8")
    outputs = shared("alpaca_eval/gpt4_1106_preview.model_outputs.json")
    shutil.copy(outputs, data / "alpaca_eval" / "model_outputs.json")
    shutil.copy(shared("alpaca_eval/alpaca_eval_clf.txt"), data / "alpaca_eval")
    (folder / "search.yaml").write_text(named("search.yaml").text, encoding="utf-8")


def _lines(config: Path) -> Iterator[str]:
    os.environ.setdefault("OPENAI_API_KEY", "none")
    os.chdir(config.parent)
    for name, overrides in _ROWS.items():
        print(name, file=sys.stderr)
        rows = {one.name: one for one in forecast_run(load_config(config, [*overrides, *_LENGTHS])).quantities}
        assert rows["verdicts"].about is not None, "the rehearsal took too long: try again on a quieter machine"
        about = {name: one.about or 0.0 for name, one in rows.items()}
        most = {name: one.at_most or 0.0 for name, one in rows.items()}
        share = about["verdicts"] / most["verdicts"]
        cells = [
            f"{about['verdicts']:,.0f}",
            f"{most['verdicts']:,.0f}",
            f"{about['generations'] * _ANSWER / 1e6:.2f} M",
            f"{most['judge tokens'] * share / 1e6:.2f} M",
            f"{most['dollars'] * share:,.0f}",
            f"{most['dollars']:,.0f}",
        ]
        yield f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        print(table(Path(made)))

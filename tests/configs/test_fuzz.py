"""Whatever stands in a file or behind `--set`, it is read or refused in a sentence; nothing else is raised."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import InputError
from configs.knobs import describe_knobs
from configs.loading import load_config
from configs.records import read_rows

CONFIG = Path("configs/quickstart.yaml").read_text(encoding="utf-8")
ROWS = {
    ".jsonl": '{"id": 1, "query": "Why?", "answer": "So."}\n{"id": 2, "query": "How?", "answer": ["a", null, 1.5]}\n',
    ".json": '[{"id": 1, "query": "Why?"},\n {"id": 2, "query": {"a": [true, NaN]}}]',
    ".csv": 'id,query,answer\n1,Why?,"So, so."\n2,How?,"a\nb"\n',
}
PIECES = st.sampled_from(
    ["[" * 800, "{", "}", "]", ":", ": ", "\n", "- ", "? ", "&a ", "*a", "!!int x", "!!python/name:os.system", "<<: ",
     "9" * 5000, "-1", "1e999", ".nan", "2024-99-99", '"', "'", "\x00", "\x1b", "\ufeff", "\u2028", "\\ud800", "null",
     "---\n", "%", "@", "`", "|", ">", "#", "\t", ",", "~", "x" * 5000, '{"a": 1, "a": 2}', "{answer: good}"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + draw(PIECES | st.text(max_size=5)) + text[end:]
    return text


@settings(max_examples=2 * settings().max_examples)
@given(mutated(CONFIG))
def test_a_mutated_config_is_read_or_refused(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with suppress(InputError):
            load_config(path)


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from([knob.name for knob in describe_knobs()]), PIECES | st.text(max_size=5))
def test_any_value_of_any_setting_is_taken_or_refused(name: str, value: str) -> None:
    with suppress(InputError):
        load_config("quickstart", [f"{name}={value}"])


@pytest.mark.parametrize("ending", ROWS)
def test_a_mutated_data_file_is_read_or_refused(ending: str) -> None:
    @given(mutated(ROWS[ending]))
    def reads(text: str) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"rows{ending}"
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            with suppress(InputError):
                for row in read_rows(path):
                    with suppress(InputError):
                        row.identifier("id"), row.text("query"), row.optional_text("answer[0]")

    reads()

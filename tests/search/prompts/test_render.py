import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema.data import RenderConfig
from configs.schema.model import ModelConfig
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer, make_renderer, without_closing_fence
from search.prompts.urial import FORMS, parse_prompt

GOLDEN = Path(__file__).parents[2] / "golden" / "prompts"
RULES = '# Instruction\n\nTwo people talk. A query stands under "# Query:" or "# User:".\nAnswer briefly.\n'
DEMONSTRATIONS = (
    Demonstration("1", "Which river flows through Vienna?", "The Danube."),
    Demonstration(
        "2",
        "Show me a loop in Python.\n\n# Style:\nshort",
        "Here it is:\n\n```python\nfor n in range(3):\n    print(n)\n```\n\nIt counts to two.",
    ),
)
QUERY = "Is 2² more than 3?\nSay why."
CODE = "Use this:\n\n```python\nprint(1)\n```"
words = st.text(st.characters(exclude_characters="`")).map(str.strip)


def renderer(template: str = "urial_backticks", clean_up: str = "strip") -> Renderer:
    config = RenderConfig.model_validate({"template": template, "clean_up": clean_up})
    return make_renderer(config, ModelConfig(name="none"))


@pytest.mark.parametrize("template", FORMS)
def test_a_prompt_is_the_golden_file_byte_for_byte(template: str) -> None:
    block = renderer(template).block(RULES, DEMONSTRATIONS, [(QUERY,)])
    assert block.prompt(0).encode() == (GOLDEN / f"{template}.txt").read_bytes()
    assert block.bos


@pytest.mark.parametrize("template", FORMS)
def test_all_questions_share_the_prefix_and_the_prefix_is_what_is_exported(template: str) -> None:
    block = renderer(template).block(RULES, DEMONSTRATIONS, [(QUERY,), ("Else?",)])
    assert block.prefix == renderer(template).prompt_text(RULES, DEMONSTRATIONS)
    assert "Vienna" not in "".join(block.suffixes)
    parsed = parse_prompt(block.prefix)
    assert renderer(template).block(parsed.rules, parsed.demonstrations, [(QUERY,), ("Else?",)]) == block


@pytest.mark.parametrize("template", FORMS)
def test_without_demonstrations_the_prefix_is_the_rules(template: str) -> None:
    assert renderer(template).block(RULES, (), [(QUERY,)]).prefix == RULES


@pytest.mark.parametrize("template", FORMS)
def test_a_urial_answer_ends_before_the_next_heading(template: str) -> None:
    assert renderer(template).stop == ("# Query", "# User")


@pytest.mark.parametrize("template", FORMS)
def test_a_second_turn_is_the_golden_file_byte_for_byte(template: str) -> None:
    block = renderer(template).block(RULES, DEMONSTRATIONS, [(QUERY, "Yes.\n\nIt is 4.", "And 2³?")])
    assert block.prompt(0).encode() == (GOLDEN / f"{template}_turn_2.txt").read_bytes()


@pytest.mark.parametrize("template", FORMS)
def test_a_second_turn_stands_behind_the_same_prefix_as_the_first(template: str) -> None:
    first = renderer(template).block(RULES, DEMONSTRATIONS, [(QUERY,)])
    second = renderer(template).block(RULES, DEMONSTRATIONS, [(QUERY, "", "And 2³?")])
    assert second.prefix == first.prefix
    assert second.suffixes[0].startswith(first.suffixes[0])


def test_an_empty_answer_still_renders_a_closed_block() -> None:
    assert FORMS["urial_backticks"].turn("q", "") == "\n# Query:\n```\nq\n```\n\n# Answer:\n```\n\n```\n"


@pytest.mark.parametrize(
    ("answer", "cleaned"),
    [
        ("The Danube.\n```\n\n", "The Danube."),
        ("  The Danube.  ", "The Danube."),
        ("The Danube.```", "The Danube."),
        (CODE, CODE),
        (f"{CODE}\n```\n", CODE),
        (f"{CODE}\n\nDone.\n```", f"{CODE}\n\nDone."),
        ("```\n", ""),
        ("", ""),
        ("Cut off:\n```python\nprint(", "Cut off:\n```python\nprint("),
        ("````\n```\nnested\n```\n````", "````\n```\nnested\n```\n````"),
        ("````\n```\nnested\n```\n````\n```", "````\n```\nnested\n```\n````"),
    ],
)
def test_clean_up_takes_the_closing_fence_and_leaves_code_alone(answer: str, cleaned: str) -> None:
    assert renderer().clean(answer) == cleaned


@settings(deadline=None)  # the machine is shared
@given(text=words, code=words, fenced=st.booleans())
def test_clean_up_undoes_exactly_what_the_template_puts_after_an_answer(text: str, code: str, fenced: bool) -> None:
    answer = f"{text}\n```py\n{code}\n```" if fenced else text
    assert without_closing_fence(f"{answer}\n```\n\n") == answer.strip()
    assert without_closing_fence(without_closing_fence(answer)) == without_closing_fence(answer)


@pytest.mark.parametrize("template", ["urial_v5", "urial_v6"])
def test_a_form_without_fences_has_none_to_take_away(template: str) -> None:
    assert renderer(template).clean(" Cut off:\n```\n") == "Cut off:\n```"


def test_the_faithful_clean_up_deletes_every_fence_as_upstream_does() -> None:
    cleaned = renderer(clean_up="faithful").clean(f"{CODE}\n```\n<|endoftext|>")
    assert cleaned == "Use this:\n\npython\nprint(1)"


def test_rendering_loads_neither_torch_nor_transformers() -> None:
    program = (
        "import sys, search, search.prompts.render, search.prompts.chat, search.problem.pool, search.problem.split\n"
        "print({'torch', 'transformers', 'datasets', 'pyarrow', 'ray', 'optuna'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

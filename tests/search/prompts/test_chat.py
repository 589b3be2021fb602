from pathlib import Path

import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from configs.errors import InputError
from configs.schema.data import RenderConfig
from configs.schema.model import ModelConfig
from search.prompts.chat import chat_messages
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer, make_renderer
from tests.search.prompts.test_render import DEMONSTRATIONS, GOLDEN, QUERY, RULES

pytestmark = pytest.mark.heavy

PLAIN = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}]\n{{ m.content }}[end]\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]\n{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + PLAIN
DEAF = PLAIN.replace("for m in messages", "for m in messages if m.role != 'system'")
DATED = (
    "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b') %}{% endif %}{{ date_string }}"
    + PLAIN
)


def renderer(folder: Path, template: str | None) -> Renderer:
    words = Tokenizer(models.WordLevel({"<s>": 0, "a": 1}, unk_token="a"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>")  # type: ignore[no-untyped-call]
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return make_renderer(RenderConfig(template="chat"), ModelConfig(name=str(folder)))


def test_a_chat_prompt_is_the_golden_file_byte_for_byte(tmp_path: Path) -> None:
    block = renderer(tmp_path, PLAIN).block(RULES, DEMONSTRATIONS, [(QUERY,)])
    assert block.prompt(0).encode() == (GOLDEN / "chat.txt").read_bytes()


def test_a_second_turn_stands_behind_the_same_prefix_as_the_first(tmp_path: Path) -> None:
    chat = renderer(tmp_path, PLAIN)
    first = chat.block(RULES, DEMONSTRATIONS, [(QUERY,)])
    second = chat.block(RULES, DEMONSTRATIONS, [(QUERY, "Yes.", "And 2³?")])
    assert second.prefix == first.prefix
    assert second.suffixes[0] == f"{first.suffixes[0]}Yes.[end]\n[user]\nAnd 2³?[end]\n[assistant]\n"


def test_the_template_writes_its_own_begin_of_text(tmp_path: Path) -> None:
    block = renderer(tmp_path, PLAIN).block(RULES, (), [(QUERY,)])
    assert block.prefix.startswith("<s>[system]\n")
    assert not block.bos


def test_the_prefix_ends_before_the_question_whatever_the_questions_share(tmp_path: Path) -> None:
    chat = renderer(tmp_path, PLAIN)
    block = chat.block(RULES, DEMONSTRATIONS, [("Why is it so?",), ("Why is it not?",)])
    assert block.prefix.endswith("[user]\n")
    assert block.suffixes == ("Why is it so?[end]\n[assistant]\n", "Why is it not?[end]\n[assistant]\n")
    assert chat.block(RULES, DEMONSTRATIONS, [(QUERY,)]).prefix == block.prefix


@pytest.mark.parametrize("template", [NO_SYSTEM, DEAF], ids=["refuses", "drops"])
def test_without_a_system_role_the_rules_open_the_first_user_message(tmp_path: Path, template: str) -> None:
    chat = renderer(tmp_path, template)
    assert chat.block(RULES, DEMONSTRATIONS, [(QUERY,)]).prefix.startswith(f"<s>[user]\n{RULES.strip()}\n\nWhich river")
    assert chat.block(RULES, (), [(QUERY,)]).prompt(0) == f"<s>[user]\n{RULES.strip()}\n\n{QUERY}[end]\n[assistant]\n"


def test_without_rules_there_is_no_system_message(tmp_path: Path) -> None:
    assert renderer(tmp_path, PLAIN).block("\n", (), [("q",)]).prompt(0) == "<s>[user]\nq[end]\n[assistant]\n"


@pytest.mark.parametrize(
    ("template", "date"),
    [
        (DATED, "26 Jul 2024<s>"),
        ("{%- set today = strftime_now('%Y-%m-%d') %}{{ today }}" + PLAIN, "2024-07-26<s>"),
        ("\n{%- macro day() %}{{ strftime_now('%A, %B %d') }}{% endmacro %}{{ day() }}" + PLAIN, "Friday, July 26<s>"),
        ("{% if strftime_now is defined %}{{ strftime_now('%d %B') }}{% endif %}" + PLAIN, "26 July<s>"),
    ],
)  # fmt: skip
def test_a_template_that_writes_the_date_writes_the_same_one_every_day(
    tmp_path: Path, template: str, date: str
) -> None:
    chat = renderer(tmp_path, template)
    assert chat.block(RULES, (), [(QUERY,)]).prefix.startswith(date)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{% for m in messages %}", r"cannot be used \(Unexpected end of template"),
        ("{{ messages|no_such_filter }}", r"cannot be used \(No filter named 'no_such_filter'"),
        ("{{ raise_exception('never') }}", r"cannot be used \(never\)"),
        ("{% for part in messages[0].content %}{{ part.text }}{% endfor %}", "leaves out what a user says in plain"),
        ({"rag": PLAIN, "tool_use": PLAIN}, r"cannot be used \(This model has multiple chat templates"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_spell_a_chat_is_refused(tmp_path: Path, template: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        renderer(tmp_path, template)


def test_an_answer_is_only_stripped(tmp_path: Path) -> None:
    chat = renderer(tmp_path, PLAIN)
    assert chat.clean(" a\n```\n") == "a\n```"
    assert chat.stop == ()


def test_a_chat_prompt_is_exported_as_a_urial_file(tmp_path: Path) -> None:
    urial = make_renderer(RenderConfig(), ModelConfig(name="none"))
    chat = renderer(tmp_path, PLAIN)
    assert chat.prompt_text(RULES, DEMONSTRATIONS) == urial.prompt_text(RULES, DEMONSTRATIONS)
    assert not chat.holds(
        Demonstration("1", "q", "\n# Query:\n```\nq\n```\n\n# Answer:\n```\na\n```\n\n# Query:\n```\n")
    )


def test_a_tokenizer_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no chat template; set render\.template to urial_backticks"):
        renderer(tmp_path, None)


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"cannot be loaded \(.*\); check model\.name$"):
        make_renderer(RenderConfig(template="chat"), ModelConfig(name=str(tmp_path / "empty")))


def test_messages_alternate_and_end_in_the_question() -> None:
    spoken = chat_messages(RULES, DEMONSTRATIONS, ("Before?", "Yes.", QUERY))
    assert [message["role"] for message in spoken] == ["system", *["user", "assistant"] * 3, "user"]
    assert spoken[-1]["content"] == QUERY


def test_the_turns_of_a_demonstration_are_turns_of_the_chat() -> None:
    shown = [Demonstration("1", "a", "b", (("c", "d"),)), Demonstration("2", "e", "f")]
    spoken = chat_messages("", shown, (QUERY,))
    assert [message["content"] for message in spoken] == ["a", "b", "c", "d", "e", "f", QUERY]
    assert [message["role"] for message in spoken] == [*["user", "assistant"] * 3, "user"]

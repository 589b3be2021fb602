"""Demonstrations of several turns, with and without a separation tag."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from configs.errors import InputError
from configs.schema.data import RenderConfig
from configs.schema.model import ModelConfig
from search.prompts.demonstration import Demonstration, Turn, content_id, demonstration_of, single_turns
from search.prompts.render import make_renderer
from search.prompts.urial import FORMS, V6, form_of, load_base_prompt, parse_prompt, prompt_file
from tests.search.prompts.test_render import DEMONSTRATIONS, GOLDEN, QUERY, RULES
from tests.search.prompts.test_urial import DELIMITERS, texts, without_heading

TAG = "# Conversation"
UNTAGGED = RenderConfig()
BEFORE_CONVERSATIONS = RenderConfig(separation_tag=TAG)
BETWEEN_TURNS = RenderConfig(separation_tag=TAG, separation_tag_between="turns")
RENDERS = {"no_tag": UNTAGGED, "tag": BEFORE_CONVERSATIONS, "tag_between_turns": BETWEEN_TURNS}
TWO_TURNS = demonstration_of([("Which river?", "The Danube."), ("How long is it?", "2,850 km.")], "two")
conversations = st.lists(st.lists(st.tuples(texts, texts), min_size=1, max_size=3), max_size=3)
renders = st.builds(
    lambda template, render: render.model_copy(update={"template": template}),
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(list(RENDERS.values())),
)


@pytest.mark.parametrize("name", RENDERS)
def test_two_turns_are_the_golden_file_byte_for_byte(name: str) -> None:
    renderer = make_renderer(RENDERS[name], ModelConfig(name="none"))
    block = renderer.block(RULES, (DEMONSTRATIONS[0], TWO_TURNS), [(QUERY, "Yes.", "And 2³?")])
    assert block.prompt(0).encode() == (GOLDEN / f"two_turns_{name}.txt").read_bytes()


@pytest.mark.parametrize("template", FORMS)
def test_without_a_tag_turns_are_spelled_as_demonstrations_of_one_turn(template: str) -> None:
    renderer = make_renderer(RenderConfig.model_validate({"template": template}), ModelConfig(name="none"))
    apart = renderer.block(RULES, single_turns([TWO_TURNS]), [(QUERY,)])
    assert renderer.block(RULES, [TWO_TURNS], [(QUERY,)]) == apart


@settings(deadline=None)  # the machine is shared
@given(render=renders, rules=st.sampled_from(["", RULES, "Rules", "Rules\n\n"]), shown=conversations)
def test_the_turns_that_a_form_holds_are_read_back_as_they_were(
    render: RenderConfig, rules: str, shown: list[list[Turn]]
) -> None:
    form = form_of(render)
    chosen = [demonstration_of(turns) for turns in shown if form.holds(*turns)]
    parsed = parse_prompt(prompt_file(form, rules, chosen), expected=form)
    assert parsed.rules == rules
    assert [list(one.turns) for one in parsed.demonstrations] == form.read_as([one.turns for one in chosen])
    assert form.prompt(parsed.rules, parsed.demonstrations) == form.prompt(rules, chosen)


@settings(deadline=None)  # the machine is shared
@given(render=renders, turns=st.lists(st.tuples(without_heading, without_heading), min_size=1, max_size=3))
def test_turns_without_a_heading_are_always_held(render: RenderConfig, turns: list[Turn]) -> None:
    assert form_of(render).holds(*turns)


@settings(deadline=None)  # the machine is shared
@given(render=renders, shown=st.lists(st.sampled_from([*DELIMITERS, f"\n{TAG}\n", "q", "\n"]), max_size=12))
def test_whatever_is_read_renders_back_byte_for_byte(render: RenderConfig, shown: list[str]) -> None:
    form, text = form_of(render), form_of(render).demonstration(TWO_TURNS.turns) + "".join(shown)
    try:
        parsed = parse_prompt(text, expected=form)
    except InputError:
        return
    tagged = (form_of(render.model_copy(update={"template": name})) for name in FORMS)
    assert text in [one.prompt(parsed.rules, parsed.demonstrations) for one in tagged]


def test_a_file_without_the_tag_has_demonstrations_of_one_turn(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text(form_of(UNTAGGED).prompt(RULES, [TWO_TURNS]), encoding="utf-8")
    for render in RENDERS.values():
        read = load_base_prompt(path, form_of(render))
        assert [one.turns for one in read.demonstrations] == [(turn,) for turn in TWO_TURNS.turns]


def test_a_file_with_a_tag_that_the_config_does_not_name_is_refused_with_the_setting() -> None:
    text = form_of(BETWEEN_TURNS).prompt(RULES, [TWO_TURNS])
    with pytest.raises(
        InputError, match=r"demonstration 1 has 2 answers; set render\.separation_tag to '# Conversation'"
    ):
        parse_prompt(text)


def test_a_tag_ends_an_answer() -> None:
    assert make_renderer(BEFORE_CONVERSATIONS, ModelConfig(name="none")).stop == ("# Query", "# User", TAG)


def test_the_tag_stands_in_front_of_the_question_and_not_in_the_shared_prefix() -> None:
    block = make_renderer(BEFORE_CONVERSATIONS, ModelConfig(name="none")).block(RULES, (), [("Why?",)])
    assert block.prefix == RULES
    assert block.suffixes[0].startswith(f"\n{TAG}\n\n# Query:")


@pytest.mark.parametrize(
    ("knobs", "complaint"),
    [
        ({"separation_tag": " # C"}, "one line, without white space around it"),
        ({"separation_tag": ""}, "one line"),
        ({"separation_tag": "a\nb"}, "one line"),
        ({"separation_tag": "# Query:"}, "looks like a heading or a fence"),
        ({"separation_tag": "```text"}, "looks like a heading or a fence"),
        ({"separation_tag": TAG, "template": "chat"}, "a chat template marks its turns itself"),
    ],
)
def test_a_tag_that_could_not_be_read_back_is_refused(knobs: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        RenderConfig.model_validate(knobs)


def test_a_config_without_a_tag_is_written_down_as_before_there_were_tags() -> None:
    assert UNTAGGED.model_dump(mode="json") == {"template": "urial_backticks", "clean_up": "strip"}
    for render in RENDERS.values():
        assert RenderConfig.model_validate(render.model_dump(mode="json")) == render


def test_a_demonstration_of_one_turn_keeps_the_id_that_it_had() -> None:
    assert content_id("Why?", "So.") == demonstration_of([("Why?", "So.")]).id == "9f85a323c9db0527"


def test_every_text_and_the_cut_between_turns_decide_the_id() -> None:
    ids = [
        demonstration_of(turns).id
        for turns in (
            [("a", "b")],
            [("a", "b"), ("c", "d")],
            [("c", "d"), ("a", "b")],
            [("a", "b"), ("c", "e")],
            [("ab", "b"), ("c", "d")],
            [("a", "b"), ("c", "d"), ("e", "f")],
        )
    ]
    assert len(set(ids)) == len(ids)


def test_white_space_that_a_form_trims_is_trimmed_in_every_turn() -> None:
    spelled = V6.demonstration([("q", "a"), ("\nr\n", "\nb\n")])
    assert spelled == V6.demonstration([("q", "a"), ("r", "b")])


def test_a_demonstration_knows_its_texts_in_order() -> None:
    assert TWO_TURNS.texts == ("Which river?", "The Danube.", "How long is it?", "2,850 km.")
    assert TWO_TURNS.characters == sum(map(len, TWO_TURNS.texts))
    assert Demonstration("x", "q", "a").turns == (("q", "a"),)


@pytest.mark.parametrize("name", ["tag", "tag_between_turns"])
def test_a_complaint_about_a_later_turn_names_its_line_and_its_demonstration(name: str) -> None:
    form = form_of(RENDERS[name])
    text = form.prompt(RULES, [DEMONSTRATIONS[0], TWO_TURNS]).replace("2,850 km.", " ")
    line = text[: text.index("How long")].count("\n") - 1
    with pytest.raises(InputError, match=f"line {line}: demonstration 2 has an empty query or answer"):
        parse_prompt(text, expected=form)

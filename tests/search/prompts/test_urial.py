import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import InputError
from search.prompts.demonstration import Demonstration, content_id
from search.prompts.urial import (
    BACKTICKS,
    FORMS,
    V5,
    V6,
    BasePrompt,
    UrialForm,
    load_base_prompt,
    parse_prompt,
    prompt_file,
)
from tests.shared_data import FOLDER, shared

RULES = '# Instruction\n\nQueries stand under "# Query:", answers under "# Answer:".\n'
DELIMITERS = [part for form in FORMS.values() for part in (form.opening, form.middle, form.closing)]
PIECES = [*DELIMITERS, "```", "`", "\n", " ", "# Query:", "# Answer:", "# User:", "a", "é"]
tricky = st.lists(st.sampled_from([*PIECES, *(part[1:] for part in DELIMITERS), *(part[:-1] for part in DELIMITERS)]))
texts = st.one_of(tricky.map("".join), st.text()).filter(str.strip)
without_heading = texts.map(lambda text: text.replace("# ", "#."))
pairs = st.lists(st.tuples(texts, texts), max_size=4)
forms = st.sampled_from(list(FORMS.values()))


def demonstrations(pairs: list[tuple[str, str]]) -> list[Demonstration]:
    return [Demonstration(content_id(query, answer), query, answer) for query, answer in pairs]


def supervised() -> list[Path]:
    files = sorted(path for path in (FOLDER / "prompts").rglob("*.txt") if "unsupervised" not in path.parts)
    return [path for path in files if "no_answer" not in path.name]


@pytest.mark.parametrize("path", supervised() or [None], ids=lambda path: path.name if path else "none")
def test_every_published_prompt_renders_back_byte_for_byte(path: Path | None) -> None:
    base = load_base_prompt(path or shared("prompts"))
    assert path is not None
    assert BACKTICKS.prompt(base.rules, base.demonstrations).encode() == path.read_bytes()
    assert prompt_file(BACKTICKS, base.rules, base.demonstrations).encode() == path.read_bytes()
    assert base.rules.startswith("# Instruction\n")
    assert all(BACKTICKS.holds(*one.turns) for one in base.demonstrations)


def test_the_published_prompts_hold_the_pool_they_were_parsed_into() -> None:
    rows = [json.loads(line) for line in shared("pools/icl_alignment_344.jsonl").read_text().splitlines()]
    pool = {(row["query"], row["answer"]) for row in rows}
    found = {(one.query, one.answer) for path in supervised() for one in load_base_prompt(path).demonstrations}
    assert pool <= found
    assert len(load_base_prompt(shared("prompts/greedy/urial.greedy.50.examples.txt")).demonstrations) == 50


@pytest.mark.parametrize(
    "name", ["unsupervised/urial.unsupervised.3.examples.txt", "qa_matching/urial/urial.no_answer.txt"]
)
def test_a_file_of_queries_without_answers_is_refused(name: str) -> None:
    path = shared(f"prompts/{name}")
    with pytest.raises(
        InputError, match=r"line \d+: demonstration 1 has no answer .*give a file with queries and answers"
    ):
        load_base_prompt(path)


@settings(deadline=None)  # the machine is shared
@given(form=forms, rules=st.sampled_from(["", RULES, "Rules", "Rules\n\n"]), pairs=pairs)
def test_what_a_form_holds_is_read_back_as_it_was(form: UrialForm, rules: str, pairs: list[tuple[str, str]]) -> None:
    chosen = demonstrations([pair for pair in pairs if form.holds(pair)])
    parsed = parse_prompt(form.prompt(rules, chosen))
    assert parsed.rules == rules
    read = [(one.query, one.answer) for one in parsed.demonstrations]
    assert read == [(one.query.strip(form.trimmed), one.answer.strip(form.trimmed)) for one in chosen]
    assert form.prompt(parsed.rules, parsed.demonstrations) == form.prompt(rules, chosen)


@settings(deadline=None)  # the machine is shared
@given(form=forms, query=without_heading, answer=without_heading)
def test_text_without_a_heading_is_always_held(form: UrialForm, query: str, answer: str) -> None:
    assert form.holds((query, answer))


@settings(deadline=None)  # the machine is shared
@given(form=forms, text=texts)
def test_whatever_parses_renders_back_byte_for_byte(form: UrialForm, text: str) -> None:
    text = text.replace("a", form.turn("q", "a"))
    try:
        base = parse_prompt(text)
    except InputError:
        return
    assert text in [one.prompt(base.rules, base.demonstrations) for one in FORMS.values()]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_fences_and_headings_inside_a_demonstration_survive(form: UrialForm) -> None:
    code = "Here:\n\n```python\nprint(1)\n```\n\n# Query: is also a comment\n```\nplain\n```"
    chosen = demonstrations([("# Instruction\nWhat is\n```\n1\n```\n?", code), ("b", "c")])
    assert parse_prompt(form.prompt(RULES, chosen)).demonstrations == tuple(chosen)


def test_a_demonstration_that_spells_out_the_form_is_not_held() -> None:
    assert not BACKTICKS.holds(("q", BACKTICKS.turn("inner", "answer")))
    assert not BACKTICKS.holds(("q\n```\n\n# Answer:\n```\nearly", "a"))
    assert not BACKTICKS.holds(("q", "a\n```\n\n# Query:\n```"))  # whole only together with what follows
    assert V6.holds(("q", BACKTICKS.turn("inner", "answer")))


def test_a_prompt_that_would_be_read_as_another_is_not_written() -> None:
    inner = BACKTICKS.turn("inner", "answer")
    with pytest.raises(InputError, match="export JSON instead"):
        prompt_file(BACKTICKS, RULES, demonstrations([("q", f"a{inner}b")]))
    with pytest.raises(InputError, match="export JSON instead"):
        prompt_file(BACKTICKS, RULES + inner, [])


def test_rules_alone_and_an_empty_file_are_base_prompts(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text(RULES)
    (tmp_path / "empty.txt").write_text("")
    assert load_base_prompt(tmp_path / "rules.txt").rules == RULES
    assert load_base_prompt(tmp_path / "empty.txt").demonstrations == ()


def test_ids_come_from_the_content_and_stay_unique() -> None:
    parsed = parse_prompt(BACKTICKS.prompt(RULES, demonstrations([("q", "a"), ("r", "b"), ("q", "a")])))
    first = content_id("q", "a")
    assert [one.id for one in parsed.demonstrations] == [first, content_id("r", "b"), f"{first}-2"]


def test_a_v5_file_after_an_empty_line_is_not_taken_for_v6() -> None:
    chosen = demonstrations([("q", "a"), ("r", "b")])
    for form in (V5, V6):
        assert parse_prompt(form.prompt(RULES + "\n", chosen)).demonstrations == tuple(chosen)


GOOD = BACKTICKS.prompt(RULES, demonstrations([("q1", "a1"), ("q2", "a2")]))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace("\n# Query:\n```\nq1", "\n# Query:  \n```\nq1"), "line 5: the white space around"),
        (GOOD.removeprefix(RULES + "\n"), "line 1: the white space around the heading '# Query:' is not"),
        (GOOD.replace("\n\n# Answer:\n```\na1", "\n \n# Answer:\n```\na1"), "line 5: demonstration 1 has no answer"),
        (GOOD.replace("a1\n```\n\n#", "a1\n```\n\n\n#"), "line 5: demonstration 1 has 2 answers; fix the white space"),
        (GOOD.replace("a2", " "), "line 15: demonstration 2 has an empty query or answer"),
        (GOOD.removesuffix("```\n"), "line 23: the last demonstration does not end in"),
        (V6.prompt("", demonstrations([("q1", "a1")])).replace("a1", "\na1"), "demonstration 1 has more empty lines"),
    ],
)  # fmt: skip
def test_a_file_in_other_white_space_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "prompt.txt").write_bytes(text.encode())
    with pytest.raises(InputError, match=complaint) as caught:
        load_base_prompt(tmp_path / "prompt.txt")
    assert str(caught.value).startswith(str(tmp_path / "prompt.txt"))


@pytest.mark.parametrize("form", [BACKTICKS, V5, V6])
def test_a_file_with_other_line_breaks_or_another_end_is_the_same_prompt(tmp_path: Path, form: UrialForm) -> None:
    path, text = tmp_path / "prompt.txt", form.prompt(RULES, demonstrations([("q1", "a1"), ("q2", "a2")]))
    for variant in (text.replace("\n", "\r\n"), text.replace("\n", "\r"), text.rstrip("\n"), text + " "):
        path.write_bytes(variant.encode())
        assert load_base_prompt(path) == parse_prompt(text)
    path.write_text(GOOD + "\n\n")
    assert load_base_prompt(path) == parse_prompt(GOOD)
    path.write_bytes(b"Be brief.\r\nBe kind.\r\n")
    assert load_base_prompt(path) == BasePrompt("Be brief.\nBe kind.\n", ())


def test_a_missing_prompt_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.txt: cannot be read \(No such file or directory\)"):
        load_base_prompt(tmp_path / "nowhere.txt")


@pytest.mark.parametrize(
    "text",
    [
        "Instruction\n\nUser:\n\nTwo and two?\n\n\n\nAssistant:\n\nFour.\n",
        "Rules.\nUser: Two and two?\nAssistant: Four.\n",
        "Rules.\n\n### Question:\nWhy?\n### Answer:\nSo.\n",
        "**Human:** Why?\n**AI:** So.\n",
        "Q: Why?\nA: So.\n",
    ],
)
def test_demonstrations_in_a_form_that_is_not_read_are_refused_and_not_taken_for_rules(text: str) -> None:
    with pytest.raises(InputError, match=r"no demonstration is read in this form|white space"):
        parse_prompt(text, "prompt.txt")


def test_rules_that_only_speak_of_headings_are_rules() -> None:
    rules = 'Users place their queries under "# Query:", and your answers are under "# Answer:".\nNote: be brief.\n'
    assert parse_prompt(rules).rules == rules

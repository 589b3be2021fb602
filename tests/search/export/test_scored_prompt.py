"""Each export, rendered by the library it is for, is a prompt that the model was sent: token for token."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from langchain_core.messages import convert_to_openai_messages
from langchain_core.prompts import ChatPromptTemplate, FewShotPromptTemplate
from openai import OpenAI
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from configs.errors import InputError
from search.export import Format, export
from tests.search.export.scored import CHAT, FOLLOW_UP, NO_SYSTEM, RULES, Scored, held_out, scored, search
from tests.service_server import ServiceServer, says

pytestmark = pytest.mark.heavy

Ask = Callable[[Scored, str], str]
"""The prompt that an export of this run makes of a question."""

TAG = "# {Talk}"
URIAL = ("urial_backticks", "urial_v5", "urial_v6", "tagged")
CHATS = {"chat": CHAT, "no_system": NO_SYSTEM}
TEMPLATES = (*URIAL, *CHATS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scored]:
    made: dict[str, Scored] = {}

    def run(name: str) -> Scored:
        if name not in made:
            form = "chat" if name in CHATS else "urial_v6" if name == "tagged" else name
            tag = TAG if name == "tagged" else None
            made[name] = scored(tmp_path_factory.mktemp(name), form, CHATS.get(name), tag=tag)
        return made[name]

    return run


def content(run: Scored, form: Format) -> Any:
    return json.loads(export(run.path, form))


def vllm(run: Scored, question: str) -> str:
    given = content(run, "vllm")
    stripped = question.strip(given["strip_question"])
    return f"{given['prefix']}{given['before_question']}{stripped}{given['after_question']}"


def langchain(run: Scored, question: str) -> str:
    return FewShotPromptTemplate(**content(run, "langchain")).format(question=question)


def langchain_chat(run: Scored, question: str) -> str:
    prompt = ChatPromptTemplate(**content(run, "langchain")).invoke({"question": question})
    return spelled(run, convert_to_openai_messages(prompt.to_messages()))


def hugging_face(run: Scored, question: str) -> str:
    given = content(run, "hugging_face")
    given["messages"][-1]["content"] += question
    text: str = run.tokenizer.apply_chat_template(given["messages"], **given["apply_chat_template"])
    return text


def openai(run: Scored, question: str) -> str:
    request = content(run, "openai")
    request["messages"][-1]["content"] += question
    return spelled(run, request["messages"])


def messages(run: Scored, question: str) -> str:
    return spelled(run, [*content(run, "messages"), {"role": "user", "content": question}])


def spelled(run: Scored, chat: Any) -> str:
    """As a server does: with its model's chat template, or with the one it was given."""
    own = {} if run.tokenizer.chat_template else {"chat_template": export(run.path, "chat_template")}
    text: str = run.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **own)
    return text


def promptfoo(run: Scored, question: str) -> str:
    """Jinja in the place of Nunjucks, for the tags that both have."""
    config = content(run, "promptfoo")
    nunjucks = Environment(keep_trailing_newline=True)
    shown = [nunjucks.from_string(test["vars"]["question"]).render() for test in config["tests"]]
    assert question in shown
    return nunjucks.from_string(config["prompts"][0]["raw"]).render(question=question)


@pytest.mark.parametrize("template", URIAL)
@pytest.mark.parametrize("ask", [vllm, langchain, hugging_face, openai, messages])
def test_an_export_of_a_completed_prompt_renders_what_was_scored(
    runs: Callable[[str], Scored], template: str, ask: Ask
) -> None:
    run = runs(template)
    assert all(run.knows(ask(run, question), special=True) for question in (*search(), *held_out()))
    assert not run.knows(ask(run, "a question that nobody asked"), special=True)


@pytest.mark.parametrize("template", CHATS)
@pytest.mark.parametrize("ask", [vllm, langchain_chat, hugging_face, openai, messages])
def test_an_export_of_a_chat_renders_what_was_scored(runs: Callable[[str], Scored], template: str, ask: Ask) -> None:
    run = runs(template)
    assert all(run.knows(ask(run, question), special=False) for question in (*search(), *held_out()))


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_tests_of_a_promptfoo_file_are_the_held_out_questions_behind_the_scored_prompt(
    runs: Callable[[str], Scored], template: str
) -> None:
    run = runs(template)
    assert len(content(run, "promptfoo")["tests"]) == len(held_out())
    special = content(run, "promptfoo")["providers"][0]["config"]["passthrough"]["add_special_tokens"]
    assert all(run.knows(promptfoo(run, question), special) for question in held_out())


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_is_exported_has_demonstrations_of_one_turn_and_of_two_in_it(
    runs: Callable[[str], Scored], template: str
) -> None:
    shown = content(runs(template), "json")["demonstrations"]
    assert len(shown) >= 2
    assert [one["query"] for one in shown if one["id"] == "d2"] == [["Plain?", FOLLOW_UP["follow_up_query"]]]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_request_for_a_server_is_one_that_was_sent_when_it_was_scored(
    runs: Callable[[str], Scored], template: str
) -> None:
    run = runs(template)
    request = content(run, "vllm")["request"]
    with ServiceServer(lambda _: says("An answer.")) as server, client(server) as asking:
        own = {name: request.pop(name) for name in ("top_k", "min_p", "repetition_penalty", "add_special_tokens")}
        assert asking.completions.create(**request, extra_body=own).choices[0].text == "An answer."
        (sent,) = server.requests
    assert run.knows(sent["prompt"], special=sent["add_special_tokens"])
    assert (sent["max_tokens"], sent["temperature"]) == (8, 0.0)
    tag = [TAG] if template == "tagged" else []
    assert sent.get("stop") == (None if template in CHATS else ["# Query", "# User", *tag])


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_openai_library_takes_a_chat_request_and_sends_it_as_it_is(
    runs: Callable[[str], Scored], template: str
) -> None:
    run = runs(template)
    request = content(run, "openai")
    request["messages"][-1]["content"] += search()[0]
    own = request["extra_body"]
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(
        {name: value for name, value in request.items() if name != "extra_body"}
    )
    with ServiceServer(lambda _: says("An answer.")) as server, client(server) as asking:
        assert asking.chat.completions.create(**request).choices[0].message.content == "An answer."
        (sent,) = server.requests
    assert run.knows(spelled(run, sent["messages"]), special=sent["add_special_tokens"])
    assert sent["max_tokens"] == 8
    assert all(sent[name] == value for name, value in own.items())


def client(server: ServiceServer) -> OpenAI:
    return OpenAI(base_url=server.base_url, api_key="none", max_retries=0)


def test_messages_without_room_for_the_rules_are_refused(tmp_path: Path) -> None:
    run = scored(tmp_path, "chat", NO_SYSTEM, enough=100_000)
    assert content(run, "openai")["messages"] == [{"role": "user", "content": f"{RULES.strip()}\n\n"}]
    assert all(run.knows(openai(run, question), special=False) for question in search())
    with pytest.raises(InputError, match="export openai"):
        export(run.path, "messages")


@pytest.mark.parametrize("form", ["urial", "chat_template"])
def test_what_is_only_for_completed_prompts_is_refused_for_a_chat(runs: Callable[[str], Scored], form: Format) -> None:
    with pytest.raises(InputError, match=r"model's (own )?chat template"):
        export(runs("chat").path, form)

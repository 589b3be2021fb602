import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from transformers import PreTrainedTokenizerFast

from configs.errors import InputError
from configs.schema.model import ServedModelConfig
from tests.fakes import FAILS, echo, likelihood
from tests.kits.text_model_kit import BLOCK, GIVEN, GREEDY, TextModelKit, answers, likelihoods, run_with
from tests.service_server import Page, Reaction, Request, ServiceServer, busy, error, lost, no_quota, page
from tests.tiny_model import tokenizer
from workers.failures import GenerationFailed, PromptTooLong, WorkersUnavailable
from workers.prompt import Completion, Continuations, Decoding, PromptBlock
from workers.served_model.model import ServedModel
from workers.service.failures import ServiceRefused
from workers.text_model import TextModel
from workers.usage import NOTHING, Usage

pytestmark = pytest.mark.heavy

CONTEXT = 4096
VLLM = {"id": "m", "owned_by": "vllm", "root": "org/m", "max_model_len": CONTEXT}


def vllm(method: str, path: str, body: bytes) -> Reaction | None:
    """vLLM's other addresses; a token is a word."""
    if path == "/v1/models":
        return page({"data": [VLLM]})
    if path == "/version":
        return page({"version": "0.33.0"})
    if path == "/tokenize":
        return page({"count": len(json.loads(body)["prompt"].split()), "max_model_len": CONTEXT})
    return None


def pages(**others: object) -> Page:
    """Addresses by name; `_` stands for `/`."""
    by_path = {"/" + name.replace("__", "/"): content for name, content in others.items()}

    def find(method: str, path: str, body: bytes) -> Reaction | None:
        return page(by_path[path]) if path in by_path else None

    return find


def echoing(request: Request) -> Reaction:
    """What a server with EchoEngine behind it would say."""
    prompt = request["prompt"]
    if FAILS in prompt:
        return error(400, message=f"this prompt contains {FAILS}: leave it out")
    if request.get("echo"):
        return _with_logprobs(*prompt.rpartition("?"))
    decoding = Decoding(request["max_tokens"], request["temperature"], seed=request["seed"])
    said = echo(prompt, decoding)
    return _completion(said.text, said.finish, said.prompt_tokens, said.new_tokens)


def _completion(text: str, finish: str, read: int, written: int, **more: object) -> Reaction:
    choice = {"text": text, "finish_reason": finish} | more
    return page({"choices": [choice], "usage": {"prompt_tokens": read, "completion_tokens": written}})


def _with_logprobs(before: str, mark: str, given: str) -> Reaction:
    words = [word if at == 0 else f" {word}" for at, word in enumerate(given.split(" "))]
    values = [likelihood(before + mark, word.strip()).log_probability for word in words]
    told = {"tokens": ["<s>", before + mark, *words, "!"], "token_logprobs": [None, -3.0, *values, -0.5]}
    return _completion("!", "length", 1 + len(words), 1, logprobs=told)


def served(at: ServiceServer, /, service: dict[str, object] | None = None, **knobs: Any) -> ServedModel:
    asked: dict[str, object] = {
        "model": "m",
        "base_url": at.base_url,
        "api_key_variable": None,
        "max_retries": 1,
        "timeout": 20,
    }
    return ServedModel(
        ServedModelConfig.model_validate({"engine": "served", "service": asked | (service or {})} | knobs)
    )


class TestServedModel(TextModelKit):
    server: ClassVar[ServiceServer]

    @pytest.fixture(autouse=True, scope="class")
    @staticmethod
    def _serve() -> Iterator[None]:
        with ServiceServer(echoing, pages=vllm) as TestServedModel.server:
            yield

    def make(self) -> TextModel:
        return served(self.server)


def test_the_card_says_what_is_served_by_what() -> None:
    with ServiceServer(pages=vllm) as server:
        card = run_with(served(server, identity="fp8"), lambda model: model.start())
    assert card.fingerprint == "org/m, served by vllm 0.33.0, as text, fp8"
    assert (card.context_tokens, card.device) == (CONTEXT, f"vllm at {server.base_url}")


LLAMA_CPP = {"id": "m.gguf", "owned_by": "llamacpp", "meta": {"n_params": 8, "size": 16}}
PROPS = {"default_generation_settings": {"n_ctx": 512}, "build_info": "b99", "model_path": "/models/m.gguf"}


@pytest.mark.parametrize(
    ("found", "knobs", "context", "fingerprint"),
    [
        (
            pages(v1__models={"data": [LLAMA_CPP]}, props=PROPS),
            {},
            512,
            "m, 8 parameters in 16 bytes, served by llama_cpp b99 m.gguf, as text",
        ),
        (
            pages(v1__models={"data": [VLLM | {"owned_by": "sglang"}]}, get_server_info={"version": "0.6"}),
            {"context_tokens": 100},
            100,
            "org/m, served by sglang 0.6, as text",
        ),
        (pages(v1__models={"data": []}), {"context_tokens": 64}, 64, "m, served by openai at ADDRESS, as text"),
        (
            pages(health={"status": "ok"}),
            {"context_tokens": 64, "server": "transformers"},
            64,
            "m, served by transformers at ADDRESS, as text",
        ),
    ],
    ids=["llama.cpp", "SGLang", "hosted", "transformers"],
)
def test_each_kind_of_server_is_known_by_what_it_says(
    found: Page, knobs: dict[str, Any], context: int, fingerprint: str
) -> None:
    with ServiceServer(pages=found) as server:
        card = run_with(served(server, **knobs), lambda model: model.start())
    assert card.context_tokens == context
    assert card.fingerprint == fingerprint.replace("ADDRESS", server.base_url)


@pytest.mark.parametrize(
    ("found", "service", "sentence"),
    [
        (vllm, {"model": "other"}, r"does not serve other: set model\.service\.model to what it serves \(m\)"),
        (pages(v1__models={"data": []}), {}, r"set model\.context_tokens"),
        (lambda *_: error(500), {"max_retries": 0}, "start it, or correct model.service.base_url"),
    ],
    ids=["another model", "no context", "broken"],
)
def test_a_server_that_cannot_serve_is_refused_at_the_start(
    found: Page, service: dict[str, object], sentence: str
) -> None:
    with ServiceServer(pages=found) as server, pytest.raises(InputError, match=sentence):
        run_with(served(server, service), lambda model: model.start())


def test_a_server_that_is_not_there_is_refused_at_the_start() -> None:
    with ServiceServer() as server:
        pass
    with pytest.raises(InputError, match=r"lost or refused the connection.*start it"):
        run_with(served(server, {"max_retries": 0}), lambda model: model.start())


DECODING = Decoding(9, temperature=0.5, top_p=0.8, top_k=7, repetition_penalty=1.25, stop=("END", ""), seed=2**31 + 3)


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("vllm", {"top_k": 7, "min_p": 0, "repetition_penalty": 1.25, "add_special_tokens": True}),
        ("sglang", {"top_k": 7, "min_p": 0, "repetition_penalty": 1.25}),
        (
            "llama_cpp",
            {
                "top_k": 7,
                "min_p": 0,
                "typical_p": 1,
                "repeat_penalty": 1.25,
                "repeat_last_n": CONTEXT,
                "cache_prompt": True,
            },
        ),
        ("llama_cpp_python", {"top_k": 7, "min_p": 0, "repeat_penalty": 1.25}),
        (
            "transformers",
            {"generation_config": '{"do_sample": true, "top_k": 7, "repetition_penalty": 1.25}'},
        ),
        ("openai", {"top_k": 7, "repetition_penalty": 1.25}),
    ],
)
def test_every_field_of_the_decoding_reaches_the_server_under_its_name(kind: str, own: dict[str, object]) -> None:
    def found(method: str, path: str, body: bytes) -> Reaction | None:
        return page({"count": 1, "tokens": [1]}) if "tokenize" in path else vllm(method, path, body)

    with ServiceServer(echoing, pages=found) as server:
        model = served(server, server=kind, context_tokens=CONTEXT)
        run_with(model, lambda model: answers(model, PromptBlock("", ("a?",)), DECODING))
    shared = {"model": "m", "prompt": "a?", "max_tokens": 9, "temperature": 0.5, "top_p": 0.8, "seed": 3}
    assert server.requests == [shared | {"stop": ["END"]} | own]


@pytest.mark.parametrize("kind", ["vllm", "sglang", "llama_cpp", "llama_cpp_python"])
def test_greedy_decoding_spells_out_that_nothing_else_is_wanted(kind: str) -> None:
    def found(method: str, path: str, body: bytes) -> Reaction | None:
        return page({"count": 1, "tokens": [1]}) if "tokenize" in path else vllm(method, path, body)

    with ServiceServer(echoing, pages=found) as server:
        run_with(
            served(server, server=kind, context_tokens=99),
            lambda model: answers(model, PromptBlock("", ("a?",)), GREEDY),
        )
    (request,) = server.requests
    assert (request["temperature"], request["top_p"], request["min_p"]) == (0, 1, 0)
    assert request["top_k"] in (0, -1)
    assert request.get("repetition_penalty", request.get("repeat_penalty")) == 1


def test_a_prefix_is_sent_alone_before_the_prompts_that_share_it_and_once_only() -> None:
    async def work(model: TextModel) -> None:
        await asyncio.gather(answers(model, BLOCK), answers(model, BLOCK.select([0, 1])))
        await answers(model, PromptBlock("Another prefix. ", ("a", "b")))

    with ServiceServer(echoing, pages=vllm) as server:
        run_with(served(server), work)
    prompts = [request["prompt"] for request in server.requests]
    assert prompts[0] == BLOCK.prefix
    assert server.requests[0]["max_tokens"] == 1
    assert prompts.count(BLOCK.prefix) == 1
    assert len(prompts) == 1 + 7 + 2 + 1 + 2
    assert prompts[10] == "Another prefix. "


@pytest.mark.parametrize(
    ("knobs", "block"),
    [({"warm_prefix": False}, BLOCK), ({}, BLOCK.select([0])), ({}, PromptBlock("", ("a", "b")))],
    ids=["not wanted", "one prompt", "no prefix"],
)
def test_no_prefix_is_sent_alone_where_that_saves_nothing(knobs: dict[str, Any], block: PromptBlock) -> None:
    with ServiceServer(echoing, pages=vllm) as server:
        run_with(served(server, **knobs), lambda model: answers(model, block))
    assert len(server.requests) == len(block.suffixes)


def test_a_prefix_that_cannot_be_warmed_keeps_nobody_from_an_answer() -> None:
    def react(request: Request) -> Reaction:
        return error(400, message="too short") if request["prompt"] == BLOCK.prefix else echoing(request)

    with ServiceServer(react, pages=vllm) as server:
        assert len(run_with(served(server), lambda model: answers(model, BLOCK))) == len(BLOCK.suffixes)


@pytest.mark.parametrize(
    ("said", "finish", "completion"),
    [
        ("one END two", "stop", Completion("one ", 3, 5, "stop")),
        ("one END two", "length", Completion("one ", 3, 5, "stop")),
        ("one\n\ntwo END", "stop", Completion("one", 3, 5, "stop")),
        ("one two", "length", Completion("one two", 3, 5, "length")),
        ("one two", "eos", Completion("one two", 3, 5, "stop")),
        ("", "stop", Completion("", 3, 5, "stop")),
    ],
)
def test_an_answer_ends_before_its_first_stop_string_whatever_the_server_left_in(
    said: str, finish: str, completion: Completion
) -> None:
    with ServiceServer(then=_completion(said, finish, 3, 5), pages=vllm) as server:
        decoding = Decoding(5, stop=("END", "\n\n"))
        assert run_with(served(server), lambda model: answers(model, PromptBlock("", ("a b c",)), decoding)) == [
            (0, completion)
        ]


def test_what_an_estimate_lets_pass_and_the_server_refuses_is_too_long_all_the_same() -> None:
    with ServiceServer(then=error(400, "context_length_exceeded"), pages=pages(v1__models={"data": []})) as server:
        model = served(server, context_tokens=100)
        with pytest.raises(PromptTooLong) as caught:
            run_with(model, lambda model: answers(model, PromptBlock("", ("a b c",)), Decoding(16)))
    refusal = caught.value
    assert (refusal.prompt_tokens, refusal.new_tokens, refusal.context_tokens) == (85, 16, 100)


def test_a_prompt_that_the_server_found_too_long_after_all_is_no_answer() -> None:
    said = _completion("babble", "length", 90, 16)
    with (
        ServiceServer(then=said, pages=pages(v1__models={"data": []})) as server,
        pytest.raises(PromptTooLong) as caught,
    ):
        run_with(
            served(server, context_tokens=100), lambda model: answers(model, PromptBlock("", ("a b c",)), Decoding(16))
        )
    refusal = caught.value
    assert (refusal.prompt_tokens, refusal.new_tokens, refusal.context_tokens) == (90, 16, 100)


def test_an_answer_that_ended_by_itself_is_kept_however_little_room_there_was() -> None:
    with ServiceServer(then=_completion("short", "stop", 90, 1), pages=pages(v1__models={"data": []})) as server:
        model = served(server, context_tokens=100)
        said = run_with(model, lambda model: answers(model, PromptBlock("", ("a b c",)), Decoding(16)))
    assert said == [(0, Completion("short", 90, 1, "stop"))]


def test_a_prefix_warmed_and_answers_that_cannot_be_used_are_paid_for_beside_the_completions() -> None:
    def react(request: Request) -> Reaction:
        if request["prompt"].endswith("filtered?"):
            return _completion("bad", "content_filter", 20, 2)
        return _completion("short", "length", 4000, 1) if request["prompt"].endswith("cut?") else echoing(request)

    async def work(model: ServedModel) -> list[Usage]:
        await answers(model, PromptBlock("A prefix of five words. ", ("one?", "two?")))
        paid = [model.paid_beside()]
        for suffix in ("filtered?", "cut?"):
            with suppress(GenerationFailed):
                await answers(model, PromptBlock("", (suffix,)), Decoding(100))
            paid.append(model.paid_beside())
        return [*paid, model.paid_beside()]

    uncounting = pages(v1__models={"data": []})
    with ServiceServer(react, pages=uncounting) as server:
        model = served(server, context_tokens=CONTEXT, service={"dollars_per_million_prompt_tokens": 1, **PRICE})
        warmed, filtered, cut, nothing = run_with(model, work)
    assert (warmed.calls, warmed.prompt_tokens, warmed.new_tokens) == (1, 5, 1)
    assert (filtered.prompt_tokens, filtered.new_tokens, filtered.dollars) == (20, 2, 22 / 1e6)
    assert (cut.prompt_tokens, cut.new_tokens) == (4000, 1)
    assert nothing == NOTHING


def test_likelihoods_are_paid_for_beside_the_completions() -> None:
    async def work(model: ServedModel) -> Usage:
        await likelihoods(model, PromptBlock("Which tree ", ("grows?", "falls?")), Continuations(("a b", "c d e")))
        return model.paid_beside()

    with ServiceServer(echoing, pages=vllm) as server:
        paid = run_with(served(server, service={"dollars_per_million_prompt_tokens": 1, **PRICE}), work)
    assert paid == Usage(calls=2, prompt_tokens=7, new_tokens=2, dollars=9 / 1e6)


PRICE = {"dollars_per_million_new_tokens": 1}


def test_an_answer_without_token_counts_says_that_its_counts_are_estimates() -> None:
    def react(request: Request) -> Reaction:
        return page({"choices": [{"text": "eight by", "finish_reason": "length"}]})

    with ServiceServer(react, pages=pages(v1__models={"data": []})) as server:
        model = served(server, context_tokens=64)
        said = run_with(model, lambda model: answers(model, PromptBlock("", ("x" * 200,)), Decoding(60)))
    assert said == [(0, Completion("eight by", 50, 2, "length", estimated=True))]


def test_lengths_are_estimated_only_where_nobody_can_count() -> None:
    block = PromptBlock("twelve bytes", ("",))
    with ServiceServer(pages=pages(v1__models={"data": []})) as server:
        assert run_with(served(server, context_tokens=99), lambda model: model.count_tokens(block)) == (3 + 1,)
    with ServiceServer(pages=vllm) as server:
        assert run_with(served(server), lambda model: model.count_tokens(block)) == (2,)


@pytest.fixture
def tokenizer_folder(tmp_path: Path) -> str:
    tokenizer().save_pretrained(tmp_path)
    return str(tmp_path)


def _ids(text: str, special: bool = True) -> list[int]:
    loaded: PreTrainedTokenizerFast = tokenizer()
    ids: list[int] = loaded(text, add_special_tokens=special)["input_ids"]
    return ids


def test_token_ids_are_those_of_the_tokenizer_with_its_first_token_only_where_it_is_wanted(
    tokenizer_folder: str,
) -> None:
    said = _completion("x", "stop", 3, 1)
    with ServiceServer(then=said, pages=vllm) as server:
        model = served(server, send="tokens", tokenizer=tokenizer_folder, warm_prefix=False)

        async def work(model: TextModel) -> tuple[int, ...]:
            await answers(model, PromptBlock("Which ", ("tree?",)))
            await answers(model, PromptBlock("<s>Which ", ("tree?",), bos=False))
            return await model.count_tokens(PromptBlock("Which ", ("tree?",)))

        assert run_with(model, work) == (len(_ids("Which tree?")),)
    assert [request["prompt"] for request in server.requests] == [_ids("Which tree?")] * 2
    assert [request["add_special_tokens"] for request in server.requests] == [True, False]


def test_a_text_that_spells_its_own_first_token_is_refused_where_the_server_would_add_another() -> None:
    spelled = PromptBlock("<s>", ("a",), bos=False)
    with ServiceServer(echoing, pages=pages(v1__models={"data": []})) as server:
        model = served(server, context_tokens=100)
        with pytest.raises(GenerationFailed, match=r"set model\.send to tokens and give model\.tokenizer"):
            run_with(model, lambda model: answers(model, spelled))
    with ServiceServer(echoing, pages=vllm) as server:
        assert run_with(served(server), lambda model: answers(model, spelled))
    assert server.requests[0]["add_special_tokens"] is False


def test_a_tokenizer_that_cannot_be_loaded_is_refused_at_the_start(tmp_path: Path) -> None:
    with ServiceServer(pages=vllm) as server, pytest.raises(InputError, match=r"the tokenizer of .* cannot be loaded"):
        run_with(served(server, tokenizer=str(tmp_path)), lambda model: model.start())


def test_token_ids_need_a_tokenizer() -> None:
    with pytest.raises(ValueError, match="send is tokens, which needs a tokenizer"):
        ServedModelConfig.model_validate({"engine": "served", "service": {"model": "m"}, "send": "tokens"})


def test_a_server_that_takes_no_token_ids_is_refused_at_the_start(tokenizer_folder: str) -> None:
    with ServiceServer(pages=pages(health={})) as server, pytest.raises(InputError, match="set it to text"):
        run_with(
            served(server, server="transformers", send="tokens", tokenizer=tokenizer_folder),
            lambda model: model.start(),
        )


def test_a_continuation_is_scored_by_its_token_ids_where_those_are_sent(tokenizer_folder: str) -> None:
    def react(request: Request) -> Reaction:
        ids = request["prompt"]
        told = {"tokens": ["?"] * len(ids) + ["!"], "token_logprobs": [None, *range(-1, -len(ids), -1), -0.5]}
        return _completion("!", "length", len(ids), 1, logprobs=told)

    prompt, continuation = "Which tree", " grows?"
    with ServiceServer(react, pages=vllm) as server:
        model = served(server, send="tokens", tokenizer=tokenizer_folder)
        given = Continuations((continuation,))
        ((_, found),) = run_with(model, lambda model: likelihoods(model, PromptBlock(prompt, ("",)), given))
    ids = server.requests[0]["prompt"]
    assert ids[: len(_ids(prompt))] == _ids(prompt)
    assert found.tokens == len(ids) - len(_ids(prompt)) > 0
    assert found.log_probability == sum(-at for at in range(len(_ids(prompt)), len(ids)))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (_completion("!", "length", 5, 1), "gives no log-probabilities of a prompt"),
        (_completion("!", "length", 5, 1, logprobs={"tokens": ["!"], "token_logprobs": [-1]}), "gives no log"),
        (
            _completion(
                "!", "length", 2, 1, logprobs={"tokens": ["a", "?12 legs", "!"], "token_logprobs": [None, -1, -1]}
            ),
            "as one token: set model.send to tokens",
        ),
    ],
    ids=["nothing", "of the answer only", "token across"],
)
def test_a_server_that_cannot_score_says_so(said: Reaction, sentence: str) -> None:
    with ServiceServer(then=said, pages=vllm) as server, pytest.raises(GenerationFailed, match=sentence):
        run_with(
            served(server),
            lambda model: likelihoods(model, PromptBlock("", ("a?",)), Continuations(("12 legs",))),
        )


def test_a_kind_of_server_known_not_to_score_is_not_asked() -> None:
    found = pages(v1__models={"data": [LLAMA_CPP]}, props=PROPS)
    with ServiceServer(pages=found) as server, pytest.raises(GenerationFailed, match=r"llama_cpp at .* cannot score"):
        run_with(served(server), lambda model: likelihoods(model, BLOCK, GIVEN))
    assert not server.requests


def test_prompts_that_fail_leave_the_others_their_answers() -> None:
    async def work(model: TextModel) -> list[int]:
        got: list[int] = []
        asking = model.generate(PromptBlock("", ("a", f"It {FAILS}", "b")), GREEDY)
        with suppress(GenerationFailed):
            async for index, _ in asking:
                got.append(index)
        return sorted(got)

    with ServiceServer(echoing, pages=vllm) as server:
        assert run_with(served(server), work) == [0, 2]


def test_a_service_that_refuses_everything_stops_the_run() -> None:
    with ServiceServer(then=no_quota(), pages=vllm) as server, pytest.raises(ServiceRefused, match="used up"):
        run_with(served(server), lambda model: answers(model, BLOCK))


def test_a_busy_server_is_asked_again() -> None:
    script = iter([busy(0.01)])
    with ServiceServer(lambda request: next(script, echoing(request)), pages=vllm) as server:
        assert len(run_with(served(server), lambda model: answers(model, BLOCK))) == len(BLOCK.suffixes)


def test_a_closed_model_is_unavailable() -> None:
    async def work(model: TextModel) -> None:
        await model.close()
        with pytest.raises(WorkersUnavailable, match="closed"):
            await answers(model, BLOCK)

    with ServiceServer(echoing, pages=vllm) as server:
        run_with(served(server), work)


def test_activity_counts_what_was_generated() -> None:
    with ServiceServer(echoing, pages=vllm) as server:
        model = served(server)
        run_with(model, lambda model: answers(model, BLOCK))
        assert model.activity().tokens == 7 * 5
        assert model.activity().alive == 0


def test_a_gateway_that_has_no_address_to_count_tokens_at_is_served_with_estimates() -> None:
    def gateway(method: str, path: str, body: bytes) -> Reaction | None:
        return vllm(method, path, body) if path == "/v1/models" else None

    with ServiceServer(echoing, pages=gateway) as server:
        model = served(server)
        assert len(run_with(model, lambda model: answers(model, BLOCK, GREEDY))) == len(BLOCK.suffixes)


def test_a_field_that_does_nothing_is_left_out_where_a_gateway_refuses_it_and_another_is_not() -> None:
    def strict(request: Request) -> Reaction:
        for name in ("min_p", "top_k", "repetition_penalty"):
            if name in request:
                return error(400, None, f"litellm.BadRequestError: Unrecognized request argument supplied: {name}")
        return echoing(request)

    with ServiceServer(strict, pages=vllm) as server:
        assert len(run_with(served(server), lambda model: answers(model, BLOCK, GREEDY))) == len(BLOCK.suffixes)
        penalized = Decoding(4, repetition_penalty=1.5)
        with pytest.raises(GenerationFailed, match="repetition_penalty"):
            run_with(served(server), lambda model: answers(model, BLOCK, penalized))


class Restarted:
    """A server that is lost after some completions and comes back, perhaps as another."""

    def __init__(self, after: int, words: str, entry: dict[str, object]) -> None:
        self.after, self.words, self.entry, self.seen = after, words, entry, 0

    def __call__(self, request: Request) -> Reaction:
        self.seen += 1
        if self.seen == self.after:
            return lost()
        words = "one two three four five six seven" if self.seen < self.after else self.words
        return _completion(words, "stop", 3, 7)

    def pages(self, method: str, path: str, body: bytes) -> Reaction | None:
        if path == "/v1/models":
            return page({"data": [VLLM | {"created": self.seen} | (self.entry if self.seen >= self.after else {})]})
        return vllm(method, path, body)


SAME = "one two three four five six other"


@pytest.mark.parametrize(
    ("words", "entry", "sentence"),
    [
        (SAME, {"root": "org/other"}, "has become another server: it was org/m, .* and is org/other"),
        (SAME, {"max_model_len": 77}, "has become another server"),
        ("seven six five four three two one", {}, "another model answers under the same name now"),
    ],
)
def test_another_model_that_comes_back_under_the_same_name_stops_the_run(
    words: str, entry: dict[str, object], sentence: str
) -> None:
    restarted = Restarted(5, words, entry)
    with ServiceServer(restarted, pages=restarted.pages) as server:
        model = served(server, service={"max_in_flight": 1}, warm_prefix=False)
        block = PromptBlock("", tuple(f"{number}?" for number in range(8)))
        with pytest.raises(WorkersUnavailable, match=sentence):
            run_with(model, lambda model: answers(model, block, GREEDY))


def test_the_same_model_that_comes_back_goes_on() -> None:
    restarted = Restarted(5, SAME, {})
    with ServiceServer(restarted, pages=restarted.pages) as server:
        model = served(server, service={"max_in_flight": 1}, warm_prefix=False)
        block = PromptBlock("", tuple(f"{number}?" for number in range(8)))
        assert len(run_with(model, lambda model: answers(model, block, GREEDY))) == 8
    assert len(server.requests) == 8 + 1 + 1  # the lost one, and one that was asked for again

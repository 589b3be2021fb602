import pytest

from workers.service.error_words import TOO_LONG, read_error

SENT = frozenset({"max_tokens", "temperature", "seed", "top_p", "logprobs", "reasoning_effort"})


@pytest.mark.parametrize(
    ("status", "body", "field"),
    [
        # OpenAI
        (400, {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
               "'max_completion_tokens' instead.", "param": "max_tokens", "code": "unsupported_parameter"},
         "max_tokens"),
        (400, {"message": "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) "
               "value is supported.", "param": "temperature", "code": "unsupported_value"}, "temperature"),
        (400, {"message": "Unrecognized request argument supplied: reasoning_effort", "param": None, "code": None},
         "reasoning_effort"),
        (400, {"message": "Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model.", "param":
               "reasoning.effort", "code": "unsupported_value"}, None),
        # LiteLLM: the code is the status, param is null
        (400, {"message": "litellm.BadRequestError: OpenAIException - Unsupported parameter: 'max_tokens' is not "
               "supported with this model. Use 'max_completion_tokens' instead.", "type": None, "param": None,
               "code": "400"}, "max_tokens"),
        (400, {"message": "litellm.UnsupportedParamsError: gpt-5 models (including gpt-5-codex) don't support "
               "temperature=0.0. Only temperature=1 is supported.", "type": "None", "param": None, "code": "400"},
         "temperature"),
        (500, {"message": "Error code: 400 - {'error': {'message': \"Unsupported parameter: 'top_p'\"}}",
               "code": "400"},
         "top_p"),
        (400, {"message": "This model requires 'max_completion_tokens'."}, "max_tokens"),
        (400, {"message": "Please use max_completion_tokens in place of max_tokens"}, "max_tokens"),
        (424, {"message": "Unsupported parameter: 'max_tokens' is not supported with this model."}, "max_tokens"),
        (502, {"message": "upstream error 400: Unsupported parameter: 'max_tokens'"}, "max_tokens"),
        # Moonshot, Anthropic, xAI, DashScope, Zhipu, Databricks, SambaNova, JSON schemas
        (400, {"message": "invalid temperature: only 0.6 is allowed for this model"}, "temperature"),
        (400, {"message": "`temperature` may only be set to 1 when thinking is enabled."}, "temperature"),
        (400, {"message": "`temperature` and `top_p` cannot both be specified for this model."}, "temperature"),
        (400, {"message": "Model grok-4 does not support parameter reasoningEffort."}, "reasoning_effort"),
        (400, {"message": "<400> InternalError.Algo.InvalidParameter: The top_p parameter is illegal"}, "top_p"),
        (400, {"message": "temperature 参数非法。请检查文档。", "code": "1210"}, "temperature"),
        (400, {"message": "INVALID_PARAMETER_VALUE: seed is not a recognized parameter"}, "seed"),
        (400, {"message": "unknown_parameter: seed"}, "seed"),
        (400, {"message": "Additional properties are not allowed ('seed' was unexpected)"}, "seed"),
        # pydantic: vLLM, Mistral
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],
                           "msg": "Extra inputs are not permitted"}]}, "seed"),
        (400, {"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'seed')}]", "code": 400},
         "seed"),
        # OpenRouter: the provider's words are inside
        (400, {"message": "Provider returned error", "metadata": {"raw": '{"message": "Unsupported: max_tokens"}',
               "provider_name": "OpenAI"}, "code": 400}, "max_tokens"),
        # Azure's deployments and gateways
        (400, {"message": "`logprobs` is not enabled for this deployment"}, "logprobs"),
        (400, {"message": "Logprobs are not available for this model"}, "logprobs"),
        (400, {"message": "ByteDance/Seed-OSS-36B is not available here"}, None),
        (400, {"message": "Seed 1.6 is disabled for this key"}, None),
        (400, {"message": "ByteDance/Seed-OSS-36B: logprobs is not supported"}, "logprobs"),
        (400, {"message": "Seed 1.6 does not support logprobs"}, "logprobs"),
        (400, {"message": "The model doubao-Seed-1.6 does not support this endpoint"}, None),
        (400, {"message": "Seed-1.6 is not supported in your region"}, None),
        (400, {"message": "the seed-parameter is not supported"}, "seed"),
        (400, "<|x|>: logprobs is not supported by this model", "logprobs"),
        (501, {"message": "Seed is not implemented"}, None),
        (500, {"message": "the model is not available"}, None),
        # the clause that refuses names the field
        (500, "Unsupported parameter(s): `seed`", "seed"),
        (502, "Extra inputs are not permitted (seed)", "seed"),
        (500, "The following parameters are not supported by this model (remove them): temperature", "temperature"),
        (500, "openai does not support parameters: {'logprobs': True}, for model=x", "logprobs"),
        (500, "x does not support parameters: ['top_k', 'logprobs'], for model=x", "logprobs"),
        (409, "temperature, seed are not supported", "seed"),
        (400, {"detail": [{"type": "less_than", "loc": ["body", "temperature"], "msg": "must be less than 2"},
                          {"loc": ["body", "seed"], "msg": "extra fields not permitted"}]}, "seed"),
        (400, "Unsupported parameter: 'seed'. Request: {'seed': 7, 'messages': [{'content': 'the difference between a "
              "and b'}]}", "seed"),
        (400, "seed is not supported by vllm>=0.5", "seed"),
        (400, "top_p is deprecated, use temperature in the range 0-1", "top_p"),
        (400, "'temperature' is not supported at values less than 1 with this model. Only the default (1) value is "
              "supported.", "temperature"),
        (400, "images are not supported by this model; temperature=0", None),
        (400, "图片不支持；temperature=0", None),
        (400, "messages[1].content not allowed to be empty (temperature=0)", None),
        (400, "messages[1].content (temperature=0) is not allowed to be empty", None),
        (500, "a tool is not supported. Request: {'temperature': 0, 'seed': 7}", None),
        (500, {"message": "a tool is not supported", "type": "UnsupportedError", "request": {"temperature": 0}}, None),
        # not about a field, or about a value of the user's
        (400, {"message": "temperature must be less than 2"}, None),
        (400, {"message": "temperature 3.0 is not a valid value, at most 2"}, None),
        (400, {"message": "temperature=3.0 is not allowed: it must be between 0 and 2"}, None),
        (400, {"message": "Invalid parameter: temperature must be less than or equal to 2"}, None),
        (400, {"message": "Invalid parameter value for temperature: 3.0"}, None),
        (400, {"message": "temperature must be 1 or less"}, None),
        (400, {"message": "max_tokens 100 is not a valid value: at most 50"}, None),
        (400, {"message": "messages[0].content is not valid UTF-8 (temperature=0)"}, None),
        (400, {"message": "messages[0].content has an illegal character (temperature=0)"}, None),
        (400, {"message": "messages must not be empty", "code": None}, None),
        (429, {"message": "max_tokens per minute exceeded", "code": "rate_limit_exceeded"}, None),
    ],
)  # fmt: skip
def test_a_field_that_is_refused_is_found_whoever_wraps_the_refusal(
    status: int, body: object, field: str | None
) -> None:
    refusal = read_error(status, body).refusal
    assert (refusal.field_of(SENT) if refusal else None) == field


def test_of_a_huge_error_only_the_beginning_is_read() -> None:
    assert read_error(400, {"message": "x " * 500_000 + "temperature is not supported"}).refusal is None
    assert len(read_error(400, {"message": "x", "metadata": {"raw": "x" * 10**6}, "code": "x" * 10**6}).words) < 10_000


def test_a_field_of_the_users_may_have_any_name() -> None:
    refusal = read_error(400, "a(b is not supported").refusal
    assert refusal is not None
    assert refusal.field_of({"a(b"}) == "a(b"
    assert refusal.field_of({".*", "["}) is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "CUDA error: an illegal memory access was encountered", 500),
        (200, {"code": 429, "message": "Rate limited"}, 429),
        (200, {"message": "slow down", "code": "rate_limit_exceeded"}, 429),
        (200, "Slow down!", 429),
        (200, {"message": "The model is overloaded", "type": "server_error"}, 503),
        (200, {"message": "invalid api key"}, 401),
        (200, {"message": "boom"}, 500),
        (500, {"message": "litellm.AuthenticationError: bad", "code": "401"}, 401),
        (400, {"message": "x", "code": "404"}, 404),
        (400, {"message": "x", "code": "500"}, 400),
        (503, {"message": "x", "code": "400"}, 503),
        (400, {"message": "x", "code": "12345"}, 400),
        (400, {"__type": "ThrottlingException", "message": "Too many requests, please wait."}, 429),
    ],
)
def test_the_status_behind_an_error_is_found(status: int, body: object, expected: int) -> None:
    assert read_error(status, body).status == expected


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"message": "API key not valid. Please pass a valid API key."}, "key"),
        (400, {"message": "litellm.AuthenticationError: OpenAIException - Incorrect API key provided"}, "key"),
        (
            400,
            {"message": "Budget has been exceeded! Current cost: 5, Max budget: 4", "type": "budget_exceeded"},
            "quota",
        ),
        (429, {"message": "You exceeded your current quota, please check your plan and billing details."}, "quota"),
        (429, {"message": "You exceeded your current quota. Please retry in 31s."}, None),
        (400, {"message": "/chat/completions: Invalid model name passed in model=judge"}, "model"),
        (400, {"message": "the answer does not exist"}, None),
        (400, {"message": "The model `x` has been decommissioned and is no longer supported."}, "model"),
        (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}, "model"),
        (
            400,
            {"message": "ExceededBudget: User=x over budget. Spend: 1", "type": "auth_error", "code": "400"},
            "quota",
        ),
    ],
)
def test_keys_quotas_and_models_are_told_apart_whatever_the_status(status: int, body: object, kind: str | None) -> None:
    error = read_error(status, body)
    kinds = {"key": error.of_key, "quota": error.out_of_quota, "model": error.of_model}
    assert [name for name, holds in kinds.items() if holds] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"error": {"code": 429, "message": "exhausted", "status": "RESOURCE_EXHAUSTED"}}], "exhausted"),
        ("<!DOCTYPE html><html><head><title>Just a\nmoment</title>" + "x" * 999, "a web page, 'Just a moment'"),
        ("<html>403</html>", "a web page"),
        ("\ufeff<?xml version='1.0'?>\n<!-- x -->\n<html><title>Gone</title>", "a web page, 'Gone'"),
        ("<!-- a -->\n" * 40 + "<br>", "<!-- a -->\n" * 40 + "<br>"),
        ("<400> InternalError.Algo: flagged by moderation", "<400> InternalError.Algo: flagged by moderation"),
        ("<?xml version='1.0'?><Message>too long</Message>", "<?xml version='1.0'?><Message>too long</Message>"),
        (None, "no reason given"),
    ],
)
def test_the_words_of_an_error_are_found_where_a_list_or_a_page_came(body: object, words: str) -> None:
    assert read_error(403, body).words == words


@pytest.mark.parametrize(
    "body",
    [
        {"code": 400, "message": "Provider returned error", "metadata": {"raw": "the context length is 4096 tokens"}},
        {"errors": [{"message": "context length exceeded"}]},
        {"Message": "Input is too long"},
        "<class 'ValueError'>: This model's maximum context length is 4096 tokens",
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000",
    ],
)
def test_a_prompt_that_is_too_long_is_told_whoever_says_so(body: object) -> None:
    assert TOO_LONG.search(read_error(400, body).words)


def test_a_model_that_no_provider_serves_with_all_that_was_asked_for_is_not_a_missing_one() -> None:
    words = "No endpoints found that can handle the requested parameters."  # OpenRouter
    assert not read_error(404, {"message": words}).of_model
    assert read_error(404, {"message": "No endpoints found for vendor/model."}).of_model

"""Why an answer ended, in the words of services, in lower case."""

CUT = frozenset(
    {
        "error_limit",
        "incomplete",
        "length",
        "limit",
        "max_length",
        "max_new_tokens",
        "max_output",
        "max_output_tokens",
        "max_tokens",
        "maximum_tokens",
        "model_context_window_exceeded",
        "model_length",
        "token_limit",
    }
)
"""Words for an answer that reached its limit of tokens; also Cohere's, MiniMax's, Aleph Alpha's and llama.cpp's own."""

FILTERED = frozenset(
    {
        "blocklist",
        "content_filter",
        "content_filtered",
        "error_toxic",
        "guardrail_intervened",
        "image_safety",
        "prohibited_content",
        "recitation",
        "refusal",
        "safety",
        "sensitive",
        "spii",
    }
)
"""A filter took the rest of it, or all (OpenAI, Gemini, Bedrock, Anthropic, Cohere, Zhipu)."""

BROKEN_OFF = frozenset(
    {
        "abort",
        "aborted",
        "cancelled",
        "canceled",
        "error",
        "failed",
        "insufficient_system_resource",
        "network_error",
        "not_finished",
        "time_limit",
        "timeout",
    }
)
"""The service gave up in the middle (vLLM, SGLang, OpenRouter, DeepSeek, Zhipu, watsonx)."""

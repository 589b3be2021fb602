"""Why an answer ended, in the words of services, in lower case."""

CUT = frozenset(
    {
        "incomplete",
        "length",
        "max_length",
        "max_new_tokens",
        "max_output_tokens",
        "max_tokens",
        "model_context_window_exceeded",
        "model_length",
        "token_limit",
    }
)
"""Words for an answer that reached its limit of tokens."""

FILTERED = frozenset(
    {
        "blocklist",
        "content_filter",
        "content_filtered",
        "guardrail_intervened",
        "prohibited_content",
        "recitation",
        "refusal",
        "safety",
        "sensitive",
        "spii",
    }
)
"""A filter took the rest of it, or all (OpenAI, Gemini, Bedrock, Anthropic, Zhipu)."""

BROKEN_OFF = frozenset(
    {"abort", "aborted", "cancelled", "canceled", "error", "failed", "insufficient_system_resource", "timeout"}
)
"""The service gave up in the middle (vLLM, SGLang, OpenRouter, DeepSeek)."""

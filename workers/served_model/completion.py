"""A completion of a text model from a service's reply."""

from workers.prompt import Completion, Decoding
from workers.service.reply import Reply


def cut_at_stop(reply: Reply, decoding: Decoding) -> Completion:
    """The completion, cut before the first stop string: some servers leave it in, and what they wrote behind it."""
    ends = [at for stop in decoding.stop if stop and (at := reply.text.find(stop)) >= 0]
    has_counted = not reply.usage.estimated
    return Completion(
        text=reply.text[: min(ends, default=len(reply.text))],
        prompt_tokens=reply.prompt_tokens,
        new_tokens=reply.new_tokens,
        finish="length" if reply.is_cut(decoding.max_new_tokens) and not ends else "stop",
        estimated=not has_counted,
        model=reply.model,
    )

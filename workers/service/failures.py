"""What can go wrong between a request and a service's reply.

    ServiceFailed               no reply to this one request, after its retries; others are not concerned
    ├── BadRequest              the service rejects the request itself
    │   └── RequestTooLong      it does not fit the model's context
    ├── ContentFiltered         a filter kept the model from answering
    ├── ReplyUnusable           an answer came that says nothing: another schema, HTML, no words
    │   └── ReplyTooLarge       it is longer than anything that was asked for
    ├── ErrorInReply            status 200, and an error in the place of an answer
    └── ServiceSilent           no complete answer in time, or no connection
    ServiceRefused              (RunStopped) no request can succeed until a person acts: key, quota, certificate
    ├── NothingThere            an unknown model or address
    ├── Forbidden               the key may not do this
    ├── ServiceChanged          another model answers under the same name
    └── Redirected              the answer is elsewhere
    ServiceUnreachable          (RunStopped) nobody was answered for a long time

ServiceFailed itself is a service that stays busy or broken (429, 5xx), and one that has been closed.
"""

from collections.abc import Collection

from configs.errors import DemosearchError, RunStopped
from workers.service.error_words import FieldRefusal
from workers.usage import NOTHING, Usage


class ServiceFailed(DemosearchError):
    """One request has no reply.

    Attributes:
        usage: what was paid for nevertheless, as far as the service said.
    """

    def __init__(self, message: str, usage: Usage = NOTHING) -> None:
        super().__init__(message)
        self.usage = usage


class BadRequest(ServiceFailed):
    """Sending it again would change nothing.

    Attributes:
        refusal: why a field, or its value, is not taken; None where the request is bad for another reason.
    """

    def __init__(self, message: str, refusal: FieldRefusal | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


class RequestTooLong(BadRequest):
    """Prompt and new tokens exceed the context."""


class ContentFiltered(ServiceFailed):
    """The service's filter stepped in, before or while the model wrote."""


class ReplyUnusable(ServiceFailed):
    """Status 200 and nothing to read."""


class ReplyTooLarge(ReplyUnusable):
    """The body was cut off; what it cost is not known."""


class ErrorInReply(ServiceFailed):
    """An error object in a body with status 200, as some proxies send it.

    Attributes:
        body: the error object, or its words.
        sent_fields: of the request, as far as they are known.
    """

    def __init__(self, body: object, usage: Usage = NOTHING) -> None:
        super().__init__("answered 200 with an error", usage)
        self.body = body
        self.sent_fields: Collection[str] = ()


class ServiceSilent(ServiceFailed):
    """Timeouts and lost connections, as often as the config allows."""


class ServiceRefused(RunStopped):
    """The service refuses every request until a person acts."""


class NothingThere(ServiceRefused):
    """404: a person may have misspelled the model or the address."""


class Forbidden(ServiceRefused):
    """403: the key may not use the model, or whatever else was asked for."""


class ServiceChanged(ServiceRefused):
    """Another model answers under the same name.

    Attributes:
        usage: what its answer has cost.
    """

    def __init__(self, message: str, usage: Usage = NOTHING) -> None:
        super().__init__(message)
        self.usage = usage


class Redirected(ServiceRefused):
    """The address leads elsewhere; nothing was sent there."""


class ServiceUnreachable(RunStopped):
    """No request of several was answered, over the seconds that the config allows."""

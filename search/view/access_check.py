"""The check on who may look, and edit: whoever has the token, on a host name of this machine."""

import secrets
from http.cookies import SimpleCookie

from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
_READING = frozenset({"GET", "HEAD"})


class AccessCheck:
    """Lets requests through that read and that know the token; `?token=` sets the cookie that later requests carry.

    Args:
        token: "" for none.
        editing: lets POST through as well, from this view's own pages.
        hosts: names in a request's Host header that are answered, beside this machine's own; a page of somebody else's
            that has its name resolved to 127.0.0.1 is not.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str] = frozenset(), *, editing: bool = False) -> None:
        self._app = app
        self._token = token
        self._editing = editing
        self._hosts = _LOCAL | hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, reads = Headers(scope=scope), scope["method"] in _READING
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if not reads and not (self._editing and scope["method"] == "POST"):
            return _refused("This view only reads.", 405, reads)
        if host not in self._hosts:
            return _refused("This host name is not served: start `demosearch view` with --host.", 421, reads)
        if not reads and not _is_own_page(headers):
            return _refused("Only the pages of this view may edit.", 403, reads)
        return self._stranger(scope, headers, reads) if self._token else None

    def _stranger(self, scope: Scope, headers: Headers, reads: bool) -> Response | None:
        """What a request gets that does not carry the token in its cookie."""
        cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie(scope))
        if cookie is not None and secrets.compare_digest(cookie.value.encode(), self._token.encode()):
            return None
        given = QueryParams(scope["query_string"]).get("token", "") if reads else ""
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return _refused("Open the address that `demosearch view` printed: it holds the token.", 403, reads)
        answer = RedirectResponse(scope["path"], 303)  # the token leaves the address bar
        answer.set_cookie(self._cookie(scope), self._token, httponly=True, samesite="strict")
        return answer

    @staticmethod
    def _cookie(scope: Scope) -> str:
        """Cookies know no port: two views beside each other have a cookie each."""
        return f"demosearch-{scope['server'][1]}"


def _refused(sentence: str, code: int, reads: bool) -> Response:
    """A refusal: as text to a reader, as JSON to a page that wanted to edit and shows it."""
    return PlainTextResponse(sentence, code) if reads else JSONResponse({"error": sentence}, code)


def _is_own_page(headers: Headers) -> bool:
    """Whether a page of this view sent the request, by what a browser says and no page can change; not every browser
    names the origin of what a page sends to where it came from, so the page's address counts as well.
    """
    source = headers.get("origin") or headers.get("referer", "")
    same = headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return same and source.partition("://")[2].partition("/")[0] == headers.get("host")

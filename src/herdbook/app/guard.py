"""Who may talk to the server: only pages that it made itself, opened with the token that it printed.

Any page in the same browser can send requests to this machine, and any user of this machine can connect to the port. So each request must
name a host of this machine (against DNS rebinding), come from a page of this server if it comes from a page, and carry the cookie that the
token gives.
"""

import hmac
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# Pictures are made in the page (blob) or are small inline ones (data).
POLICY = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Sent by the page with each change: a page of another host cannot send it without asking first.
MARK = "x-herdbook"
REFUSED = "Open the address that `herdbook app` printed: it contains the token that this page needs.\n"


class Guard:
    """Middleware that lets only the rightful page through; `token` is the secret, `name` that of the cookie."""

    def __init__(self, app: ASGIApp, token: str, name: str) -> None:
        self._app, self._token, self._name = app, token, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a WebSocket, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            # Before it is accepted, this is the answer 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, _with_headers(send))

    def _answer(self, scope: Scope) -> Response | None:
        """The answer to a request that is refused, or that brings the token; None for one that may pass."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _hostname(f"//{host}") not in HOSTS:
            return PlainTextResponse("This server answers only to names of this machine.\n", 400)
        origin, socket = headers.get("origin"), scope["type"] == "websocket"
        if (origin is None and socket) or (origin is not None and origin != f"http://{host}"):
            return PlainTextResponse("The request comes from a page of another server.\n", 403)
        if not socket and scope["path"] == "/enter":
            return self._enter(scope)
        if not self._same(_cookie(headers.get("cookie", ""), self._name)):
            return PlainTextResponse(REFUSED, 403)
        changes = not socket and scope["method"] not in ("GET", "HEAD")
        if changes and (headers.get(MARK) != "1" or headers.get("content-type", "").partition(";")[0] != "application/json"):
            return PlainTextResponse("Changes are sent as JSON by the page itself.\n", 403)
        return None

    def _enter(self, scope: Scope) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not self._same(given):
            return PlainTextResponse(REFUSED, 403)
        answer = RedirectResponse("/", 303)
        # Not strict: links that are clicked in another page, such as a terminal in the browser, must work.
        answer.set_cookie(self._name, self._token, httponly=True, samesite="lax", path="/")
        return answer

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _hostname(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except Exception:  # cookies of other servers of this machine may be anything
        found = None
    return found.value if found else ""


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return with_headers

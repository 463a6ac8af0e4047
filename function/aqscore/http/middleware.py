"""ASGI middleware of the HTTPS API: headers of every answer, unexpected errors, and a check of Host."""

import ipaddress
import logging
from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aqscore.errors import AqscoreError, Forbidden
from aqscore.http.policies import COMMON
from aqscore.http.problems import ASK_OPERATOR, problem, request_id_of

log = logging.getLogger(__name__)


class Answers:
    """Adds the request's id and the security headers to every answer, and answers HEAD as GET without a body.

    An unexpected error is logged and becomes a problem document. A handler of FastAPI for all exceptions
    would answer outside all middleware, without these headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        is_head, begun = scope["method"] == "HEAD", False
        if is_head:
            scope["method"] = "GET"

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id_of(request)
                for name, value in COMMON.items():
                    headers.setdefault(name, value)
            elif is_head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            log.info("Request %s was given up by its client", request_id_of(request))
        except Exception as error:
            log.error("Request %s failed", request_id_of(request), exc_info=error)
            if begun:
                raise
            text = "An unexpected error ended the request."
            answer = problem(request, 500, AqscoreError.type, text, ASK_OPERATOR)
            await answer(scope, receive, send_with_headers)


class HostCheck:
    """Rejects requests that name another host, such as those of a page whose name resolves to this server.

    A browser lets such a page read the answers, since they come from its own origin (DNS rebinding). The
    attack needs a name, so every IP address is accepted.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        """``names`` are host names without ports."""
        self._app = app
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            host = _without_port(request.headers.get("host", ""))
            if host.lower() not in self._names and not _is_address(host):
                text = f"This server is not called {host!r}."
                advice = "Call it by its IP address, or start it with --allow-host NAME."
                answer = problem(request, 403, Forbidden.type, text, advice)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _without_port(host: str) -> str:
    """The host of a Host header: a name, an IPv4 address, or an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

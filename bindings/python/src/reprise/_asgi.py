"""The admin interface as an ASGI application. Nothing blocks the event loop, and no thread is held while a request waits."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from ._admin import BODY_MAX, Problem, Request, Response, failed, not_started
from ._async import AsyncReprise
from ._client import Reprise
from ._errors import RepriseError
from ._pool import in_pool

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
# Who asks, when the application has verified that it is an administrator; None: the token decides.
AsgiPrincipal = Callable[[Mapping[str, Any]], str | None | Awaitable[str | None]]

# A head that is not known yet is looked for at these intervals: a few more at first, so that short jobs answer at once.
_FIRST_LOOK_S, _SLOWEST_LOOK_S, _SLOWER = 0.005, 0.25, 1.5
_LINGER_S = 1.0


def asgi(reprise: AsyncReprise | Reprise, *, principal: AsgiPrincipal | None = None) -> Asgi:
    """The REST interface and its page, to be mounted at a prefix: `app.mount("/api/backup", asgi(reprise))`.

    Until the application has started reprise (lifespan(), or auto()) every request is answered with 503 `not_started`.
    `principal` gets the scope and tells which administrator asks, when the host has verified one itself; it may be async.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _no_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] != "http":
            raise ValueError(f"reprise answers http, not {scope['type']}")
        elif not reprise._engine.started:
            await _say(send, not_started(_header(scope, b"accept-language")))
        else:
            await _serve(reprise, scope, receive, send, principal)

    return app


async def _serve(
    reprise: AsyncReprise | Reprise, scope: Scope, receive: Receive, send: Send, principal: AsgiPrincipal | None
) -> None:
    who = principal(scope) if principal is not None else None
    if inspect.isawaitable(who):
        who = await who
    body = await _body(scope, receive)
    if body is None:
        return
    taken, whole = body
    request = _request(scope, taken, who)
    try:
        response = await in_pool(lambda: Response(reprise._engine, request))
    except RepriseError as error:
        await _say(send, failed(error))
        return
    gone = asyncio.Event()
    # A body that is too long is refused without a wait, and what is left of it is not asked for before that is said.
    watcher = asyncio.ensure_future(_watch(receive, gone)) if whole else None
    try:
        await _answer(response, scope["method"] == "HEAD", send, gone)
        if watcher is None:
            await _drain(receive, gone)
        if not gone.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        if watcher is not None:
            watcher.cancel()
        response.free()


async def _answer(response: Response, head_only: bool, send: Send, gone: asyncio.Event) -> None:
    """Everything but the message that ends the body."""
    pause = _FIRST_LOOK_S
    while (head := await in_pool(lambda: response.head(0))) is None:
        if await _within(gone, pause):
            return
        pause = min(pause * _SLOWER, _SLOWEST_LOOK_S)
    await send({"type": "http.response.start", "status": head[0], "headers": head[1]})
    while not head_only and (piece := await in_pool(response.read)):
        if gone.is_set():
            return
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
        return True
    except asyncio.TimeoutError:
        return False


async def _drain(receive: Receive, gone: asyncio.Event) -> None:
    """A client that only sends would not read why it was refused before its connection is cut: it may, for a moment."""

    async def rest() -> None:
        more = True
        while more:
            message = await receive()
            more = message["type"] != "http.disconnect" and bool(message.get("more_body", False))
            if message["type"] == "http.disconnect":
                gone.set()

    try:
        await asyncio.wait_for(rest(), _LINGER_S)
    except asyncio.TimeoutError:
        pass


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    """Tells when the client has gone."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except Exception:
        pass  # whatever a server says when there is nothing more to receive
    gone.set()


def _request(scope: Scope, body: bytes, who: str | None) -> Request:
    root, path = _below_the_prefix(scope)
    client = scope.get("client")
    return Request(
        method=str(scope["method"]),
        path=path.encode(errors="surrogateescape"),
        base_path=root.encode(errors="surrogateescape"),
        query=bytes(scope.get("query_string", b"")),
        headers=[(bytes(name), bytes(value)) for name, value in scope["headers"]],
        body=body,
        remote_address=str(client[0]) if client else "",
        principal=who,
    )


def _below_the_prefix(scope: Scope) -> tuple[str, str]:
    """The prefix as the browser sees it, and the path below it; both were decoded once by the server.

    The ASGI specification keeps the prefix in the path. Servers and frameworks before it took it out, and behind a proxy
    that cuts a prefix off (`app_root_path`) the path has only what is mounted here.
    """
    root, path = str(scope.get("root_path", "")), str(scope["path"])
    outer = str(scope.get("app_root_path", ""))
    mounted = root[len(outer) :] if outer and root.startswith(outer) else root
    for prefix in (root, mounted):
        if prefix and (path == prefix or path.startswith(prefix + "/")):
            return root, path[len(prefix) :]
    return root, path


async def _body(scope: Scope, receive: Receive) -> tuple[bytes, bool] | None:
    """The body and True; or one byte more than the library takes, and False; None when the client has gone."""
    length = _header(scope, b"content-length")
    if length is not None and length.isdecimal() and int(length) > BODY_MAX:
        return bytes(BODY_MAX + 1), False  # known to be too long: none of it is read
    body = bytearray()
    while len(body) <= BODY_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")[: BODY_MAX + 1]
        if not message.get("more_body", False):
            return bytes(body[: BODY_MAX + 1]), True
    return bytes(body[: BODY_MAX + 1]), False


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((bytes(value).decode("latin-1") for name, value in scope["headers"] if bytes(name).lower() == wanted), None)


async def _say(send: Send, problem: Problem) -> None:
    status, headers, body = problem
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _no_lifespan(receive: Receive, send: Send) -> None:
    """A server that serves this application alone asks for its start; that is the host's business."""
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return

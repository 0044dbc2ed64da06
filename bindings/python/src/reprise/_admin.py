"""The REST interface and its page inside a Python web application: asgi(), wsgi() and lifespan().

    reprise = AsyncReprise(url, database, folder, admin={"jwt": {"algorithm": "HS256", "secret": …}})
    app = FastAPI(lifespan=lifespan(reprise))
    app.mount("/api/backup", asgi(reprise))
"""

from __future__ import annotations

import asyncio
import ctypes
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from . import _abi
from ._async import AsyncReprise, _in_thread
from ._client import Reprise
from ._engine import Engine
from ._errors import RepriseError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]
# Who is asking, when the application has verified that it is an administrator; None: the token decides.
Principal = Callable[[Mapping[str, Any]], str | None]

BODY_MAX = 65536
CHUNK_BYTES = 1 << 18
_FIRST_LOOK_S, _SLOWEST_LOOK_S = 0.005, 0.25

_NOT_STARTED = {
    "type": "not_started",
    "title": "The application did not start reprise: give FastAPI(lifespan=lifespan(reprise)), or await reprise.auto() first.",
    "status": 503,
    "success": False,
}


class Response:
    """A `reprise_response`, freed once: the head is waited for, the body is pulled."""

    def __init__(self, engine: Engine, request: _abi.RequestStruct) -> None:
        self._abi = engine.abi
        self._handle = int(engine.call(self._abi.admin_handle, request))

    def head(self, wait_ms: int) -> tuple[int, Headers] | None:
        status, headers = self._abi.response_wait(self._handle, wait_ms)
        if status == 0:
            return None
        return status, [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in json.loads(headers)]

    def read(self) -> bytes:
        buffer = ctypes.create_string_buffer(CHUNK_BYTES)
        return self._abi.response_read(self._handle, buffer)

    def free(self) -> None:
        handle, self._handle = self._handle, 0
        if handle:
            self._abi.response_free(handle)


def lifespan(
    reprise: AsyncReprise, *, start_anyway: bool = False
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """For FastAPI(lifespan=…): brings the data back before the first request, closes at the end.

    A start that may not go on (refused, in progress) raises RuntimeError, unless `start_anyway`.
    """

    @asynccontextmanager
    async def span(_: Any) -> AsyncIterator[None]:
        started = await reprise.auto()
        if not started.may_go_on and not start_anyway:
            await reprise.close()
            raise RuntimeError(f"{started.result} ({started.reason}): {started.message}")
        reprise._engine.started = True
        try:
            yield
        finally:
            reprise._engine.started = False
            await reprise.close()

    return span


def asgi(reprise: AsyncReprise | Reprise, *, principal: Principal | None = None) -> Asgi:
    """The interface as an ASGI application, to be mounted at a prefix. Never blocks the loop, holds no thread while it waits."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _no_lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        engine = reprise._engine
        if not engine.started:
            await _send_all(send, 503, [(b"content-type", b"application/problem+json")], json.dumps(_NOT_STARTED).encode())
            return
        body = await _body(receive)
        request = _request_of_scope(scope, body, principal)
        try:
            response = await _in_thread(lambda: Response(engine, request.struct))
        except RepriseError as error:
            await _send_all(send, 500, [(b"content-type", b"text/plain")], str(error).encode())
            return
        try:
            await _answer(response, scope["method"] == "HEAD", send)
        finally:
            response.free()

    return app


def wsgi(reprise: Reprise, *, principal: Principal | None = None) -> Wsgi:
    """The interface as a WSGI application. A thread of the server waits for each request, as is WSGI's way."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(min(length, BODY_MAX + 1)) if length > 0 else b""
        headers = [(key[5:].replace("_", "-").lower(), value) for key, value in environ.items() if key.startswith("HTTP_")]
        request = Request(
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO", "").encode("latin-1"),
            base_path=environ.get("SCRIPT_NAME", "").encode("latin-1"),
            query=environ.get("QUERY_STRING", "").encode("latin-1"),
            headers=[(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers],
            body=body,
            remote_address=environ.get("REMOTE_ADDR", ""),
            principal=principal(environ) if principal else None,
        )
        response = Response(reprise._engine, request.struct)
        head = response.head(0)
        while head is None:
            head = response.head(200)
        status, answered = head
        start_response(f"{status} {_PHRASES.get(status, 'Status')}", [(n.decode("latin-1"), v.decode("latin-1")) for n, v in answered])
        return _chunks(response, environ["REQUEST_METHOD"] == "HEAD")

    return app


def _chunks(response: Response, head_only: bool) -> Iterator[bytes]:
    try:
        while not head_only and (chunk := response.read()):
            yield chunk
    finally:
        response.free()


_PHRASES = {200: "OK", 202: "Accepted", 206: "Partial Content", 308: "Permanent Redirect", 400: "Bad Request",
            401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
            413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content", 429: "Too Many Requests",
            500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
            504: "Gateway Timeout", 507: "Insufficient Storage"}  # fmt: skip


class Request:
    """A request as the library takes it; keeps alive what its struct points to."""

    def __init__(
        self,
        *,
        method: str,
        path: bytes,
        base_path: bytes,
        query: bytes,
        headers: Headers,
        body: bytes,
        remote_address: str,
        principal: str | None,
    ) -> None:
        self._pairs = (_abi.HeaderStruct * len(headers))(
            *[_abi.HeaderStruct(name, len(name), value, len(value)) for name, value in headers]
        )
        self._texts = [method.encode(), path, base_path, query, remote_address.encode()]
        self._body = body
        self._principal = principal.encode() if principal is not None else None
        struct = _abi.RequestStruct(struct_size=ctypes.sizeof(_abi.RequestStruct))
        for field, text in zip(("method", "path", "base_path", "query", "remote_address"), self._texts, strict=True):
            setattr(struct, field, text)
            setattr(struct, field + "_size", len(text))
        struct.headers, struct.header_count = self._pairs, len(headers)
        struct.body, struct.body_size = body, len(body)
        if self._principal is not None:
            struct.principal, struct.principal_size = self._principal, len(self._principal)
        self.struct = struct


def _request_of_scope(scope: Scope, body: bytes, principal: Principal | None) -> Request:
    root = str(scope.get("root_path", ""))
    path = str(scope["path"])
    # Newer frameworks leave the prefix in the path, older ones take it out.
    if root and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    client = scope.get("client")
    return Request(
        method=str(scope["method"]),
        path=path.encode("utf-8", "surrogateescape"),
        base_path=root.encode("utf-8", "surrogateescape"),
        query=bytes(scope.get("query_string", b"")),
        headers=[(bytes(name), bytes(value)) for name, value in scope["headers"]],
        body=body,
        remote_address=str(client[0]) if client else "",
        principal=principal(scope) if principal else None,
    )


async def _body(receive: Receive) -> bytes:
    """Up to one byte more than the library takes: it answers what is longer."""
    body = b""
    while len(body) <= BODY_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body[: BODY_MAX + 1]


async def _answer(response: Response, head_only: bool, send: Send) -> None:
    pause = _FIRST_LOOK_S
    head = response.head(0)
    while head is None:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST_LOOK_S)
        head = response.head(0)
    status, headers = head
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while not head_only and (chunk := await _in_thread(response.read)):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_all(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _no_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return

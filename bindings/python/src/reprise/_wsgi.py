"""The admin interface as a WSGI application. A thread of the server waits for each request, as is WSGI's way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ._admin import BODY_MAX, Headers, Request, Response, failed, not_started
from ._async import AsyncReprise
from ._client import SLICE_MS, Reprise
from ._errors import RepriseError

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
WsgiPrincipal = Callable[[Mapping[str, Any]], str | None]


def wsgi(reprise: Reprise | AsyncReprise, *, principal: WsgiPrincipal | None = None) -> Wsgi:
    """The REST interface and its page, to be mounted at a prefix, as with werkzeug's DispatcherMiddleware:

    `app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/api/backup": wsgi(reprise)})`. Call `reprise.auto()` in each worker
    before it serves: until then every request is answered with 503 `not_started`. `principal` as in asgi().
    """

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not reprise._engine.started:
            return _say(start_response, not_started(environ.get("HTTP_ACCEPT_LANGUAGE")))
        request = _request(environ, principal(environ) if principal is not None else None)
        try:
            response = Response(reprise._engine, request)
        except RepriseError as error:
            return _say(start_response, failed(error))
        body = _Body(response, environ["REQUEST_METHOD"] == "HEAD")
        try:
            while (head := response.head(SLICE_MS)) is None:
                pass
            start_response(_line(head[0]), _texts(head[1]))
        except BaseException:
            body.close()
            raise
        return body

    return app


class _Body:
    """Pulled by the server, which calls close() in any case: a generator that was never begun would free nothing."""

    def __init__(self, response: Response, head_only: bool) -> None:
        self._response = response
        self._head_only = head_only

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = b"" if self._head_only else self._response.read()
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        self._head_only = True
        self._response.free()


def _request(environ: Environ, who: str | None) -> Request:
    # The server has decoded the path once, and hands the bytes over as if they were Latin-1.
    headers = [(_bytes(name), _bytes(str(value))) for name, value in _headers(environ)]
    return Request(
        method=environ["REQUEST_METHOD"],
        path=_bytes(environ.get("PATH_INFO", "")),
        base_path=_bytes(environ.get("SCRIPT_NAME", "")),
        query=_bytes(environ.get("QUERY_STRING", "")),
        headers=headers,
        body=_body(environ),
        remote_address=environ.get("REMOTE_ADDR", ""),
        principal=who,
    )


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").lower(), value
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield key.replace("_", "-").lower(), value


def _body(environ: Environ) -> bytes:
    """At most one byte more than the library takes: it answers what is longer."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length.isdecimal():
        if int(length) > BODY_MAX:
            return bytes(BODY_MAX + 1)  # known to be too long: none of it is read
        return bytes(environ["wsgi.input"].read(int(length)))
    if environ.get("wsgi.input_terminated"):  # chunked
        return bytes(environ["wsgi.input"].read(BODY_MAX + 1))
    return b""


def _say(start_response: StartResponse, problem: tuple[int, Headers, bytes]) -> list[bytes]:
    status, headers, body = problem
    start_response(_line(status), _texts(headers))
    return [body]


def _line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _texts(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")

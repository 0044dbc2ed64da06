"""Requests and responses of the admin interface, whatever web framework carries them: see _asgi.py and _wsgi.py."""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from . import _abi
from ._engine import CHUNK_BYTES, Engine
from ._errors import BusyError, InvalidArgumentError, RepriseError

T = TypeVar("T")
BODY_MAX = 65536
Headers = list[tuple[bytes, bytes]]
Problem = tuple[int, Headers, bytes]

_NOT_STARTED = {
    "en": "The application did not start reprise: give it lifespan(reprise), as in FastAPI(lifespan=lifespan(reprise)), "
    "or let it call reprise.auto() before it serves.",
    "fr": "L'application n'a pas démarré reprise : donnez-lui lifespan(reprise), comme dans "
    "FastAPI(lifespan=lifespan(reprise)), ou faites-lui appeler reprise.auto() avant de servir.",
}


class Request:
    """A request as the library takes it; keeps alive what its struct points to.

    `path` is below the prefix and decoded once; `base_path` is decoded too, and encoded here as a browser shows it.
    """

    def __init__(
        self,
        *,
        method: str,
        path: bytes,
        base_path: bytes,
        query: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        remote_address: str,
        principal: str | None,
    ) -> None:
        self._headers = (_abi.HeaderStruct * len(headers))(
            *(_abi.HeaderStruct(name, len(name), value, len(value)) for name, value in headers)
        )
        request_id = next((value for name, value in headers if name.lower() == b"x-request-id"), b"")
        self._texts: dict[str, bytes | None] = {
            "method": method.encode(errors="replace"),
            "path": path,
            "base_path": quote(base_path).encode(),
            "query": query,
            "body": body,
            "remote_address": remote_address.encode(errors="replace"),
            "request_id": request_id,
            "principal": None if principal is None else principal.encode(errors="replace"),
        }
        self.struct = _abi.RequestStruct(struct_size=ctypes.sizeof(_abi.RequestStruct))
        for name, text in self._texts.items():
            setattr(self.struct, name, text)
            setattr(self.struct, name + "_size", len(text or b""))
        self.struct.headers = self._headers
        self.struct.header_count = len(headers)


class Response:
    """A `reprise_response`: its head is waited for, its body is pulled. Freed once, and never while another thread uses it."""

    def __init__(self, engine: Engine, request: Request) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._used = 0
        self._unwanted = False
        self._handle = 0
        engine.call(self._open, request)

    def _open(self, engine: int, request: Request) -> None:
        self._handle = self._engine.abi.admin_handle(engine, request.struct)
        self._engine.keep(self)

    def head(self, wait_ms: int) -> tuple[int, Headers] | None:
        """Status and headers, or None when they are not known after `wait_ms`."""
        status, headers = self._use(lambda handle: self._engine.abi.response_wait(handle, wait_ms))
        if status == 0:
            return None
        return status, [(_latin(name), _latin(value)) for name, value in json.loads(headers)]

    def read(self) -> bytes:
        """The next piece of the body; empty at its end."""
        buffer = ctypes.create_string_buffer(CHUNK_BYTES)
        return self._use(lambda handle: self._engine.abi.response_read(handle, buffer))

    def free(self) -> None:
        with self._guard:
            self._unwanted = True
            self._settle()

    def __del__(self) -> None:
        if getattr(self, "_handle", 0):
            self.free()

    def _use(self, function: Callable[[int], T]) -> T:
        with self._guard:
            if self._unwanted:
                raise InvalidArgumentError("this response was freed", "closed")
            self._used += 1
        try:
            # Counted as a call of the engine, which therefore is not closed meanwhile.
            found: T = self._engine.call(lambda _: function(self._handle))
            return found
        finally:
            with self._guard:
                self._used -= 1
                self._settle()

    def _settle(self) -> None:
        if self._unwanted and not self._used:
            handle, self._handle = self._handle, 0
            if handle:
                self._engine.abi.response_free(handle)


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def not_started(accept_language: str | None) -> Problem:
    """503 in the language of the request, for an application whose start nobody awaited."""
    tag = language(accept_language)
    return _problem(503, "not_started", _NOT_STARTED[tag], tag)


def failed(error: RepriseError) -> Problem:
    """The call itself could not be made: the engine is closed, or this process is a child of a busy one."""
    return _problem(503 if isinstance(error, BusyError) else 500, error.reason, error.message, "en")


def _problem(status: int, reason: str, title: str, tag: str) -> Problem:
    body = {"type": reason, "title": title, "status": status, "success": False, "message": title}
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-language", tag.encode())]
    return status, [*headers, (b"content-length", str(len(data)).encode())], data


def language(accept: str | None) -> str:
    """`fr` or `en` for a header Accept-Language, as the library chooses: French without it."""
    weights = {"fr": -1.0, "en": -1.0}
    for one in (accept or "").split(","):
        name, _, parameters = one.strip().lower().partition(";")
        for tag in weights:
            if name == "*" or name.split("-")[0].strip() == tag:
                weights[tag] = max(weights[tag], _weight(parameters))
    return "en" if weights["en"] > max(weights["fr"], 0.0) else "fr"


def _weight(parameters: str) -> float:
    try:
        return float(parameters.partition("q=")[2] or 1)
    except ValueError:
        return 0.0

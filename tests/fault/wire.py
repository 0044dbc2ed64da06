"""A TCP proxy that knows where the messages of MongoDB's wire protocol begin and end, and does harm at the n-th."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import bson

HEADER = struct.Struct("<iiii")
MESSAGE = 2013
LATE_S = 0.4
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
RETRYABLE = {6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}
NAMES = {91: "ShutdownInProgress", 10107: "NotWritablePrimary", 11600: "InterruptedAtShutdown", 189: "PrimarySteppedDown",
         50: "MaxTimeMSExpired", 13: "Unauthorized", 8000: "AtlasError", 43: "CursorNotFound"}  # fmt: skip


class Lost(Exception):
    """One side went away."""


@dataclass(frozen=True)
class Message:
    number: int  # the n-th of this way, over all connections
    way: str  # request | reply
    command: str  # its name; of a reply, the name of what it answers
    document: dict[str, Any] = field(compare=False)

    @property
    def name(self) -> str:
        return f"{self.way}:{self.number} {self.command}"

    @property
    def sort(self) -> tuple[str, str]:
        return self.way, self.command


# What to do with a message: None lets it pass. "cut": the connection ends before it · "half": in the middle of it · "late":
# it comes LATE_S later · "stop": it never comes, and the connection stays open until release() · an int: that error is
# answered in its place (a reply's command was carried out) · a callable: is called, then the message passes.
Harm = str | int | Callable[[], None] | None


def receive(link: socket.socket, count: int) -> bytes:
    parts = []
    while count > 0:
        piece = link.recv(min(count, 1 << 20))
        if not piece:
            raise Lost
        parts.append(piece)
        count -= len(piece)
    return b"".join(parts)


def read_message(link: socket.socket) -> bytes:
    head = receive(link, HEADER.size)
    size = HEADER.unpack(head)[0]
    if not HEADER.size < size <= MAX_MESSAGE_BYTES:
        raise Lost
    return head + receive(link, size - HEADER.size)


def document_of(message: bytes) -> dict[str, Any]:
    """The body of an OP_MSG; of anything else (the first hello) nothing."""
    if HEADER.unpack_from(message)[3] != MESSAGE or message[HEADER.size + 4] != 0:
        return {}
    at = HEADER.size + 5
    size = struct.unpack_from("<i", message, at)[0]
    with contextlib.suppress(bson.errors.BSONError):
        return dict(bson.decode(message[at : at + size]))
    return {}


def error_reply(code: int, to: int, request: dict[str, Any]) -> bytes:
    document: dict[str, Any] = {"ok": 0.0, "code": code, "codeName": NAMES.get(code, "Error"), "errmsg": "secret of the server"}
    if "txnNumber" in request and code in RETRYABLE:
        document["errorLabels"] = ["RetryableWriteError"]
    body = struct.pack("<I", 0) + b"\0" + bson.encode(document)
    return HEADER.pack(HEADER.size + len(body), 1, to, MESSAGE) + body


def shut(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listens on a port of its own and passes everything on to `target`. A context manager."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mongodb://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.harm: Callable[[Message], Harm] = lambda _: None
        self.seen: list[Message] = []
        self.struck = 0  # how often harm was done
        self.failed: list[str] = []  # what a callable raised
        self.lock, self.released, self.links = threading.Lock(), threading.Event(), list[socket.socket]()
        self.counts = {"request": 0, "reply": 0}

    def __enter__(self) -> Proxy:
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        shut(self.listener)
        self.listener.close()
        self.cut_all()

    def plan(self, harm: Callable[[Message], Harm]) -> None:
        """From here on messages are counted anew."""
        self.cut_all()
        with self.lock:
            self.harm, self.seen, self.struck, self.failed = harm, [], 0, []
            self.counts = {"request": 0, "reply": 0}
            self.released = threading.Event()

    def strike(self, at: Message, harm: Harm) -> None:
        """Harm at the message with that number and way."""
        self.plan(lambda message: harm if (message.way, message.number) == (at.way, at.number) else None)

    def disarm(self) -> int:
        """No harm is done from here on; says how often it was."""
        with self.lock:
            self.harm = lambda _: None
            return self.struck

    def release(self) -> None:
        """Ends what "stop" holds."""
        self.released.set()

    def cut_all(self) -> None:
        self.released.set()
        with self.lock:
            links, self.links = self.links, []
        for link in links:
            shut(link)

    def accept(self) -> None:
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for link in (client, server):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.links += [client, server]
        asked: dict[int, dict[str, Any]] = {}
        back = threading.Thread(target=self.pump, args=("reply", server, client, asked), daemon=True)
        back.start()
        self.pump("request", client, server, asked)
        back.join()
        client.close()
        server.close()

    def pump(self, way: str, source: socket.socket, sink: socket.socket, asked: dict[int, dict[str, Any]]) -> None:
        try:
            while True:
                self.pass_on(way, source, sink, asked)
        except (Lost, OSError):
            shut(source)
            shut(sink)

    def note(self, way: str, document: dict[str, Any], request: dict[str, Any]) -> tuple[Message, Harm]:
        with self.lock:
            self.counts[way] += 1
            name = next(iter(request), "handshake")
            message = Message(self.counts[way], way, name, document)
            self.seen.append(message)
            harm = self.harm(message)
            self.struck += harm is not None
            return message, harm

    def pass_on(self, way: str, source: socket.socket, sink: socket.socket, asked: dict[int, dict[str, Any]]) -> None:
        data = read_message(source)
        _, request_id, response_to, _ = HEADER.unpack_from(data)
        document = document_of(data)
        if way == "request":
            asked[request_id] = document
        request = document if way == "request" else asked.pop(response_to, {})
        _, harm = self.note(way, document, request)
        if harm == "cut":
            raise Lost
        if harm == "half":
            sink.sendall(data[: len(data) // 2])
            raise Lost
        if harm == "late":
            time.sleep(LATE_S)
        elif harm == "stop":
            self.released.wait(60)
            raise Lost
        elif isinstance(harm, int):
            to = request_id if way == "request" else response_to
            # In place of the request: one answer at a time is under way on a connection, so nobody else writes there now.
            (source if way == "request" else sink).sendall(error_reply(harm, to, request))
            return
        elif callable(harm):
            try:
                harm()
            except Exception as problem:  # the test is told; the message goes on
                self.failed.append(f"{type(problem).__name__}: {problem}")
        sink.sendall(data)

"""asgi(), wsgi() and lifespan() inside this process: prefixes, bodies, disconnects, closing, starting again."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from e2e import fill, fingerprint, wipe
from hosts import SECRET, token

from reprise import AsyncReprise, InvalidArgumentError, RefusedError, Reprise, asgi, lifespan, wsgi

from reprise._asgi import _body

fastapi = pytest.importorskip("fastapi")
werkzeug_test = pytest.importorskip("werkzeug.test")
from fastapi import FastAPI  # noqa: E402
from fastapi.testclient import TestClient  # noqa: E402
from werkzeug.middleware.dispatcher import DispatcherMiddleware  # noqa: E402

ADMIN = {"jwt": {"algorithm": "HS256", "secret": SECRET}}
PREFIX = "/api/backup"
Message = dict[str, Any]


@pytest.fixture
def arguments(url: str, database: Any, folder: pathlib.Path) -> dict[str, Any]:
    fill(database)
    return {"mongo_url": url, "database": database.name, "directory": folder, "admin": ADMIN}


@pytest.fixture
def served(arguments: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """A FastAPI application in three lines, and a client of an administrator."""
    reprise = AsyncReprise(**arguments)
    app = FastAPI(lifespan=lifespan(reprise))
    app.mount(PREFIX, asgi(reprise))
    with TestClient(app, headers={"Authorization": f"Bearer {token()}"}) as client:
        yield client, reprise
    asyncio.run(reprise.close())


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))


def scope_of(path: str, method: str = "GET", **more: Any) -> Message:
    headers = [(b"authorization", f"Bearer {token()}".encode()), *more.pop("headers", [])]
    base = {"type": "http", "method": method, "path": path, "query_string": b"", "client": ("127.0.0.1", 1), "root_path": ""}
    return {**base, "headers": headers, **more}


class Wire:
    """The server's side of ASGI: gives the body in pieces, then waits until the client is gone."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces) or [b""]
        self.gone = asyncio.Event()
        self.sent: list[Message] = []
        self.received = 0
        self.on_send: Callable[[Message], Any] = lambda message: None

    async def receive(self) -> Message:
        if self.pieces:
            piece = self.pieces.pop(0)
            self.received += len(piece)
            return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.on_send(message)
        await asyncio.sleep(0)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.sent[1:])


def open_files(folder: pathlib.Path) -> list[str]:
    found = []
    for each in pathlib.Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(each)
        except OSError:
            continue
        if target.startswith(str(folder)) and target.endswith(".json"):
            found.append(target)
    return found


# ---- started or not


@pytest.mark.parametrize(("asked", "tag", "word"), [(None, "fr", "démarré"), ("en;q=0.9, fr;q=0.1", "en", "did not start")])
def test_an_application_that_never_started_reprise_says_so(
    arguments: dict[str, Any], asked: str | None, tag: str, word: str
) -> None:
    with Reprise(**arguments) as reprise:
        app = FastAPI()
        app.mount(PREFIX, asgi(reprise))
        headers = {"Accept-Language": asked} if asked else {"Accept-Language": ""}
        answers = [TestClient(app).get(f"{PREFIX}/list", headers=headers)]
        answers.append(werkzeug_test.Client(wsgi(reprise)).get("/list", headers=headers))
        for answer in answers:
            found = json.loads(answer.text)
            assert answer.status_code == 503 and found["type"] == "not_started" and found["success"] is False
            assert "lifespan(reprise)" in found["title"] and word in found["title"]
            assert answer.headers["content-language"] == tag
            assert answer.headers["content-type"] == "application/problem+json"


def test_lifespan_brings_the_data_back_before_the_first_request(arguments: dict[str, Any], database: Any) -> None:
    before = fingerprint(database)
    with Reprise(**arguments) as other:
        other.backup()
    wipe(database)
    reprise = AsyncReprise(**arguments)
    app = FastAPI(lifespan=lifespan(reprise))
    app.mount(PREFIX, asgi(reprise))
    with TestClient(app) as client:
        assert fingerprint(database) == before
        assert client.get(f"{PREFIX}/list").status_code == 401
    assert TestClient(app).get(f"{PREFIX}/list").status_code == 503  # ended
    with TestClient(app, headers={"Authorization": f"Bearer {token()}"}) as client:  # and started again
        assert client.get(f"{PREFIX}/list").json()["total"] == 1


def test_lifespan_inside_a_lifespan_of_ones_own_tells_the_result(arguments: dict[str, Any]) -> None:
    async def work() -> None:
        async with AsyncReprise(**arguments) as reprise:
            async with lifespan(reprise) as started:
                assert started.result == "not_needed" and reprise._engine.started
            assert not reprise._engine.started

    run(work)


def test_concurrent_lifespans_of_one_process_start_once_and_end_with_the_last(arguments: dict[str, Any], database: Any) -> None:
    before = fingerprint(database)
    with Reprise(**arguments) as other:
        other.backup()
    wipe(database)

    async def work() -> None:
        async with AsyncReprise(**arguments) as one, AsyncReprise(**arguments) as two:
            spans = [lifespan(one), lifespan(one), lifespan(two)]
            started = await asyncio.gather(*(span.__aenter__() for span in spans))
            results = sorted(each.result for each in started)
            assert results.count("restored") == 1 and set(results) <= {"restored", "restored_by_other", "not_needed"}
            await spans[0].__aexit__(None, None, None)
            assert one._engine.started
            await spans[1].__aexit__(None, None, None)
            assert not one._engine.started and two._engine.started
            await spans[2].__aexit__(None, None, None)

    run(work)
    assert fingerprint(database) == before


def test_a_start_that_must_not_go_on_fails_the_host(arguments: dict[str, Any], database: Any, folder: pathlib.Path) -> None:
    with Reprise(**arguments) as other:
        made = other.backup()
    pathlib.Path(made.path).write_bytes(pathlib.Path(made.path).read_bytes()[:-50])
    wipe(database)
    reprise = AsyncReprise(**arguments)
    with pytest.raises(RefusedError), TestClient(FastAPI(lifespan=lifespan(reprise))):
        pass
    with TestClient(FastAPI(lifespan=lifespan(reprise, on_failure="start_anyway"))):
        assert reprise._engine.started


def test_the_end_of_a_lifespan_stops_what_runs(arguments: dict[str, Any]) -> None:
    async def work() -> None:
        async with AsyncReprise(**arguments, schedule={"every": "1h"}) as reprise:
            async with lifespan(reprise):
                assert (await reprise.status()).schedule["started"] is True
                job = reprise._engine.start("backup", {})
            assert (await reprise.status()).schedule["started"] is False
            jobs = {each["id"]: each["state"] for each in (await reprise.jobs())["jobs"]}
            assert jobs[job] in ("cancelled", "done")

    run(work)


# ---- paths


def test_the_prefix_is_right_however_the_application_is_mounted(arguments: dict[str, Any]) -> None:
    """As Starlette mounts, nested, behind a proxy that cuts a prefix off or keeps it, and alone."""

    async def ask(reprise: AsyncReprise, **scope: Any) -> Wire:
        wire = Wire()
        await asgi(reprise)(scope_of(**scope), wire.receive, wire.send)
        return wire

    async def work() -> None:
        async with AsyncReprise(**arguments) as reprise, lifespan(reprise):
            for scope in (
                {"path": "/list"},
                {"path": "/api/backup/list", "root_path": "/api/backup"},
                {"path": "/list", "root_path": "/api/backup"},
                {"path": "/api/backup/list", "root_path": "/v1/api/backup", "app_root_path": "/v1"},
                {"path": "/v1/api/backup/list", "root_path": "/v1/api/backup", "app_root_path": "/v1"},
                {"path": "/données/list", "root_path": "/données"},
            ):
                wire = await ask(reprise, **scope)
                assert wire.status == 200 and json.loads(wire.body)["success"] is True, scope
            wire = await ask(reprise, path="/données", root_path="/données")
            location = dict(wire.sent[0]["headers"])[b"location"]
            assert wire.status == 308 and location == b"donn%C3%A9es/"
            assert (await ask(reprise, path="/api/backupX/list", root_path="/api/backup")).status == 404

    run(work)


def test_frameworks_mount_it_nested_and_below_a_root_path(arguments: dict[str, Any]) -> None:
    reprise = AsyncReprise(**arguments)
    outer, inner = FastAPI(lifespan=lifespan(reprise)), FastAPI()
    inner.mount("/backup", asgi(reprise))
    outer.mount("/api", inner)
    headers = {"Authorization": f"Bearer {token()}"}
    with TestClient(outer, headers=headers) as client:
        assert client.get(f"{PREFIX}/list").json()["total"] == 0
        assert client.get(f"{PREFIX}/").headers["content-type"].startswith("text/html")
    behind = FastAPI(lifespan=lifespan(reprise))
    behind.mount(PREFIX, asgi(reprise))
    with TestClient(behind, root_path="/v1", headers=headers) as client:
        assert client.get(f"{PREFIX}/list").json()["total"] == 0


def test_a_name_of_any_language_is_served(arguments: dict[str, Any], folder: pathlib.Path) -> None:
    async def work() -> None:
        async with AsyncReprise(**arguments) as reprise, lifespan(reprise):
            made = await reprise.backup()
            copy = folder / "backup_été.json"
            copy.write_bytes((folder / made.file).read_bytes())
            wire = Wire()
            await asgi(reprise)(scope_of(f"/download/{copy.name}"), wire.receive, wire.send)
            assert wire.status in (200, 404), wire.body
            assert wire.status == 404 or wire.body == copy.read_bytes()
            twice = Wire()  # decoded by the server once: a percent sign is left, and no name of ours has one
            await asgi(reprise)(scope_of(f"/download/{made.file.replace('_', '%5F')}"), twice.receive, twice.send)
            assert twice.status == 400 and json.loads(twice.body)["type"] == "name_invalid"

    run(work)


# ---- bodies


def test_a_head_has_the_head_and_no_body(served: tuple[Any, Any], folder: pathlib.Path) -> None:
    client, _ = served
    made = os.path.basename(client.post(f"{PREFIX}/create").json()["backup_file"])
    for path in ("/list", f"/download/{made}", "/", "/openapi.json"):
        head, whole = client.head(PREFIX + path), client.get(PREFIX + path)
        assert head.status_code == whole.status_code == 200 and head.content == b""
        assert head.headers["content-type"] == whole.headers["content-type"]
    assert int(client.head(f"{PREFIX}/download/{made}").headers["content-length"]) == (folder / made).stat().st_size
    assert open_files(folder) == []


def test_a_body_over_64_kib_is_refused_before_it_is_read(arguments: dict[str, Any]) -> None:
    async def work() -> None:
        async with AsyncReprise(**arguments) as reprise, lifespan(reprise):
            app = asgi(reprise)
            declared, counted = Wire(*[b" " * 65536] * 100), Wire(*[b" " * 1000] * 5000)
            length = [(b"content-length", b"6553600")]
            for wire, headers, most in ((declared, length, 0), (counted, [], 67_000)):
                body = await _body(scope_of("/create", "POST", headers=headers), wire.receive)
                assert body is not None and len(body[0]) == 65537 and not body[1] and wire.received <= most
            told = Wire(*[b" " * 65536] * 100)
            await app(scope_of("/create", "POST", headers=length), told.receive, told.send)
            assert told.status == 413 and json.loads(told.body)["type"] == "body_too_large"
            chunked = Wire(*[b" " * 1000] * 5000)
            await app(scope_of("/create", "POST"), chunked.receive, chunked.send)
            assert chunked.status == 413
            exact = Wire(b'{"label":"x"}'.ljust(65536))
            await asgi(reprise)(scope_of("/create", "POST"), exact.receive, exact.send)
            assert exact.status == 200

    run(work)


def test_a_client_that_goes_away_stops_the_download_and_frees_it(
    arguments: dict[str, Any], database: Any, folder: pathlib.Path
) -> None:
    database.large.insert_many({"text": os.urandom(512).hex()} for _ in range(8000))

    async def work() -> None:
        async with AsyncReprise(**arguments) as reprise, lifespan(reprise):
            made = await reprise.backup()
            wire = Wire()

            def leave(message: Message) -> None:
                if message["type"] == "http.response.body":
                    assert len(open_files(folder)) == 1
                    wire.gone.set()

            wire.on_send = leave
            await asgi(reprise)(scope_of(f"/download/{made.file}"), wire.receive, wire.send)
            assert 0 < len(wire.body) < made.size_bytes
            assert open_files(folder) == []
            whole = Wire()
            await asgi(reprise)(scope_of(f"/download/{made.file}"), whole.receive, whole.send)
            assert whole.body == (folder / made.file).read_bytes()

    run(work)


def test_a_cancelled_request_frees_its_response_and_leaves_the_job_alone(arguments: dict[str, Any]) -> None:
    async def work() -> None:
        async with AsyncReprise(**arguments) as reprise, lifespan(reprise):
            wire = Wire()
            request = asyncio.ensure_future(asgi(reprise)(scope_of("/create", "POST"), wire.receive, wire.send))
            while not (await reprise.jobs())["jobs"][0]["kind"] == "backup":
                await asyncio.sleep(0.01)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            while (await reprise.jobs())["jobs"][0]["state"] == "running":
                await asyncio.sleep(0.01)
            assert (await reprise.jobs())["jobs"][0]["state"] == "done"
            assert all(not each._handle for each in reprise._engine._kept)

    run(work)


def test_an_engine_that_is_closed_under_a_download_ends_it(arguments: dict[str, Any], database: Any) -> None:
    database.large.insert_many({"text": os.urandom(512).hex()} for _ in range(8000))

    async def work() -> None:
        reprise = AsyncReprise(**arguments)
        async with lifespan(reprise):
            made = await reprise.backup()
            wire = Wire()
            half = asyncio.Event()
            wire.on_send = lambda message: half.set() if message["type"] == "http.response.body" else None
            request = asyncio.ensure_future(asgi(reprise)(scope_of(f"/download/{made.file}"), wire.receive, wire.send))
            await half.wait()
            await reprise.close()
            with pytest.raises(InvalidArgumentError):
                await request
            late = Wire()
            await asgi(reprise)(scope_of("/list"), late.receive, late.send)
            assert late.status == 503

    run(work)


def test_no_thread_is_held_by_requests_that_wait_and_the_loop_goes_on(arguments: dict[str, Any]) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()

        def refuse(*_: Any) -> Any:
            raise AssertionError("the default executor was used")

        loop.run_in_executor = refuse  # type: ignore[method-assign]
        async with AsyncReprise(**arguments) as reprise, lifespan(reprise):
            wires = [Wire() for _ in range(50)]
            app = asgi(reprise)
            requests = [
                asyncio.ensure_future(app(scope_of("/restore", "POST"), each.receive, each.send))
                if number == 0
                else asyncio.ensure_future(app(scope_of("/verify", "POST"), each.receive, each.send))
                for number, each in enumerate(wires)
            ]
            most = ticks = 0
            while not all(each.done() for each in requests):
                await asyncio.sleep(0.001)
                ticks += 1
                most = max(most, sum(each.name == "reprise-admin" for each in threading.enumerate()))
            await asyncio.gather(*requests)
            assert 0 < most <= 8 and ticks > 3

    run(work)


def test_the_host_may_verify_who_asks(arguments: dict[str, Any]) -> None:
    async def later(scope: Any) -> str | None:
        await asyncio.sleep(0)
        return "zoé" if scope["path"].endswith("/list") else None

    async def work() -> None:
        async with AsyncReprise(**arguments) as reprise, lifespan(reprise):
            for who in (later, lambda scope: "zoé"):
                wire = Wire()
                scope = {**scope_of("/list"), "headers": []}
                await asgi(reprise, principal=who)(scope, wire.receive, wire.send)
                assert wire.status == 200
            nobody = Wire()
            await asgi(reprise, principal=later)({**scope_of("/jobs"), "headers": []}, nobody.receive, nobody.send)
            assert nobody.status == 401

    run(work)


# ---- WSGI


@pytest.fixture
def flask_like(arguments: dict[str, Any]) -> Iterator[tuple[Any, Reprise]]:
    def elsewhere(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return [b""]

    with Reprise(**arguments) as reprise:
        reprise.auto()
        yield werkzeug_test.Client(DispatcherMiddleware(elsewhere, {PREFIX: wsgi(reprise)})), reprise


def test_wsgi_answers_as_asgi_does(flask_like: tuple[Any, Reprise], folder: pathlib.Path) -> None:
    client, _ = flask_like
    headers = {"Authorization": f"Bearer {token()}"}
    made = os.path.basename(client.post(f"{PREFIX}/create", headers=headers).json["backup_file"])
    stored = (folder / made).read_bytes()
    assert client.get(f"{PREFIX}/download/{made}", headers=headers).data == stored
    part = client.get(f"{PREFIX}/download/{made}", headers={**headers, "Range": "bytes=-10"})
    assert part.status_code == 206 and part.data == stored[-10:]
    head = client.head(f"{PREFIX}/download/{made}", headers=headers)
    assert head.data == b"" and int(head.headers["content-length"]) == len(stored)
    assert client.get(f"{PREFIX}/files/{made.replace('_', '%255F')}", headers=headers).status_code == 400
    moved = client.get(PREFIX, headers=headers)
    assert moved.status_code == 308 and moved.headers["location"].endswith("backup/")
    large = client.post(f"{PREFIX}/create", headers=headers, data=b" " * 70000)
    assert large.status_code == 413 and large.json["type"] == "body_too_large"
    assert client.get(f"{PREFIX}/create", headers=headers).headers["allow"] == "POST"
    assert open_files(folder) == []


def test_wsgi_frees_a_response_that_nobody_reads(flask_like: tuple[Any, Reprise], folder: pathlib.Path) -> None:
    client, reprise = flask_like
    made = reprise.backup().file
    environ = werkzeug_test.create_environ(f"/download/{made}", headers={"Authorization": f"Bearer {token()}"})
    body = wsgi(reprise)(environ, lambda status, headers: None)
    assert len(open_files(folder)) == 1
    body.close()  # type: ignore[attr-defined]  # as a server does whose client has gone
    assert open_files(folder) == []

    def broken(status: str, headers: Any) -> None:
        raise OSError("the client has gone")

    with pytest.raises(OSError):
        wsgi(reprise)(environ, broken)
    assert open_files(folder) == []



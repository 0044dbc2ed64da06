"""The running hosts and what keeps to no rules: path tricks on raw sockets, clients that leave, servers that stall."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from e2e import fill, fingerprint
from hosts import PASSWORD, PREFIX, Host, httpx, running, token
from hosts import database, host, stands  # noqa: F401

MARK = "this file lies outside the folder"
WAITING = 50


# ---- paths

NAMES = [
    "..",
    ".",
    "../outside.json",
    "..%2Foutside.json",
    "%2e%2e/outside.json",
    "%2e%2e%2foutside.json",
    "..%252foutside.json",
    "%252e%252e%252foutside.json",
    "%25252e%25252e%25252foutside.json",
    "....//outside.json",
    "..;/outside.json",
    "..%5coutside.json",
    "..\\outside.json",
    "%c0%ae%c0%ae%c0%afoutside.json",
    "%uff0e%uff0e%u2215outside.json",
    "%e2%80%ae..%2foutside.json",
    ".reprise%2faudit%2f00000001.jsonl",
    "%2ereprise/audit/00000001.jsonl",
    ".reprise",
    "%00",
    "backup_latest.json%00.txt",
    "%0d%0aSet-Cookie:%20a=b",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "~root",
    "link.json",
    "backup_20200101_000000.json",
    "x" * 300,
    "%ff%fe",
    "*",
    "%25",
    "%",
    "%zz",
    "backup%20.json",
    "{name}%2f..%2f..%2foutside.json",
    "{name}/../../outside.json",
    "{name}%2f",
    "{name}%00",
    "{double}",
]
ROUTES = [("GET", "download/{}"), ("POST", "download/{}"), ("GET", "files/{}"), ("DELETE", "files/{}"), ("HEAD", "download/{}")]
ROUTES += [("GET", "jobs/{}"), ("POST", "jobs/{}/cancel")]
BODIES = ["verify", "pin", "accept", "restore"]


def raw(host: Host, head: bytes, body: bytes = b"") -> tuple[int, bytes]:
    """What comes back for a request that no client library has made proper: status and everything, headers too."""
    with socket.create_connection(("127.0.0.1", host.port), timeout=30) as wire:
        wire.sendall(head + body)
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
    status = answer.split(b" ", 2)[1:2]
    return (int(status[0]) if status else 0), answer


def asked(host: Host, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    lines = [f"{method} {PREFIX}/{path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token()}", "Connection: close"]
    if method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body)}")
    return raw(host, "\r\n".join([*lines, "", ""]).encode("latin-1"), body)


def tempt(host: Host) -> tuple[str, pathlib.Path]:
    """One good backup, a file outside, and links to it inside that look like ours."""
    outside = host.folder.parent / "outside.json"
    outside.write_text(json.dumps({"mark": MARK}))
    with host.client(token()) as client:
        made = os.path.basename(client.post("/create").json()["backup_file"])
    for name in ("link.json", "backup_20200101_000000.json"):
        (host.folder / name).symlink_to(outside)
    return made, outside


def test_s11_no_name_in_a_path_leaves_the_folder(host: Host, database: Any) -> None:
    before = fingerprint(database)
    made, outside = tempt(host)
    stored = (host.folder / made).read_bytes()
    double = made.replace("_", "%255f")
    wrong = []
    for method, route in ROUTES:
        for name in NAMES:
            path = route.format(name.replace("{name}", made).replace("{double}", double))
            status, answer = asked(host, method, path)
            secret = MARK.encode() in answer or b"root:x:" in answer or b'"prev"' in answer
            split = b"set-cookie" in answer.partition(b"\r\n\r\n")[0].lower()
            if secret or split or not 300 <= status < 500:
                wrong.append((method, path, status, answer[-200:]))
    assert wrong == []
    assert outside.exists() and (host.folder / made).read_bytes() == stored and (host.folder / ".reprise").is_dir()
    assert fingerprint(database) == before
    once = made.replace("_", "%5f")  # a proper encoding of a proper name is that name
    assert asked(host, "GET", f"files/{once}")[0] == 200


def test_s11_no_name_in_a_body_leaves_the_folder(host: Host, database: Any) -> None:
    made, outside = tempt(host)
    before = fingerprint(database)
    plain = ["../outside.json", "..", ".", "", "/etc/passwd", str(outside), "link.json", "%2e%2e%2foutside.json", "a\0b"]
    plain += ["..\\outside.json", ".reprise/audit/00000001.jsonl", "backup_20200101_000000.json", "x" * 300, "\u202e"]
    plain += [7, None, [], {"$ne": 1}, made + "/", f"../backups/{made}"]
    wrong = []
    for route in BODIES:
        for name in plain:
            status, answer = asked(host, "POST", route, json.dumps({"filename": name}).encode())
            if MARK.encode() in answer or not 400 <= status < 500:
                wrong.append((route, name, status, answer[-300:]))
    assert wrong == []
    assert outside.exists() and fingerprint(database) == before


# ---- bodies and methods


def test_a_body_over_64_kib_is_413_and_the_host_lives_on(host: Host) -> None:
    head = f"POST {PREFIX}/create HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token()}\r\nConnection: close\r\n"
    status, answer = raw(host, f"{head}Content-Length: 70000\r\n\r\n".encode(), b" " * 70000)
    assert status == 413, answer
    # As much as that is promised, and never sent: the answer does not wait for it.
    if host.kind == "fastapi_host":  # the other servers ask for it before the application is called
        status, answer = raw(host, f"{head}Content-Length: 100000000\r\nExpect: 100-continue\r\n\r\n".encode())
        assert status == 413, answer
    with host.client(token()) as client:
        assert client.get("/list").json()["total"] == 0


def test_get_and_head_change_nothing(host: Host, database: Any) -> None:
    before = fingerprint(database)
    with host.client(token()) as client:
        for route in ("create", "restore", "verify", "pin", "accept", "jobs/1/cancel"):
            for method in ("GET", "HEAD"):
                answer = client.request(method, f"/{route}")
                assert answer.status_code in (404, 405), route
        assert client.get("/create").headers["allow"] == "POST"
        assert client.get("/list").json()["total"] == 0
    assert fingerprint(database) == before


def test_the_prefix_alone_leads_to_the_page_by_a_relative_address(host: Host) -> None:
    with httpx.Client(base_url=host.url, follow_redirects=True, timeout=30) as client:
        answer = client.get(PREFIX)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
        assert str(answer.url) == f"{host.url}{PREFIX}/"


# ---- clients that leave, servers that stall


def descriptors(host: Host) -> list[str]:
    """The backups that the host's processes have open."""
    found = []
    for pid in host.processes():
        try:
            links = list(pathlib.Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue
        for link in links:
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if os.path.dirname(target) == str(host.folder):
                found.append(target)
    return found


def until(true: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def test_a_client_that_goes_away_in_a_download_leaves_nothing_open(host: Host, database: Any) -> None:
    database.large.insert_many({"text": os.urandom(2048).hex()} for _ in range(6000))
    with host.client(token()) as client:
        made = os.path.basename(client.post("/create").json()["backup_file"])
    line = f"GET {PREFIX}/download/{made} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token()}\r\n\r\n".encode()
    wires = [socket.create_connection(("127.0.0.1", host.port), timeout=30) for _ in range(2)]
    try:
        for wire in wires:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.sendall(line)
            assert wire.recv(1024).startswith(b"HTTP/1.1 200")
        until(lambda: len(descriptors(host)) == 2)
    finally:
        for wire in wires:
            wire.close()
    until(lambda: descriptors(host) == [])


class Stall:
    """A way to the server that can be held up: nothing passes, nothing is lost."""

    def __init__(self, url: str) -> None:
        name, _, port = url.split("//", 1)[1].rstrip("/").partition("/")[0].rpartition(":")
        self.target = (name, int(port))
        self.open = threading.Event()
        self.open.set()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near = self.door.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self.target)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                self.open.wait()
                sink.sendall(piece)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self) -> None:
        self.open.set()
        self.door.close()


@contextmanager
def stalling(url: str) -> Iterator[Stall]:
    stall = Stall(url)
    try:
        yield stall
    finally:
        stall.close()


def threads(pid: int) -> list[str]:
    return [each.read_text().strip() for each in pathlib.Path(f"/proc/{pid}/task").glob("*/comm")]


def test_fifty_requests_that_wait_hold_no_thread_and_others_are_answered(url: str, client: Any, tmp_path: pathlib.Path) -> None:
    """Previews, which need no lock, of a database whose server stalls; jobs have threads of their own, requests have none."""
    database = client[f"reprise_e2e_stall_{os.getpid()}"]
    fill(database)
    try:
        with stalling(url) as stall:
            address = f"mongodb://127.0.0.1:{stall.port}/?directConnection=true"
            environment = {"MONGO_URL": address, "DB_NAME": database.name, "BACKUP_DIR": str(tmp_path / "backups")}
            with running("fastapi_host", environment, workers=1) as host:
                asyncio.run(asyncio.wait_for(wait_together(host, stall), 120))
    finally:
        client.drop_database(database.name)


async def wait_together(host: Host, stall: Stall) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    limits = httpx.Limits(max_connections=WAITING + 10)
    async with httpx.AsyncClient(base_url=host.url, headers=headers, timeout=60, limits=limits) as client:
        assert (await client.post(f"{PREFIX}/create")).status_code == 200
        stall.open.clear()
        asked = [asyncio.ensure_future(client.post(f"{PREFIX}/restore", json={"dry_run": True})) for _ in range(WAITING)]
        running_now = 0
        while running_now < WAITING:
            jobs = (await client.get(f"{PREFIX}/jobs")).json()["jobs"]
            running_now = sum(each["kind"] == "preview" and each["state"] == "running" for each in jobs)
        for _ in range(20):
            for path in ("/", f"{PREFIX}/list", f"{PREFIX}/openapi.json", f"{PREFIX}/status"):
                assert (await client.get(path)).status_code == 200
        assert not any(each.done() for each in asked)
        names = threads(host.process.pid)
        others = [each for each in names if each not in ("reprise-job", "reprise-watch")]  # of the jobs
        assert len(names) - len(others) >= WAITING and len(others) < WAITING, others
        stall.open.set()
        assert {each.status_code for each in await asyncio.gather(*asked)} == {200}


# ---- the login and the import of the FastAPI host


def test_an_import_that_breaks_off_is_put_back_with_one_request(url: str, client: Any, tmp_path: pathlib.Path) -> None:
    from io import BytesIO

    openpyxl = pytest.importorskip("openpyxl")

    def sheet(*rows: tuple[str, ...]) -> bytes:
        book = openpyxl.Workbook()
        for row in (("number", "name", "email", "department"), *rows):
            book.active.append(row)
        out = BytesIO()
        book.save(out)
        return out.getvalue()

    database = client[f"reprise_e2e_import_{os.getpid()}"]
    fill(database)
    environment = {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(tmp_path / "backups")}
    environment["ADMIN_PASSWORD"] = PASSWORD
    xlsx = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    good = sheet(("N1", "Zoé Lefèvre", "zoe@company.com", "RH"))
    bad = sheet(("N2", "Gaël", "gael@company.com", "IT"), ("N1", "Taken", "taken@company.com", "IT"))
    try:
        with running("fastapi_host", environment, workers=2) as host, httpx.Client(base_url=host.url, timeout=60) as web:
            assert web.post("/api/import", content=good, headers=xlsx).status_code == 401
            for method, path in (("GET", "/api/users"), ("GET", "/api/users/u1/absences"), ("DELETE", "/api/users/u1")):
                assert web.request(method, path).status_code == 401, (method, path)
                employee = {"Authorization": f"Bearer {token('employee')}"}
                assert web.request(method, path, headers=employee).status_code == (403 if method == "DELETE" else 200)
            moved = web.get(PREFIX, headers={"Host": "elsewhere.example"})
            assert moved.status_code == 308 and moved.headers["location"] == "backup/"
            who = database.users.find_one({"role": "admin"})["email"]
            assert web.post("/api/login", data={"name": who, "password": "wrong"}).status_code == 401
            other = database.users.find_one({"role": "employee", "active": True})["email"]
            assert web.post("/api/login", data={"name": other, "password": PASSWORD}).status_code == 401
            logged = web.post("/api/login", data={"name": who, "password": PASSWORD})
            assert logged.status_code == 200 and "HttpOnly" in logged.headers["set-cookie"]
            assert web.get("/api/me").json()["email"] == who
            assert "password" not in web.get("/api/users").text
            assert web.get(f"{PREFIX}/list").status_code == 200  # by the cookie
            done = web.post("/api/import", content=good, headers=xlsx)
            assert done.status_code == 200 and done.json()["imported"] == 1
            before = fingerprint(database)
            broken = web.post("/api/import", content=bad, headers=xlsx)
            assert broken.status_code == 422 and "row 3" in broken.json()["detail"]
            assert fingerprint(database) != before  # the first row was written
            back = {"filename": broken.json()["backup"]}
            assert web.post(f"{PREFIX}/restore", json=back).json()["type"] == "cross_site"
            ours = {"X-Reprise": "1", "Sec-Fetch-Site": "same-origin"}
            assert web.post(f"{PREFIX}/restore", json=back, headers=ours).status_code == 200
            assert fingerprint(database) == before
            for content in (b"no sheet", sheet()[:100]):
                assert web.post("/api/import", content=content, headers=xlsx).status_code == 422
            assert web.post("/api/import", content=good).status_code == 415
            labels = [each["label"] for each in web.get(f"{PREFIX}/list").json()["backups"] if each["kind"] == "before"]
            assert labels == ["excel import", "excel import"]
    finally:
        client.drop_database(database.name)

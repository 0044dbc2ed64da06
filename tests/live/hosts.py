"""The example hosts as their users start them: run.sh, four workers, ready when /healthz answers."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import pytest
from e2e import ROOT, fill, wipe

httpx = pytest.importorskip("httpx")
jwt = pytest.importorskip("jwt")
pytest.importorskip("fastapi")
pytest.importorskip("flask")

SECRET = "an entirely random secret of 64 bytes, as every host should have"
PASSWORD = "a password of the tests alone"
START_S = 120
PREFIX = "/api/backup"
KINDS = ("fastapi_host", "flask_host", "cpp_host")


def token(role: object = "admin", **claims: object) -> str:
    return jwt.encode({"sub": "sophie", "role": role, "exp": int(time.time()) + 600, **claims}, SECRET, algorithm="HS256")


@dataclass
class Host:
    url: str
    process: subprocess.Popen[bytes]
    kind: str = ""
    folder: pathlib.Path = pathlib.Path()
    environment: dict[str, str] = field(default_factory=dict)
    log: IO[bytes] | None = None

    def said(self) -> str:
        """The last 20 000 bytes of its output."""
        if self.log is None:
            return ""
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), 20_000, max(0, size - 20_000)).decode(errors="replace")

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def client(self, bearer: str | None = None, **headers: str) -> Any:
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        return httpx.Client(base_url=self.url + PREFIX, headers=headers, timeout=60)

    def ended(self, client: Any, job: int) -> Any:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = client.get(f"/jobs/{job}").json()
            if found["state"] != "running":
                return found
            time.sleep(0.05)
        raise AssertionError("the job did not end")

    def processes(self) -> list[int]:
        """Of the session that run.sh began."""
        found = []
        for each in pathlib.Path("/proc").iterdir():
            try:
                if each.name.isdigit() and os.getsid(int(each.name)) == self.process.pid:
                    found.append(int(each.name))
            except ProcessLookupError:
                continue
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(kind: str, environment: dict[str, str], workers: int = 4) -> Iterator[Host]:
    build = os.environ.get("REPRISE_BUILD", str(ROOT / "build" / "release"))
    if kind == "cpp_host" and not (pathlib.Path(build) / "examples" / "cpp_host").exists():
        pytest.skip("cpp_host was not built: cpp-httplib is not installed")
    port = free_port()
    given = {"JWT_SECRET": SECRET, "PORT": str(port), "WORKERS": str(workers), "PYTHON": sys.executable}
    log = tempfile.TemporaryFile()  # not a pipe: nobody would read it, and a full one stops the host
    process = subprocess.Popen(
        ["sh", "run.sh"],
        cwd=ROOT / "examples" / kind,
        env={**os.environ, **given, **environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    host = Host(f"http://127.0.0.1:{port}", process, kind, pathlib.Path(environment["BACKUP_DIR"]), environment, log)
    try:
        wait_until_ready(host, 1 if kind == "cpp_host" else workers)
        yield host
    except BaseException:
        print(host.said())  # pytest shows it beside the failure
        raise
    finally:
        stop(process)
        log.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_ready(host: Host, workers: int) -> None:
    """Every one of them: a test that empties the database must not meet a worker that only starts."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if host.process.poll() is not None:
            raise AssertionError(f"{host.kind} ended: {host.said()}")
        try:
            answers = httpx.get(f"{host.url}/healthz", timeout=5).status_code == 200
        except httpx.TransportError:
            answers = False
        if answers and (workers == 1 or len(re.findall(r"reprise INFO startup \d+ done", host.said())) >= workers):
            return
        time.sleep(0.1)
    raise AssertionError("the host did not answer")


@contextmanager
def standing(kind: str, url: str, client: Any, folder: pathlib.Path) -> Iterator[tuple[Host, Any]]:
    """One host for many tests, each of which begins with `afresh`, and its database."""
    database = client[f"reprise_e2e_{kind}_{os.getpid()}"]
    fill(database)
    try:
        with running(kind, {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder)}) as host:
            yield host, database
    finally:
        client.drop_database(database.name)


def afresh(host: Host, database: Any) -> None:
    """The data as they were, no backup, no audit log. The log's and jobs' folders go too."""
    shutil.rmtree(host.folder, ignore_errors=True)
    wipe(database)
    fill(database)


# Fixtures, for the modules that import them. A module with a `stands` of its own brings another host.
@pytest.fixture(scope="module", params=KINDS)
def stands(request: pytest.FixtureRequest, url: str, client: Any, tmp_path_factory: Any) -> Iterator[tuple[Host, Any]]:
    with standing(request.param, url, client, tmp_path_factory.mktemp("host") / "backups") as found:
        yield found


@pytest.fixture
def host(stands: tuple[Host, Any]) -> Host:
    afresh(*stands)
    return stands[0]


@pytest.fixture
def database(stands: tuple[Host, Any]) -> Any:
    return stands[1]


@pytest.fixture
def folder(stands: tuple[Host, Any]) -> pathlib.Path:
    return stands[0].folder

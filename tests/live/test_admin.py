"""The REST interface on the running hosts, four workers each: the old guide's curl lines, jobs, busy, files, who may, audit."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from e2e import ROOT, commands, fill, fingerprint

httpx = pytest.importorskip("httpx")
jwt = pytest.importorskip("jwt")
pytest.importorskip("fastapi")
SECRET = "an entirely random secret of 64 bytes, as every host should have"
START_S = 60
PREFIX = "/api/backup"


def token(role: object = "admin", **claims: object) -> str:
    return jwt.encode({"sub": "sophie", "role": role, "exp": int(time.time()) + 600, **claims}, SECRET, algorithm="HS256")


@dataclass
class Host:
    url: str
    process: subprocess.Popen[bytes]

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(kind: str, environment: dict[str, str], workers: int = 4) -> Iterator[Host]:
    """The host as its user starts it: run.sh, ready when /healthz answers."""
    build = os.environ.get("REPRISE_BUILD", str(ROOT / "build" / "release"))
    if kind == "cpp_host" and not (pathlib.Path(build) / "examples" / "cpp_host").exists():
        pytest.skip("cpp_host was not built: cpp-httplib is not installed")
    port = free_port()
    wanted = {**os.environ, **environment, "JWT_SECRET": SECRET, "PORT": str(port), "WORKERS": str(workers), "PYTHON": sys.executable}
    process = subprocess.Popen(
        ["sh", "run.sh"], cwd=ROOT / "examples" / kind, env=wanted, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        wait_until_ready(port, process)
        yield Host(f"http://127.0.0.1:{port}", process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stdout is not None
            raise AssertionError(process.stdout.read().decode())
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the host did not answer")


@pytest.fixture
def environment(url: str, database: Any, folder: pathlib.Path) -> dict[str, str]:
    return {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder)}


@pytest.fixture(params=["fastapi_host", "cpp_host"])
def host(request: pytest.FixtureRequest, environment: dict[str, str], database: Any) -> Iterator[Host]:
    fill(database)
    with running(request.param, environment) as found:
        yield found


def curl(host: Host, line: str) -> Any:
    """A command line of the old guide, but for the port and the token."""
    line = line.replace("http://localhost:8001", host.url).replace("YOUR_JWT_TOKEN", token())
    done = subprocess.run(["sh", "-c", line], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_old_guides_curl_lines_give_the_old_guides_answers(host: Host, database: Any, folder: pathlib.Path) -> None:
    before = fingerprint(database)
    made = curl(host, 'curl -X POST http://localhost:8001/api/backup/create \\\n  -H "Authorization: Bearer YOUR_JWT_TOKEN"')
    assert made["success"] is True and made["message"] == "Backup créé avec succès"
    assert pathlib.Path(made["backup_file"]).parent == folder and pathlib.Path(made["backup_file"]).exists()
    assert made["timestamp"].endswith("Z") and "T" in made["timestamp"]
    listed = curl(host, 'curl http://localhost:8001/api/backup/list \\\n  -H "Authorization: Bearer YOUR_JWT_TOKEN"')
    assert listed["success"] is True and listed["total"] == 1
    item = listed["backups"][0]
    assert item["path"] == made["backup_file"] and item["filename"] == os.path.basename(item["path"])
    assert isinstance(item["size_kb"], float) and item["modified"].endswith("Z")
    for name in ("users", "absences"):
        database[name].delete_many({})
    restored = curl(host, 'curl -X POST http://localhost:8001/api/backup/restore \\\n  -H "Authorization: Bearer YOUR_JWT_TOKEN"')
    assert restored["success"] is True and restored["safety_file"].startswith("before_restore_")
    assert fingerprint(database) == before
    # The guide's import page asked for a backup by GET: that changes something, so it is refused, and the answer says how.
    with host.client(token()) as client:
        refused = client.get("/create")
        assert refused.status_code == 405 and refused.headers["allow"] == "POST"


def test_a_job_is_followed_whichever_worker_answers(host: Host) -> None:
    with host.client(token(), Prefer="respond-async") as client:
        started = client.post("/create", json={"label": "nightly"})
        assert started.status_code == 202
        job = started.json()["job"]
        assert started.headers["location"] == f"jobs/{job}"
        for _ in range(20):  # over several workers
            assert client.get(f"/jobs/{job}").status_code == 200
        ended = host.ended(client, job)
        assert ended["state"] == "done" and ended["result"]["latest"] is True
        assert client.get("/jobs/1").status_code == 404
        assert any(each["id"] == job for each in client.get("/jobs").json()["jobs"])


def test_a_preview_says_what_would_change_and_changes_nothing(host: Host, database: Any) -> None:
    with host.client(token()) as client:
        assert client.post("/create").status_code == 200
        database.users.delete_many({})
        database.extra.insert_one({"_id": 1})
        changed = fingerprint(database)
        preview = client.post("/restore", json={"dry_run": True}).json()
        by_name = {each["name"]: each for each in preview["collections"]}
        assert by_name["users"]["now"] == 0 and by_name["users"]["after"] == 12 and by_name["users"]["same"] is False
        assert by_name["absences"]["same"] is True
        assert by_name["extra"] == {"name": "extra", "in_backup": False, "now": 1, "after": None, "same": False}
        assert fingerprint(database) == changed


def test_a_hundred_clients_create_and_list_at_once(host: Host, folder: pathlib.Path) -> None:
    bearer = token()

    def one(number: int) -> int:
        with host.client(bearer) as client:
            answer = client.post("/create") if number % 4 == 0 else client.get("/list")
            if answer.status_code == 409:
                assert answer.json()["type"] in ("lease_held", "folder_locked", "name_taken")
            return int(answer.status_code)

    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        codes = list(pool.map(one, range(100)))
    # cpp_host answers 202 when its threads are about to run out.
    assert set(codes) <= {200, 202, 409} and codes.count(200) >= 75
    with host.client(bearer) as client:
        for each in client.get("/list").json()["backups"]:
            assert each["state"] == "good" and each["verified"] is True, each


def test_files_are_downloaded_pinned_and_deleted(host: Host, folder: pathlib.Path) -> None:
    with host.client(token()) as client:
        old = os.path.basename(client.post("/create").json()["backup_file"])
        new = os.path.basename(client.post("/create").json()["backup_file"])
        stored = (folder / old).read_bytes()
        assert client.get(f"/download/{old}").content == stored
        part = client.get(f"/download/{old}", headers={"Range": "bytes=10-19"})
        assert part.status_code == 206 and part.content == stored[10:20]
        assert httpx.post(f"{host.url}{PREFIX}/download/{old}", data={"token": token()}, timeout=30).content == stored
        assert client.post("/pin", json={"filename": old}).status_code == 200
        refused = client.delete(f"/files/{old}")
        assert refused.status_code == 422 and refused.json()["type"] == "file_protected"
        assert client.post("/pin", json={"filename": old, "value": False}).status_code == 200
        assert client.delete(f"/files/{new}").json()["type"] == "file_protected"
        assert client.delete(f"/files/{old}").status_code == 200
        assert not (folder / old).exists() and (folder / new).exists()
        assert client.get(f"/files/{new}").json()["collections"]["users"]["documents"] == 12


def test_health_and_metrics_tell_of_the_last_backup(host: Host) -> None:
    with host.client(token(), **{"Accept-Language": "en"}) as client:
        sick = client.get("/health")
        assert sick.status_code == 503 and sick.json()["problems"][0]["reason"] == "no_backup"
        assert client.post("/create").status_code == 200
        well = client.get("/health")
        assert well.status_code == 200 and well.json()["healthy"] is True and well.json()["age_s"] < 60
        metrics = client.get("/metrics").text
        assert "reprise_healthy 1\n" in metrics and "# TYPE reprise_last_backup_age_seconds gauge" in metrics


def test_tokens_that_are_not_an_administrators_open_nothing(host: Host) -> None:
    none = token().split(".")
    attacks = {
        "another secret": jwt.encode({"role": "admin", "exp": int(time.time()) + 600}, "x" * 64, algorithm="HS256"),
        "expired": token(exp=int(time.time()) - 3600),
        "not yet": token(nbf=int(time.time()) + 3600),
        "for others": token(aud="payroll"),
        "another algorithm": jwt.encode({"role": "admin", "exp": int(time.time()) + 600}, SECRET, algorithm="HS512"),
        "none": jwt.encode({"role": "admin", "exp": int(time.time()) + 600}, None, algorithm="none"),
        "unsigned": ".".join([none[0], none[1], ""]),
        "too long": token(pad="x" * 9000),
        "junk": "abc",
    }
    for name, bearer in list(attacks.items()):
        with host.client(bearer) as client:
            assert client.get("/list").status_code in (400, 401, 429), name
    with host.client(token("user")) as client:
        assert client.get("/list").status_code in (403, 429)


def test_every_operation_and_refusal_is_in_the_audit_log(host: Host, folder: pathlib.Path) -> None:
    with host.client(token()) as client:
        made = os.path.basename(client.post("/create").json()["backup_file"])
        client.post("/verify", json={"filename": made})
        client.delete(f"/files/{made}")
    lines = [json.loads(line) for each in sorted((folder / ".reprise" / "audit").iterdir()) for line in each.read_text().splitlines()]
    told = [(each["what"], each["result"], each.get("who"), each["via"]) for each in lines if each["via"] == "rest"]
    assert ("backup", "done", "sophie", "rest") in told
    assert ("verify", "done", "sophie", "rest") in told
    assert ("delete", "refused", "sophie", "rest") in told
    assert all("Sophie Martin" not in json.dumps(each) for each in lines)


def test_an_application_that_never_started_reprise_says_so(environment: dict[str, str]) -> None:
    asyncio = pytest.importorskip("asyncio")
    from reprise import AsyncReprise, asgi

    async def ask() -> Any:
        reprise = AsyncReprise(environment["MONGO_URL"], environment["DB_NAME"], environment["BACKUP_DIR"])
        async with reprise, httpx.AsyncClient(transport=httpx.ASGITransport(asgi(reprise)), base_url="http://test") as client:
            return await client.get("/list")

    answer = asyncio.run(ask())
    assert answer.status_code == 503 and answer.json()["type"] == "not_started" and "lifespan(reprise)" in answer.json()["title"]


def test_both_commands_check_the_chain(host: Host, environment: dict[str, str], database: Any, folder: pathlib.Path) -> None:
    with host.client(token()) as client:
        client.post("/create")
    for command in commands(environment["MONGO_URL"], database, folder).values():
        assert command.result("audit")["check"]["whole"] is True
    log = next((folder / ".reprise" / "audit").iterdir())
    log.write_text(log.read_text().replace("sophie", "nobody"))
    with host.client(token()) as client:
        client.post("/create")
    for command in commands(environment["MONGO_URL"], database, folder).values():
        ended = command("audit", "--json")
        assert ended.code != 0 and ended.json["check"]["whole"] is False

"""The REST interface on the running hosts, four workers each: the old guide's curl lines, jobs, busy, files, who may, audit."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import time
from typing import Any

import pytest
from e2e import commands, fingerprint
from hosts import PREFIX, SECRET, Host, httpx, jwt, running, token
from hosts import database, folder, host, stands  # noqa: F401

__all__ = ["PREFIX", "Host", "running", "token"]


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
    line = 'curl -X POST http://localhost:8001/api/backup/restore \\\n  -H "Authorization: Bearer YOUR_JWT_TOKEN"'
    restored = curl(host, line)
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
        for path in ("/list", "/status", "/jobs", f"/jobs/{job}"):
            assert client.get(path).headers["cache-control"] == "no-store", path


def test_what_stopped_a_job_is_said_in_the_language_of_whoever_asks(host: Host, folder: pathlib.Path) -> None:
    with host.client(token(), Prefer="respond-async") as client:
        made = host.ended(client, client.post("/create").json()["job"])["result"]
        with open(folder / made["file"], "r+b") as file:
            file.truncate(200)
        job = client.post("/verify", json={"filename": made["file"]}).json()["job"]
        assert host.ended(client, job)["state"] == "failed"
        for language, title in (("fr", "Le fichier est incomplet."), ("en", "The file is cut off.")):
            error = client.get(f"/jobs/{job}", headers={"Accept-Language": language}).json()["error"]
            assert error["reason"] == "file_truncated" and error["title"] == title and made["file"] in error["message"]


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
        extra = [by_name["extra"][key] for key in ("in_backup", "action", "now", "after", "same")]
        assert extra == [False, "leave", 1, 1, True]
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
    # 202: a host with a thread for each request keeps some of them free for others.
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
        size = len(stored)
        for asked, first, last in (("5-", 5, size), ("-7", size - 7, size), (f"{size - 1}-", size - 1, size)):
            part = client.get(f"/download/{old}", headers={"Range": f"bytes={asked}"})
            assert part.status_code == 206 and part.content == stored[first:last], asked
            assert part.headers["content-range"] == f"bytes {first}-{last - 1}/{size}"
        assert client.get(f"/download/{old}", headers={"Range": "bytes=0-1,5-6"}).content == stored
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
            assert client.get("/list").status_code in (400, 401, 429, 431), name
    with host.client(token("user")) as client:
        assert client.get("/list").status_code in (403, 429)


def test_every_operation_and_refusal_is_in_the_audit_log(host: Host, folder: pathlib.Path) -> None:
    with host.client(token()) as client:
        made = os.path.basename(client.post("/create").json()["backup_file"])
        client.post("/verify", json={"filename": made}, headers={"X-Request-ID": "request-17"})
        assert client.delete(f"/files/{made}", headers={"X-Request-ID": b"\xff\xfe"}).status_code == 422
    files = sorted((folder / ".reprise" / "audit").iterdir())
    lines = [json.loads(line) for each in files for line in each.read_text().splitlines()]
    told = [(each["what"], each["result"], each.get("who"), each["via"]) for each in lines if each["via"] == "rest"]
    assert ("backup", "done", "sophie", "rest") in told
    assert ("verify", "done", "sophie", "rest") in told
    assert ("delete", "refused", "sophie", "rest") in told
    numbers = {each["what"]: each.get("request") for each in lines if each["via"] == "rest"}
    assert numbers["verify"] == "request-17" and numbers["backup"] is None and numbers["delete"] == "??"
    assert all("Sophie Martin" not in json.dumps(each) for each in lines)


def test_both_commands_check_the_chain(host: Host, database: Any, folder: pathlib.Path) -> None:
    with host.client(token()) as client:
        client.post("/create")
        client.post("/verify")
    for command in commands(host.environment["MONGO_URL"], database, folder).values():
        assert command.result("audit")["check"]["whole"] is True
    log = next((folder / ".reprise" / "audit").iterdir())
    log.write_text(log.read_text().replace("sophie", "nobody", 1))
    for command in commands(host.environment["MONGO_URL"], database, folder).values():
        ended = command("audit", "--json")
        assert ended.code != 0 and ended.json["check"]["whole"] is False

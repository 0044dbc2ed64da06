"""S14, a good guest: forks, exits, prefork servers, and what belongs to the host. The short run repeats little;
REPRISE_LONG=1 forks 200 times and exits 100 times."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
import servers
from e2e import ROOT, Command, Ended, fill, fingerprint, leftovers
from test_host import free_port

LONG = bool(os.environ.get("REPRISE_LONG"))
FORKS = 200 if LONG else 20
EXITS = 20 if LONG else 4  # of each way
HOSTS = {name: ROOT / "build" / name / "guest_host" for name in ("release", "asan")}
TIMEOUT_S = 300


def guest(*words: object, build: str = "release") -> Ended:
    """A run of the C host: verb, URL, database, folder, and what the verb takes."""
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    ended = subprocess.run(
        [str(HOSTS[build]), *map(str, words)], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=TIMEOUT_S, check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@pytest.fixture(params=list(HOSTS))
def build(request: pytest.FixtureRequest) -> str:
    if not HOSTS[request.param].exists():
        pytest.skip(f"build/{request.param} is not built")
    return str(request.param)


def grow(database: Any, documents: int = 30_000) -> dict[str, Any]:
    fill(database)
    more = [{"_id": f"more{n}", "user_id": f"u{n}", "day": n, "text": "é" * 200} for n in range(documents)]
    database.work_hours.insert_many(more)
    return fingerprint(database)


def settled(both: dict[str, Command], database: Any, folder: pathlib.Path, before: dict[str, Any]) -> None:
    """The next operation works, nothing is left over, and the data are what they were."""
    assert both["c++"]("backup", "--json", "--wait", "60").code == 0
    assert fingerprint(database) == before and leftovers(database, folder) == []


def test_s14_children_of_an_idle_parent_back_up_and_close(build: str, url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    count = FORKS if build == "release" else 5
    ended = guest("forks", url, database.name, folder, count, "idle", build=build)
    assert ended.code == 0 and ended.err == "", ended
    assert ended.out.startswith(f"{count} children")
    print(ended.out)


def test_s14_children_of_a_busy_parent_are_refused_within_a_second_and_exit_well(database: Any, folder: pathlib.Path) -> None:
    # Not under ASan: its allocator's own locks stay held in the child of a process with several threads.
    with servers.socket.create_server(("127.0.0.1", 0)) as silent:  # keeps the parent busy: it never answers
        url = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/?connectTimeoutMS=60000"
        ended = guest("forks", url, database.name, folder, FORKS, "busy")
    assert ended.code == 0 and ended.err == "", ended
    print(ended.out)


def test_s14_a_parent_killed_in_mid_backup_whose_child_lives_on_does_not_block_the_next_backup(
    url: str, database: Any, folder: pathlib.Path, both: dict[str, Command]
) -> None:
    before = grow(database)
    words = [str(HOSTS["release"]), "orphan", url, database.name, str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        try:
            states = [json.loads(each.read_bytes())["state"] for each in (folder / ".reprise" / "jobs").glob("*.json")]
            assert states == ["running"]  # it was killed in the middle
            os.kill(child, 0)
            settled(both, database, folder, before)
            os.kill(child, 0)
        finally:
            os.kill(child, signal.SIGKILL)


def spread(attempt: int) -> int:
    """Milliseconds into the job at which the host ends: the attempts of one way lie 0 to 400 ms apart."""
    return int(400 * attempt / max(EXITS - 1, 1))


@pytest.mark.parametrize("kind", ["backup", "restore"])
@pytest.mark.parametrize(
    ("how", "code", "build"),
    [
        ("return", 0, "asan"),
        ("return", 0, "release"),
        ("quick_exit", 0, "release"),
        ("_exit", 0, "release"),
        ("seven", 7, "release"),
    ],
    indirect=["build"],
)
def test_s14_a_c_host_ends_during_a_job_with_its_own_code_and_in_silence(
    how: str, code: int, kind: str, build: str, url: str, database: Any, folder: pathlib.Path, both: dict[str, Command]
) -> None:
    before = grow(database, 20_000)
    assert both["c++"]("backup", "--json").code == 0
    for attempt in range(EXITS):
        ended = guest("exit", url, database.name, folder, kind, spread(attempt), how, build=build)
        assert (ended.code, ended.out, ended.err) == (code, "", ""), attempt
    settled(both, database, folder, before)


PYTHON_HOST = """
import os, sys, time
from reprise import Reprise
opened = Reprise(*sys.argv[1:4])
job = opened._engine.start(sys.argv[4], {})
print("started", flush=True)
time.sleep(int(sys.argv[5]) / 1000)
"""
WAYS = {
    "falling off the end": ("", 0, b""),
    "sys.exit": ("sys.exit()", 0, b""),
    "os._exit": ("os._exit(0)", 0, b""),
    "an unhandled exception": ("raise ValueError('the host itself failed')", 1, b"ValueError: the host itself failed\n"),
    "SIGTERM": ("time.sleep(60)", -signal.SIGTERM, b""),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_s14_a_python_host_ends_during_a_job_with_its_own_code_and_in_silence(
    way: str, url: str, database: Any, folder: pathlib.Path, both: dict[str, Command]
) -> None:
    before = grow(database)
    assert both["c++"]("backup", "--json").code == 0
    code, wanted, says = WAYS[way]
    for attempt in range(EXITS):
        kind = ("backup", "restore")[attempt % 2]
        words = [sys.executable, "-c", PYTHON_HOST + code, url, database.name, str(folder), kind, str(spread(attempt))]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as host:
            assert host.stdout is not None and host.stdout.readline() == b"started\n"
            if way == "SIGTERM":
                time.sleep(spread(attempt) / 1000)
                host.terminate()
            out, err = host.communicate(timeout=60)
        assert (host.returncode, out) == (wanted, b""), (attempt, err)
        assert err == b"" if not says else err.endswith(says) and b"reprise" not in err, (attempt, err)
    settled(both, database, folder, before)


def test_s14_hosts_end_with_a_tls_connection_open(tmp_path: pathlib.Path) -> None:
    certificates = tmp_path / "tls"
    certificates.mkdir()
    with servers.start_server(tls=servers.make_certificates(certificates)) as server:
        for attempt in range(EXITS * 2):
            folder = tmp_path / f"backups{attempt}"
            for how in ("return", "exit"):
                for build, host in HOSTS.items():
                    if not host.exists():
                        continue
                    ended = guest("exit", server.url, "reprise_tls", folder, "backup", attempt * 20, how, build=build)
                    assert (ended.code, ended.out, ended.err) == (0, "", ""), (attempt, build)
            words = [sys.executable, "-c", PYTHON_HOST, server.url, "reprise_tls", str(folder), "backup", str(attempt * 20)]
            host_ended = subprocess.run(words, capture_output=True, timeout=60, check=False)
            assert (host_ended.returncode, host_ended.stderr) == (0, b""), attempt


def test_s14_nothing_of_the_hosts_is_changed(build: str, url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    ended = guest("manners", url, database.name, folder, build=build)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    modes = {oct(each.stat().st_mode & 0o777) for each in folder.glob("backup_2*.json")}
    assert modes == {"0o600"} and folder.stat().st_mode & 0o777 == 0o700  # S13, under a umask of 027


APPLICATION = """
import os
from reprise import Reprise
opened = Reprise(os.environ["MONGO_URL"], os.environ["DB_NAME"], os.environ["BACKUP_DIR"])
opened_in = os.getpid()

def app(environ, start_response):
    saved = opened.backup(wait_ms=60_000)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{opened_in != os.getpid()} {saved.documents}".encode()]
"""


@pytest.mark.parametrize("preload", [False, True])
def test_s14_gunicorns_workers_back_up_with_and_without_preload(
    preload: bool, url: str, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pytest.importorskip("gunicorn")
    documents = sum(each[2] for each in fill(database).values() if each[0] != "view")
    (tmp_path / "guest_application.py").write_text(APPLICATION)
    port = free_port()
    words = [sys.executable, "-m", "gunicorn", "guest_application:app", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    environment = {**os.environ, "MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder)}
    with subprocess.Popen(
        words + ["--preload"] * preload, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as server:
        try:
            deadline = time.monotonic() + 60
            answers: list[str] = []
            while len(answers) < 8 and time.monotonic() < deadline and server.poll() is None:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                        answers.append(answer.read().decode())
                except ConnectionError:
                    time.sleep(0.05)
                except urllib.error.URLError as error:
                    assert isinstance(error.reason, ConnectionError), error
                    time.sleep(0.05)
        finally:
            server.terminate()
            _, err = server.communicate(timeout=60)
    assert answers == [f"{preload} {documents}"] * 8, err.decode()
    assert server.returncode == 0, err.decode()
    assert len(list(folder.glob("backup_2*.json"))) >= 7  # retention keeps 7 of the 8

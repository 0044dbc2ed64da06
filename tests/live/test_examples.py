"""The example programs of examples/, and the snippets of README.md, on a real server: what they print, their exit codes, and
that the data come back. The snippets run as they stand there; only their addresses are put in place of the example's."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest
from e2e import ROOT, Ended, fill, fingerprint, wipe

PROGRAMS = ROOT / "build" / "release" / "examples"
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIMEOUT_S = 120


def run(words: list[str], cwd: pathlib.Path | None = None, **environment: str) -> Ended:
    ended = subprocess.run(
        words, cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


class Example:
    """The example programs, on one database and one folder."""

    def __init__(self, url: str, database: Any, folder: pathlib.Path) -> None:
        self.url, self.name, self.folder = url, database.name, folder

    def words(self, program: str, *more: str) -> list[str]:
        return [str(PROGRAMS / program), self.name, str(self.folder), *more]

    def __call__(self, program: str, *more: str, url: str | None = None) -> Ended:
        return run(self.words(program, *more), MONGO_URL=url or self.url)


@pytest.fixture
def example(url: str, database: Any, folder: pathlib.Path) -> Example:
    return Example(url, database, folder)


def test_example_01_backs_up_and_02_brings_it_back(example: Example, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    saved = example("01_backup")
    assert saved.code == 0, saved.err
    assert saved.json["documents"] == sum(each[2] for each in before.values() if each[0] != "view")
    assert saved.json["state"] == "good" and (folder / saved.json["file"]).is_file()
    wipe(database)
    restored = example("02_restore")
    assert restored.code == 0, restored.err
    assert restored.json["file"] == saved.json["file"] and restored.json["documents"] == saved.json["documents"]
    assert fingerprint(database) == before


def test_example_02_restores_a_named_file_over_other_data(example: Example, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    first = example("01_backup").json["file"]
    database.users.update_many({}, {"$set": {"name": "changed by mistake"}})
    later = fingerprint(database)
    assert example("01_backup").code == 0
    restored = example("02_restore", first)
    assert restored.code == 0, restored.err
    assert fingerprint(database) == before
    assert example("02_restore", restored.json["safety_file"]).code == 0
    assert fingerprint(database) == later


def test_example_03_brings_a_lost_database_back_at_startup(example: Example, database: Any) -> None:
    before = fill(database)
    assert example("01_backup").code == 0
    wipe(database)
    started = example("03_startup")
    assert started.code == 0 and started.json["result"] == "restored", started.err
    assert fingerprint(database) == before
    assert "reprise: " in started.err
    again = example("03_startup")
    assert again.code == 0 and again.json["result"] == "not_needed"
    assert fingerprint(database) == before


def test_example_03_serves_a_new_deployment_but_not_an_empty_database_whose_backups_are_damaged(
    example: Example, database: Any, folder: pathlib.Path
) -> None:
    fresh = example("03_startup")
    assert fresh.code == 0 and fresh.json["result"] == "no_backup"
    fill(database)
    file = folder / example("01_backup").json["file"]
    file.write_bytes(file.read_bytes()[:-100])
    wipe(database)
    refused = example("03_startup")
    assert refused.code == 1 and refused.json["result"] == "refused"
    assert fingerprint(database) == {}


@pytest.mark.parametrize("program", ["01_backup", "02_restore", "03_startup"])
def test_an_example_tells_wrong_use_from_failure(program: str, example: Example) -> None:
    usage = run([str(PROGRAMS / program)])
    assert usage.code == 2 and "usage:" in usage.err and usage.out == ""
    nobody = example(program, url="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=500")
    assert nobody.code == 1 and nobody.out == "", nobody
    assert re.search(r"^\w+: .+ \[[a-z_]+\]$", nobody.err, re.M), nobody.err


def test_example_02_stops_at_ctrl_c(example: Example, database: Any) -> None:
    before = fill(database)
    assert example("01_backup").code == 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # The job is at work once it has called the server, which never answers.
        url = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/"
        environment = {**os.environ, "MONGO_URL": url}
        with subprocess.Popen(example.words("02_restore"), env=environment, stderr=subprocess.PIPE) as process:
            silent.settimeout(60)
            link, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            link.close()
    assert process.returncode == 1 and b"[cancelled]" in err, err
    assert fingerprint(database) == before


def snippet(title: str, language: str) -> str:
    """The first block of `language` below the heading `title` in README.md."""
    section = README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)
    assert found is not None
    return found.group(1)


def addressed(text: str, url: str, database: Any, folder: pathlib.Path) -> str:
    """The snippet with this test's addresses for the example's, each of which stands there once."""
    for example, ours in (("mongodb://127.0.0.1:27017", url), ("hr", database.name), ("/data/backups", str(folder))):
        quoted = re.compile(rf'(\\?")({re.escape(example)})(\\?")')
        text, count = quoted.subn(lambda found, ours=ours: found.group(1) + ours + found.group(3), text)
        assert count == 1, f"{example} stands {count} times in the snippet"
    return text


def test_the_readme_in_c_compiles_as_it_says_and_brings_the_data_back(
    url: str, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path, example: Example
) -> None:
    code = snippet("Ten lines of C", "c")
    assert code.count("\n") <= 14
    (tmp_path / "host.c").write_text(addressed(code, url, database, folder), encoding="utf-8")
    installed = run(["cmake", "--install", str(ROOT / "build" / "release"), "--prefix", str(tmp_path / "prefix")])
    assert installed.code == 0, installed.err
    paths = ":".join(str(each.parent) for each in (tmp_path / "prefix").rglob("reprise.pc"))
    compile_line = re.search(r"^    (cc host\.c .*?)\s*#", README, re.M)
    assert compile_line is not None
    built = run(["sh", "-c", compile_line.group(1)], cwd=tmp_path, PKG_CONFIG_PATH=paths)
    assert built.code == 0, built.err
    assert "libreprise" not in run(["ldd", "a.out"], cwd=tmp_path).out
    before = fill(database)
    assert example("01_backup").code == 0
    host = [str(tmp_path / "a.out")]
    assert run(host).json["result"] == "not_needed"
    wipe(database)
    started = run(host)
    assert started.code == 0 and started.json["result"] == "restored", started
    assert fingerprint(database) == before


def test_the_readme_in_python_runs_as_it_stands(url: str, database: Any, folder: pathlib.Path, example: Example) -> None:
    code = addressed(snippet("Ten lines of Python", "python"), url, database, folder)
    before = fill(database)
    assert example("01_backup").code == 0
    wipe(database)
    ended = run([sys.executable, "-W", "error", "-c", code])
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    documents = sum(each[2] for each in before.values() if each[0] != "view")
    newest = max(each.name for each in folder.glob("backup_2*.json"))
    assert lines[0] == f"{newest} {documents}" and lines[1].startswith(f"{newest} "), ended.out
    assert len(lines) == 3 and fingerprint(database) == before
    assert json.loads(next(folder.glob("before_restore_*.json")).read_text(encoding="utf-8"))["database"] == database.name

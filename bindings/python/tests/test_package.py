"""What needs no server: the declarations against the header, the sentences, the command line, the errors."""

from __future__ import annotations

import asyncio
import ctypes
import json
import pathlib
import pickle
import re
import threading
import time

import pytest

import reprise
from reprise import _abi, _admin, _command, _pool, _results, _say
from reprise._bar import draw
from reprise._errors import error_of

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADER = (ROOT / "include" / "reprise" / "reprise.h").read_text()


def test_every_function_of_the_header_is_declared_with_as_many_arguments() -> None:
    code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S)
    found = dict(re.findall(r"REPRISE_API [^;]*?(reprise_\w+)\(([^;]*)\);", code))
    del found["reprise_log_hook_set"], found["reprise_run"]  # for C and C++ hosts only
    assert set(_abi._FUNCTIONS) == set(found)
    for name, arguments in found.items():
        count = 0 if arguments.strip() == "void" else arguments.count(",") + 1
        assert len(_abi._FUNCTIONS[name][1]) == count, name


def test_structs_and_codes_are_the_headers() -> None:
    assert ctypes.sizeof(_abi.ErrorStruct) == 512
    assert ctypes.sizeof(_abi.JobStatusStruct) == 8 + 8 + 4 + 4 + 4 * 8 + 32 + 256
    for name, kind in (("header", _abi.HeaderStruct), ("request", _abi.RequestStruct)):
        body = re.search(rf"typedef struct reprise_{name} \{{(.*?)\}}", re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S), re.S)
        assert body is not None
        assert [field[0] for field in kind._fields_] == re.findall(r"(\w+);", body[1])
        assert ctypes.sizeof(kind) == 8 * len(kind._fields_)
    codes = {name.lower(): int(value) for name, value in re.findall(r"#define REPRISE_E_(\w+) \((-\d+)\)", HEADER)}
    assert len(codes) == 15
    for name, value in codes.items():
        error = error_of(value, {"message": "m", "reason": "r"})
        assert (error.code, error.code_name) == (value, name) and type(error) is not reprise.RepriseError
    assert _abi.abi()._library.reprise_code_name(-9) == b"corrupt"


def test_an_unknown_code_is_still_an_error() -> None:
    error = error_of(-99, {"message": "from a later version", "reason": "new", "origin": 9})
    assert type(error) is reprise.RepriseError and error.code == -99 and error.origin == "own"


def test_errors_pickle() -> None:
    error = error_of(-4, {"message": "somebody is at work", "reason": "lease_held", "retryable": True, "origin": 1})
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is reprise.BusyError and copy.as_json() == error.as_json()


@pytest.mark.parametrize(
    ("header", "chosen"),
    [(None, "fr"), ("", "fr"), ("en", "en"), ("en-GB,en;q=0.9,fr;q=0.8", "en"), ("fr, en;q=0.9", "fr"), ("de", "fr")]
    + [("en;q=0", "fr"), ("*", "fr"), ("EN-us;q=0.5", "en"), ("en;q=x", "fr"), ("fr;q=0.2, *;q=0.1", "fr")],
)
def test_the_language_of_a_request(header: str | None, chosen: str) -> None:
    assert _admin.language(header) == chosen


def test_a_pool_has_few_threads_and_none_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool, "IDLE_S", 0.05)
    pool, gate, done = _pool.Pool(3), threading.Event(), threading.Semaphore(0)

    def work() -> None:
        gate.wait(10)
        done.release()

    for _ in range(20):
        pool.submit(work)
    assert pool._threads == 3
    gate.set()
    assert all(done.acquire(timeout=10) for _ in range(20))
    until = time.monotonic() + 10
    while pool._threads and time.monotonic() < until:
        time.sleep(0.01)
    assert pool._threads == 0
    pool.submit(work)
    assert done.acquire(timeout=10)


def test_a_call_in_the_pool_raises_what_it_raises() -> None:
    async def ask() -> None:
        assert await _pool.in_pool(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await _pool.in_pool(lambda: 1 // 0)

    asyncio.run(ask())


def test_opening_connects_to_nothing_and_makes_nothing(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "backups"
    with reprise.Reprise("mongodb://user:s3cret@127.0.0.1:1/", "hr", folder) as opened:
        assert opened.list() == [] and not folder.exists()
        told = json.dumps(opened.config())
        assert "s3cret" not in told and "***" in told


def test_bad_configuration_is_refused_when_it_is_opened(tmp_path: pathlib.Path) -> None:
    with pytest.raises(reprise.InvalidConfigError, match="sentinl") as caught:
        reprise.Reprise("mongodb://127.0.0.1:1/", "hr", tmp_path, sentinl="users")
    assert isinstance(caught.value, ValueError) and caught.value.reason == "key_unknown"


def test_a_file_that_is_not_there_is_not_found(tmp_path: pathlib.Path) -> None:
    with reprise.Reprise("mongodb://127.0.0.1:1/", "hr", tmp_path) as opened:
        with pytest.raises(reprise.NotFoundError):
            opened.verify("backup_20250101_000000.json")
        with pytest.raises(reprise.NotFoundError):
            list(opened.cat("backup_20250101_000000.json"))


def test_async_verify_is_woken_by_the_descriptor(tmp_path: pathlib.Path) -> None:
    async def work() -> None:
        async with reprise.AsyncReprise("mongodb://127.0.0.1:1/", "hr", tmp_path) as opened:
            with pytest.raises(reprise.NotFoundError):
                await opened.verify("backup_20250101_000000.json")
            assert await opened.list() == []

    asyncio.run(work())


def test_an_old_file_is_read_and_listed(tmp_path: pathlib.Path) -> None:
    old = {"backup_date": "2025-10-12T16:27:21", "database": "hr", "collections": {"users": [{"_id": "1", "name": "é"}]}}
    (tmp_path / "backup_20251012_162721.json").write_text(json.dumps(old, indent=2))
    with reprise.Reprise("mongodb://127.0.0.1:1/", "hr", tmp_path) as opened:
        assert [each.filename for each in opened.list()] == ["backup_20251012_162721.json"]
        result = opened.verify("backup_20251012_162721.json")
        assert result.legacy and result.documents == 1 and result.warnings


def test_results_keep_what_they_do_not_know() -> None:
    result = _results.read(reprise.BackupResult, {"file": "x", "new_key": 1, "label": None, "documents": 3})
    assert (result.file, result.documents, result.raw["new_key"], result.latest) == ("x", 3, 1, False)
    started = _results.startup_result({"result": "restored", "restore": {"file": "x", "undo": "so"}})
    assert started.restored and started.restore is not None and started.restore.undo == "so"
    assert not _results.startup_result({"result": "refused"}).may_go_on


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (64000, "62.5 KB"), (5 << 20, "5.0 MB"), (3 << 40, "3.0 TB")],
)
def test_amounts(size: int, said: str) -> None:
    assert _say.amount(size) == said


def test_sentences() -> None:
    assert _say.sentence("it is so") == "It is so." and _say.sentence("Done.") == "Done." and _say.sentence("") == ""
    assert _say.many(1, "document") == "1 document" and _say.many(0, "backup") == "0 backups"
    assert _say.moment("2025-10-12T16:27:21.123456Z") == "2025-10-12 16:27:21 UTC"


def test_the_environment_of_the_old_script() -> None:
    config = _command.configuration(_command.parse(["backup"]), {"MONGO_URL": "mongodb://h"})
    assert config == {"mongo_url": "mongodb://h", "database": "test_database", "directory": "/app/data/backups"}
    given = {"MONGO_URL": "mongodb://h", "DB_NAME": "hr", "BACKUP_DIR": "/srv/b/"}
    assert _command.configuration(_command.parse(["list", "--database=x"]), given)["database"] == "x"
    assert _command.configuration(_command.parse(["list"]), given)["directory"] == "/srv/b"


def test_options_become_the_jobs_keys() -> None:
    words = "restore f.json --merge --no-safety-backup --include a --include=b --wait 5 --to-mongo-url-env OTHER --json"
    options = _command.job_options(_command.parse(words.split()), {"OTHER": "mongodb://o"})
    assert options == {
        "file": "f.json",
        "mode": "merge",
        "no_safety_backup": True,
        "include": ["a", "b"],
        "wait_ms": 5000,
        "to_mongo_url": "mongodb://o",
    }


def test_every_option_is_in_the_help() -> None:
    for options in (_command._COMMON, *_command._OPTIONS.values()):
        for name in options:
            assert name in _command.USAGE, name


def test_every_option_of_a_job_can_be_given_on_the_command_line() -> None:
    told = json.loads(_abi.abi().build())
    assert told["abi"] // 1000 == _abi.ABI_MAJOR
    text = json.dumps(told)
    for word in ("backup", "startup", "restore", "verify", "rehash"):
        assert word in text


def test_the_bar_shows_share_phase_and_place() -> None:
    where = reprise.Progress(1, "reading", "users", 50, 100, 0, 0)
    assert draw(where) == "[############............]  50% reading users 50 documents 0 B"
    assert "%" not in draw(reprise.Progress(1, "waiting", "", 0, 0, 0, 0))

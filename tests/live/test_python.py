"""The Python package on a real server: results, progress, logs, asyncio, Ctrl-C, interpreter exits."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import pathlib
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from e2e import fill, fingerprint, leftovers, wipe

import reprise as package
from reprise import (
    AsyncReprise,
    BusyError,
    InvalidArgumentError,
    InvalidConfigError,
    NotFoundError,
    Progress,
    RefusedError,
    Reprise,
)

EXITS = 20


@pytest.fixture
def opened(url: str, database: Any, folder: pathlib.Path) -> Any:
    with Reprise(url, database.name, folder) as found:
        yield found


def grow(database: Any, documents: int = 30_000) -> None:
    more = [{"_id": f"more{n}", "user_id": f"u{n}", "day": n, "text": "é" * 200} for n in range(documents)]
    database.work_hours.insert_many(more)


def test_results_are_dataclasses(opened: Reprise, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    saved = opened.backup(label="typed")
    assert saved.state == "good" and saved.latest and saved.path == str(folder / saved.file)
    assert saved.raw["documents"] == saved.documents > 0
    listed = opened.list()
    assert [each.filename for each in listed] == [saved.file] and listed[0].label == "typed"
    assert opened.show(saved.file).collections["users"]["documents"] == 12
    checked = opened.verify()
    assert checked.verified and checked.documents == saved.documents and checked.sha256
    assert opened.status().backups == 1
    assert b"".join(opened.cat()) == (folder / saved.file).read_bytes()
    wipe(database)
    restored = opened.restore(folder / saved.file)
    assert restored.documents == saved.documents and fingerprint(database) == before
    started = opened.auto()
    assert started.result == "not_needed" and started.may_go_on and not started.restored


def test_preview_delete_metrics_and_audit(
    opened: Reprise, database: Any, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database)
    with caplog.at_level(logging.INFO, logger="reprise.audit"):
        old, new = opened.backup().file, opened.backup(actor={"via": "rest", "who": "sophie", "from": "::1"}).file
        database.users.delete_many({})
        preview = opened.preview(mode="replace", include=["users", "absences"])
        assert preview.file == new and preview.database == database.name
        assert {each.name: (each.now, each.after, each.same) for each in preview.collections}["users"] == (0, 12, False)
        assert b"".join(opened.download(old)) == (folder / old).read_bytes()
        size = (folder / old).stat().st_size
        deleted = opened.delete(old, actor={"via": "rest", "who": "sophie"})
        assert (deleted.filename, deleted.freed_bytes) == (old, size)
        with pytest.raises(RefusedError) as caught:
            opened.delete(new)
        assert caught.value.reason == "file_protected"
        opened.audit_add("import", result="failed", reason="row_invalid", who="zoé", address="192.0.2.1")
        opened.verify()
    assert "reprise_healthy 1\n" in opened.metrics()
    audit = opened.audit()
    assert audit.whole and audit.problems == [] and audit.last == len(audit.lines) and len(opened.audit(limit=2).lines) == 2
    added = next(each for each in audit.lines if each["what"] == "import")
    assert (added["result"], added["reason"], added["who"], added["from"]) == ("failed", "row_invalid", "zoé", "192.0.2.1")
    assert [each.get("who") for each in audit.lines if each["what"] == "backup"] == ["sophie", None]
    kept = [json.loads(record.getMessage()) for record in caplog.records if record.name == "reprise.audit"]
    assert kept[-1]["hash"] == audit.last_hash and [each["n"] for each in kept] == list(range(1, audit.last + 1))


def test_asyncio_has_the_same(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)

    async def work() -> None:
        async with AsyncReprise(url, database.name, folder) as reprise:
            old, new = (await reprise.backup()).file, (await reprise.backup()).file
            assert all(each.same for each in (await reprise.preview()).collections)
            assert b"".join([piece async for piece in reprise.download(new)]) == (folder / new).read_bytes()
            assert (await reprise.delete(old)).filename == old
            await reprise.audit_add("import", file=new)
            audit = await reprise.audit(limit=1)
            assert audit.whole and audit.lines[0]["what"] == "import" and audit.lines[0]["file"] == new
            assert "reprise_healthy 1\n" in await reprise.metrics()

    asyncio.run(work())


def test_progress_is_seen_and_ends_at_the_whole(opened: Reprise, database: Any) -> None:
    fill(database)
    grow(database)
    seen: list[Progress] = []
    saved = opened.backup(progress=seen.append)
    assert {each.phase for each in seen} - {""} and max(each.documents for each in seen) <= 2 * saved.documents
    assert any(each.fraction is not None for each in seen)


def test_what_progress_raises_stops_the_job(opened: Reprise, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    grow(database)

    def stop(where: Progress) -> None:
        if where.phase:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        opened.backup(progress=stop)
    opened.backup()
    assert leftovers(database, folder) == []


def test_log_lines_go_to_logging(
    url: str, database: Any, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database)
    with caplog.at_level(logging.DEBUG, logger="reprise"), Reprise(url, database.name, folder, log_level="debug") as opened:
        opened.backup()
    assert [each for each in caplog.records if each.name == "reprise"]


def test_exceptions_carry_code_and_reason(opened: Reprise) -> None:
    with pytest.raises(NotFoundError) as caught:
        opened.backup()
    assert (caught.value.code, caught.value.code_name, caught.value.reason) == (-3, "not_found", "database_missing")
    with pytest.raises(InvalidArgumentError):
        opened.run("backup", {"lable": "typo"})
    with pytest.raises(InvalidArgumentError):
        opened.run("dance", {})
    with pytest.raises(InvalidConfigError, match="sentinl"):
        Reprise("mongodb://127.0.0.1:1", "hr", "/nowhere", sentinl="users")


def test_a_closed_engine_says_so(url: str, folder: pathlib.Path) -> None:
    opened = Reprise(url, "reprise_closed", folder)
    opened.close()
    opened.close()
    with pytest.raises(InvalidArgumentError) as caught:
        opened.list()
    assert caught.value.reason == "closed"


def test_threads_share_one_engine(opened: Reprise, database: Any) -> None:
    fill(database)
    opened.backup()
    found: list[object] = []

    def work() -> None:
        for _ in range(3):
            found.append(opened.verify().verified)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert found == [True] * 12


# ---- asyncio


def test_async_does_all_without_the_default_executor(url: str, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)

    async def work() -> None:
        loop = asyncio.get_running_loop()

        def refuse(*_: Any) -> Any:
            raise AssertionError("the default executor was used")

        loop.run_in_executor = refuse  # type: ignore[method-assign]
        async with AsyncReprise(url, database.name, folder) as reprise:
            seen: list[Progress] = []
            saved = await reprise.backup(label="async", progress=seen.append)
            assert saved.latest and seen
            assert [each.filename for each in await reprise.list()] == [saved.file]
            assert (await reprise.show()).documents == saved.documents
            both = await asyncio.gather(reprise.verify(), reprise.verify(saved.file))
            assert all(each.verified for each in both)
            pieces = [piece async for piece in reprise.cat()]
            assert b"".join(pieces) == (folder / saved.file).read_bytes()
            wipe(database)
            assert (await reprise.auto()).result == "restored"
            assert (await reprise.status()).backups == 1
            with pytest.raises(NotFoundError):
                await reprise.restore("backup_20200101_000000.json")

    asyncio.run(work())
    assert fingerprint(database) == before


def test_the_loop_stays_free_while_a_job_runs(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    grow(database)

    async def work() -> int:
        ticks = 0
        async with AsyncReprise(url, database.name, folder) as reprise:
            job = asyncio.ensure_future(reprise.backup())
            while not job.done():
                await asyncio.sleep(0.005)
                ticks += 1
            await job
        return ticks

    assert asyncio.run(work()) > 3


def test_a_cancelled_task_stops_the_job_and_waits(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    grow(database)

    async def work() -> None:
        async with AsyncReprise(url, database.name, folder) as reprise:
            job = asyncio.ensure_future(reprise.backup())
            await asyncio.sleep(0.1)
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
            states = [each["state"] for each in (await reprise.jobs())["jobs"]]
            assert states == ["cancelled"]
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reprise.backup(), 0.1)
            assert (await reprise.backup()).latest

    asyncio.run(work())
    assert leftovers(database, folder) == []


def test_one_engine_serves_one_loop_after_another(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    reprise = AsyncReprise(url, database.name, folder)
    for _ in range(3):
        assert asyncio.run(reprise.backup()).latest
    asyncio.run(reprise.close())


def test_a_second_operation_is_busy(opened: Reprise, database: Any, url: str, folder: pathlib.Path) -> None:
    fill(database)
    grow(database)
    met = threading.Event()

    # One backup may be over before another process looks, so the first goes on until the other has met it.
    def first() -> None:
        until = time.monotonic() + 60
        while not met.is_set() and time.monotonic() < until:
            with contextlib.suppress(BusyError):  # the other one's turn
                opened.backup()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        with Reprise(url, database.name, folder) as other, pytest.raises(BusyError) as caught:
            while thread.is_alive():
                other.backup()
    finally:
        met.set()
        thread.join(60)
    assert caught.value.retryable and caught.value.reason in ("folder_locked", "lease_held")


# ---- processes

EXIT = """
import sys, threading, time
from reprise import Reprise
opened = Reprise(*sys.argv[1:4])
job = opened._engine.start(sys.argv[4], {})
time.sleep(float(sys.argv[5]))
"""


@pytest.mark.parametrize("kind", ["backup", "restore"])
def test_interpreter_exits_during_a_job_are_silent(kind: str, opened: Reprise, url: str, database: Any, folder: Any) -> None:
    before = fill(database)
    grow(database)
    opened.backup()
    before = fingerprint(database)
    for attempt in range(EXITS):
        words = [url, database.name, str(folder), kind, str(attempt * 0.02)]
        ended = subprocess.run([sys.executable, "-c", EXIT, *words], capture_output=True, timeout=60, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b""), attempt
    opened.backup(wait_ms=60_000)
    assert fingerprint(database) == before and leftovers(database, folder) == []


INTERRUPTED = """
import sys
from reprise import Reprise
with Reprise(*sys.argv[1:4]) as opened:
    try:
        opened.restore(progress=lambda where: print(where.phase, flush=True))
        print("finished")
    except KeyboardInterrupt:
        print("interrupted", [job["state"] for job in opened.jobs()["jobs"]][0])
"""


def test_ctrl_c_raises_keyboard_interrupt_after_the_job_has_ended(
    opened: Reprise, url: str, database: Any, folder: Any
) -> None:
    import signal

    fill(database)
    grow(database)
    opened.backup()
    before = fingerprint(database)
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, url, database.name, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert out.decode().splitlines()[-1] in ("interrupted cancelled", "finished"), (out, err)
    assert process.returncode == 0 and err == b""
    assert fingerprint(database) == before
    opened.backup()  # sweeps what the server still did after the cancel
    assert fingerprint(database) == before and leftovers(database, folder) == []


def test_a_child_after_fork_may_use_an_engine_that_was_only_opened(url: str, database: Any, folder: Any) -> None:
    fill(database)
    script = """
import os, sys
import time
from reprise import Reprise
opened = Reprise(*sys.argv[1:4])
child = os.fork()
if child == 0:
    os._exit(0 if opened.backup().latest else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    words = [sys.executable, "-c", script, url, database.name, str(folder)]
    ended = subprocess.run(words, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_progress_bar_is_drawn_on_a_terminal_only(url: str, database: Any, folder: Any) -> None:
    import os
    import pty

    fill(database)
    grow(database)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-m", "reprise", "backup"], stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        drawn = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            drawn += piece
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0 and b"[" in drawn and b"documents" in drawn and drawn.endswith(b"\r\x1b[K")
    assert b"\x1b" not in out and out.startswith(b"Saved ")


def test_the_library_that_is_not_ours_is_refused(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "other.c"
    source.write_text("int reprise_abi(void) { return 2000; }\n")
    other = tmp_path / "libreprise.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(other), str(source)], check=True)
    for path, reason in ((other, "abi_mismatch"), (source, "library_unusable"), (tmp_path / "none.so", "library_missing")):
        code = f"import os; os.environ['REPRISE_LIBRARY'] = {str(path)!r}\nimport reprise\n"
        code += "try:\n reprise.Reprise('m', 'd', 'x')\n"
        code += "except reprise.LibraryError as error: print(error.reason)"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert ended.stdout.strip() == reason, ended.stderr


def test_errors_survive_pickling() -> None:
    import pickle

    error = package.BusyError("somebody is at work", "lease_held")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.message, copy.reason, copy.code) == (error.message, error.reason, error.code)

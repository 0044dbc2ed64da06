"""A backup before risky work: its reason, how long it is kept, and what a block that raises is told."""

from __future__ import annotations

import asyncio
import logging
import os
import pathlib
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from e2e import Command, fill, fingerprint, wipe

from reprise import AsyncReprise, InvalidArgumentError, Reprise

REASON = "excel import"


class ImportFailed(Exception):
    pass


@pytest.fixture
def opened(url: str, database: Any, folder: pathlib.Path) -> Any:
    with Reprise(url, database.name, folder, retention={"keep_last": 1}) as found:
        yield found


def spoil(database: Any) -> None:
    database.users.delete_many({"role": "manager"})
    database.users.insert_one({"_id": "half", "name": "half an import"})


def days_until(text: str) -> float:
    until = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (until - datetime.now(timezone.utc)) / timedelta(days=1)


def test_it_bears_its_reason_and_is_not_rotated_away(opened: Reprise, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    saved = opened.before(REASON)
    assert saved.file.startswith("backup_2") and saved.result.latest and saved.result.label == REASON
    assert saved.result.keep_until and 6.9 < days_until(saved.result.keep_until) <= 7
    for _ in range(3):
        opened.backup()
    listed = {each.filename: each for each in opened.list()}
    assert len(listed) == 2, "keep_last 1, and what is kept for its time"
    entry = listed[saved.file].raw
    assert (entry["kind"], entry["label"], entry["keep_until"]) == ("before", REASON, saved.result.keep_until)
    opened.verify(saved.file)
    assert opened.show(saved.file).raw["keep_until"] == saved.result.keep_until


def test_a_lost_database_comes_back_from_it(opened: Reprise, database: Any) -> None:
    before = fill(database)
    saved = opened.before(REASON)
    wipe(database)
    assert opened.auto().file == saved.file
    assert fingerprint(database) == before


def test_its_time_is_configurable_and_ends(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    keep = {"before": {"keep_days": 30}, "retention": {"keep_last": 1}}
    with Reprise(url, database.name, folder, **keep) as opened:
        assert 29.9 < days_until(opened.before(REASON).result.keep_until or "") <= 30
        short = opened.before("for no time at all", keep_days=0)
        opened.backup()
        assert short.file not in [each.filename for each in opened.list()]
        with pytest.raises(InvalidArgumentError, match="reason"):
            opened.run("before", {})
        with pytest.raises(InvalidArgumentError, match="reason"):
            opened.before("")
        with pytest.raises(InvalidArgumentError, match="reason"):
            opened.before("x" * 201)
        with pytest.raises(InvalidArgumentError, match="keep_days"):
            opened.before(REASON, keep_days=-1)


def test_work_that_succeeds_hears_nothing(opened: Reprise, database: Any, caplog: pytest.LogCaptureFixture) -> None:
    fill(database)
    with opened.before(REASON) as saved:
        spoil(database)
    assert database.users.find_one({"_id": "half"}) and saved.restored is None
    assert not [each for each in caplog.records if "To go back" in each.getMessage()]


def test_work_that_raises_is_told_how_to_go_back(
    opened: Reprise, database: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = fill(database)
    with pytest.raises(ImportFailed) as caught, opened.before(REASON) as saved:
        spoil(database)
        raise ImportFailed("row 7 is no date")
    spoiled = fingerprint(database)
    assert spoiled != before, "nothing is put back unasked"
    (note,) = caught.value.__notes__
    assert saved.path in note and REASON in note and saved.command in note and f"restore({saved.file!r})" in note
    assert caught.value.reprise_saved is saved  # type: ignore[attr-defined]
    assert [each.levelno for each in caplog.records if each.getMessage() == note] == [logging.ERROR]
    assert url.split("//")[1].split("/")[0] not in note, "a connection string may hold a password"
    # The command of the note, as a person would type it.
    words = saved.command.replace("python3", f'"{sys.executable}"')
    ended = subprocess.run(["sh", "-c", words], env={**os.environ, "MONGO_URL": url}, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert fingerprint(database) == before


def test_it_is_put_back_when_that_was_asked_for(opened: Reprise, database: Any) -> None:
    before = fill(database)
    with pytest.raises(ImportFailed) as caught, opened.before(REASON, restore_on_error=True) as saved:
        spoil(database)
        raise ImportFailed
    assert fingerprint(database) == before
    assert saved.restored is not None and saved.restored.file == saved.file
    assert any("as restore_on_error asked" in each for each in caught.value.__notes__)
    assert any("before_restore_" in each for each in caught.value.__notes__), "and how to go back to the half-done work"


def test_a_restore_that_fails_hides_nothing(opened: Reprise, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    with pytest.raises(ImportFailed) as caught, opened.before(REASON, restore_on_error=True) as saved:
        (folder / saved.file).write_bytes((folder / saved.file).read_bytes()[:-100])
        spoil(database)
        raise ImportFailed
    assert any("could not restore" in each and "file_truncated" in each for each in caught.value.__notes__)
    assert saved.restored is None and database.users.find_one({"_id": "half"})


def test_the_end_of_a_program_is_no_fault(opened: Reprise, database: Any) -> None:
    fill(database)
    with pytest.raises(SystemExit) as caught, opened.before(REASON, restore_on_error=True):
        spoil(database)
        raise SystemExit(0)
    assert not getattr(caught.value, "__notes__", []) and database.users.find_one({"_id": "half"})


def test_a_program_that_gives_up_is_told_and_put_back(opened: Reprise, database: Any) -> None:
    before = fill(database)
    with pytest.raises(SystemExit) as caught, opened.before(REASON, restore_on_error=True):
        spoil(database)
        raise SystemExit("row 17 is wrong")
    assert any("as restore_on_error asked" in each for each in caught.value.__notes__)
    assert not any("nothing was put back" in each for each in caught.value.__notes__)
    assert fingerprint(database) == before


def test_without_a_backup_the_work_does_not_begin(opened: Reprise, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    folder.write_text("no folder")
    begun = False
    with pytest.raises(Exception) as caught, opened.before(REASON):
        begun = True
    assert not begun and getattr(caught.value, "reason", "") == "not_a_folder"


def test_asyncio_does_the_same(url: str, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)

    async def work() -> None:
        async with AsyncReprise(url, database.name, folder) as opened:
            with pytest.raises(ImportFailed) as caught:
                async with opened.before(REASON) as saved:
                    spoil(database)
                    raise ImportFailed
            assert saved.command in caught.value.__notes__[0] and fingerprint(database) != before
            await opened.restore(saved.file)
            with pytest.raises(ImportFailed):
                async with opened.before(REASON, restore_on_error=True) as saved:
                    spoil(database)
                    raise ImportFailed
            assert saved.restored is not None and fingerprint(database) == before
            alone = await opened.before("by hand", keep_days=1)
            assert alone.result.label == "by hand"

    asyncio.run(work())


def test_the_command(command: Command, database: Any) -> None:
    fill(database)
    result = command.result("before", REASON, "--keep-days", "3")
    assert result["label"] == REASON and 2.9 < days_until(result["keep_until"]) <= 3
    ended = command("before", "une migration")
    assert ended.code == 0 and "Kept until " in ended.out and "To go back: reprise restore backup_" in ended.out
    assert f'"{REASON}"' in command("list").out and '"une migration"' in command("list").out
    wrong = command("before")
    assert (wrong.code, wrong.err) == (2, "reprise: before needs a reason (see --help) [usage]\n")

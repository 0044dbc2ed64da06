"""Bad input: one sentence that names the thing, a stable code and reason, an exit code, and nothing changed."""

from __future__ import annotations

import os
import pathlib
import socket
import time
from typing import Any

import pytest
import servers
from e2e import Command, files, fill, fingerprint, leftovers

from reprise import InvalidConfigError, Reprise


def refused(command: Command, arguments: list[str], code: int, **environment: str | None) -> dict[str, Any]:
    """Runs it both ways; the error as JSON."""
    told = command(*arguments, **environment)
    assert told.code == code, told.out + told.err
    assert told.out == "" and told.err.startswith("reprise: ") and told.err.count("\n") == 1
    error = command(*arguments, "--json", **environment)
    assert error.code == code and error.err == ""
    found = error.error
    assert found["reason"] and found["reason"] == found["reason"].lower() and " " not in found["reason"]
    assert found["message"] in told.err and not found["message"].endswith(".")
    return found


CONFIGS = [
    ({"sentinl": "users"}, "sentinl"),
    ({"profile": "fancy"}, "profile"),
    ({"consistency": 3}, "consistency"),
    ({"connect_timeout_ms": "soon"}, "connect_timeout_ms"),
    ({"connect_timeout_ms": -1}, "connect_timeout_ms"),
    ({"include": "users"}, "include"),
    ({"include": ["users", 7]}, "include"),
    ({"log_level": "loud"}, "log_level"),
    ({"mongo_url": "http://example.com"}, "mongo_url"),
    ({"mongo_url": "mongodb://"}, "mongo_url"),
    ({"mongo_url": ""}, "mongo_url"),
    ({"database": "a/b"}, "database"),
    ({"database": ""}, "database"),
    ({"database": 5}, "database"),
    ({"directory": ""}, "directory"),
]


@pytest.mark.parametrize(("config", "key"), CONFIGS, ids=str)
def test_bad_configuration_names_its_key(config: dict[str, Any], key: str, folder: pathlib.Path) -> None:
    whole = {"mongo_url": "mongodb://127.0.0.1:1", "database": "hr", "directory": folder, **config}
    with pytest.raises(InvalidConfigError) as caught:
        Reprise(**whole)
    assert key in caught.value.message and caught.value.reason and caught.value.code == -2
    assert not folder.exists()


def test_a_missing_url_is_told_where_it_is_needed(command: Command) -> None:
    assert "MONGO_URL" in refused(command, ["backup"], 2, MONGO_URL=None)["message"]
    assert "MONGO_URL" in refused(command, ["auto"], 2, MONGO_URL="")["message"]
    assert command("list", MONGO_URL=None).code == 0


def test_auto_is_told_one_rule_of_what_is_empty(command: Command) -> None:
    for more in (["--collection", "work"], ["--whole-database"]):
        assert "one of --sentinel" in refused(command, ["auto", "--sentinel", "users", *more], 2)["message"]


def test_a_malformed_url_is_a_configuration_error(command: Command) -> None:
    assert "mongo_url" in refused(command, ["backup"], 2, MONGO_URL="localhost:27017")["message"]


def test_a_server_that_is_not_there_is_a_bounded_wait(command: Command, folder: pathlib.Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        dead = f"mongodb://127.0.0.1:{taken.getsockname()[1]}/"
        begun = time.monotonic()
        for verb in ("backup", "auto"):
            assert refused(command, [verb], 6, MONGO_URL=dead)["code_name"] in ("unavailable", "timed_out")
    assert time.monotonic() - begun < 120
    assert files(folder) == {}


def test_a_server_that_never_answers_is_a_bounded_wait(command: Command) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        mute = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/"
        ended = command("backup", "--json", MONGO_URL=mute)
    assert ended.code == 6 and ended.error["code_name"] in ("unavailable", "timed_out")


def test_a_missing_database_is_not_backed_up_and_not_made(command: Command, database: Any, folder: pathlib.Path) -> None:
    assert refused(command, ["backup"], 8)["reason"] == "database_missing"
    assert database.name not in database.client.list_database_names()
    assert files(folder) == {}


def test_restoring_without_any_backup_is_not_found(command: Command, database: Any) -> None:
    for verb in ("restore", "verify", "show", "cat"):
        if verb != "cat":
            refused(command, [verb], 8)
        assert command(verb).code == 8
    assert database.name not in database.client.list_database_names()


@pytest.fixture
def saved(command: Command, database: Any, folder: pathlib.Path) -> tuple[dict[str, Any], pathlib.Path]:
    before = fill(database)
    return before, folder / command.result("backup")["file"]


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def cut_last_line(data: bytes) -> bytes:
    return data[: data.rstrip(b"\n").rfind(b"\n") + 1]


def flip(data: bytes) -> bytes:
    at = data.index(b"company.com")
    return data[:at] + b"C" + data[at + 1 :]


def strip_header(data: bytes) -> bytes:
    return b"\n".join(line for line in data.split(b"\n") if not line.startswith(b'"reprise"'))


DAMAGES = {
    "cut in half": cut,
    "without its last line": cut_last_line,
    "a flipped byte": flip,
    "without its header": strip_header,
    "bytes after the end": lambda data: data + b"{}",
    "empty": lambda data: b"",
    "another kind of JSON": lambda data: b'{"hello": [1, 2, 3]}\n',
    "not JSON at all": lambda data: b"\x89PNG\r\n\x1a\n" + bytes(64),
    "an unknown format": lambda data: data.replace(b'"format":1', b'"format":2', 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_changes_nothing(
    damage: str, command: Command, database: Any, folder: pathlib.Path, saved: tuple[dict[str, Any], pathlib.Path]
) -> None:
    before, path = saved
    bad = folder / "backup_20240229_120000.json"
    bad.write_bytes(DAMAGES[damage](path.read_bytes()))
    kept = files(folder)
    code = 1 if damage == "an unknown format" else 5
    for verb in ("verify", "restore"):
        error = refused(command, [verb, bad.name], code)
        assert bad.name in error["message"], error
        assert error["code_name"] in ("corrupt", "unsupported")
    assert fingerprint(database) == before and files(folder) == kept and leftovers(database, folder) == []


def test_a_folder_is_not_a_file(command: Command, database: Any, folder: pathlib.Path, saved: Any) -> None:
    (folder / "backup_20240101_000000.json").mkdir()
    for verb in ("verify", "restore"):
        assert command(verb, "backup_20240101_000000.json").code in (2, 5, 8)
        assert command(verb, str(folder)).code in (2, 5, 8)
    assert fingerprint(database) == saved[0]


@pytest.mark.parametrize("name", ["../outside.json", "/etc/passwd", "a/../../b.json", "backup_%2e%2e.json", "x\ny", ""])
def test_a_name_never_leaves_the_folder(name: str, command: Command, database: Any, saved: Any) -> None:
    for verb in ("verify", "restore", "show"):
        assert command(verb, name).code in (2, 4, 5, 8), name
    assert fingerprint(database) == saved[0]


def test_a_link_out_of_the_folder_is_refused(
    command: Command, folder: pathlib.Path, tmp_path: pathlib.Path, saved: tuple[Any, pathlib.Path]
) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(saved[1].read_bytes())
    (folder / "backup_20240101_000000.json").symlink_to(outside)
    assert command("restore", "backup_20240101_000000.json").code in (2, 4, 5, 8)


def test_a_directory_that_is_a_file_is_told(command: Command, database: Any, tmp_path: pathlib.Path) -> None:
    fill(database)
    plain = tmp_path / "plain"
    plain.write_text("not a folder")
    ended = command("backup", "--json", BACKUP_DIR=str(plain))
    assert ended.code != 0 and str(plain) in ended.error["message"]
    assert plain.read_text() == "not a folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_denied(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    folder.mkdir(mode=0o500)
    assert command("backup", "--json").error["code_name"] == "denied"


def test_another_databases_folder_is_refused(command: Command, database: Any, client: Any, folder: pathlib.Path) -> None:
    fill(database)
    command.result("backup")
    other = client[database.name + "_other"]
    other.users.insert_one({"_id": 1})
    kept = files(folder)
    try:
        error = command("backup", "--json", DB_NAME=other.name).error
        assert error["reason"] == "folder_of_other"
        assert files(folder) == kept
    finally:
        client.drop_database(other.name)


@pytest.fixture(scope="module")
def guarded() -> Any:
    """A server with users: one may read and write `reprise_auth`, one may only read it."""
    try:
        server = servers.start_server(auth=True)
    except servers.ServerMissing as missing:
        pytest.skip(str(missing))
    with server:
        yield server


def test_a_wrong_password_is_denied_and_not_shown(command: Command, guarded: Any) -> None:
    wrong = guarded.url.replace(servers.PASSWORD_IN_URL, "wr0ng-one")
    error = refused(command, ["backup"], 7, MONGO_URL=wrong)
    assert error["code_name"] == "denied" and "wr0ng" not in str(error)


def test_reading_rights_suffice_to_back_up_and_not_to_restore(command: Command, guarded: Any) -> None:
    import pymongo

    with pymongo.MongoClient(guarded.url) as root:
        root.reprise_auth.users.drop()
        root.reprise_auth.users.insert_many([{"_id": i, "name": "x" * i} for i in range(20)])
        root.admin.command("dropUser", "reader") if root.admin.command("usersInfo", "reader")["users"] else None
        root.admin.command("createUser", "reader", pwd="reader", roles=[{"role": "read", "db": "reprise_auth"}])
    login = f"{servers.USER}:{servers.PASSWORD_IN_URL}"
    reader = guarded.url.replace(login, "reader:reader")
    saved = command("backup", "--json", MONGO_URL=reader, DB_NAME="reprise_auth")
    assert saved.code == 0 and saved.json["without_lease"] is True, saved.out
    error = command("restore", "--json", MONGO_URL=reader, DB_NAME="reprise_auth")
    assert error.code == 7 and error.error["code_name"] == "denied"


def test_s3_backups_of_a_user_that_may_only_read_stand_in_one_order_with_the_others(command: Command, guarded: Any) -> None:
    import pymongo

    name = "reprise_auth_order"
    with pymongo.MongoClient(guarded.url) as root:
        root.drop_database(name)
        root[name].users.insert_many([{"_id": i} for i in range(20)])
        root.admin.command("dropUser", "looker") if root.admin.command("usersInfo", "looker")["users"] else None
        root.admin.command("createUser", "looker", pwd="looker", roles=[{"role": "read", "db": name}])
        owner = {"MONGO_URL": guarded.url, "DB_NAME": name}
        looker = {**owner, "MONGO_URL": guarded.url.replace(f"{servers.USER}:{servers.PASSWORD_IN_URL}", "looker:looker")}
        first = [command("backup", "--json", **owner).json["file"] for _ in range(3)]
        root[name].reprise.drop()  # as after a restore by other means
        made = []
        for number in range(8):
            root[name].work.insert_one({"_id": number})
            made.append(command("backup", "--json", **looker).json)
        assert made[-1]["sequence"] == 11 and made[-1]["deployment"] is not None
        assert [gone for each in made for gone in each["removed"]] == [*first, made[0]["file"]]
        root.drop_database(name)
        started = command("auto", "--json", **owner).json
        assert (started["result"], started["file"]) == ("restored", made[-1]["file"])

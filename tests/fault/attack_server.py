"""S5, S9, hazard 14: the server fails our commands, dies, forgets a cursor, or is a standalone."""

from __future__ import annotations

import pathlib
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
import servers
from lab import LONG, TIMEOUT_S, Ended, Lab, Seen, attack, lab_on, make, telling, thinned
from victims import VICTIMS, Victim
from wire import Message, Proxy

CODES = [91, 10107, 11600, 189, 50, 13, 8000]
NAMES = ["backup", "restore", "startup"]


def sent(victim: Victim, port: int) -> list[Message]:
    """The requests of an unharmed run."""
    with Proxy(port) as proxy:
        victim.before()
        ended = victim.lab.run(*victim.arguments, url=proxy.url)
        assert ended.code == 0, ended.out + ended.err
        return [each for each in proxy.seen if each.way == "request" and each.command not in ("handshake", "endSessions")]


@pytest.fixture(scope="module")
def failing() -> Iterator[servers.Server]:
    if not servers.find_program("py"):
        pytest.skip("no Python server here: it alone has fail points")
    with servers.start_server("py", test_commands=True) as server:
        yield server


def fail_point(client: Any, command: str, how: dict[str, Any], skip: int) -> None:
    mode = {"skip": skip, "times": 1}
    client.admin.command("configureFailPoint", "failCommand", mode=mode, data={"failCommands": [command], **how})


def fail_points(code: int, skips: list[int]) -> list[tuple[dict[str, Any], int]]:
    hows: list[dict[str, Any]] = [{"errorCode": code}, {"closeConnection": True}]
    hows += [{"writeConcernError": {"code": 64, "errmsg": "secret", "codeName": "WriteConcernFailed"}}]
    return [(how, skip) for how in hows for skip in skips]


@pytest.mark.parametrize("name", NAMES)
def test_s9_hazard_14_the_servers_fail_points_for_every_command_we_send(
    name: str, failing: servers.Server, tmp_path: pathlib.Path
) -> None:
    with attack(f"{name}: failCommand for every command that is sent") as seen:
        for lab in lab_on(failing.url, tmp_path):
            victim = VICTIMS[name](lab)
            requests = [each.command for each in sent(victim, failing.port)]
            for at, command in enumerate(sorted(set(requests))):
                count = requests.count(command)
                skips = list(range(count)) if LONG else [count - 1]
                hows = fail_points(CODES[at % len(CODES)], skips)
                for how, skip in thinned(hows[at % 2 :], 2, 5):
                    failed(victim, seen, (command, how, skip))


def failed(victim: Victim, seen: Seen, point: tuple[str, dict[str, Any], int]) -> None:
    lab, (command, how, skip) = victim.lab, point
    victim.before()
    fail_point(lab.database.client, command, how, skip)
    ended = lab.run(*victim.arguments)
    lab.database.client.admin.command("configureFailPoint", "failCommand", mode="off")
    seen.points += 1
    where = f"{command} {how} skip {skip}"
    lab.check_words(seen, where, ended)
    if "secret" in ended.out + ended.err:
        seen.wrong(where, "the server's own words were passed on")
    victim.after(seen, where, ended)


@pytest.mark.parametrize("name", NAMES)
def test_s5_hazard_14_the_server_is_killed_and_restarted_in_the_middle(name: str, tmp_path: pathlib.Path) -> None:
    with attack(f"{name}: the server is killed and restarted at the n-th message") as seen:
        with servers.start_server(durable=True) as server, Proxy(server.port) as proxy:
            for lab in lab_on(server.url, tmp_path):
                victim = VICTIMS[name](lab)
                chosen = telling(sent(victim, server.port), lambda message: message.sort)
                for message in thinned(chosen, len(chosen) // 4, 8):
                    killed(victim, seen, (server, proxy, message))


def killed(victim: Victim, seen: Seen, point: tuple[servers.Server, Proxy, Message]) -> None:
    server, proxy, message = point
    dead = threading.Event()

    def kill() -> None:
        server.kill()
        dead.set()

    victim.before()
    proxy.strike(message, kill)
    with victim.lab.begin(*victim.arguments, url=proxy.url) as process:
        while process.poll() is None and not dead.wait(0.02):
            pass
        if proxy.disarm():  # even when the process has ended: its last message may be looked at only then
            assert dead.wait(TIMEOUT_S)
            server.start()  # here: the server dies with the thread that started it
        out, err = process.communicate(timeout=TIMEOUT_S)
    victim.lab.said += out + err
    ended = Ended(process.returncode, out, err)
    proxy.cut_all()
    seen.points += proxy.struck
    where = f"killed at {message.name}"
    victim.lab.check_words(seen, where, ended)
    victim.after(seen, where, ended)


def many(database: Any, documents: int) -> None:
    """More than a first batch holds."""
    for name in ("users", "absences"):
        database[name].insert_many([{"_id": f"more{n}", "email": f"more{n}", "text": "é" * 100_000} for n in range(documents)])


def test_s9_hazard_14_a_cursor_that_the_server_killed(lab: Lab, url: str) -> None:
    """A backup never holds a part of a collection: it ends with an error, or with everything."""
    make(lab.database)
    many(lab.database, 100)
    lab.result("backup")
    lab.keep_folder()
    with attack("backup: the server forgets the cursor") as seen, Proxy(urllib.parse.urlsplit(url).port or 0) as proxy:
        lab.result("backup", url=proxy.url)
        chosen = [each for each in proxy.seen if each.way == "request" and each.command == "getMore"]
        assert chosen, "one batch was enough: give the test more documents"
        for message in chosen[: None if LONG else 3]:
            lab.reset_folder()
            cursor, collection = message.document["getMore"], message.document["collection"]
            proxy.plan(lambda seen, at=message: kill_cursor(lab, seen) if (seen.way, seen.number) == ("request", at.number)
                       and seen.command == "getMore" else None)  # fmt: skip
            ended = lab.run("backup", url=proxy.url)
            seen.points += proxy.struck
            where = f"{message.name} {collection} {cursor}"
            lab.check_words(seen, where, ended)
            lab.check_folder(seen, where)
            if ended.code == 0:
                lab.check_backup(seen, where, ended.json)
            lab.check_next(seen, where)


def kill_cursor(lab: Lab, message: Message) -> Any:
    document = message.document

    def kill() -> None:
        reply = lab.database.command("killCursors", document["collection"], cursors=[document["getMore"]])
        assert reply["cursorsKilled"], reply

    return kill


def test_hazard_14_a_standalone_server(tmp_path: pathlib.Path) -> None:
    """No sessions, no majority, no snapshot: said in the file, and everything else holds."""
    with attack("a standalone: backup, restore, startup, cut") as seen, servers.start_server(standalone=True) as server:
        with Proxy(server.port) as proxy:
            for lab in lab_on(server.url, tmp_path):
                for name in NAMES:
                    victim = VICTIMS[name](lab)
                    assert lab.result("backup")["consistency"] == "per_collection"
                    lab.reset_folder()
                    chosen = telling(sent(victim, server.port), lambda message: message.sort)
                    for message in thinned(chosen, 5, 4):
                        victim.before()
                        proxy.strike(message, "cut")
                        ended = lab.run(*victim.arguments, url=proxy.url)
                        proxy.cut_all()
                        seen.points += proxy.struck
                        lab.check_words(seen, message.name, ended)
                        victim.after(seen, f"{name} {message.name}", ended)


def test_the_server_is_gone_for_good(lab: Lab) -> None:
    """Nothing answers: an error within the bound of ten seconds, and the folder as it was."""
    with attack("no server at all") as seen:
        victim = VICTIMS["restore"](lab)
        for arguments in [("backup",), victim.arguments, ("auto",)] if LONG else [victim.arguments]:
            victim.before()
            gone = lab.begin(*arguments, url="mongodb://127.0.0.1:1/")
            out = gone.communicate(timeout=60)[0]
            seen.points += 1
            if gone.returncode != 6 or '"server_unreachable"' not in out:
                seen.wrong(str(arguments), f"{gone.returncode} {out}")
            lab.check_folder(seen, str(arguments))
        with pymongo.MongoClient(lab.url) as client:
            assert client[lab.database.name].users.count_documents({}) == 20

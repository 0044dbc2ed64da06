"""S1, S2, S5, S9, hazard 14: the n-th message is cut off, late, lost, or answered with an error, for every n."""

from __future__ import annotations

import signal
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator

import pytest
from lab import ALL, TIMEOUT_S, Ended, Lab, Seen, attack, telling, thinned
from victims import SEALED, VICTIMS, Victim
from wire import Harm, Message, Proxy

CODES = [91, 10107, 11600, 189, 50, 13, 8000]
CUT_VICTIMS = ["backup", "restore", "startup"]
UNHEARD_S = 4  # a cancel past the point of no return is not heard until the server answers


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with Proxy(urllib.parse.urlsplit(url).port or 27017) as opened:
        yield opened


def messages(victim: Victim, proxy: Proxy, seen: Seen) -> list[Message]:
    """Those of an unharmed run."""
    victim.before()
    proxy.plan(lambda _: None)
    ended = victim.lab.run(*victim.arguments, url=proxy.url)
    assert ended.code == 0 and len(proxy.seen) > 40, ended.out + ended.err
    victim.after(seen, "unharmed", ended)
    return [each for each in proxy.seen if each.command != "endSessions"]


def struck(victim: Victim, proxy: Proxy, seen: Seen, at: Message, harm: Harm) -> None:
    victim.before()
    proxy.strike(at, harm)
    ended = victim.lab.run(*victim.arguments, url=proxy.url)
    judge(victim, proxy, seen, (f"{at.name} {harm}", ended))


def judge(victim: Victim, proxy: Proxy, seen: Seen, run: tuple[str, Ended]) -> None:
    if proxy.struck == 0:
        return  # that many messages did not come this time
    where, ended = run
    proxy.cut_all()
    seen.points += 1
    victim.lab.check_words(seen, where, ended)
    if "secret of the server" in ended.out + ended.err:
        seen.wrong(where, "the server's own words were passed on")
    victim.after(seen, where, ended)


def harmed(victim: Victim, proxy: Proxy, seen: Seen, harms: list[Harm]) -> None:
    """Every message in the long run, else the telling ones, each with one harm in turn; with all of them if asked."""
    chosen = telling(messages(victim, proxy, seen), lambda message: message.sort)
    for at, message in enumerate(chosen):
        for harm in harms if ALL else [harms[at % len(harms)]]:
            struck(victim, proxy, seen, message, harm)


@pytest.mark.parametrize("name", CUT_VICTIMS)
def test_s1_s5_hazard_14_the_connection_is_cut_at_any_message(name: str, lab: Lab, proxy: Proxy) -> None:
    with attack(f"{name}: the connection is cut at the n-th message") as seen:
        harmed(VICTIMS[name](lab), proxy, seen, ["cut", "half"])


@pytest.mark.parametrize("name", CUT_VICTIMS)
def test_s5_s9_hazard_14_an_error_is_answered_to_any_message(name: str, lab: Lab, proxy: Proxy) -> None:
    """In place of the command, or after it was carried out (then the answer is lost)."""
    with attack(f"{name}: the n-th message is answered with an error") as seen:
        harmed(VICTIMS[name](lab), proxy, seen, list(CODES))


@pytest.mark.parametrize("name", CUT_VICTIMS)
def test_hazard_14_a_message_that_comes_late_changes_nothing(name: str, lab: Lab, proxy: Proxy) -> None:
    with attack(f"{name}: the n-th message is late") as seen:
        victim = VICTIMS[name](lab)
        chosen = telling(messages(victim, proxy, seen), lambda message: message.sort)
        for message in thinned(chosen, 6, 6):
            struck(victim, proxy, seen, message, "late")


def stopped(victim: Victim, proxy: Proxy, at: Message) -> Ended:
    """The server falls silent; Ctrl-C ends the command, and where it may not, the server's return does."""
    victim.before()
    proxy.strike(at, "stop")
    with victim.lab.begin(*victim.arguments, url=proxy.url) as process:
        try:
            out, err = process.communicate(timeout=0.7)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=UNHEARD_S)
            except subprocess.TimeoutExpired:
                proxy.release()
                out, err = process.communicate(timeout=TIMEOUT_S)
    victim.lab.said += out + err
    return Ended(process.returncode, out, err)


@pytest.mark.parametrize("name", CUT_VICTIMS)
def test_s5_s14_a_server_that_falls_silent_does_not_hold_a_command_that_is_asked_to_stop(
    name: str, lab: Lab, proxy: Proxy
) -> None:
    with attack(f"{name}: silence from the n-th message on, then Ctrl-C") as seen:
        victim = VICTIMS[name](lab)
        chosen = telling(messages(victim, proxy, seen), lambda message: message.sort)
        for message in thinned(chosen, 8 if name == "restore" else 12, 8):
            ended = stopped(victim, proxy, message)
            judge(victim, proxy, seen, (f"{message.name} stop", ended))


@pytest.mark.parametrize("name", list(SEALED))
def test_s1_s5_s9_hazard_14_connections_fail_where_backups_are_sealed(name: str, lab: Lab, proxy: Proxy) -> None:
    with attack(f"{name}: the n-th message is cut, or answered with an error") as seen:
        victim = SEALED[name](lab)
        chosen = telling(messages(victim, proxy, seen), lambda message: message.sort)
        for at, message in enumerate(thinned(chosen, 9, 4)):
            for harm in [["cut", 91], ["half", 50]][at % 2]:
                struck(victim, proxy, seen, message, harm)


KILLED = {"backup": 6, "restore": 6, "startup": 9, "sealed backup": 15, "sealed restore": 15}


@pytest.mark.parametrize("name", list(KILLED))
def test_s1_s5_hazard_05_killed_at_any_message(name: str, lab: Lab, proxy: Proxy) -> None:
    """kill -9 of the command when its n-th message is under way: it arrives, but nobody hears the answer."""
    with attack(f"{name}: kill -9 at the n-th message") as seen:
        victim = {**VICTIMS, **SEALED}[name](lab)
        chosen = telling(messages(victim, proxy, seen), lambda message: message.sort)
        for message in thinned(chosen, KILLED[name], 2):
            ended = killed(victim, proxy, message)
            proxy.cut_all()
            seen.points += proxy.struck
            victim.after(seen, f"killed at {message.name}", ended)


def killed(victim: Victim, proxy: Proxy, at: Message) -> Ended:
    victim.before()
    begun = threading.Event()
    process: list[subprocess.Popen[str]] = []

    def kill() -> None:
        begun.wait(TIMEOUT_S)
        process[0].kill()

    proxy.strike(at, kill)
    with victim.lab.begin(*victim.arguments, url=proxy.url) as started:
        process.append(started)
        begun.set()
        out, err = started.communicate(timeout=TIMEOUT_S)
    return Ended(started.returncode, out, err)

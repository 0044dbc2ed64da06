"""Encrypted backups end to end, with Debian's age beside: who can open them, what a host without a key still can, and that
no secret is written anywhere."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import shutil
import stat
import subprocess
from typing import Any

import pytest
from e2e import Command, fill, fingerprint, leftovers, wipe

import reprise as package
from reprise import DeniedError, InvalidArgumentError, Reprise, RepriseError

AGE = shutil.which("age")
pytestmark = pytest.mark.skipif(AGE is None, reason="Debian's age is not installed: sh tests/setup.sh --tests")
PASSPHRASE = "correct horse battery staple"


class Keys:
    """An identity in a file of its own, made by the package."""

    def __init__(self, folder: pathlib.Path, name: str = "key.txt", kind: str = "age") -> None:
        self.pair = package.new_key(kind)
        self.path = folder / name
        self.pair.write(self.path)
        self.recipient = self.pair.shared.strip()

    def environment(self) -> dict[str, str]:
        return {"BACKUP_RECIPIENTS": self.recipient, "BACKUP_IDENTITY_FILE": str(self.path)}


@pytest.fixture
def keys(tmp_path: pathlib.Path) -> Keys:
    return Keys(tmp_path)


def with_keys(command: Command, **environment: str) -> Command:
    given = Command(command.name, {**command.environment, **environment})
    return given


def opened(url: str, database: Any, folder: pathlib.Path, **encryption: Any) -> Reprise:
    return Reprise(url, database.name, folder, compression="zstd", encryption=encryption)


def reason_of(call: Any) -> str:
    with pytest.raises(RepriseError) as raised:
        call()
    return raised.value.reason


def decrypted(file: pathlib.Path, key: pathlib.Path) -> bytes:
    return subprocess.run(["age", "-d", "-i", str(key), str(file)], check=True, capture_output=True, timeout=60).stdout


def typed(arguments: list[str], *lines: str) -> bytes:
    """Runs age on a terminal of its own and types the lines into it, each after a question."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(arguments[0], arguments)
    said = b""
    try:
        for line in lines:
            while not said.rstrip().endswith(b":"):
                said += os.read(terminal, 1024)
            os.write(terminal, line.encode() + b"\n")
            said = b""
        while piece := os.read(terminal, 1024):
            said += piece
    except OSError:
        pass  # the terminal's other end was closed: age has ended
    finally:
        os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, said
    return said


def test_an_encrypted_backup_comes_back_at_startup(command: Command, database: Any, folder: pathlib.Path, keys: Keys) -> None:
    command = with_keys(command, BACKUP_COMPRESSION="zstd", **keys.environment())
    before = fill(database)
    saved = command.result("backup")
    assert saved["file"].endswith(".json.zst.age") and saved["latest"] is True
    assert os.readlink(folder / "backup_latest.json.zst.age") == saved["file"]
    assert b"Sophie" not in pathlib.Path(saved["path"]).read_bytes()
    assert command.result("verify")["verified"] is True
    assert command.result("auto")["result"] == "not_needed"
    wipe(database)
    assert command.result("auto")["result"] == "restored"
    assert fingerprint(database) == before
    assert leftovers(database, folder) == []


def test_age_zstd_and_jq_read_our_files(command: Command, database: Any, keys: Keys) -> None:
    command = with_keys(command, BACKUP_COMPRESSION="zstd", **keys.environment())
    fill(database)
    path = command.result("backup")["path"]
    pipe = f"age -d -i '{keys.path}' '{path}' | zstd -d | jq -c .collections.users"
    ended = subprocess.run(["sh", "-c", pipe], check=True, capture_output=True, timeout=60)
    users = json.loads(ended.stdout)
    assert len(users) == database.users.count_documents({})
    assert json.loads(command("cat").out)["collections"]["users"] == users


@pytest.mark.parametrize("armor", [[], ["-a"]])
def test_a_file_that_age_wrote_is_read_by_us(
    command: Command, database: Any, folder: pathlib.Path, keys: Keys, armor: list[str]
) -> None:
    before = fill(database)
    plain = command.result("backup")
    target = folder / (plain["file"] + ".age")
    subprocess.run(["age", *armor, "-r", keys.recipient, "-o", str(target), plain["path"]], check=True, timeout=60)
    os.unlink(plain["path"])
    command = with_keys(command, **keys.environment())
    assert command.result("verify", target.name)["documents"] == plain["documents"]
    wipe(database)
    command.result("restore", target.name)
    assert fingerprint(database) == before


def test_each_of_several_recipients_opens_our_file(
    url: str, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    fill(database)
    all_keys = [Keys(tmp_path, f"key{number}") for number in range(3)]
    with opened(url, database, folder, recipients=[each.recipient for each in all_keys]) as host:
        saved = host.backup()
    contents = {decrypted(pathlib.Path(saved.path), each.path) for each in all_keys}
    assert len(contents) == 1
    for each in all_keys:
        with opened(url, database, folder, identity_file=str(each.path)) as reader:
            assert reader.verify().verified


def test_a_passphrase_goes_both_ways_with_age(url: str, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    fill(database)
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text(PASSPHRASE + "\n")
    with opened(url, database, folder, passphrase_file=str(secret)) as host:
        saved = host.backup()
        plain = b"".join(host.cat())
        out = tmp_path / "opened.zst"
        typed(["age", "-d", "-o", str(out), saved.path], PASSPHRASE)
        assert subprocess.run(["zstd", "-dc", str(out)], check=True, capture_output=True).stdout == plain
        theirs = folder / "backup_20010101_000000.json.age"
        out.write_bytes(plain)
        typed(["age", "-p", "-o", str(theirs), str(out)], PASSPHRASE, PASSPHRASE)
        assert host.verify(theirs.name).sha256 == host.verify(saved.file).sha256


def test_a_missing_identity_file_does_not_lock_what_a_passphrase_opens(
    url: str, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path, keys: Keys
) -> None:
    before = fill(database)
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text(PASSPHRASE)
    both = {"passphrase_file": str(secret), "identity_file": str(tmp_path / "gone")}
    with opened(url, database, folder, **both) as host:
        saved = host.backup()
        assert host.verify(saved.file).verified
        wipe(database)
        assert host.auto().result == "restored" and fingerprint(database) == before
    keys.path.chmod(0o644)  # nor does one that is refused
    with opened(url, database, folder, **{**both, "identity_file": str(keys.path)}) as host:
        assert host.verify(saved.file).verified
    keys.path.chmod(0o600)
    with opened(url, database, folder, recipients=[keys.recipient]) as host:
        for_identity = host.backup()
    with opened(url, database, folder, passphrase_file=str(tmp_path / "gone"), identity_file=str(keys.path)) as host:
        assert host.verify(for_identity.file).verified
        with pytest.raises(DeniedError) as raised:
            host.restore(saved.file)
        assert raised.value.reason == "key_missing" and "passphrase file" in str(raised.value)


def test_a_host_with_the_recipient_alone_reads_back_what_it_writes_and_rotates(
    url: str, database: Any, folder: pathlib.Path, keys: Keys
) -> None:
    fill(database)
    configured = {"compression": "zstd", "encryption": {"recipients": [keys.recipient]}, "retention": {"keep_last": 2}}
    with Reprise(url, database.name, folder, **configured) as host:
        made = []
        for number in range(4):
            database.users.insert_one({"_id": f"new{number}", "email": f"new{number}@example"})
            made.append(host.backup())
        # Read back with the file's own key while the job had it: known to be whole, and that is remembered.
        assert all(each.state == "good" and each.latest for each in made)
        assert [each.filename for each in host.list()] == [made[3].file, made[2].file]
        assert all(each.verified for each in host.list())
        # Later it can say no more than that the bytes are the same, or that they are not.
        again = host.verify(made[3].file)
        assert (again.verified, again.intact) == (False, True) and "more was not checked" in again.warnings[0]
        path = pathlib.Path(made[3].path)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        assert reason_of(lambda: host.verify(made[3].file)) == "file_damaged"


def test_s10_no_secret_is_written_anywhere(
    command: Command, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    keys, other = Keys(tmp_path), Keys(tmp_path, "other.txt")
    signing = Keys(tmp_path, "signing.pem", "signing")
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(PASSPHRASE)
    command = with_keys(command, BACKUP_PASSPHRASE_FILE=str(passphrase), BACKUP_SIGNING_KEY_FILE=str(signing.path),
                        **keys.environment())
    fill(database)
    said = [command("backup", "--verbose"), command("verify"), command("list", "--json"), command("show", "--json")]
    said += [command("verify", BACKUP_IDENTITY_FILE=str(other.path)), command("backup", BACKUP_RECIPIENTS="age1wrong")]
    wipe(database)
    said += [command("auto", "--verbose", "--json", BACKUP_IDENTITY_FILE=str(other.path)), command("auto", "--verbose")]
    texts = [each.out + each.err for each in said]
    texts += [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    for document in database.reprise.find():
        texts.append(str(document))
    secrets = [PASSPHRASE, "age1wrong"]
    for each in (keys, other):
        secrets += [each.recipient, each.pair.secret.decode().splitlines()[-1]]
    secrets += [line for line in signing.pair.secret.decode().splitlines() if "-----" not in line]
    for secret in secrets:
        assert secret and not [text for text in texts if secret in text], "a secret was written"


def test_a_host_without_identity_backs_up_and_says_what_it_cannot(
    command: Command, database: Any, folder: pathlib.Path, keys: Keys
) -> None:
    before = fill(database)
    command = with_keys(command, BACKUP_RECIPIENTS=keys.recipient)
    saved = command.result("backup")
    assert saved["state"] == "good" and saved["latest"] is True
    checked = command.result("verify")
    assert (checked["verified"], checked["intact"]) == (False, True)
    assert command.result("show")["documents"] == saved["documents"]
    assert command("cat").code == 7
    assert command("restore", "--json").error["reason"] == "key_missing"
    assert fingerprint(database) == before
    wipe(database)
    started = command("auto", "--json")
    assert started.code == 4
    assert (started.json["result"], started.json["reason"]) == ("refused", "key_missing")
    assert fingerprint(database) == {}
    fill(database)
    second = command.result("backup")  # files that it cannot open are no hindrance to its next backup
    assert second["sequence"] > saved["sequence"]


def test_files_without_key_and_manifest_are_unknown_and_stay(
    command: Command, database: Any, folder: pathlib.Path, keys: Keys
) -> None:
    fill(database)
    host = with_keys(command, BACKUP_RECIPIENTS=keys.recipient)
    file = host.result("backup")["file"]
    shutil.rmtree(folder / ".reprise" / "manifests")
    command.result("backup")
    listed = {each["filename"]: each for each in command.result("list")["backups"]}
    assert listed[file]["state"] == "unknown" and listed[file]["encrypted"] is True
    wipe(database)
    started = command("auto", "--json")
    assert (started.json["result"], started.json["reason"]) == ("refused", "key_missing")
    assert (folder / file).is_file() and fingerprint(database) == {}


def test_s15_a_wrong_key_says_so_and_touches_nothing(
    command: Command, database: Any, tmp_path: pathlib.Path, keys: Keys
) -> None:
    before = fill(database)
    other = Keys(tmp_path, "other.txt")
    with_keys(command, **keys.environment()).result("backup")
    wrong = with_keys(command, BACKUP_IDENTITY_FILE=str(other.path))
    for verb in ("verify", "restore"):
        ended = wrong(verb, "--json")
        assert (ended.code, ended.error["reason"]) == (7, "key_wrong")
    assert fingerprint(database) == before
    wipe(database)
    assert wrong("auto", "--json").json["reason"] == "key_wrong"
    assert fingerprint(database) == {}


def test_secret_files_that_others_can_read_are_refused(command: Command, database: Any, keys: Keys) -> None:
    fill(database)
    command = with_keys(command, **keys.environment())
    command.result("backup")
    keys.path.chmod(0o640)
    ended = command("verify", "--json")
    assert (ended.code, ended.error["reason"]) == (7, "secret_exposed")
    keys.path.unlink()
    assert command("verify", "--json").code == 0  # it says intact: see above
    assert command("restore", "--json").error["reason"] == "key_missing"


def test_keygen_writes_a_private_file_once(command: Command, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new.key"
    old = os.umask(0)
    made = command("keygen", str(path))
    os.umask(old)
    assert made.code == 0 and made.out.startswith("age1") and made.out.count("\n") == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = subprocess.run(["age-keygen", "-y", str(path)], check=True, capture_output=True, text=True, timeout=60)
    assert shown.stdout == made.out
    again = command("keygen", str(path), "--json")
    assert again.error["reason"] == "name_taken"
    signing = command("keygen", "--signing", str(tmp_path / "sign.pem"), "--json").json
    assert signing["kind"] == "signing" and signing["shared"].startswith("-----BEGIN PUBLIC KEY-----")
    told = subprocess.run(["openssl", "pkey", "-in", str(tmp_path / "sign.pem"), "-pubout"], check=True, capture_output=True)
    assert told.stdout.decode() == signing["shared"]


def test_rekey_shuts_the_old_key_out(command: Command, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    before = fill(database)
    old, new = Keys(tmp_path, "old"), Keys(tmp_path, "new")
    saved = with_keys(command, BACKUP_COMPRESSION="gzip", **old.environment()).result("backup")
    content = decrypted(pathlib.Path(saved["path"]), old.path)
    changing = with_keys(command, BACKUP_RECIPIENTS=new.recipient, BACKUP_IDENTITY_FILE=str(old.path))
    made = changing.result("rekey", saved["file"])
    assert made["id"] == saved["id"] and made["replaced"] == saved["file"]
    assert not (folder / saved["file"]).exists()
    assert decrypted(pathlib.Path(made["path"]), new.path) == content
    assert changing("verify", "--json").error["reason"] == "key_wrong"
    reading = with_keys(command, **new.environment())
    assert reading.result("verify")["verified"] is True
    wipe(database)
    assert reading.result("auto")["file"] == made["file"]
    assert fingerprint(database) == before
    assert command("rekey", made["file"], "--json").error["reason"] == "encryption_not_configured"


def test_secrets_can_be_pushed_instead_of_files(url: str, database: Any, folder: pathlib.Path, keys: Keys) -> None:
    fill(database)
    with opened(url, database, folder, recipients=[keys.recipient]) as host:
        host.backup()
        assert host.verify().verified is False
        host.set_secret("identity", keys.pair.secret)
        assert host.verify().verified is True
        host.set_secret("identity", b"")
        with pytest.raises(DeniedError):
            list(host.cat())
        with pytest.raises(InvalidArgumentError):
            host.set_secret("password", b"x")
    with opened(url, database, folder) as host:
        host.set_secret("passphrase", PASSPHRASE)
        assert host.backup().file.endswith(".age")


def test_cat_ends_badly_when_the_last_chunk_does(command: Command, database: Any, keys: Keys) -> None:
    fill(database)
    command = with_keys(command, **keys.environment())
    path = pathlib.Path(command.result("backup")["path"])
    whole = command("cat")
    assert whole.code == 0
    path.write_bytes(path.read_bytes()[:-1])
    cut = command("cat")
    assert cut.code == 5 and whole.out.startswith(cut.out)

"""Signed backups: what nobody signed whom the host trusts is not restored by itself, whoever wrote it (hazards 26, 27)."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

import pytest
from e2e import Command, fill, fingerprint, wipe

import reprise as package


def signing_key(folder: pathlib.Path, name: str) -> tuple[pathlib.Path, pathlib.Path]:
    """The private key's file and the public one's."""
    pair = package.new_key("signing")
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    pair.write(private)
    public.write_text(pair.shared)
    return private, public


@pytest.fixture
def private(tmp_path: pathlib.Path) -> pathlib.Path:
    return signing_key(tmp_path, "host")[0]


@pytest.fixture
def signed(command: Command, private: pathlib.Path) -> Command:
    return Command(command.name, {**command.environment, "BACKUP_SIGNING_KEY_FILE": str(private)})


def skipped(started: dict[str, Any]) -> dict[str, str]:
    return {each["file"]: each["reason"] for each in started["skipped"]}


def test_a_signed_backup_is_checked_by_openssl_and_comes_back(
    signed: Command, database: Any, private: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    before = fill(database)
    saved = signed.result("backup")
    assert signed.result("verify")["signed_by"]
    lines = pathlib.Path(saved["path"]).read_bytes().splitlines(keepends=True)
    last = json.loads(b"{" + lines[-1])
    assert last["signature"]["alg"] == "ed25519"
    text, value, public = tmp_path / "text", tmp_path / "value", private.with_suffix(".pub")
    text.write_bytes(b"reprise signature 1\0" + bytes.fromhex(last["sha256"]))
    subprocess.run(["openssl", "base64", "-d", "-A", "-out", str(value)], input=last["signature"]["value"].encode(), check=True)
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    said = subprocess.run([*check, "-in", str(text), "-sigfile", str(value)], check=True, capture_output=True).stdout
    assert b"Verified Successfully" in said
    wipe(database)
    assert signed.result("auto")["result"] == "restored"
    assert fingerprint(database) == before


def test_hazard_26_a_forged_encrypted_backup_of_someone_with_the_public_key_is_refused(
    command: Command, signed: Command, database: Any, tmp_path: pathlib.Path
) -> None:
    keys = package.new_key()
    keys.write(tmp_path / "identity")
    for each in (command, signed):
        each.environment.update(BACKUP_RECIPIENTS=keys.shared.strip(), BACKUP_IDENTITY_FILE=str(tmp_path / "identity"))
    before = fill(database)
    good = signed.result("backup")
    # The forger has folder and recipient, and writes a perfect backup, manifest and pointer included, with an admin.
    database.users.insert_one({"_id": "forged", "role": "admin"})
    forged = command.result("backup")
    assert forged["sequence"] > good["sequence"] and forged["latest"] is True
    with_admin = fingerprint(database)
    refused = signed("restore", "--json")
    assert (refused.code, refused.error["reason"]) == (4, "signature_missing")
    assert signed("verify", forged["file"], "--json").error["reason"] == "signature_missing"
    assert fingerprint(database) == with_admin
    wipe(database)
    started = signed.result("auto")
    assert (started["result"], started["file"]) == ("restored", good["file"])
    assert skipped(started)[forged["file"]] == "signature_missing"
    assert fingerprint(database) == before
    # A person's explicit word.
    signed.result("restore", forged["file"], "--accept-unsigned")
    assert fingerprint(database) == with_admin


def test_hazard_26_a_manifest_that_claims_a_signature_does_not_help(
    command: Command, signed: Command, database: Any, folder: pathlib.Path
) -> None:
    before = fill(database)
    good = signed.result("backup")
    database.users.insert_one({"_id": "forged", "role": "admin"})
    forged = command.result("backup")
    manifests = folder / ".reprise" / "manifests"
    claimed = json.loads((manifests / (good["file"] + ".json")).read_text())["signed_by"]
    path = manifests / (forged["file"] + ".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "signed_by": claimed}))
    wipe(database)
    started = signed.result("auto")
    assert (started["result"], started["file"]) == ("restored", good["file"])
    assert skipped(started)[forged["file"]] == "signature_missing"
    assert fingerprint(database) == before
    wipe(database)  # nor does its sequence make the true one look old
    assert signed.result("auto")["file"] == good["file"]


def test_another_key_and_a_changed_signature_are_refused(
    signed: Command, database: Any, tmp_path: pathlib.Path, folder: pathlib.Path
) -> None:
    before = fill(database)
    other = Command(signed.name, {**signed.environment, "BACKUP_SIGNING_KEY_FILE": str(signing_key(tmp_path, "other")[0])})
    file = other.result("backup")["file"]
    assert signed("restore", file, "--json").error["reason"] == "signature_unknown"
    mine = signed.result("backup")
    path = pathlib.Path(mine["path"])
    value = json.loads(b"{" + path.read_bytes().splitlines()[-1])["signature"]["value"]
    wrong = ("B" if value[0] == "A" else "A") + value[1:]
    path.write_bytes(path.read_bytes().replace(value.encode(), wrong.encode()))
    assert signed("restore", mine["file"], "--json").error["reason"] == "signature_wrong"
    assert fingerprint(database) == before
    wipe(database)
    started = signed("auto", "--json")
    assert started.json["result"] == "refused" and fingerprint(database) == {}


def test_hazard_26_an_old_signed_backup_that_was_put_back_is_refused_at_startup(
    signed: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    old = signed.result("backup")
    database.users.delete_one({})
    before = fingerprint(database)
    new = signed.result("backup")
    kept = pathlib.Path(new["path"]).read_bytes()
    os.unlink(new["path"])
    wipe(database)
    started = signed("auto", "--json")
    assert started.json["result"] == "refused"
    assert skipped(started.json)[old["file"]] == "sequence_old"
    assert fingerprint(database) == {}
    pathlib.Path(new["path"]).write_bytes(kept)
    assert signed.result("auto")["file"] == new["file"]
    assert fingerprint(database) == before
    # By name a person may go back as far as there are files.
    assert signed.result("restore", old["file"])["file"] == old["file"]


@pytest.mark.parametrize("lost", ["database", "folder"])
def test_hazard_26_the_highest_sequence_is_remembered_by_the_database_and_by_the_folder(
    signed: Command, database: Any, folder: pathlib.Path, lost: str
) -> None:
    fill(database)
    old = signed.result("backup")
    database.users.delete_one({})
    new = signed.result("backup")
    os.unlink(new["path"])
    if lost == "database":
        wipe(database)
    else:  # a folder that is new, or from which somebody took its memory; the data alone are gone
        for name in ("startup", "sequence", "manifests"):
            path = folder / ".reprise" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in fingerprint(database):
            database.drop_collection(name)
    started = signed("auto", "--json")
    assert started.json["result"] == "refused"
    assert skipped(started.json)[old["file"]] == "sequence_old"
    assert fingerprint(database) == {}


def test_hazard_26_after_an_old_backup_was_restored_by_name_new_ones_count(signed: Command, database: Any) -> None:
    fill(database)
    old = signed.result("backup")
    database.users.delete_one({})
    new = signed.result("backup")
    signed.result("restore", old["file"])
    before = fingerprint(database)
    newest = signed.result("backup")
    assert newest["sequence"] > new["sequence"]
    wipe(database)
    assert signed.result("auto")["file"] == newest["file"] and fingerprint(database) == before


def test_hazard_26_a_trusted_key_that_others_can_change_is_not_believed(
    signed: Command, url: str, database: Any, folder: pathlib.Path, private: pathlib.Path
) -> None:
    fill(database)
    signed.result("backup")
    wipe(database)
    public = private.with_suffix(".pub")
    with package.Reprise(url, database.name, folder, signature={"trust_key_files": [str(public)]}) as host:
        public.chmod(0o666)
        with pytest.raises(package.DeniedError) as raised:
            host.auto()
        assert raised.value.reason == "key_replaceable" and fingerprint(database) == {}
        public.chmod(0o644)
        assert host.auto().result == "restored"


def test_hazard_27_a_file_stripped_to_look_old_is_not_restored_where_keys_are_configured(
    command: Command, signed: Command, database: Any, folder: pathlib.Path
) -> None:
    before = fill(database)
    database.numbers.insert_one({"_id": 1, "role": "admin"})
    folder.mkdir(mode=0o700)
    old = folder / "backup_20200101_000000.json"
    old.write_text(json.dumps({"backup_date": "2020-01-01T00:00:00", "database": database.name,
                               "collections": {"users": [{"_id": 1, "role": "admin"}]}}))
    wipe(database)
    started = signed("auto", "--json")
    assert started.json["result"] == "refused" and fingerprint(database) == {}
    assert skipped(started.json)[old.name] in ("file_unproven", "signature_missing")
    assert signed("restore", old.name, "--json").error["reason"] == "signature_missing"
    encrypted = Command(command.name, {**command.environment, "BACKUP_RECIPIENTS": package.new_key().shared.strip()})
    started = encrypted("auto", "--json")
    assert skipped(started.json)[old.name] == "file_unproven" and fingerprint(database) == {}
    assert before != {}


def test_a_host_that_only_trusts_restores_and_its_own_backups_do_not_count(
    signed: Command, url: str, database: Any, folder: pathlib.Path, private: pathlib.Path
) -> None:
    before = fill(database)
    good = signed.result("backup")
    trust = {"trust_key_files": [str(private.with_suffix(".pub"))]}
    with package.Reprise(url, database.name, folder, signature=trust) as host:
        own = host.backup()
        assert own.latest is False and any("not signed" in each for each in own.warnings)
        database.users.delete_many({})
        assert host.restore(good["file"]).safety_file
        assert fingerprint(database) == before
        wipe(database)
        assert host.auto().file == good["file"]
    assert fingerprint(database) == before

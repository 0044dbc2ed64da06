"""The commands under attack: what stands before each run, and what must hold after it."""

from __future__ import annotations

from collections.abc import Callable

import lab as labs
from lab import Ended, Lab, Seen, State, make


class Victim:
    """One command under attack: what stands before it, and what must hold after it."""

    def __init__(self, lab: Lab, *arguments: str) -> None:
        self.lab, self.arguments = lab, arguments

    def before(self) -> None:
        self.lab.reset_folder()

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        raise NotImplementedError


class BackupVictim(Victim):
    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, "backup")
        self.data = make(lab.database)
        lab.result("backup")
        lab.keep_folder()

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        self.lab.check_folder(seen, where)
        self.lab.check_data(seen, where, self.data)
        if ended.code == 0:
            self.lab.check_backup(seen, where, ended.json)
        self.lab.check_next(seen, where)


class FirstBackupVictim(Victim):
    """The folder is not there yet: it is made, and owned."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, "backup")
        self.data = make(lab.database)

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        self.lab.check_folder(seen, where, had_latest=ended.code == 0)
        self.lab.check_data(seen, where, self.data)
        self.lab.check_next(seen, where)


class RestoreVictim(Victim):
    """From the old data to the new: afterwards it is the one or the other."""

    def __init__(self, lab: Lab) -> None:
        self.new = make(lab.database, changed=True)
        file = lab.result("backup")["file"]
        self.old: State = make(lab.database)
        lab.result("backup")
        lab.keep_folder()
        super().__init__(lab, "restore", file)

    def before(self) -> None:
        super().before()
        if labs.state_of(self.lab.database) != self.old:
            make(self.lab.database)

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        self.lab.check_folder(seen, where)
        if ended.code == 0:
            self.lab.check_data(seen, where, self.new)
            self.check_safety(seen, where, ended.json["safety_file"])
        self.lab.check_next(seen, where)
        self.lab.check_data(seen, where, self.old, self.new)

    def check_safety(self, seen: Seen, where: str, name: str) -> None:
        wanted = {name: sum(one[3].values()) for name, one in self.old.items() if one[0] != "view"}
        held = {name: len(documents) for name, documents in labs.documents_in(self.lab.folder / name).items()}
        if wanted != held:
            seen.lost += sum(max(0, count - held.get(name, 0)) for name, count in wanted.items())
            seen.wrong(where, f"the safety backup holds {held} of {wanted}")


class StartupVictim(Victim):
    """The database is gone: a start that went well brought it back, and after one that did not the next does."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, "auto")
        self.data = make(lab.database)
        lab.result("backup")
        lab.keep_folder()

    def before(self) -> None:
        super().before()
        self.lab.database.client.drop_database(self.lab.database.name)

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        self.lab.check_folder(seen, where)
        allowed = [self.data]
        if "view active_users could not be created" in ended.out:  # reported, and nothing is undone for a view
            allowed.append({name: one for name, one in self.data.items() if name != "active_users"})
        if ended.code == 0:
            self.lab.check_data(seen, where, *allowed)
        again = self.lab.run("auto")
        if again.code:
            seen.wrong(where, f"the next start ended with {again.code}: {again.out}")
        self.lab.check_data(seen, where, *allowed)
        self.lab.check_next(seen, where)


class VerifyVictim(BackupVictim):
    """Reading changes nothing: the files are the same ones, and a file that cannot be read is not called damaged."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.arguments = ("verify",)

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        self.lab.check_folder(seen, where)
        if ended.code and ended.json["error"]["code_name"] == "corrupt":
            seen.wrong(where, f"a whole file is called damaged: {ended.out}")
        if self.lab.visible() and [each.name for each in self.lab.visible()] != [
            each.name for each in sorted(self.lab.template.iterdir()) if not each.is_symlink() and each.name[0] != "."
        ]:
            seen.wrong(where, f"the files became {self.lab.visible()}")


class RehashVictim(BackupVictim):
    """A new backup of an edited file, or none; the edited one stays as it is."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        edited = lab.folder / "backup_20200101_000000.json"
        assert lab.latest is not None
        edited.write_text(lab.latest.read_text(encoding="utf-8").replace("old1@x", "OLD1@x"), encoding="utf-8")
        edited.chmod(0o600)
        self.edited = edited.read_bytes()
        lab.keep_folder()
        self.arguments = ("rehash", edited.name)

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        edited = self.lab.folder / "backup_20200101_000000.json"
        if edited.read_bytes() != self.edited:
            seen.wrong(where, "the edited file changed")
        edited.unlink()
        self.lab.check_folder(seen, where)
        self.lab.check_data(seen, where, self.data)
        self.lab.check_next(seen, where)


class ForgetVictim(BackupVictim):
    """Two by rule, a pinned one and a safety backup stay, whatever happens; one run that goes well leaves just those (S3)."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        files = [lab.latest, *(lab.folder / lab.result("backup")["file"] for _ in range(5))]
        assert files[0] is not None
        lab.result("pin", str(files[1]))
        safety = lab.result("restore", str(files[0]))["safety_file"]
        self.data = labs.state_of(lab.database)
        self.stay = {safety, *(str(files[at].name) for at in (1, 4, 5))}  # type: ignore[union-attr]
        lab.keep_folder()
        self.arguments = ("forget", "--keep-last", "2")

    def after(self, seen: Seen, where: str, ended: Ended) -> None:
        self.lab.check_folder(seen, where)
        self.lab.check_data(seen, where, self.data)
        self.check_left(seen, where)
        if ended.code == 0:
            self.check_said(seen, where, ended)
        again = self.lab.run(*self.arguments)
        if again.code:
            seen.wrong(where, f"the next one ended with {again.code}: {again.out}")
        self.check_left(seen, where)
        if surplus := {each.name for each in self.lab.visible()} - self.stay:
            seen.wrong(where, f"still there after the next one: {surplus}")
        self.lab.check_next(seen, where)

    def check_said(self, seen: Seen, where: str, ended: Ended) -> None:
        """What could not be looked at, or not removed, stays for once, and the result says so."""
        said = {each["file"]: each["reasons"] for each in ended.json["kept"]}
        for name in {each.name for each in self.lab.visible()} - self.stay:
            if not said.get(name) and not any(name in warning for warning in ended.json["warnings"]):
                seen.wrong(where, f"it went well and says nothing of {name}, which is still there: {ended.out}")

    def check_left(self, seen: Seen, where: str) -> None:
        left = {each.name for each in self.lab.visible()}
        if gone := self.stay - left:
            seen.lost += sum(len(held) for name in gone for held in labs.documents_in(self.lab.template / name).values())
            seen.wrong(where, f"removed, and no rule says so: {gone}")


class SealedBackupVictim(BackupVictim):
    """Compressed, encrypted and signed."""

    def __init__(self, lab: Lab) -> None:
        lab.seal()
        super().__init__(lab)


class SealedRestoreVictim(RestoreVictim):
    """The same; its safety backup is sealed as well."""

    def __init__(self, lab: Lab) -> None:
        lab.seal()
        super().__init__(lab)


VICTIMS: dict[str, Callable[[Lab], Victim]] = {
    "backup": BackupVictim,
    "first backup": FirstBackupVictim,
    "restore": RestoreVictim,
    "startup": StartupVictim,
    "verify": VerifyVictim,
    "rehash": RehashVictim,
    "forget": ForgetVictim,
}
# The same as above with zstd, age and signatures: a few points of each attack in the short run.
SEALED: dict[str, Callable[[Lab], Victim]] = {"sealed backup": SealedBackupVictim, "sealed restore": SealedRestoreVictim}

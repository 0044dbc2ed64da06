"""The arguments of `python -m reprise`. The C++ command takes the same: examples/cli/arguments.cpp; change both."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._errors import InvalidArgumentError, InvalidConfigError

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_BUSY, EXIT_REFUSED = 0, 1, 2, 3, 4
EXIT_CORRUPT, EXIT_UNAVAILABLE, EXIT_DENIED, EXIT_NOT_FOUND, EXIT_INTERRUPTED = 5, 6, 7, 8, 130

EXIT_OF_CODE = {
    -1: EXIT_USAGE,
    -2: EXIT_USAGE,
    -3: EXIT_NOT_FOUND,
    -4: EXIT_BUSY,
    -5: EXIT_INTERRUPTED,
    -6: EXIT_UNAVAILABLE,
    -7: EXIT_UNAVAILABLE,
    -8: EXIT_DENIED,
    -9: EXIT_CORRUPT,
    -10: EXIT_REFUSED,
}

OFFLINE = tuple("list show verify rehash rekey status cat accept pin unpin forget delete audit".split())
NO_SERVER = "mongodb://127.0.0.1:27017"

USAGE = """usage: reprise COMMAND [OPTION…]

  backup               save the database to one file of the folder
  before REASON        the same before risky work: not rotated away for a time
  list                 the backups of the folder, newest first
  show [FILE]          what is in a backup
  cat [FILE]           a backup as plain JSON, checked while it is read
  verify [FILE]        read a backup to its end and check it
  restore [FILE]       put a backup back, all or nothing, after a safety backup
  preview [FILE]       what the restore with the same options would do; reads only
  auto                 bring the data back when the database is empty: for startup
  rehash FILE          make a new backup of a file that was edited on purpose
  rekey FILE           encrypt a backup anew for the recipients of today; the old file goes
  keygen FILE          a new key: the secret into FILE (mode 0600), its recipient to stdout
  accept FILE          a suspect backup, or the collections that a good one lost, are right after all
  pin FILE             never remove it; unpin FILE takes that back
  forget               remove the backups that no rule keeps; --dry-run only tells which and why
  delete FILE          remove one backup, unless it is the newest good one, the latest, or pinned
  status               the folder at a glance
  audit                who did what; checks that no line of the log was changed or taken out

FILE is a name or path in the folder; without it, the latest backup.

environment:
  MONGO_URL            where the database is, e.g. mongodb://127.0.0.1:27017
  DB_NAME              its name (test_database)
  BACKUP_DIR           the folder (/app/data/backups)
  BACKUP_COMPRESSION   none, gzip or zstd; with a level as in zstd:3 (none)
  BACKUP_RECIPIENTS    age1…,age1…: backups are encrypted for them (age)
  BACKUP_IDENTITY_FILE, BACKUP_PASSPHRASE_FILE   open them; the passphrase also encrypts
                       where there are no recipients
  BACKUP_SIGNING_KEY_FILE   Ed25519, PEM: backups are signed, and only signed ones believed

options of every command:
  --json               one JSON object on stdout and nothing else
  --database NAME      instead of DB_NAME
  --directory DIR      instead of BACKUP_DIR
  --no-progress        no progress bar
  --verbose            what the library says meanwhile, on stderr
  --help, --version

backup:   --label TEXT  --include NAME…  --exclude NAME…  --profile readable|portable
          --require-snapshot  --accept-smaller  --no-retention  --wait SECONDS
before:   --keep-days N  --profile readable|portable  --require-snapshot
          --accept-smaller  --wait SECONDS
both:     --sentinel COLLECTION  --collection NAME…  --minimum DOCUMENTS: what must not
          have been lost; without them, and without --keep-…, as the folder's host has it
forget:   --dry-run  --wait SECONDS
backup, forget:
          --keep-last N  --keep-hourly N  --keep-daily N  --keep-weekly N  --keep-monthly N
          --keep-yearly N  --keep-within SPAN, as 2y5m7d3h  --max-total-bytes N
restore:  --merge  --exact  --include NAME…  --exclude NAME…  --to-database NAME
          --to-mongo-url-env VARIABLE  --other-database  --adopt  --no-safety-backup
          --allow-unsharded  --non-unique  --without-majority  --abandon-unfinished
          --accept-unsigned  --wait SECONDS
preview:  as restore
keygen:   --signing (Ed25519 instead of age)
auto:     --retry  --sentinel COLLECTION  --collection NAME…  --whole-database
          --minimum DOCUMENTS  --start-anyway  --wait SECONDS
accept, pin, unpin, delete:  --wait SECONDS
audit:    --limit LINES (100), the newest

exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 somebody else is at work
  4 refused by a rule (a suspect backup too) · 5 a file, or the audit log, is damaged or not ours
  6 the server cannot be reached · 7 no permission · 8 not found · 130 interrupted
"""

_NAMES, _TEXT, _FLAG, _NUMBER = "names", "text", "flag", "number"
_KEEP = {
    "--keep-last": _NUMBER,
    "--keep-hourly": _NUMBER,
    "--keep-daily": _NUMBER,
    "--keep-weekly": _NUMBER,
    "--keep-monthly": _NUMBER,
    "--keep-yearly": _NUMBER,
    "--keep-within": _TEXT,
    "--max-total-bytes": _NUMBER,
}
_WATCHED = {"--sentinel": _TEXT, "--collection": _NAMES, "--minimum": _TEXT}
_RESTORE = {
    "--merge": _FLAG,
    "--exact": _FLAG,
    "--include": _NAMES,
    "--exclude": _NAMES,
    "--to-database": _TEXT,
    "--to-mongo-url-env": _TEXT,
    "--other-database": _FLAG,
    "--adopt": _FLAG,
    "--no-safety-backup": _FLAG,
    "--allow-unsharded": _FLAG,
    "--non-unique": _FLAG,
    "--accept-unsigned": _FLAG,
    "--without-majority": _FLAG,
    "--abandon-unfinished": _FLAG,
    "--wait": _TEXT,
}
_COMMON = {"--json": _FLAG, "--database": _TEXT, "--directory": _TEXT, "--no-progress": _FLAG, "--verbose": _FLAG}
_OPTIONS: dict[str, dict[str, str]] = {
    "backup": {
        "--label": _TEXT,
        "--include": _NAMES,
        "--exclude": _NAMES,
        "--profile": _TEXT,
        "--require-snapshot": _FLAG,
        "--accept-smaller": _FLAG,
        "--no-retention": _FLAG,
        **_KEEP,
        **_WATCHED,
        "--wait": _TEXT,
    },
    "before": {
        "--keep-days": _NUMBER,
        "--profile": _TEXT,
        "--require-snapshot": _FLAG,
        "--accept-smaller": _FLAG,
        **_WATCHED,
        "--wait": _TEXT,
    },
    "restore": _RESTORE,
    "preview": _RESTORE,
    "auto": {
        "--retry": _FLAG,
        **_WATCHED,
        "--whole-database": _FLAG,
        "--start-anyway": _FLAG,
        "--wait": _TEXT,
    },
    "list": {},
    "show": {},
    "cat": {},
    "verify": {},
    "rehash": {},
    "rekey": {},
    "keygen": {"--signing": _FLAG},
    "accept": {"--wait": _TEXT},
    "pin": {"--wait": _TEXT},
    "unpin": {"--wait": _TEXT},
    "forget": {"--dry-run": _FLAG, "--wait": _TEXT, **_KEEP},
    "delete": {"--wait": _TEXT},
    "status": {},
    "audit": {"--limit": _NUMBER},
}
_NEEDS_FILE = ("rehash", "rekey", "keygen", "accept", "pin", "unpin", "delete")
_TAKES_FILE = ("show", "cat", "verify", "restore", "preview", *_NEEDS_FILE)
VERBS = tuple(_OPTIONS)


# Options that are ours, or go to the job under another name.
_RENAMED = frozenset(
    "json no_progress verbose database directory sentinel collection whole_database minimum start_anyway wait merge "
    "require_snapshot to_mongo_url_env no_retention".split()
)
_KEPT = frozenset(name[2:].replace("-", "_") for name in _KEEP)


@dataclass
class Found:
    """A command line: the verb, the file where one was given, and the options by name (no_safety_backup: True)."""

    verb: str
    file: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        return bool(self.options.get(name))

    def text(self, name: str) -> str | None:
        value = self.options.get(name)
        return value if isinstance(value, str) else None


def _usage(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{message} (see --help)", "usage")


def parse(arguments: list[str]) -> Found:
    """The command and its options; InvalidArgumentError with reason `usage` for anything else."""
    verb = arguments[0] if arguments else ""
    if verb not in _OPTIONS:
        said = f"unknown command {verb}" if verb else "a command is missing"
        raise _usage(f"{said}: one of {', '.join(VERBS)}")
    found = Found(verb)
    rest = iter(arguments[1:])
    for argument in rest:
        if argument.startswith("-") and argument != "-":
            _option(found, argument, rest)
        elif verb == "before" and "reason" not in found.options:
            found.options["reason"] = argument
        elif verb not in _TAKES_FILE or found.file is not None:
            raise _usage(f"{verb} does not take {argument}")
        elif not argument:
            raise _usage("the file's name is empty")
        else:
            found.file = argument
    if verb in _NEEDS_FILE and found.file is None:
        raise _usage(f"{verb} needs a file")
    if verb == "before" and "reason" not in found.options:
        raise _usage("before needs a reason")
    if verb == "cat" and found.flag("json"):
        raise _usage("cat writes the file itself, which is JSON: leave out --json")
    return found


def _option(found: Found, argument: str, rest: Iterator[str]) -> None:
    name, equals, value = argument.partition("=")
    kind = _OPTIONS[found.verb].get(name) or _COMMON.get(name)
    if kind is None or (kind == _FLAG and equals):
        raise _usage(f"{found.verb} has no option {argument}")
    key = name[2:].replace("-", "_")
    if kind == _FLAG:
        found.options[key] = True
        return
    given = value if equals else next(rest, None)
    if given is None:
        raise _usage(f"{name} needs a value")
    if kind == _NUMBER:
        found.options[key] = _number(name, given)
    elif kind == _NAMES:
        found.options.setdefault(key, []).append(given)
    else:
        found.options[key] = given


def configuration(found: Found, environment: Mapping[str, str]) -> dict[str, Any]:
    """What reprise_open gets: the environment of the old script, and the options above it."""
    url = environment.get("MONGO_URL", "")
    if not url:
        if found.verb not in OFFLINE:
            said = "MONGO_URL is not set: it says where the database is, e.g. mongodb://127.0.0.1:27017"
            raise InvalidConfigError(said, "key_missing")
        url = NO_SERVER
    directory = found.text("directory") or environment.get("BACKUP_DIR") or "/app/data/backups"
    values: dict[str, Any] = {
        "mongo_url": url,
        "database": found.text("database") or environment.get("DB_NAME") or "test_database",
        "directory": os.path.abspath(directory),
    }
    if found.text("sentinel") is not None:
        values["sentinel"] = found.text("sentinel")
    if found.verb == "backup":
        kept = {key: value for key, value in found.options.items() if key in _KEPT}
        if kept or found.flag("no_retention"):
            values["retention"] = kept or False
    startup = _startup(found)
    if startup:
        values["startup"] = startup
    if environment.get("BACKUP_COMPRESSION"):
        values["compression"] = environment["BACKUP_COMPRESSION"]
    values.update(_keys(environment))
    if found.flag("verbose"):
        values["log_level"] = "debug"
    return values


def _keys(environment: Mapping[str, str]) -> dict[str, Any]:
    encryption: dict[str, Any] = {}
    if environment.get("BACKUP_RECIPIENTS"):
        given = (each.strip(" \t") for each in environment["BACKUP_RECIPIENTS"].split(","))
        encryption["recipients"] = [each for each in given if each]
    for key, variable in (("identity_file", "BACKUP_IDENTITY_FILE"), ("passphrase_file", "BACKUP_PASSPHRASE_FILE")):
        if environment.get(variable):
            encryption[key] = environment[variable]
    values: dict[str, Any] = {"encryption": encryption} if encryption else {}
    if environment.get("BACKUP_SIGNING_KEY_FILE"):
        values["signature"] = {"sign_key_file": environment["BACKUP_SIGNING_KEY_FILE"]}
    return values


def _startup(found: Found) -> dict[str, Any]:
    """The configuration's key `startup`, as far as it was given: what counts as empty."""
    values: dict[str, Any] = {}
    listed = found.flag("whole_database") or found.options.get("collection")
    if found.verb == "auto" and found.text("sentinel") is not None and listed:
        raise _usage("auto takes one of --sentinel, --collection and --whole-database")
    if found.flag("whole_database"):
        values["empty"] = "database"
    if found.options.get("collection"):
        values["collections"] = found.options["collection"]
    minimum = found.text("minimum")
    if minimum is not None:
        values["minimum"] = _documents(minimum)
    return values


def file_of(found: Found) -> str | None:
    """A bare name is one of the folder; anything with a slash is a path from here."""
    if found.file is not None and os.sep in found.file:
        return os.path.abspath(found.file)
    return found.file


def job_options(found: Found, environment: Mapping[str, str]) -> dict[str, Any]:
    """The options of the job that the command starts; what was not given is left out."""
    ours = _RENAMED | _KEPT if found.verb == "backup" else _RENAMED
    options = {key: value for key, value in found.options.items() if key not in ours}
    if found.flag("require_snapshot"):
        options["consistency"] = "require_snapshot"
    if found.flag("merge"):
        options["mode"] = "merge"
    variable = found.text("to_mongo_url_env")
    if variable is not None:
        options["to_mongo_url"] = _from_environment(variable, environment)
    if found.flag("start_anyway"):
        options["on_failure"] = "start_anyway"
    wait = found.text("wait")
    if wait is not None:
        options["wait_ms"] = _milliseconds(wait)
    if found.file is not None:
        options["file"] = file_of(found)
    return options


def _from_environment(variable: str, environment: Mapping[str, str]) -> str:
    if not environment.get(variable):
        raise _usage(f"--to-mongo-url-env names {variable}, which is not set")
    return environment[variable]


def mark_options(found: Found) -> dict[str, Any]:
    """What accept, pin, unpin and delete ask for."""
    options: dict[str, Any] = {"accept": True} if found.verb == "accept" else {"pin": found.verb == "pin"}
    if found.verb == "delete":
        options = {}
    wait = found.text("wait")
    if wait is not None:
        options["wait_ms"] = _milliseconds(wait)
    return options


def actor() -> dict[str, str]:
    """On whose behalf the command works, for the audit log: the user of this process, whatever the environment says."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return {"via": "command", "who": name}


def _number(name: str, given: str) -> int:
    digits = given[1:] if given.startswith("-") else given
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise _usage(f"{name} takes a whole number, not {given}")
    return int(given)


def _documents(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not 1 <= len(given) <= 5:
        raise _usage(f"--minimum takes a number of documents, not {given}")
    return int(given)


def _milliseconds(given: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 5 or int(given) > 86400:
        raise _usage(f"--wait takes whole seconds, 0 to 86400, not {given}")
    return int(given) * 1000

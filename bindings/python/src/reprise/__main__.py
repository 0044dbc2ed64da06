"""`python -m reprise`: the commands of the old script and a few more. `--help` tells them."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import sys
from typing import Any

from . import __version__, _say
from ._bar import Bar
from ._client import Reprise
from ._command import (
    EXIT_BUSY,
    EXIT_CORRUPT,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OF_CODE,
    EXIT_OK,
    EXIT_REFUSED,
    USAGE,
    Found,
    actor,
    configuration,
    file_of,
    job_options,
    mark_options,
    parse,
)
from ._errors import CancelledError, DeniedError, IoError, RepriseError
from ._keys import new_key

JOBS = ("backup", "before", "restore", "preview", "verify", "rehash", "rekey", "forget")
KINDS = {verb: verb for verb in JOBS} | {"auto": "startup"}
MARKS = ("accept", "pin", "unpin")


def main(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    if "--help" in arguments or "-h" in arguments or arguments[:1] == ["help"]:
        sys.stdout.write(USAGE)
        return EXIT_OK
    if "--version" in arguments:
        print(f"reprise {__version__}")
        return EXIT_OK
    try:
        return _run(parse(arguments))
    except RepriseError as error:
        _tell(error, as_json)
        return EXIT_OF_CODE.get(error.code, EXIT_FAILED)
    except KeyboardInterrupt:
        _tell(CancelledError("interrupted: nothing was changed", "cancelled"), as_json)
        return EXIT_INTERRUPTED


def _run(found: Found) -> int:
    if found.flag("verbose"):
        logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(levelname)s %(message)s")
    if found.verb == "keygen":
        return _keygen(found)
    config = configuration(found, os.environ)
    with Reprise(**config) as reprise:
        if found.verb == "cat":
            return _cat(reprise, file_of(found))
        text, code = _answer(reprise, found)
        if found.flag("json"):
            sys.stdout.write(text.rstrip("\n") + "\n")
        else:
            print("\n".join(_sentences(found.verb, json.loads(text), config)))
        return code


def _answer(reprise: Reprise, found: Found) -> tuple[str, int]:
    """The JSON that the command prints or tells, and the exit code."""
    if found.verb == "list":
        return reprise.list_json(), EXIT_OK
    if found.verb == "show":
        return reprise.show_json(file_of(found)), EXIT_OK
    if found.verb == "status":
        return reprise.status_json(), EXIT_OK
    if found.verb == "audit":
        return _audit(reprise, found)
    if found.verb in (*MARKS, "delete"):
        act = reprise.delete_json if found.verb == "delete" else reprise.mark_json
        return act(file_of(found) or "", {**mark_options(found), "actor": actor()}), EXIT_OK
    bar = Bar(wanted=not found.flag("json") and not found.flag("no_progress"))
    try:
        result = reprise.run(KINDS[found.verb], {**job_options(found, os.environ), "actor": actor()}, bar)
    finally:
        bar.clear()
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")), _exit_code(found.verb, result)


def _audit(reprise: Reprise, found: Found) -> tuple[str, int]:
    text = reprise.audit_json({"limit": found.options.get("limit")})
    return text, EXIT_OK if json.loads(text)["check"]["whole"] else EXIT_CORRUPT


def _exit_code(verb: str, result: dict[str, Any]) -> int:
    if verb in ("backup", "before") and result.get("state") == "suspect":
        return EXIT_REFUSED
    if verb == "auto" and not result.get("may_go_on"):
        return {"in_progress": EXIT_BUSY, "refused": EXIT_REFUSED}.get(str(result.get("result")), EXIT_OK)
    return EXIT_OK


def _sentences(verb: str, result: dict[str, Any], config: dict[str, Any]) -> list[str]:
    if verb in ("backup", "before"):
        return _say.backup(result, config["database"])
    if verb == "list":
        return _say.listing(result, config["directory"])
    if verb in MARKS:
        return _say.marked(result, verb)
    tell = {
        "show": _say.show,
        "verify": _say.verify,
        "restore": _say.restore,
        "auto": _say.auto,
        "rehash": _say.rehash,
        "rekey": _say.rekey,
        "forget": _say.forget,
        "preview": _say.preview,
        "delete": _say.deleted,
        "audit": _say.audit,
    }
    return tell.get(verb, _say.status)(result)


def _keygen(found: Found) -> int:
    path = os.path.abspath(found.file or "")
    pair = new_key("signing" if found.flag("signing") else "age")
    try:
        pair.write(path)
    except OSError as failure:
        denied = failure.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        said = f"cannot write {path}: {os.strerror(failure.errno or 0)}"
        raise (DeniedError if denied else IoError)(said, "io_error") from None
    if found.flag("json"):
        answer = {"file": path, "kind": pair.kind, "shared": pair.shared}
        print(json.dumps(answer, ensure_ascii=False, separators=(",", ":")))
    else:
        print(f"The secret is in {path}: keep a copy of it elsewhere, nothing opens without it.", file=sys.stderr)
        print(pair.shared.rstrip("\n"))
    return EXIT_OK


def _cat(reprise: Reprise, file: str | None) -> int:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `reprise cat | head` ends quietly
    for piece in reprise.cat(file):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    return EXIT_OK


def _tell(error: RepriseError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": error.as_json()}, ensure_ascii=False, separators=(",", ":")))
    else:
        print(f"reprise: {error.message} [{error.reason}]", file=sys.stderr)


def _interrupt(signal_number: int, frame: object) -> None:
    raise KeyboardInterrupt


def run() -> None:
    """The entry point: SIGTERM asks the job to stop, as Ctrl-C does, and waits until it has."""
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()

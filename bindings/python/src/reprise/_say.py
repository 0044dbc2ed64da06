"""The sentences of the command. The C++ command says the same ones: examples/cli/say.cpp; change both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def amount(size_bytes: int) -> str:
    """62.5 KB, as the old script counted: 1 KB is 1024 bytes."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("KB", "MB", "GB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TB"


def many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def seconds(result: Json) -> str:
    return f"{number(result, 'duration_ms') / 1000:.2f} s"


def number(data: Json, key: str) -> int:
    value = data.get(key)
    return int(value) if isinstance(value, (int, float)) else 0


def text(data: Json, key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def moment(when: str) -> str:
    """2025-10-12T16:27:21.123456Z as 2025-10-12 16:27:21 UTC."""
    return when[:10] + " " + when[11:19] + " UTC" if len(when) >= 19 else when


def sentence(words: str) -> str:
    """With a capital, unless it begins with the name of a file or collection."""
    if not words:
        return ""
    first = words if "_" in words.split(" ", 1)[0] else words[:1].upper() + words[1:]
    return first + ("" if words.endswith((".", "!", "?")) else ".")


def counts(collections: Any) -> list[tuple[str, int]]:
    """The documents per collection, from {name: {documents}} or [{name, documents}]."""
    if isinstance(collections, Mapping):
        return [(str(name), number(each, "documents")) for name, each in collections.items() if isinstance(each, Mapping)]
    if isinstance(collections, Sequence) and not isinstance(collections, str):
        return [(text(each, "name"), number(each, "documents")) for each in collections if isinstance(each, Mapping)]
    return []


def table(collections: Any) -> list[str]:
    rows = counts(collections)
    width = max((len(name) for name, _ in rows), default=0)
    return [f"  {name.ljust(width)}  {documents:>9}" for name, documents in rows]


def warnings(result: Json) -> list[str]:
    found = result.get("warnings")
    return [f"Warning: {sentence(str(each))}" for each in found] if isinstance(found, list) else []


def content(result: Json) -> str:
    return f"{many(number(result, 'documents'), 'document')} in {many(len(counts(result.get('collections'))), 'collection')}"


def backup(result: Json, database: str) -> list[str]:
    lines = [f"Saved {database}: {content(result)}, {amount(number(result, 'size_bytes'))}, verified, in {seconds(result)}."]
    lines += table(result.get("collections"))
    lines.append(f"File: {text(result, 'path') or text(result, 'file')}")
    if text(result, "keep_until"):
        lines.append(f"Kept until {moment(text(result, 'keep_until'))}. To go back: reprise restore {text(result, 'file')}")
    if text(result, "state") == "suspect":
        reason = text(result, "suspect_reason") or "smaller than the backups before it"
        lines.append(f"Kept aside as suspect ({reason}): the latest backup stays the one it was.")
        lines.append(f"If the database is as it should be: reprise accept {text(result, 'file')}")
    elif result.get("latest") is True:
        lines.append("It is now the latest backup.")
    else:
        lines.append("It is not the latest backup: it holds a part of the database only.")
    if result.get("removed"):
        lines.append(f"Removed {many(len(result['removed']), 'old backup')}: {', '.join(map(str, result['removed']))}.")
    return lines + warnings(result)


def listing(result: Json, directory: str) -> list[str]:
    found = result.get("backups")
    rows = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    if not rows:
        return [f"No backups in {directory}."]
    width = max(len(text(each, "filename")) for each in rows)
    lines = [f"{many(len(rows), 'backup')} in {directory}:"]
    for each in rows:
        size, when = amount(number(each, "size_bytes")), moment(text(each, "modified"))
        line = f"  {text(each, 'filename').ljust(width)}  {size:>10}  {when}  {', '.join(remarks(each))}"
        lines.append(line.rstrip())
    return lines


def remarks(entry: Json) -> list[str]:
    """What a person should know of one file at a glance."""
    said: list[str] = []
    if entry.get("latest") is True:
        said.append("latest")
    if entry.get("verified") is True:
        said.append("verified")
    state = text(entry, "state")
    if state not in ("", "good"):
        said.append("not verified yet" if state == "unknown" else state)
    if entry.get("pinned") is True:
        said.append("pinned")
    if entry.get("legacy") is True:
        said.append("old system")
    if text(entry, "label"):
        said.append(f'"{text(entry, "label")}"')
    problem = entry.get("problem")
    if problem:
        said.append("problem: " + (text(problem, "message") if isinstance(problem, Mapping) else str(problem)))
    return said


def show(result: Json) -> list[str]:
    lines = [f"{text(result, 'path') or text(result, 'filename')}"]
    when, size = moment(text(result, "backup_date")), amount(number(result, "size_bytes"))
    lines.append(f"Database {text(result, 'database')}, {when}, {size}.")
    said = remarks(result)
    if text(result, "consistency"):
        said.append("consistency: " + text(result, "consistency"))
    if said:
        lines.append(sentence(", ".join(said)))
    return lines + table(result.get("collections")) + warnings(result)


def verify(result: Json) -> list[str]:
    name = text(result, "path") or text(result, "file")
    if result.get("legacy") is True:
        first = f"{name} was read to its end: {content(result)}. It is a file of the old system: nothing in it proves it whole."
    elif result.get("intact") is True and result.get("verified") is not True:
        first = (
            f"{name} is intact: {amount(number(result, 'size_bytes'))}, the bytes that were verified when it was written. "
            "Nothing here opens it."
        )
    elif result.get("verified") is True:
        first = f"{name} is whole: {content(result)}, {amount(number(result, 'size_bytes'))}."
    else:
        first = f"{name} could be read, but is not verified: {content(result)}."
    lines = [first]
    if text(result, "sha256"):
        lines.append(f"sha256 {text(result, 'sha256')}")
    return lines + warnings(result)


def rekey(result: Json) -> list[str]:
    name = text(result, "path") or text(result, "file")
    return [f"Encrypted anew: {name}. {text(result, 'replaced')}, which it replaces, is gone."] + warnings(result)


def restore(result: Json) -> list[str]:
    lines = [f"Restored {text(result, 'database')} from {text(result, 'file')}: {content(result)}, in {seconds(result)}."]
    lines += table(result.get("collections"))
    left = result.get("left_alone")
    if isinstance(left, list) and left:
        lines.append(f"Left alone, for the backup does not know them: {', '.join(str(each) for each in left)}.")
    if text(result, "safety_file"):
        lines.append(f"What was there before is kept in {text(result, 'safety_file')}.")
    if text(result, "undo"):
        lines.append(sentence(text(result, "undo")))
    return lines + warnings(result)


_BEFORE = {
    "not_needed": "Nothing to restore: ",
    "no_backup": "Nothing to restore: ",
    "in_progress": "Not finished: ",
    "refused": "Not restored: ",
}


def auto(result: Json) -> list[str]:
    said = text(result, "message") or text(result, "result")
    lines = [sentence(_BEFORE.get(text(result, "result"), "") + said)]
    if text(result, "result") in ("in_progress", "refused") and result.get("may_go_on"):
        lines.append("The host may start anyway, as asked for.")
    skipped = result.get("skipped")
    for each in skipped if isinstance(skipped, list) else []:
        if isinstance(each, Mapping):
            lines.append(f"Skipped {text(each, 'file')}: {sentence(text(each, 'message') or text(each, 'reason'))}")
    nested = result.get("restore")
    if isinstance(nested, Mapping):
        lines += restore(nested)
    return lines + warnings(result)


def rehash(result: Json) -> list[str]:
    lines = [f"Wrote {text(result, 'path') or text(result, 'file')}: {many(number(result, 'documents'), 'document')}."]
    changes = result.get("changes")
    for each in changes if isinstance(changes, list) else []:
        lines.append("  " + (change(each) if isinstance(each, Mapping) else str(each)))
    lines.append("Startup never picks an edited backup by itself: restore it by its name.")
    return lines + warnings(result)


def marked(entry: Json, verb: str) -> list[str]:
    name = text(entry, "filename")
    if verb == "accept":
        latest = "; it is the latest backup" if entry.get("latest") is True else ""
        return [f"Accepted: {name} is good, and later backups are judged by it{latest}."]
    return [f"{name} is pinned: it is never removed." if entry.get("pinned") is True else f"{name} is not pinned any more."]


def forget(result: Json) -> list[str]:
    gone, kept = rows(result, "removed"), rows(result, "kept")
    done = "Would remove" if result.get("dry_run") is True else "Removed"
    size = amount(number(result, "freed_bytes"))
    lines = [f"{done} {many(len(gone), 'backup')}, {size}." if gone else "Nothing to remove."]
    lines += [f"  {text(each, 'file')}: {text(each, 'message')}" for each in gone]
    if kept:
        lines.append(f"{many(len(kept), 'backup')} {'stays' if len(kept) == 1 else 'stay'}:")
    lines += [f"  {text(each, 'file')}: {text(each, 'message')}" for each in kept]
    return lines + warnings(result)


def preview(result: Json) -> list[str]:
    lines = [f"A restore of {text(result, 'file')} into {text(result, 'database')} would change this; nothing was changed:"]
    found = rows(result, "collections")
    width = max((len(text(each, "name")) for each in found), default=0)
    lines += [f"  {text(each, 'name').ljust(width)}  {previewed(each)}" for each in found]
    return lines + warnings(result)


def previewed(each: Json) -> str:
    known = "" if each.get("in_backup") is True else "not in the backup, "
    action = text(each, "action")
    if action == "drop":
        return f"{count_now(each):>9}  {known}dropped"
    if action == "leave":
        return f"{count_now(each):>9}  {known}left alone"
    return f"{count_now(each):>9}  -> {count_after(each):>9}  {what_differs(each)}"


def count_now(each: Json) -> str:
    if each.get("now") is not None:
        return str(number(each, "now"))
    action = text(each, "action")
    return "view" if action == "replace" or (text(each, "type") == "view" and action != "create") else "not there"


def count_after(each: Json) -> str:
    if each.get("after") is not None:
        return str(number(each, "after"))
    if each.get("at_most") is None:
        return "view"
    return f"{number(each, 'at_least')} to {number(each, 'at_most')}"


def what_differs(each: Json) -> str:
    documents, catalog = each.get("same_documents") is True, each.get("same_catalog") is True
    if text(each, "action") == "create":
        return "created"
    if documents and catalog:
        return "same"
    if documents:
        return "different definition" if text(each, "type") == "view" else "different options or indexes"
    if not catalog:
        return "different"
    if text(each, "action") != "merge":
        return "different documents"
    return f"{number(each, 'inserted')} new, {number(each, 'replaced')} replaced"


def deleted(result: Json) -> list[str]:
    return [f"Deleted {text(result, 'filename')}: {amount(number(result, 'freed_bytes'))}."]


def audit(result: Json) -> list[str]:
    check = result.get("check")
    check = check if isinstance(check, Mapping) else {}
    lines = [audited(each) for each in rows(result, "lines")]
    if not number(check, "lines"):
        return ["The audit log is empty."]
    first, last = number(check, "first"), number(check, "last")
    if check.get("whole") is True:
        lines.append(f"The chain is whole: {many(number(check, 'lines'), 'line')}, {first} to {last}.")
    else:
        lines.append("The chain is broken:")
        problems = check.get("problems")
        lines += [f"  {each}" for each in problems] if isinstance(problems, list) else []
    lines.append(f"sha256 of line {last}: {text(check, 'last_hash')}")
    return lines


def audited(line: Json) -> str:
    """One line of the log; what it does not say is left out."""
    if line.get("broken") is True:
        return "  a line that cannot be read"
    reason = f" ({text(line, 'reason')})" if text(line, "reason") else ""
    times = f", {many(number(line, 'count'), 'time')}" if number(line, "count") else ""
    who = f" by {text(line, 'who')}" if text(line, "who") else ""
    source = f" from {text(line, 'from')}" if text(line, "from") else ""
    file = f": {text(line, 'file')}" if text(line, "file") else ""
    said = f"{text(line, 'what')} {text(line, 'result')}{reason}{times}, {text(line, 'via')}{who}{source}{file}"
    return f"  {number(line, 'n')}  {moment(text(line, 'time'))}  {said}"


def rows(result: Json, key: str) -> list[Json]:
    found = result.get(key)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def change(each: Json) -> str:
    """One changed collection, whatever is told of it, in the order it is told."""
    told = [f"{key} {value}" for key, value in each.items() if key not in ("name", "collection")]
    return f"{text(each, 'name') or text(each, 'collection')}: {', '.join(told)}"


def status(result: Json) -> list[str]:
    latest = result.get("latest")
    name = text(latest, "filename") or text(latest, "file") if isinstance(latest, Mapping) else str(latest or "none")
    size = amount(number(result, "size_bytes"))
    free = f"; free: {amount(number(result, 'free_bytes'))}" if result.get("free_bytes") is not None else ""
    lines = [
        f"Database {text(result, 'database')}, folder {text(result, 'directory')}.",
        f"Latest backup: {name}.",
        f"{many(number(result, 'backups'), 'backup')}, {size}{free}.",
    ]
    if number(result, "suspects"):
        lines.append(f"{many(number(result, 'suspects'), 'suspect backup')}: accept, or look at the database.")
    lines += [f"Warning: {sentence(text(each, 'message'))}" for each in rows(result, "lost")]
    if result.get("running"):
        lines.append("An operation is running.")
    return lines + scheduled(result)


def scheduled(result: Json) -> list[str]:
    """Without a schedule nothing is said."""
    schedule = result.get("schedule")
    if not isinstance(schedule, Mapping):
        return []
    line = f"Next scheduled backup: {moment(text(schedule, 'next_run')) or 'none is planned'}"
    last = schedule.get("last_run")
    if isinstance(last, Mapping):
        reason = f" ({text(last, 'reason')})" if text(last, "reason") else ""
        line += f"; last: {moment(text(last, 'started'))}, {text(last, 'state')}{reason}"
    return [line + "."]

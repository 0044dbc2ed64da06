"""The table of an attack run: report.py [--json] [--write] RESULTS LOGS. run.sh calls it; --write puts it into the README."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
from typing import Any

COUNTS = ("lost", "half_visible", "wrong_latest", "duplicates")
HEAD = "| attack | points | seconds | lost documents | half-visible files | wrong `latest` | duplicates |\n" + "|---" * 7 + "|"
BEGIN, END = "<!-- made by run.sh --long -->", "<!-- end -->"
FIELDS = ("attack", "points", "seconds", *COUNTS)
README = pathlib.Path(__file__).resolve().parent / "README.md"
Row = dict[str, Any]


def rows_of_python(results: pathlib.Path) -> list[Row]:
    rows = []
    for path in sorted(results.glob("*.jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return rows


def rows_of_steps(results: pathlib.Path) -> list[Row]:
    """What the C++ tests wrote into the file that REPRISE_FAULT_ROWS names: a line per attack."""
    rows = []
    for path in sorted(results.glob("*.rows")):
        for line in path.read_text(encoding="utf-8").splitlines():
            given = json.loads(line)
            if missing := set(FIELDS) - set(given):
                raise SystemExit(f"{path}: {line} lacks {sorted(missing)}")
            rows.append({"name": given["attack"], "wrong": 0, **{key: given[key] for key in FIELDS[1:]}})
    return rows


def table(rows: list[Row]) -> str:
    lines = [HEAD]
    for row in rows:
        cells = [row["name"], row["points"], f"{row['seconds']:.0f}", *(row[key] for key in COUNTS)]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    total = sum(row["seconds"] for row in rows)
    sums = " | ".join(str(sum(row[key] for row in rows)) for key in COUNTS)
    lines.append(f"| **all {len(rows)}** | {sum(row['points'] for row in rows)} | {total:.0f} | {sums} |")
    return "\n".join(lines)


def write(text: str) -> None:
    readme = README.read_text(encoding="utf-8")
    before, after = readme.split(BEGIN)[0], readme.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def complaints(logs: pathlib.Path, results: pathlib.Path) -> list[str]:
    """The parts that failed, with the end of their logs."""
    told = []
    for end in sorted(results.glob("*.end")):
        if end.read_text().strip() == "ok":
            continue
        log = logs / f"fault_{end.stem}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = re.compile(r"^E  |^FAILED|^ERROR|ERROR:|runtime error|error:")
        told += [f"FAILED: {end.stem} ({log})", *[line for line in lines if wanted.search(line)][:40]]
    return told


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("logs", type=pathlib.Path)
    arguments = parser.parse_args()
    rows = rows_of_steps(arguments.results) + rows_of_python(arguments.results)
    told = complaints(arguments.logs, arguments.results)
    bad = [row["name"] for row in rows if row["wrong"] or any(row[key] for key in COUNTS)]
    skipped = set()
    for log in arguments.logs.glob("fault_*.log"):
        skipped |= set(re.findall(r"^SKIPPED.*$", log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        print(table(rows), *sorted(skipped), sep="\n")
    print(*told, sep="\n", file=sys.stderr)
    if arguments.write and not told and not bad:
        write(table(rows))
    if not arguments.json:
        print(f"{len(rows)} passed, 0 failed" if not (told or bad) else f"{len(rows)} attacks, {len(bad)} of them with harm")
    return 1 if told or bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())

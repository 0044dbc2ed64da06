"""Keeps the house in order: which room includes which, sizes of files and functions, and what must not be committed.

Run from anywhere: python3 tests/tidy.py. Prints one line per breach and exits 1 when there is one.
"""
from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# room → the rooms it may include; "room/file.h" allows that header alone.
ROOMS: dict[str, set[str]] = {
    "base": set(),
    "crypto": {"base"},
    "codec": {"base"},
    "stream": {"base", "crypto"},
    "format": {"base", "crypto", "codec", "stream"},
    "store": {"base", "crypto", "stream"},
    "mongo": {"base", "crypto"},
    "engine": {"base", "crypto", "codec", "stream", "format", "mongo", "store/store.h", "store/local.h", "policy"},
    "journal": {"base", "codec", "stream", "format", "mongo", "store/store.h"},
    "policy": {"base", "format/manifest.h", "format/model.h", "format/names.h"},
    "service": {"base", "crypto", "codec", "stream", "format", "store", "mongo", "engine", "journal", "policy"},
    "admin": {"base", "crypto", "codec/json.h", "service"},
}
# capi shares the service's vocabulary: what a service header shows, its one caller may name.
CAPI = {"base", "codec/json.h", "service", "admin"}

# include prefix → the one room that may use it
THIRD_PARTY = {
    "openssl/": "crypto", "rapidjson/": "codec", "mongoc/": "mongo", "bson/": "mongo", "xxhash.h": "stream",
    "zlib.h": "stream", "zstd": "stream", "curl/": "store", "isa-l": "stream",
}
SYSTEM_OK = re.compile(r"^(?:[a-z_0-9]+|c?[a-z]+\.h|(?:sys|linux|netinet|arpa|netdb|net)/[a-z_]+\.h)$")
FILE_LINES, FUNCTION_LINES, COLUMNS = 500, 60, 128
HEADER_LINES, HEADER_FUNCTIONS = 700, 50
# Functions that are one table or one switch and would not read better in pieces: "path:name".
LONG_FUNCTIONS: set[str] = set()
TEXT = {".cpp", ".h", ".hpp", ".c", ".py", ".md", ".sh", ".txt", ".cmake", ".in", ".toml", ".json", ".map", ".yml", ""}
KEYWORDS = "namespace|struct|class|enum|union|extern|if|for|while|switch|else|do|case"
FUNCTION_OPENS = re.compile(r"( {0,4})(?!(?:" + KEYWORDS + r")\b|#|//)\S")
FORBIDDEN = re.compile(
    r"/wor" r"k/|/roo" r"t/|pypi\.(?:org|python)|files\.pythonhosted|crates\.i" r"o/"
    r"|registry\.npm|proxy\.golang|deb\.debian\.org|\.libr" r"ary/"
)

problems: list[str] = []


def complain(path: Path, line: int, what: str) -> None:
    problems.append(f"{path.relative_to(ROOT)}:{line}: {what}")


def tracked() -> list[Path]:
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True).stdout.decode()
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        every = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [str(path) for path in every if path.parts[0] not in {"build", ".git"}]
    return sorted(ROOT / name for name in set(names) if (ROOT / name).is_file() and not (ROOT / name).is_symlink())


def allowed(include: str, rooms: set[str]) -> bool:
    return include.split("/")[0] in rooms or include in rooms


def check_includes(path: Path, lines: list[str]) -> None:
    parts = path.relative_to(ROOT).parts
    room = parts[1] if parts[0] == "src" else "capi"
    may = CAPI if room == "capi" else ROOMS.get(room)
    if may is None:
        complain(path, 1, f"room {room} is not in the table of tests/tidy.py")
        return
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not found:
            continue
        kind, name = found.groups()
        owner = next((owner for prefix, owner in THIRD_PARTY.items() if name.startswith(prefix)), None)
        if owner is not None:
            if room != owner:
                complain(path, number, f"{name} belongs to {owner} alone")
        elif kind == "<":
            if not SYSTEM_OK.match(name):
                complain(path, number, f"<{name}> is neither the standard library nor a known third party")
        elif name.startswith("reprise/") or name == "guard.h":
            if room != "capi" and not (room in {"service", "base"} and name == "reprise/reprise.h"):
                complain(path, number, f"{room} may not include {name}")
        elif room == "capi" and "/" not in name:
            continue
        elif name.split("/")[0] != room and not allowed(name, may):
            complain(path, number, f"{room} may not include {name}")


def check_cpp(path: Path, lines: list[str]) -> None:
    parts = path.relative_to(ROOT).parts
    inside = parts[0] in {"src", "capi"}
    if inside:
        check_includes(path, lines)
    if inside and path.suffix == ".h" and not any(line.strip() == "#pragma once" for line in lines):
        complain(path, 1, "an internal header begins with #pragma once")
    for number, line in enumerate(lines, 1):
        if re.search(r"using namespace std\s*;", line):
            complain(path, number, "using namespace std")
        if parts[0] == "src" and re.search(r'extern\s+"C"', line) and not line.lstrip().startswith("//"):
            complain(path, number, 'extern "C" outside capi')
    if inside or parts[0] == "examples":
        check_functions(path, lines)


def statement_begin(lines: list[str], number: int) -> int:
    """The line where the statement began that opens a brace at the end of line `number`."""
    while number > 1:
        before = lines[number - 2].rstrip()
        if not before or before.endswith((";", "{", "}", ":")) or before.lstrip().startswith(("#", "//", "template")):
            break
        number -= 1
    return number


def check_functions(path: Path, lines: list[str]) -> None:
    """A body opens at namespace or class depth with a brace at the line's end, and ends at the brace in its column."""
    start, indent, name = 0, "", ""
    for number, line in enumerate(lines, 1):
        if not start and line.rstrip().endswith("{"):
            begin = statement_begin(lines, number)
            head = " ".join(lines[begin - 1 : number])
            opened = FUNCTION_OPENS.match(head)
            called = re.search(r"([\w:~]+)\s*\(", head)
            if opened and called and not head.rstrip().endswith("= {"):
                start, indent, name = begin, opened.group(1), called.group(1)
        elif start and line.startswith(indent + "}"):
            length = number - start + 1
            if length > FUNCTION_LINES and f"{path.relative_to(ROOT)}:{name}" not in LONG_FUNCTIONS:
                complain(path, start, f"{name} has {length} lines; {FUNCTION_LINES} at most")
            start = 0


def check_text(path: Path, lines: list[str]) -> None:
    code = path.suffix in {".cpp", ".h", ".hpp", ".c", ".py", ".sh", ".cmake", ".txt", ".html", ".js", ".css"}
    relative = path.relative_to(ROOT)
    for number, line in enumerate(lines, 1):
        if FORBIDDEN.search(line):
            complain(path, number, "names a path of a machine or a registry's host")
        if not code:
            continue
        if "\t" in line:
            complain(path, number, "a tab")
        if line != line.rstrip():
            complain(path, number, "trailing spaces")
        if len(line) > COLUMNS:
            complain(path, number, f"{len(line)} columns; {COLUMNS} at most")
    if code and path.suffix in {".cpp", ".h", ".c", ".py", ".sh"} and len(lines) > FILE_LINES:
        if str(relative) != "include/reprise/reprise.h":
            complain(path, len(lines), f"{len(lines)} lines; {FILE_LINES} at most: split it")


def check_header() -> None:
    path = ROOT / "include/reprise/reprise.h"
    lines = path.read_text(encoding="utf-8").splitlines()
    functions = [line for line in lines if line.startswith("REPRISE_API")]
    if len(lines) >= HEADER_LINES or len(functions) >= HEADER_FUNCTIONS:
        complain(path, 1, f"{len(lines)} lines and {len(functions)} functions; below {HEADER_LINES} and {HEADER_FUNCTIONS}")
    for number, line in enumerate(lines, 1):
        found = re.match(r"#include <(.+)>", line)
        if found and found.group(1) not in {"stddef.h", "stdint.h"}:
            complain(path, number, "only <stddef.h> and <stdint.h>")


def check_reasons(files: list[Path]) -> None:
    """Every reason word that the code gives stands in capi/ABI.md."""
    known = set(re.findall(r"`([a-z0-9_]+)`", (ROOT / "capi/ABI.md").read_text(encoding="utf-8")))
    given = re.compile(r'Failure\(\s*Code::\w+,\s*"([a-z0-9_]+)"')
    for path in files:
        if path.suffix in {".cpp", ".h"} and path.relative_to(ROOT).parts[0] in {"src", "capi"}:
            text = path.read_text(encoding="utf-8")
            for found in given.finditer(text):
                if found.group(1) not in known:
                    complain(path, text.count("\n", 0, found.start()) + 1, f"reason {found.group(1)} is not in capi/ABI.md")


def check_promises(files: list[Path]) -> None:
    """Each promise S1 to S15 and each hazard 1 to 27 of the design has a test named after it."""
    named: set[str] = set()
    for path in files:
        if "tests" in path.parts and path.suffix in {".cpp", ".py"}:
            for title in re.findall(r'TEST_CASE\(\s*"([^"]*)|def test_(\w+)', path.read_text(encoding="utf-8")):
                text = "".join(title).lower().replace("_", " ")
                named |= {f"s{int(each)}" for each in re.findall(r"\bs(\d+)\b", text)}
                named |= {f"hazard {int(each)}" for each in re.findall(r"\bhazard (\d+)", text)}
    for each in [*(f"s{n}" for n in range(1, 16)), *(f"hazard {n}" for n in range(1, 28))]:
        if each not in named:
            complain(ROOT / "tests" / "tidy.py", 1, f"no test is named after {each}")


def main() -> int:
    files = tracked()
    for path in files:
        parts = path.relative_to(ROOT).parts
        data_only = parts[:2] in {("tests", "golden"), ("tests", "fuzz")} and path.suffix not in {".py", ".cpp", ".md"}
        if path.suffix not in TEXT or data_only or path.name == "LICENSE":
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            complain(path, 1, "is not UTF-8")
            continue
        check_text(path, lines)
        if path.suffix in {".cpp", ".h", ".hpp", ".c"}:
            check_cpp(path, lines)
    check_header()
    check_reasons(files)
    check_promises(files)
    print("\n".join(problems + [f"tidy: {len(files)} files, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

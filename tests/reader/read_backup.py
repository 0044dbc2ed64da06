"""A stranger's reader of reprise backups (format 1), written from src/format/FORMAT.md alone: standard library only.
Reads .gz as well; of .zst and .age it says how to unpack them.

python3 read_backup.py FILE…   checks the hash, the layout, the names and the counts; prints one line per collection.
Exits 1 when anything is wrong. What it leaves out: the bson_bytes and digests of the summary, which need BSON and XXH3.
"""
from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
import zlib
from typing import Any, BinaryIO, Iterator

MAX_LINE = 32 * 1024 * 1024
SHA_LINE = re.compile(rb'(?:"signature":\{.*\},)?"sha256":"([0-9a-f]{64})"\}\n')


class Bad(Exception):
    """The file is not what it should be."""


def need(fine: bool, otherwise: str) -> None:
    if not fine:
        raise Bad(otherwise)


def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len(dict(pairs)) == len(pairs), "a key stands twice in an object")
    return dict(pairs)


def parse(text: bytes) -> Any:
    def refuse(word: str) -> None:
        raise Bad(f"{word} is not JSON")

    return json.loads(text.decode("utf-8"), object_pairs_hook=no_duplicates, parse_constant=refuse)


class Lines:
    """The lines of a file without their newlines; all but the last are hashed."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.hash, self.number, self.end = file, hashlib.sha256(), 0, b""

    def raw(self) -> bytes:
        line = self.file.readline(MAX_LINE + 2)
        self.number += 1
        if not line.endswith(b"\n"):
            raise Bad("the line is too long" if len(line) > MAX_LINE else "the file is cut off")
        return line

    def next(self) -> bytes:
        line = self.raw()
        self.hash.update(line)
        return line[:-1]

    def value(self, key: bytes) -> Any:
        """A whole line `"key":…,`."""
        line = self.next()
        need(line.startswith(b'"' + key + b'":') and line.endswith(b","), f"{key.decode()} must stand there")
        return parse(line[len(key) + 3 : -1])

    def literally(self, wanted: bytes) -> None:
        need(self.next() == wanted, f"{wanted.decode()} must stand there")

    def members(self, *ends: bytes) -> Iterator[bytes]:
        """The lines up to one of `ends` (kept in self.end), without the comma that all but the last must have."""
        more = None
        while (line := self.next()) not in ends:
            need(more is not False, "a comma is missing before the line")
            more = line.endswith(b",")
            yield line[:-1] if more else line
        need(not more, "a comma stands before a closing bracket")
        self.end = line


def read_header(lines: Lines) -> str:
    """The database's name."""
    first = lines.next()
    need(first.startswith(b'{"backup_date":') and first.endswith(b","), "this is no backup of format 1")
    opening = parse(first[:-1] + b"}")
    need(list(opening) == ["backup_date", "database"], "the first line must hold backup_date and database")
    header = lines.value(b"reprise")
    if header["format"] != 1 or header["kind"] != "full" or header["requires"]:
        raise Bad("the file needs another reader: format {format}, kind {kind}, requires {requires}".format(**header))
    return str(opening["database"])


def read_catalog(lines: Lines) -> dict[str, Any]:
    lines.literally(b'"catalog":{')
    catalog: dict[str, Any] = parse(b"{" + b",".join(lines.members(b"},")) + b"}")
    for name, entry in catalog.items():
        need(entry["type"] in ("collection", "view", "timeseries"), f"the type of {name!r} is unknown")
    return catalog


def read_collections(lines: Lines) -> dict[str, int]:
    lines.literally(b'"collections":{')
    counts: dict[str, int] = {}
    follows = None
    while (line := lines.next()) != b"},":
        need(line.startswith(b'"') and line.endswith(b":[") and follows is not False, "a collection must stand there")
        name = parse(line[:-2])
        need(name not in counts, f"the collection {name!r} stands twice")
        counts[name] = 0
        for document in lines.members(b"]", b"],"):
            need(isinstance(parse(document), dict), "a document must stand there")
            counts[name] += 1
        follows = lines.end == b"],"
    need(not follows, "a comma stands before a closing bracket")
    return counts


def read_end(lines: Lines, counts: dict[str, int]) -> None:
    summary = lines.value(b"summary")
    last = SHA_LINE.fullmatch(lines.raw())
    if last is None or lines.file.read(1):
        raise Bad("the file must end with sha256")
    need(last[1].decode() == lines.hash.hexdigest(), "the file changed since it was written")
    said = {name: one["documents"] for name, one in summary["collections"].items()}
    need(said == counts and summary["documents"] == sum(counts.values()), "the summary does not count what the file holds")


def plain(file: BinaryIO) -> BinaryIO:
    """The content under the layer that the first bytes tell."""
    head = file.read(32)
    file.seek(0)
    need(not head.startswith(b"\x28\xb5\x2f\xfd"), "it is compressed with zstd: unpack it first, zstd -d FILE")
    need(b"age-encryption.org/" not in head and not head.startswith(b"-----BEGIN AGE"),
         "it is encrypted with age: open it first, age -d -i KEY_FILE FILE")
    return gzip.GzipFile(fileobj=file) if head.startswith(b"\x1f\x8b") else file  # type: ignore[return-value]


def check(path: str) -> None:
    with open(path, "rb") as stored:
        lines = Lines(stored)
        try:
            lines = Lines(plain(stored))
            database = read_header(lines)
            with_documents = {name for name, entry in read_catalog(lines).items() if entry["type"] != "view"}
            counts = read_collections(lines)
            need(set(counts) == with_documents, "catalog and collections differ")
            read_end(lines, counts)
        except (Bad, gzip.BadGzipFile, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError,
                RecursionError) as problem:
            raise Bad(f"{path}, line {lines.number}: {problem}") from problem
    for name, count in counts.items():
        print(f"{database}.{name}: {count} documents")


def main(paths: list[str]) -> int:
    try:
        for path in paths:
            check(path)
    except (Bad, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0 if paths else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

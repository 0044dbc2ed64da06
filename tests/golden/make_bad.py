"""Makes tests/golden/bad from tests/golden/good: every file must be refused for the reason that begins its name.

python3 tests/golden/make_bad.py writes what is missing and fails when a file that is there differs.
"""
from __future__ import annotations

import hashlib
import json
import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
TYPES = (HERE / "good" / "all_types.json").read_bytes()
KINDS = (HERE / "good" / "kinds.json").read_bytes()
LEGACY = (HERE / "legacy" / "indent2.json").read_bytes()
SURROGATES = (HERE / "legacy" / "nan_and_surrogates.json").read_bytes()


def replaced(text: bytes, old: str, new: str) -> bytes:
    assert old.encode() in text, old
    return text.replace(old.encode(), new.encode(), 1)


def rehashed(text: bytes) -> bytes:
    """As somebody who knows the format would forge it: with the right hash."""
    body = text[: text.rindex(b'"sha256":"')]
    return body + b'"sha256":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def forged(text: bytes, old: str, new: str) -> bytes:
    return rehashed(replaced(text, old, new))


def without(text: bytes, first: str, following: str) -> bytes:
    start = text.index(first.encode())
    return text[:start] + text[text.index(following.encode(), start):]


def stored_gzip(data: bytes) -> bytes:
    """One member, stored and not compressed: the same bytes with every zlib."""
    deflate = zlib.compressobj(0, wbits=-15)
    body = deflate.compress(data) + deflate.flush()
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + body + struct.pack("<II", zlib.crc32(data), len(data))


def stored_zstd(data: bytes, frame: bytes = b"\x00\x58") -> bytes:
    """One frame of raw blocks without a checksum."""
    blocks = [data[at : at + 100_000] for at in range(0, len(data), 100_000)]
    last = len(blocks) - 1
    heads = (struct.pack("<I", len(block) << 3 | (number == last))[:3] for number, block in enumerate(blocks))
    return b"\x28\xb5\x2f\xfd" + frame + b"".join(head + block for head, block in zip(heads, blocks))


def files() -> dict[str, bytes]:
    lines = KINDS.splitlines(keepends=True)
    out = {f"file_truncated.after_line_{n:02d}.json": b"".join(lines[:n]) for n in range(len(lines))}
    out |= {
        "file_truncated.in_a_document.json": TYPES[: TYPES.index(b'"double"')],
        "file_truncated.no_last_newline.json": TYPES[:-1],
        "file_edited.value.json": replaced(TYPES, "36.46", "36.47"),
        "file_edited.header.json": replaced(TYPES, '"sequence":42', '"sequence":43'),
        "file_edited.hash.json": TYPES[:-5] + (b"0" if TYPES[-5:-4] != b"0" else b"1") + TYPES[-4:],
        "file_edited.indented.json": json.dumps(json.loads(KINDS), indent=2).encode() + b"\n",
        "file_edited.one_line.json": json.dumps(json.loads(KINDS)).encode() + b"\n",
        "file_edited.windows_lines.json": KINDS.replace(b"\n", b"\r\n"),
        "trailing_bytes.newline.json": TYPES + b"\n",
        "trailing_bytes.second_backup.json": TYPES + KINDS,
        "format_unknown.2.json": forged(TYPES, '"format":1', '"format":2'),
        "kind_unknown.changes.json": forged(TYPES, '"kind":"full"', '"kind":"changes"'),
        "requirement_unknown.parents.json": forged(TYPES, '"requires":[]', '"requires":["parents"]'),
        "header_invalid.no_id.json": forged(TYPES, '"id":"0123456789abcdef0123456789abcdef",', ""),
        "header_invalid.scope.json": forged(TYPES, '{"is":"all"}', '{"is":"every"}'),
        "keys_out_of_order.collections_first.json": forged(TYPES, '"catalog":{', '"collections":{'),
        "keys_out_of_order.extra_key.json": forged(TYPES, '"database":"test_database",', '"database":"test_database","x":1,'),
        "keys_out_of_order.no_header.json": rehashed(without(KINDS, '"reprise":', '"catalog":')),
        "keys_out_of_order.no_catalog.json": rehashed(without(KINDS, '"catalog":', '"collections":')),
        "header_missing.indented_without_header.json": json.dumps(
            {k: v for k, v in json.loads(KINDS).items() if k != "reprise"}, indent=2).encode(),
        "legacy_extended_json.all_headers_stripped.json": json.dumps(
            {k: v for k, v in json.loads(KINDS).items() if k in ("backup_date", "database", "collections")}, indent=2).encode(),
        "legacy_extended_json.old_file_with_oid.json": replaced(
            LEGACY, '"68ebd0f5a5b4c3d2e1f00000"', '{"$oid": "68ebd0f5a5b4c3d2e1f00000"}'),
        "duplicate_key.header.json": forged(TYPES, '"sequence":42', '"sequence":42,"s\\u0065quence":42'),
        "duplicate_key.catalog.json": forged(KINDS, '"log":{', '"\\u0075sers":{'),
        "duplicate_key.collection.json": forged(KINDS, '"log":[', '"use\\u0072s":['),
        "duplicate_key.document.json": forged(TYPES, '"int32":5', '"int32":5,"int\\u00332":5'),
        "duplicate_key.old_file.json": replaced(LEGACY, '"absences"', '"users"'),
        "names_differ.collection.json": forged(KINDS, '"log":[', '"logs":['),
        "names_differ.view_with_documents.json": forged(KINDS, '"log":[', '"grown":['),
        "names_differ.summary.json": forged(KINDS, '"log":{"documents"', '"logs":{"documents"'),
        "names_differ.missing.json": forged(KINDS, '"clustered":[\n],\n', ""),
        "count_differs.users.json": forged(KINDS, '"users":{"documents":1', '"users":{"documents":2'),
        "count_differs.total.json": forged(KINDS, '"summary":{"documents":3', '"summary":{"documents":4'),
        "size_differs.users.json": forged(KINDS, '"bson_bytes":21', '"bson_bytes":22'),
        "digest_differs.value.json": forged(TYPES, "36.46", "36.47"),
        "digest_differs.digest.json": forged(KINDS, "xxh3-128:204b", "xxh3-128:204c"),
        "digest_differs.not_sorted.json": forged(KINDS, "xxh3-128-sorted:", "xxh3-128:"),
        "summary_invalid.digest.json": forged(KINDS, "xxh3-128:204b", "md5:204b"),
        "name_invalid.dollar.json": forged(KINDS, '"log":{', '"l$g":{'),
        "name_invalid.system.json": forged(KINDS, '"log":{', '"system.users":{'),
        "name_invalid.ours.json": forged(KINDS, '"log":{', '"reprise":{'),
        "name_invalid.empty.json": forged(KINDS, '"log":{', '"":{'),
        "name_invalid.too_long.json": forged(KINDS, '"log":{', '"' + "x" * 250 + '":{'),
        "name_invalid.database.json": forged(KINDS, "test_database", "../etc"),
        "name_invalid.old_file.json": replaced(LEGACY, '"absences"', '"system.users"'),
        "type_unknown.macro.json": forged(KINDS, '"type":"view"', '"type":"macro"'),
        "option_unknown.collection.json": forged(KINDS, '"capped":true', '"capped":true,"dropTarget":true'),
        "option_unknown.view.json": forged(KINDS, '"viewOn":"users",', '"viewOn":"users","capped":true,'),
        "option_unknown.timeseries.json": forged(KINDS, '"metaField":"m"', '"metaField":"m","eval":"x"'),
        "option_unknown.index.json": forged(KINDS, '"hidden":true', '"hidden":true,"run":"x"'),
        "catalog_invalid.no_indexes.json": forged(TYPES, ',"indexes":[{"v":2,"key":{"_id":1},"name":"_id_"}]', ""),
        "catalog_invalid.index_without_key.json": forged(TYPES, '"key":{"_id":1},', ""),
        "escape_invalid.cut_string.json": forged(TYPES, '"int32":5', '"int32":{"$rawBson":{"type":"02","base64":"AgAA"}}'),
        "escape_invalid.extra_key.json": forged(TYPES, '"int32":5', '"int32":{"$rawBson":{"type":"08","base64":"Ag=="},"x":1}'),
        "json_invalid.document.json": forged(TYPES, '"int32":5', '"int32":'),
        "json_invalid.nan.json": forged(TYPES, '"int32":5', '"int32":NaN'),
        "json_invalid.lone_surrogate.json": forged(TYPES, '"int32":5', '"int32":"\\ud800"'),
        "number_out_of_range.old_file.json": replaced(SURROGATES, "9223372036854775807", "9223372036854775808"),
        "file_truncated.gzip.json.gz": stored_gzip(TYPES)[:-5],
        "file_truncated.gzip_inside.json.gz": stored_gzip(TYPES[:1000]),
        "file_edited.gzip.json.gz": stored_gzip(replaced(TYPES, '"int32":5', '"int32":6')),
        "file_damaged.gzip_checksum.json.gz": stored_gzip(TYPES)[:-8] + bytes(4) + stored_gzip(TYPES)[-4:],
        "trailing_bytes.gzip.json.gz": stored_gzip(TYPES) + b"\n",
        "layer_unsupported.twice.json.gz": stored_gzip(stored_gzip(TYPES)),
        "file_truncated.zstd.json.zst": stored_zstd(TYPES)[:-5],
        "trailing_bytes.zstd.json.zst": stored_zstd(TYPES) + b"\0",
        "layer_unsupported.zstd_dictionary.json.zst": stored_zstd(TYPES, b"\x01\x58\x05"),
        "layer_unsupported.zstd_window.json.zst": stored_zstd(TYPES, b"\x00\x90"),
        "not_a_backup.text.json": b"hello\n",
        "not_a_backup.byte_order_mark.json": b"\xef\xbb\xbf" + TYPES,
        "not_a_backup.object.json": b'{"users": [{"_id": 1}]}\n',
    }
    return out


def main() -> int:
    different = []
    for name, data in files().items():
        path = HERE / "bad" / name
        if not path.exists():
            path.write_bytes(data)
        elif path.read_bytes() != data:
            different.append(name)
    print("\n".join(f"{name} is not what make_bad.py makes" for name in different), end="")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())

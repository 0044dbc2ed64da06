"""Whether pymongo reads our Extended JSON as the bytes it was made from. Called by unit_codec, with lines of hex BSON,
a tab and our text; prints the first lines that differ and how many there were."""
from __future__ import annotations

import sys

import bson
from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.son import SON

OPTIONS = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, document_class=SON, uuid_representation=bson.binary.UuidRepresentation.UNSPECIFIED,
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def main(path: str) -> int:
    lines = wrong = 0
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            wanted, text = line.rstrip("\n").split("\t", 1)
            lines += 1
            got = bson.encode(json_util.loads(text, json_options=OPTIONS), codec_options=OPTIONS).hex()
            if got != wanted:
                wrong += 1
                if wrong <= 3:
                    print(f"{text}\n  wanted {wanted}\n  got    {got}")
    print(f"{lines} documents, {wrong} different")
    return 0 if lines > 0 and wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

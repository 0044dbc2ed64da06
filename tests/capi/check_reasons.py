"""capi/ABI.md lists exactly the reason words that the code gives: none is missing, none is left over."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Failure(code, "word", …) with any expression as code, report_plain(error, CODE, "word", …), and system_failure's own words.
GIVEN = (
    re.compile(r'\b(?:Failure(?:\s+\w+)?|report_plain)\s*\(\s*(?:[\w:.]+,\s*)+"([a-z0-9]+(?:_[a-z0-9]+)*)"'),
    re.compile(r'\breason = "([a-z0-9_]+)"'),
)


def sources() -> list[Path]:
    return [p for room in ("src", "capi") for p in (ROOT / room).rglob("*") if p.suffix in {".cpp", ".h"}]


def main() -> int:
    text = "\n".join(p.read_text(encoding="utf-8") for p in sources())
    given = {word for pattern in GIVEN for word in pattern.findall(text)}
    table = (ROOT / "capi/ABI.md").read_text(encoding="utf-8").split("## Reason words", 1)[1]
    listed = re.findall(r"^\| `([a-z0-9_]+)` \|", table, re.M)
    problems = [f"{word} is given by the code and not listed" for word in sorted(given - set(listed))]
    # Other constructions than the above still hold the word as a literal.
    problems += [f"{word} is listed and nothing in the code gives it" for word in listed if f'"{word}"' not in text]
    problems += [f"{word} is listed twice" for word in sorted({w for w in listed if listed.count(w) > 1})]
    problems += [f"{word} is longer than 47 bytes" for word in listed if len(word) > 47]
    print("\n".join(problems + [f"{len(listed)} reason words, {len(problems)} problems"]))
    return 1 if problems or not given else 0


if __name__ == "__main__":
    sys.exit(main())

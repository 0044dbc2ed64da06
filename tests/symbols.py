"""The libraries show exactly the functions of the header: symbols.py NM HEADER LIBREPRISE.A LIBREPRISE.SO"""
import re
import subprocess
import sys


def defined(nm: str, *arguments: str) -> set[str]:
    lines = subprocess.run([nm, *arguments], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines if line.strip() and not line.endswith(":")}


def main(nm: str, header: str, archive: str, shared: str) -> int:
    text = open(header, encoding="utf-8").read()
    wanted = set(re.findall(r"^REPRISE_API [^(]*?\**(reprise_\w+)\(", text, re.M))
    problems = 0
    for what, found in (
        (archive, defined(nm, "-g", "--defined-only", archive)),
        (shared, defined(nm, "-D", "--defined-only", shared)),
    ):
        for name in sorted(found ^ wanted):
            problems += 1
            print(f"{what}: {name} is {'missing' if name in wanted else 'exported, and the header does not know it'}")
    print(f"{len(wanted)} functions, {problems} problems")
    return 1 if problems or not wanted else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

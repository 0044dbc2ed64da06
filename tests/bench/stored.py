"""What a whole backup of a server's HR data costs, compressed and encrypted: time, size beside mongodump's, memory."""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
PEAK = HERE.parent / "live" / "peak.py"
DATABASE = "reprise_bench"
LEAST_PAIRS = 15
GOALS = {
    "backup_gzip_saved": (">=", 70.0), "backup_zstd_saved": (">=", 75.0), "zstd_vs_mongodump_gzip": ("<=", 1.0),
    "encryption_costs": ("<=", 10.0), "backup_zstd_age_peak_mib": ("<=", 256.0), "restore_zstd_age_peak_mib": ("<=", 256.0),
}
Measured = list[tuple[str, float, str]]


class Stored:
    """On a server that holds DATABASE; works in a folder of its own."""

    def __init__(self, build: pathlib.Path, url: str, work: pathlib.Path, say: Callable[[str], None]) -> None:
        self.build, self.url, self.work, self.say = build, url, work, say

    def step(self, *words: object) -> dict[str, Any]:
        program = [self.build / "bench" / "bench_backup", *map(str, words)]
        answer: dict[str, Any] = json.loads(subprocess.run(program, stdout=subprocess.PIPE, check=True).stdout)
        return answer

    def empty(self, name: str) -> pathlib.Path:
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder

    def backup(self, *how: str) -> dict[str, Any]:
        return self.step("backup", self.url, DATABASE, self.empty("stored"), *how)

    def sizes(self) -> Measured:
        plain, gzip, zstd = (int(self.backup(how)["result"]["size_bytes"]) for how in ("none", "gzip", "zstd"))
        theirs = self.mongodump()
        return [
            ("backup_gzip_saved", 100 - 100 * gzip / plain, "%"), ("backup_zstd_saved", 100 - 100 * zstd / plain, "%"),
            ("zstd_vs_mongodump_gzip", zstd / theirs, "x"), ("gzip_vs_mongodump_gzip", gzip / theirs, "x"),
        ]

    def mongodump(self) -> int:
        """The bytes that mongodump --gzip stores of the same data, by itself or by what is nearest to it."""
        folder = self.empty("dumped")
        if shutil.which("mongodump"):
            subprocess.run(["mongodump", "--uri", self.url, "--quiet", "--gzip", "--db", DATABASE, "--out", folder], check=True)
            self.say("mongodump --gzip: its own files")
            return sum(each.stat().st_size for each in folder.rglob("*.bson.gz"))
        self.step("dump", self.url, DATABASE, folder)
        files = sorted(map(str, folder.glob("*.bson")))
        if shutil.which("go"):
            self.say("mongodump is not installed: the same BSON, a file per collection, through Go's gzip as it does")
            ran = ["go", "run", str(HERE / "mongodump_gzip.go"), *files]
            return int(subprocess.run(ran, stdout=subprocess.PIPE, check=True, env={**os.environ, "GOFLAGS": ""}).stdout)
        self.say("neither mongodump nor Go is installed: the same BSON, a file per collection, through gzip -6")
        return sum(len(subprocess.run(["gzip", "-6", "-c", each], stdout=subprocess.PIPE, check=True).stdout) for each in files)

    def encryption(self, recipient: str, runs: int) -> Measured:
        """Whole backups, until `latest` moved, in turn; what counts is the median of the pairs."""
        pairs, clear, sealed = [], [], []
        for run in range(max(runs, LEAST_PAIRS)):
            turns = [("zstd",), ("zstd", recipient)]
            took = {len(how): float(self.backup(*how)["verified"]) for how in (turns if run % 2 == 0 else turns[::-1])}
            clear.append(took[1])
            sealed.append(took[2])
            pairs.append(took[2] / took[1])
        self.say("zstd and age, seconds: " + ", ".join(f"{a:.2f}→{b:.2f}" for a, b in zip(clear, sealed)))
        return [
            ("encryption_costs", 100 * statistics.median(pairs) - 100, "%"),
            ("encryption_costs_by_fastest", 100 * min(sealed) / min(clear) - 100, "%"),
            ("zstd_backup_s", statistics.median(clear), "s"), ("zstd_age_backup_s", statistics.median(sealed), "s"),
        ]

    def peaks(self, recipient: str, identity: pathlib.Path) -> Measured:
        environment = {
            **os.environ, "MONGO_URL": self.url, "DB_NAME": DATABASE, "BACKUP_DIR": str(self.empty("peaks")),
            "BACKUP_COMPRESSION": "zstd", "BACKUP_RECIPIENTS": recipient, "BACKUP_IDENTITY_FILE": str(identity),
        }
        found: Measured = []
        for verb in ("backup", "restore"):
            peak = self.work / "peak"
            command = [sys.executable, "-S", PEAK, peak, self.build / "bin" / "reprise", verb]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
            found.append((f"{verb}_zstd_age_peak_mib", int(peak.read_text()) / 1024, "MiB"))
            self.step("drop", self.url, DATABASE)
        return found


def measure(stored: Stored, documents: int, runs: int) -> Measured:
    url, say = stored.url, stored.say
    loaded = stored.step("load", url, DATABASE, documents)
    say(f"{loaded['documents']} documents, {loaded['bytes'] / 1e6:.1f} MB of BSON")
    stored.step("drain", url, DATABASE)  # the server's cache is warm for everybody
    identity = stored.work / "identity"
    keygen = [stored.build / "bin" / "reprise", "keygen", identity]
    made = subprocess.run(keygen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    recipient = made.stdout.strip()
    return stored.sizes() + stored.encryption(recipient, runs) + stored.peaks(recipient, identity)

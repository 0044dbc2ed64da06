"""Compression beside the programs that people have: throughput, what is saved, peak memory. Called by bench.py."""
from __future__ import annotations

import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

PEAK = pathlib.Path(__file__).resolve().parents[1] / "live" / "peak.py"
OURS = ["gzip", "gzip:1", "gzip:6", "zstd", "zstd:1", "zstd:5", "zstd:9"]
TOOLS = [["gzip", "-6"], ["gzip", "-1"], ["zstd", "-q", "-1"], ["zstd", "-q", "-3"]]
DOCUMENTS = 200_000
GOALS = {
    "gzip_saved": (">=", 70.0), "zstd_saved": (">=", 75.0),
    "pack_peak_mib": ("<=", 256.0), "unpack_peak_mib": ("<=", 256.0),
}
Measured = list[tuple[str, float, str]]


class Streams:
    def __init__(self, program: pathlib.Path, work: pathlib.Path, runs: int, say: Callable[[str], None]) -> None:
        self.program, self.work, self.runs, self.say = program, work, runs, say
        self.content, self.packed, self.back = work / "content.json", work / "packed", work / "back"
        self.figures: Measured = []
        self.peaks: dict[str, list[float]] = {"pack": [], "unpack": []}

    def ours(self, *words: str) -> None:
        subprocess.run([self.program, *words], check=True)

    def peak(self, *words: str) -> None:
        peak = self.work / "peak"
        subprocess.run([sys.executable, "-S", PEAK, peak, self.program, *words], check=True)
        self.peaks[words[0]].append(int(peak.read_text()) / 1024)

    def through(self, program: list[str], source: pathlib.Path, target: pathlib.Path) -> None:
        with open(source, "rb") as stdin, open(target, "wb") as stdout:
            subprocess.run(program, stdin=stdin, stdout=stdout, check=True)

    def rate(self, work: Callable[[], None]) -> float:
        """MB of content per second, the median of the runs."""
        taken = []
        for _ in range(self.runs):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
        return self.content.stat().st_size / 1e6 / statistics.median(taken)

    def both_ways(self, name: str, pack: Callable[[], None], unpack: Callable[[], None]) -> None:
        write, size = self.rate(pack), self.packed.stat().st_size
        read = self.rate(unpack)
        if self.back.stat().st_size != self.content.stat().st_size:
            raise SystemExit(f"bench: what {name} unpacked is not what it packed")
        saved = 100 - 100 * size / self.content.stat().st_size
        self.say(f"{name:12} writes {write:6.0f} MB/s, reads {read:6.0f} MB/s, saves {saved:.1f} %")
        self.figures += [(f"{name}_write", write, "MB/s"), (f"{name}_read", read, "MB/s"), (f"{name}_saved", saved, "%")]

    def measure(self, documents: int) -> Measured:
        self.ours("make", str(self.work), str(documents))
        content, packed, back = str(self.content), str(self.packed), str(self.back)
        for how in OURS:
            self.both_ways(how.replace(":", "_"), partial(self.ours, "pack", how, content, packed),
                           partial(self.ours, "unpack", packed, back))
            self.peak("unpack", packed, back)
            self.peak("pack", how, content, packed)
        for tool in TOOLS:
            self.both_ways(f"tool_{tool[0]}_{tool[-1][1:]}", partial(self.through, [*tool, "-c"], self.content, self.packed),
                           partial(self.through, [tool[0], "-dc"], self.packed, self.back))
        self.age()
        return self.figures + [(f"{name}_peak_mib", max(peaks), "MiB") for name, peaks in self.peaks.items()]

    def age(self) -> None:
        if not shutil.which("age") or not shutil.which("age-keygen"):
            self.say("age: skipped, it is not installed")
            return
        key = self.work / "key.txt"
        subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
        recipient = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True).stdout.strip()
        for name, how in (("age", "none"), ("zstd_age", "zstd")):
            self.both_ways(name, partial(self.ours, "pack", how, str(self.content), str(self.packed), recipient),
                           partial(self.ours, "unpack", str(self.packed), str(self.back), str(key)))
            self.peak("pack", how, str(self.content), str(self.packed), recipient)
        self.both_ways("tool_age", partial(self.through, ["age", "-r", recipient], self.content, self.packed),
                       partial(self.through, ["age", "-d", "-i", str(key)], self.packed, self.back))


def measure(build: pathlib.Path, documents: int, runs: int, say: Callable[[str], None]) -> Measured:
    with tempfile.TemporaryDirectory(dir=build, prefix="work_") as folder:
        return Streams(build / "bench" / "bench_streams", pathlib.Path(folder), runs, say).measure(documents or DOCUMENTS)

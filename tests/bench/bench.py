"""Runs the benches and prints their figures. Called by tests/bench/run.sh, which builds what this measures."""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "tests" / "live"))
import servers  # noqa: E402
import stored  # noqa: E402
import streams  # noqa: E402

DATABASE, BARE = "reprise_bench", "reprise_bench_bare"
SCRIPT_RUNS = 3
GOALS = {
    "encode_vs_libbson": (">=", 15), "decode_vs_libbson": (">=", 6), "backup_vs_drain": ("<=", 1.5),
    "verified_backup_vs_drain": ("<=", 2.5), "script_vs_backup": (">=", 20), "restore_vs_insert": ("<=", 1.5),
    "backup_peak_mib": ("<=", 256), "restore_peak_mib": ("<=", 256), "backup_gzip_peak_mib": ("<=", 256),
    "backup_zstd_peak_mib": ("<=", 256), **streams.GOALS, **stored.GOALS,
}
Figure = dict[str, Any]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def figure(name: str, value: float, unit: str) -> Figure:
    return {"name": name, "value": round(value, 3), "unit": unit}


def step(*words: str) -> dict[str, Any]:
    done = subprocess.run([BUILD / "bench" / "bench_backup", *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: bench_backup {words[0]} failed with {done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def peak_mib(environment: dict[str, str], *words: str) -> float:
    """Peak memory of a process of its own, as the kernel counted it."""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as peak:
        measured = [sys.executable, "-S", ROOT / "tests" / "live" / "peak.py", peak.name, BUILD / "bin" / "reprise", *words]
        done = subprocess.run(measured, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench: reprise {' '.join(words)} ended with {done.returncode}")
        return int(peak.read()) / 1024


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def bench_codec(options: argparse.Namespace) -> list[Figure]:
    program = BUILD / "bench" / "bench_codec"
    if not program.exists():
        raise SystemExit("bench: bench_codec was not built")
    done = subprocess.run([program, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    figures: list[Figure] = json.loads(done.stdout)
    return figures


def empty(folder: pathlib.Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return str(folder)


def measure_backup(url: str, work: pathlib.Path, runs: int) -> list[Figure]:
    drains, durables, verifieds, scripts = [], [], [], []
    script = [sys.executable, str(ROOT / "tests" / "bench" / "old_script.py"), url, DATABASE]
    step("drain", url, DATABASE)  # the server's cache is warm for everybody
    for run in range(runs):
        drains.append(step("drain", url, DATABASE)["seconds"])
        ours = step("backup", url, DATABASE, empty(work / "ours"))
        durables.append(ours["durable"])
        verifieds.append(ours["verified"])
        if run < SCRIPT_RUNS:
            old = empty(work / "old")
            scripts.append(seconds(lambda: subprocess.run([*script, old], check=True)))
        say(f"run {run + 1}: drain {drains[-1]:.2f} s, backup {durables[-1]:.2f} s, verified {verifieds[-1]:.2f} s"
            + (f", script {scripts[-1]:.2f} s" if run < SCRIPT_RUNS else ""))
    drain, verified = statistics.median(drains), statistics.median(verifieds)
    return [
        figure("backup_vs_drain", statistics.median(durables) / drain, "x"),
        figure("verified_backup_vs_drain", verified / drain, "x"),
        figure("script_vs_backup", statistics.median(scripts) / verified, "x"),
    ]


def measure_restore(url: str, folder: str, runs: int) -> list[Figure]:
    inserts, renameds, restores = [], [], []
    for run in range(runs):
        bare = step("insert", url, DATABASE, BARE)
        inserts.append(bare["seconds"])
        renameds.append(bare["renamed"])
        restores.append(step("restore", url, DATABASE, folder)["seconds"])
        say(f"run {run + 1}: insert {inserts[-1]:.2f} s, insert and rename {renameds[-1]:.2f} s, restore {restores[-1]:.2f} s")
    restored = statistics.median(restores)
    return [
        figure("restore_vs_insert", restored / statistics.median(inserts), "x"),
        figure("restore_vs_insert_and_rename", restored / statistics.median(renameds), "x"),
    ]


def measure_peaks(url: str, work: pathlib.Path) -> list[Figure]:
    folder = empty(work / "peaks")
    environment = {"MONGO_URL": url, "DB_NAME": DATABASE, "BACKUP_DIR": folder}
    saved = peak_mib(environment, "backup")
    packed = [figure(f"backup_{how}_peak_mib", peak_mib({**environment, "BACKUP_COMPRESSION": how}, "backup"), "MiB")
              for how in ("gzip", "zstd")]
    step("drop", url, DATABASE)
    packed += [figure("backup_peak_mib", saved, "MiB")]
    return packed + [figure("restore_peak_mib", peak_mib(environment, "restore"), "MiB")]  # of the zstd backup


def measure_tools(url: str, work: pathlib.Path) -> list[Figure]:
    """MongoDB's own tools, where they are installed: for comparison, without a goal."""
    if not shutil.which("mongodump") or not shutil.which("mongorestore"):
        say("mongodump and mongorestore: skipped, they are not installed (Debian has no package of them)")
        return []
    archive = str(work / "dump.archive")
    database = ["--uri", url, "--quiet"]
    saved = seconds(lambda: subprocess.run(["mongodump", *database, "--db", DATABASE, f"--archive={archive}"], check=True))
    back = seconds(lambda: subprocess.run(["mongorestore", *database, "--drop", f"--archive={archive}"], check=True))
    return [figure("mongodump_s", saved, "s"), figure("mongorestore_s", back, "s")]


def bench_backup(options: argparse.Namespace) -> list[Figure]:
    (ROOT / "build" / "bench").mkdir(parents=True, exist_ok=True)
    with servers.start_server("any") as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="work_") as folder:
        work = pathlib.Path(folder)
        documents = options.documents or (200000 if server.kind == "rs" else 4000)
        loaded = step("load", server.url, DATABASE, str(documents))
        say(f"server {server.kind}: {loaded['documents']} documents, {loaded['bytes'] / 1e6:.1f} MB of BSON")
        figures = measure_backup(server.url, work, options.runs)
        figures += measure_restore(server.url, str(work / "ours"), max(1, options.runs // 2 + 1))
        figures += measure_peaks(server.url, work)
        return figures + measure_tools(server.url, work)


def bench_streams(options: argparse.Namespace) -> list[Figure]:
    say("load of this machine before the run (1, 5, 15 minutes): " + "  ".join(f"{each:.1f}" for each in os.getloadavg()))
    measured = streams.measure(BUILD, options.documents, options.runs, say)
    with servers.start_server("any") as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="work_") as folder:
        documents = options.documents or (200000 if server.kind == "rs" else 4000)
        held = stored.Stored(BUILD, server.url, pathlib.Path(folder), say)
        measured += stored.measure(held, documents, options.runs)
    say("and after it: " + "  ".join(f"{each:.1f}" for each in os.getloadavg()))
    return [figure(*one) for one in measured]


def table(figures: list[Figure]) -> None:
    for one in figures:
        sign, goal = GOALS.get(one["name"], ("", None))
        met = goal is None or (one["value"] >= goal if sign == ">=" else one["value"] <= goal)
        wanted = "" if goal is None else f"goal {sign} {goal}{'' if met else '   NOT MET'}"
        print(f"{one['name']:26} {one['value']:10.3f} {one['unit']:4} {wanted}")


BENCHES = {"codec": bench_codec, "streams": bench_streams, "backup": bench_backup}


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh")
    parser.add_argument("what", nargs="?", choices=list(BENCHES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--documents", type=int, default=0, help="200000 by default; 4000 on the slow Python server")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    figures: list[Figure] = []
    for name, bench in BENCHES.items():
        if options.what in (None, name):
            figures += bench(options)
    if options.json:
        print(json.dumps(figures))
    else:
        table(figures)


if __name__ == "__main__":
    main()

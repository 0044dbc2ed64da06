#!/bin/sh
# Measures, side by side in one run:  sh tests/bench/run.sh [codec|streams|backup] [--json] [--documents N] [--runs N]
# --json prints a list of {"name", "value", "unit"} on stdout and nothing else. How: tests/bench/README.md
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/logs
{
    sh tests/setup.sh
    cmake --preset bench && cmake --build build/bench -j "$(nproc)"
} >build/logs/bench_build.log 2>&1 </dev/null || {
    tail -n 40 build/logs/bench_build.log >&2
    exit 1
}
exec build/venv/bin/python tests/bench/bench.py "$@"

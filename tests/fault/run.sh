#!/bin/sh
# The fault attacks: real processes, real servers; every promise about lost data under attack. What: tests/fault/README.md
#   sh tests/fault/run.sh [--long|--all] [--json]   --long: every point (of slow attacks every few), each with one harm in
#                                                   turn; the table goes into the README
#                                                   --all: every point with every kind of harm, for hours
#                                                   --json: the rows as a list on stdout and nothing else
# Prints the table; exits 1 when anything was lost, half visible, wrong, twice, or failed. The logs are in build/logs.
cd "$(dirname "$0")/../.." || exit 1
long=
json=
for argument in "$@"; do
    case "$argument" in
        --long) long=1 ;;
        --all) long=all ;;
        --json) json=--json ;;
        *)
            echo "usage: sh tests/fault/run.sh [--long|--all] [--json]" >&2
            exit 2
            ;;
    esac
done
unset REPRISE_LIBRARY REPRISE_STEP_KILL REPRISE_STEP_STOP REPRISE_STEP_LOG REPRISE_LONG
[ -z "$long" ] || export REPRISE_LONG=$long
export LC_ALL=C.UTF-8
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
logs=build/logs
results=build/fault/results
mkdir -p "$logs" "$results"
rm -f "$results"/*
python=build/venv/bin/python

# Quick when tests/run.sh has built both already. Only the asan build has the fault steps compiled in.
build() {
    sh tests/setup.sh --tests &&
        cmake --preset release && cmake --build --preset release -j "$(nproc)" --target reprise_command reprise_shared &&
        cmake --preset asan && cmake --build --preset asan -j "$(nproc)" --target $(steps) &&
        gcc -shared -fPIC -O1 -Wall -Wextra -Werror -o build/fault/interpose.so tests/fault/interpose.c -ldl
}
# The programs of tests/fault/*.cpp, one a room.
steps() { (cd tests/fault && ls ./*_*.cpp) | sed 's/^\.\/\([a-z]*\)_.*/fault_\1/' | sort -u; }

build >"$logs/fault_build.log" 2>&1 </dev/null || {
    tail -n 40 "$logs/fault_build.log" >&2
    exit 1
}

# part NAME COMMAND…: in the background, each with a server of its own.
part() {
    name=$1
    shift
    {
        if "$python" tests/live/servers.py run -- "$@" >"$logs/fault_$name.log" 2>&1 </dev/null; then
            echo ok >"$results/$name.end"
        else
            echo failed >"$results/$name.end"
        fi
    } &
}
attacks() {
    part "$1" env REPRISE_FAULT_REPORT="$PWD/$results/$1.jsonl" "$python" -m pytest -p no:cacheprovider --color=no -ra \
        --rootdir=tests $(for each in $2; do echo "tests/fault/attack_$each.py"; done)
}
for each in $(steps); do part "$each" env REPRISE_FAULT_ROWS="$PWD/$results/$each.rows" "build/asan/$each"; done
attacks files files
attacks wire wire
attacks server server
attacks world "writers deaths clock folder crowded crowd"
# 50 rounds of eight workers, 200 forks, 100 exits, a minute of a server's silence: the short ones are pytests of tests/run.sh.
[ -z "$long" ] || part guests "$python" -m pytest -p no:cacheprovider --color=no -ra --rootdir=tests \
    tests/live/test_workers.py tests/live/test_s14_guest.py tests/live/test_s14_bounds.py
wait
exec "$python" tests/fault/report.py $json ${long:+--write} "$results" "$logs"

#!/bin/sh
# All tests: builds (release, sanitizers, fault steps, fuzz), unit and C tests, live tests on real servers, consumers.
#   sh tests/run.sh [--long]     --long adds the volume tests with 400 000 and 2 000 000 documents
# One line per part; details only of what failed. The logs are in build/logs. Exits 1 when anything failed.
# REPRISE_TEST_MONGO_URL puts the live tests on that server; its databases named reprise_… are dropped.
cd "$(dirname "$0")/.." || exit 1
long=
case "${1:-}" in
    "") ;;
    --long) long=1 ;;
    *)
        echo "usage: sh tests/run.sh [--long]" >&2
        exit 2
        ;;
esac

unset REPRISE_LIBRARY REPRISE_STEP_KILL REPRISE_STEP_STOP REPRISE_STEP_LOG
export LC_ALL=C.UTF-8
jobs=$(nproc)
logs=build/logs
mkdir -p "$logs"
failed=
parts=0
begun=$(date +%s)

# The lines with which the runners close: ctest, pytest, and plain "N passed, N failed".
closing_lines() {
    grep -E '^[0-9]+% tests passed|^(=+ )?.*(passed|failed|errors?|skipped|no tests ran).* in [0-9.]+s.*$' "$1"
    grep -E '^([a-z]+: )?[0-9]+ passed, [0-9]+ failed' "$1"
    return 0
}

# The names of the tests that failed, which stand at the very end too: the last lines are what most readers see.
failed_tests() {
    grep -hE '\*\*\*(Failed|Exception|Timeout)|^(FAILED|ERROR) ' "$1" | cut -c 1-300 | head -n 20 | sed 's/^ */    /'
}

# part NAME COMMAND…: runs it into a log; on failure says which and shows the end of the log.
part() {
    name=$1
    shift
    parts=$((parts + 1))
    log=$logs/$(echo "$name" | tr ' /' '__').log
    start=$(date +%s)
    if "$@" >"$log" 2>&1 </dev/null; then result=ok; else result=FAILED; fi
    printf '%-44s %s  %ss\n' "$name" "$result" "$(($(date +%s) - start))"
    if [ $result = ok ]; then
        closing_lines "$log"
        grep -hE '^SKIPPED|(^|[ "])skipped: ' "$log" | sort -u | head -n 10
        return 0
    fi
    failed="$failed
  $name ($log)
$(failed_tests "$log")"
    grep -nE '\*\*\*(Failed|Exception|Timeout)|^FAILED|^ERROR|error:|ERROR: .*Sanitizer|runtime error' "$log" | head -n 40
    echo "---- end of $log"
    tail -n 60 "$log"
    echo "----"
    closing_lines "$log"
    return 1
}

# build PRESET [cmake options]
build() {
    preset=$1
    shift
    cmake --preset "$preset" "$@" && cmake --build --preset "$preset" -j "$jobs" -- -k 0
}

# ctest_in BUILD LABEL-OPTIONS…
ctest_in() {
    folder=$1
    shift
    ctest --test-dir "build/$folder" --output-on-failure --no-tests=error "$@"
    code=$?
    # What a passing test left out, and why, is not in ctest's own output.
    grep -hE '(^|[ "])skipped: ' "build/$folder/Testing/Temporary/LastTest.log" | sort -u
    return $code
}

python=build/venv/bin/python
served() { "$python" tests/live/servers.py run "$@"; }

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1
# Where the tests that kill a process at a named step find a command and a library with the steps compiled in.
export REPRISE_FAULTS_BUILD="$PWD/build/asan"

part "setup" sh tests/setup.sh --tests || exit 1
part "tidy" "$python" tests/tidy.py
part "build release" build release -DREPRISE_WERROR=ON || exit 1
part "unit, C and format tests, release" ctest_in release -LE "live|fuzz" -j "$jobs"
part "build with sanitizers" build asan -DREPRISE_WERROR=ON &&
    part "unit, C and format tests, sanitizers" ctest_in asan -LE "live|fault" -j "$jobs"

if [ -n "$("$python" tests/live/servers.py which)" ] || [ -n "${REPRISE_TEST_MONGO_URL:-}" ]; then
    part "live C++ tests, release" served -- ctest --test-dir build/release --output-on-failure -L live
    part "live C++ tests, sanitizers" served -- ctest --test-dir build/asan --output-on-failure -L live
else
    echo "live tests: no server; put secantusd-rs on the PATH"
    failed="$failed
  live tests (no server)"
fi

# kill -9 and stops at every step (in the sanitized build, which has the steps compiled in), and all other attacks.
part "fault attacks, the short run" sh tests/fault/run.sh

pytest_run() { "$python" -m pytest -p no:cacheprovider --color=no -ra "$@"; }
type_check() { (cd bindings/python && ../../build/venv/bin/python -m mypy --strict --cache-dir ../../build/mypy src/reprise); }
part "mypy --strict, the package" type_check
part "pytest: end to end, tests/" pytest_run --rootdir=tests tests
part "pytest: the Python package" pytest_run --rootdir=bindings/python bindings/python/tests

# Both again over the sanitized library. The interpreter is not built with ASan, so its runtime comes first; the test
# server is started before that, without it.
preload="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so) $(gcc -print-file-name=libstdc++.so)"
pytest_asan() {
    served -- env LD_PRELOAD="$preload" ASAN_OPTIONS=detect_leaks=0:handle_segv=0:detect_stack_use_after_return=0 \
        REPRISE_LIBRARY="$PWD/build/asan/lib/libreprise.so" "$python" -m pytest -p no:cacheprovider --color=no -ra "$@"
}
part "pytest: the Python package, sanitizers" pytest_asan --rootdir=bindings/python bindings/python/tests
part "pytest: Python on a server, sanitizers" pytest_asan --rootdir=tests tests/live/test_python.py
command_asan() {
    served -- env REPRISE_COMMAND="$PWD/build/asan/bin/reprise" "$python" -m pytest -p no:cacheprovider --color=no -ra "$@"
}
part "pytest: the command, sanitizers" command_asan --rootdir=tests -k "c++ or types" tests/live/test_types.py \
    tests/live/test_old_files.py tests/live/test_commands.py tests/live/test_bad_input.py

if command -v clang++ >/dev/null 2>&1 && [ -n "$(ls tests/fuzz/fuzz_*.cpp 2>/dev/null)" ]; then
    part "build fuzz targets" build fuzz && part "fuzz, a short run" ctest_in fuzz -L fuzz -j "$jobs"
fi

part "consumers of the installed library" sh tests/consumer/run.sh

if [ -n "$long" ]; then
    export REPRISE_LONG=1
    part "volume: 400 000 and 2 000 000 documents" pytest_run --rootdir=tests tests/live/test_volume.py
fi

echo
echo "$parts parts in $(($(date +%s) - begun)) s"
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "all passed"

#!/bin/sh
# The whole story on a real server: a database of HR data is saved, destroyed, and brought back by a backend that merely starts.
#   sh examples/demo.sh
# Installs and builds what is missing (tests/setup.sh), starts a server of its own unless MONGO_URL names one, uses the
# database DB_NAME (reprise_demo) and drops it, and stops everything it started. Exits 1 when anything is off.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
: "${DB_NAME:=reprise_demo}" "${PEOPLE:=60}"

if [ -z "${REPRISE_DEMO_INSIDE:-}" ]; then
    sh tests/setup.sh
    mkdir -p build
    log=build/demo-build.log
    [ -x build/release/bin/reprise ] || echo "building reprise (a few minutes, once; $log tells) …"
    if ! { cmake --preset release &&
        cmake --build build/release --target reprise_shared reprise_command; } >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        echo "demo: the build failed; all of it is in $log" >&2
        exit 1
    fi
    export REPRISE_DEMO_INSIDE=1 DB_NAME PEOPLE
    if [ -n "${MONGO_URL:-}" ]; then
        exec sh examples/demo.sh
    fi
    # servers.py starts a server on a free port, runs us against it, and stops it by its process id.
    unset REPRISE_TEST_MONGO_URL
    exec build/venv/bin/python tests/live/servers.py run -- sh examples/demo.sh
fi

python=$root/build/venv/bin/python
reprise=${REPRISE_COMMAND:-$root/build/release/bin/reprise}
: "${MONGO_URL:=${REPRISE_TEST_MONGO_URL:-}}"
work=$(mktemp -d)
BACKUP_DIR=$work/backups
PYTHON=$python
PYTHONDONTWRITEBYTECODE=1
export MONGO_URL DB_NAME BACKUP_DIR PYTHON PYTHONDONTWRITEBYTECODE
ADMIN_PASSWORD=$("$python" -c 'import secrets; print(secrets.token_urlsafe(9))')
export ADMIN_PASSWORD
backend=

stop_backend() {
    [ -n "$backend" ] || return 0
    kill "$backend" 2>/dev/null || :
    wait "$backend" 2>/dev/null || :
    backend=
}

clean_up() {
    code=$?
    trap - EXIT INT TERM
    stop_backend
    "$python" examples/fastapi_host/look.py drop >/dev/null 2>&1 || :
    rm -rf "$work"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step() { printf '\n== %s\n' "$1"; }
fail() {
    echo "demo: $1" >&2
    exit 1
}
look() { "$python" examples/fastapi_host/look.py "$@"; }

# start_backend: run.sh on a free port, until it answers; the answer is in $answer.
start_backend() {
    PORT=$(look port)
    export PORT
    sh examples/fastapi_host/run.sh >"$work/backend.log" 2>&1 </dev/null &
    backend=$!
    if ! answer=$(look wait "$PORT" "$backend"); then
        cat "$work/backend.log" >&2
        fail "the backend did not start"
    fi
}

case $DB_NAME in
    reprise_*) ;;
    *) [ "${REPRISE_DEMO_DROPS:-}" = yes ] || fail "this drops the database $DB_NAME; if you mean it: REPRISE_DEMO_DROPS=yes" ;;
esac
look drop >/dev/null || fail "the server does not answer"

step "1. A backend with the data of a company"
(cd examples/fastapi_host && "$python" -m hr.seed "$PEOPLE")
start_backend
echo "$answer"
look counts
before=$(look digest)
look user

step "2. A backup"
"$reprise" backup --label demo --no-progress
"$reprise" list

step "3. It is a file that one can read"
file=$(readlink "$BACKUP_DIR/backup_latest.json")
head -n 6 "$BACKUP_DIR/$file" | cut -c 1-150
"$reprise" verify

step "4. The disaster: the backend is gone, and every collection with it"
stop_backend
look drop
[ "$(look total)" = 0 ] || fail "the database should be empty now"

step "5. The backend starts again, and that is all"
start_backend
sed '/^INFO: /,$d' "$work/backend.log"
echo "$answer"
look counts
look user

step "6. Is it all there?"
after=$(look digest)
if [ "$before" != "$after" ]; then
    printf '%s\n' "$before" >"$work/before"
    printf '%s\n' "$after" >"$work/after"
    diff "$work/before" "$work/after" >&2 || :
    fail "what came back is not what was saved"
fi
printf '%s\n' "$after"
echo "Every document byte for byte, every index and option: the same as before."

step "7. A mistake is undone as well: one collection emptied, the file restored, all or nothing"
look empty absences
"$python" -m reprise restore "$file" --no-progress
[ "$before" = "$(look digest)" ] || fail "the restore did not bring back what was saved"
"$reprise" list

step "8. The administrators' page"
email=$(look admin)
look rest "$PORT" "$email"
echo
echo "The demo went well."
echo "The page: http://127.0.0.1:$PORT/api/backup/ (log in at http://127.0.0.1:$PORT/ as $email, password $ADMIN_PASSWORD)"
if [ -t 0 ] && [ -t 1 ]; then
    echo "The backend serves until you press Enter."
    read -r _ || :
else
    echo "It is stopped now, with everything else; in a terminal it serves until you press Enter."
fi

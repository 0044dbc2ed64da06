#!/bin/sh
# Starts the backend: reprise first, then the workers.
#   MONGO_URL=… DB_NAME=… BACKUP_DIR=… JWT_SECRET=… ADMIN_PASSWORD=… PORT=8001 WORKERS=2 sh run.sh
#   ADMIN_PASSWORD  is given to the administrator (ADMIN_EMAIL, or the first one, who is made when there is none)
#   BACKUP_SCHEDULE='{"at": "02:00", "time_zone": "Europe/Paris"}'   one of the workers then backs up by itself
#   SERVER=gunicorn   prefork workers instead of uvicorn's; WORKER_TIMEOUT=30 seconds
# A restore may outlast a process manager's patience with a worker, so it happens here, before any worker exists; the
# hook in the workers then only confirms. Needs: pip install -r requirements.txt, and the package reprise.
set -eu
cd "$(dirname "$0")"
: "${MONGO_URL:=mongodb://127.0.0.1:27017}" "${DB_NAME:=test_database}" "${BACKUP_DIR:=/app/data/backups}"
: "${PYTHON:=python3}" "${HOST:=127.0.0.1}" "${PORT:=8001}" "${WORKERS:=1}" "${SERVER:=uvicorn}" "${WORKER_TIMEOUT:=30}"
export MONGO_URL DB_NAME BACKUP_DIR

if [ -z "${JWT_SECRET:-}" ]; then
    JWT_SECRET=$("$PYTHON" -c 'import secrets; print(secrets.token_urlsafe(48))')
    echo "run.sh: JWT_SECRET is not set: this run has one of its own, and who is logged in must log in again after it" >&2
fi
export JWT_SECRET

"$PYTHON" -m reprise auto
if [ -n "${ADMIN_PASSWORD:-}" ]; then
    # shellcheck disable=SC2086 # nothing, or one email
    "$PYTHON" -m hr.accounts ${ADMIN_EMAIL:-}
    unset ADMIN_PASSWORD
else
    echo "run.sh: whose password is not set cannot log in: ADMIN_PASSWORD=… sets the administrator's" >&2
fi
case $SERVER in
    uvicorn) exec "$PYTHON" -m uvicorn main:app --host "$HOST" --port "$PORT" --workers "$WORKERS" ;;
    gunicorn) exec "$PYTHON" -m gunicorn main:app -k asgi -b "$HOST:$PORT" -w "$WORKERS" --timeout "$WORKER_TIMEOUT" ;;
    *) echo "run.sh: SERVER is uvicorn or gunicorn, not $SERVER" >&2 && exit 2 ;;
esac

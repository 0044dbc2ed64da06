#!/bin/sh
# Starts the backend: reprise first, then the workers.
#   MONGO_URL=… DB_NAME=… BACKUP_DIR=… PORT=8001 WORKERS=2 sh run.sh
#   SERVER=gunicorn   prefork workers instead of uvicorn's; WORKER_TIMEOUT=30 seconds
# A restore may outlast a process manager's patience with a worker, so it happens here, before any worker exists; the
# hook in the workers then only confirms. Needs: pip install -r requirements.txt, and the package reprise.
set -eu
cd "$(dirname "$0")"
: "${MONGO_URL:=mongodb://127.0.0.1:27017}" "${DB_NAME:=test_database}" "${BACKUP_DIR:=/app/data/backups}"
: "${PYTHON:=python3}" "${HOST:=127.0.0.1}" "${PORT:=8001}" "${WORKERS:=1}" "${SERVER:=uvicorn}" "${WORKER_TIMEOUT:=30}"
export MONGO_URL DB_NAME BACKUP_DIR

"$PYTHON" -m reprise auto
case $SERVER in
    uvicorn) exec "$PYTHON" -m uvicorn main:app --host "$HOST" --port "$PORT" --workers "$WORKERS" ;;
    gunicorn) exec "$PYTHON" -m gunicorn main:app -k asgi -b "$HOST:$PORT" -w "$WORKERS" --timeout "$WORKER_TIMEOUT" ;;
    *) echo "run.sh: SERVER is uvicorn or gunicorn, not $SERVER" >&2 && exit 2 ;;
esac

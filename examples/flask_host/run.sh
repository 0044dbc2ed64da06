#!/bin/sh
# Starts the Flask backend: reprise first, then the workers.
#   MONGO_URL=… DB_NAME=… BACKUP_DIR=… JWT_SECRET=… ADMIN_PASSWORD=… PORT=8001 WORKERS=2 THREADS=8 sh run.sh
# A restore may outlast gunicorn's patience with a worker, so it happens here, before any worker exists. No --preload: what
# reprise starts belongs to a worker. Needs: pip install -r requirements.txt, and the package reprise.
set -eu
cd "$(dirname "$0")"
: "${MONGO_URL:=mongodb://127.0.0.1:27017}" "${DB_NAME:=test_database}" "${BACKUP_DIR:=/app/data/backups}"
: "${PYTHON:=python3}" "${HOST:=127.0.0.1}" "${PORT:=8001}" "${WORKERS:=1}" "${THREADS:=8}"
export MONGO_URL DB_NAME BACKUP_DIR

if [ -z "${JWT_SECRET:-}" ]; then
    JWT_SECRET=$("$PYTHON" -c 'import secrets; print(secrets.token_urlsafe(48))')
    echo "run.sh: JWT_SECRET is not set: this run has one of its own, and who is logged in must log in again after it" >&2
fi
[ -n "${ADMIN_PASSWORD:-}" ] || echo "run.sh: ADMIN_PASSWORD is not set: nobody can log in" >&2
export JWT_SECRET

"$PYTHON" -m reprise auto
exec "$PYTHON" -m gunicorn app:app -k gthread -b "$HOST:$PORT" -w "$WORKERS" --threads "$THREADS" --no-control-socket

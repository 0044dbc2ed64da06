#!/bin/sh
# Starts the C++ server: the data come back first, then it listens.
#   MONGO_URL=… DB_NAME=… BACKUP_DIR=… JWT_SECRET=… PORT=8001 WORKERS=4 sh run.sh        needs build/release (sh tests/setup.sh)
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
: "${MONGO_URL:=mongodb://127.0.0.1:27017}" "${DB_NAME:=test_database}" "${BACKUP_DIR:=/app/data/backups}"
: "${PORT:=8001}" "${WORKERS:=4}" "${REPRISE_BUILD:=$here/build/release}"
export MONGO_URL DB_NAME BACKUP_DIR PORT WORKERS
exec "$REPRISE_BUILD/examples/cpp_host"

#!/bin/sh
# Starts the C++ server: the data come back first, then it listens.
#   MONGO_URL=… DB_NAME=… BACKUP_DIR=… JWT_SECRET=… ADMIN_PASSWORD=… PORT=8001 WORKERS=4 sh run.sh
# Needs build/release (sh examples/demo.sh, or cmake --preset release && cmake --build --preset release) and libcpp-httplib-dev.
# Without JWT_SECRET tokens are good until the server ends; without ADMIN_PASSWORD nobody can log in at POST /api/login.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
host=${REPRISE_BUILD:-$here/build/release}/examples/cpp_host
if [ ! -x "$host" ]; then
    echo "run.sh: $host is not there; install libcpp-httplib-dev, then build with the preset release" >&2
    exit 1
fi
exec "$host"

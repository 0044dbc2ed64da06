#!/bin/sh
# Brings what building and testing need, and nothing that is there already: Debian packages, and build/venv with the
# Python packages of tests/requirements.txt and the package reprise itself. `sh tests/setup.sh --tests` adds what the fuzz and
# consumer tests need. Quiet; a second run is instant.
set -eu
cd "$(dirname "$0")/.."

packages="g++ cmake ninja-build pkg-config ccache libmongoc-dev libbson-dev libmongocrypt-dev libicu-dev rapidjson-dev
libcpp-httplib-dev libssl-dev zlib1g-dev libzstd-dev libisal-dev libsnappy-dev libsasl2-dev libxxhash-dev doctest-dev
openssl python3 python3-venv tzdata git"
if [ "${1:-}" = --tests ]; then
    packages="$packages libfmt-dev clang age gzip zstd jq curl chromium fonts-dejavu-core"
fi

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# bring PACKAGE…: installs those that are not there.
bring() {
    missing=
    for package in "$@"; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "setup: installing$missing"
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    log=$(mktemp)
    # shellcheck disable=SC2086 # the list is meant to be split
    if ! { $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        echo "setup: could not install$missing; install them by hand and run this again" >&2
        exit 1
    fi
    rm -f "$log"
}

if command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # the list is meant to be split
    bring $packages
    # libFuzzer's runtime stands in a package of its own, named after clang's major version, unless clang brought it along.
    if [ "${1:-}" = --tests ] && ! ls "$(clang -print-runtime-dir)"/*fuzzer* >/dev/null 2>&1; then
        bring "libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev"
    fi
else
    echo "setup: this is not Debian; please see to it that these are there: $packages"
fi

python=
for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "setup: no python3 of version 3.11 or newer with venv was found; install python3 and python3-venv" >&2
    exit 1
fi

mkdir -p build
stamp=$({ cat tests/requirements.txt tests/setup.sh; "$python" -V; pwd; } | sha256sum | cut -d ' ' -f 1)
if [ "$(cat build/venv/setup.stamp 2>/dev/null)" != "$stamp" ] || ! build/venv/bin/python -c '' 2>/dev/null; then
    echo "setup: making build/venv"
    rm -rf build/venv
    "$python" -m venv build/venv
    build/venv/bin/python -m pip install -q --disable-pip-version-check -r tests/requirements.txt
    build/venv/bin/python - "$PWD/bindings/python/src" <<'PYTHON'
import pathlib
import sys
import sysconfig

pathlib.Path(sysconfig.get_path("purelib"), "reprise.pth").write_text(sys.argv[1] + "\n", encoding="utf-8")
PYTHON
    echo "$stamp" >build/venv/setup.stamp
fi

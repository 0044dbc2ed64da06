#!/bin/sh
# The installed library, used as strangers would: find_package from C and C++, pkg-config and gcc, and as a subproject.
# Needs build/release (sh tests/run.sh makes it), or the build that REPRISE_BUILD names. Works in build/consumer.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
work=$root/build/consumer
prefix=$work/prefix
version=$(sed -n 's/^project(reprise VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
fi
rm -rf "$work"
mkdir -p "$work/run"

cmake --install "${REPRISE_BUILD:-build/release}" --prefix "$prefix" >"$work/install.log"
"$prefix/bin/reprise" --version

# host NAME SOURCE OPTIONS…: configures, builds, tests, on a real server where there is one.
host() {
    name=$1 source=$2
    shift 2
    # shellcheck disable=SC2086 # two options or none
    cmake -S "$source" -B "$work/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release $launcher \
        -DREPRISE_EXPECTED_VERSION="$version" "$@" >"$work/$name.log" 2>&1 || { cat "$work/$name.log"; exit 1; }
    cmake --build "$work/$name" >>"$work/$name.log" 2>&1 || { tail -n 40 "$work/$name.log"; exit 1; }
    served ctest --test-dir "$work/$name" --output-on-failure --no-tests=error
}
served() {
    if [ -x build/venv/bin/python ] && [ -n "$(build/venv/bin/python tests/live/servers.py which)" ]; then
        build/venv/bin/python tests/live/servers.py run -- "$@"
    else
        "$@"
    fi
}

host installed_c tests/consumer/installed -DCMAKE_PREFIX_PATH="$prefix"
host installed_cxx tests/consumer/installed -DCMAKE_PREFIX_PATH="$prefix" -DWITH_CXX=ON
host subproject tests/consumer/subproject -DREPRISE_SOURCE="$root"

# A prefix that was moved: pkg-config and gcc must do, and link the archive though the shared library lies beside it.
mv "$prefix" "$work/moved"
libraries=$(dirname "$(find "$work/moved" -name libreprise.a)")
flags=$(PKG_CONFIG_PATH="$libraries/pkgconfig" pkg-config --cflags --libs reprise)
# shellcheck disable=SC2086 # flags are meant to be split
gcc -std=c99 -pedantic -Wall -Wextra -Werror -D_POSIX_C_SOURCE=200809L "-DREPRISE_EXPECTED_VERSION=\"$version\"" \
    tests/consumer/c_host.c -o "$work/run/pkgconfig_host" $flags
(cd "$work/run" && ./pkgconfig_host)
if ldd "$work/run/pkgconfig_host" | grep -q libreprise; then
    echo "the pkg-config host was linked with the shared library" >&2
    exit 1
fi

# Who copies the shared library elsewhere must know what else to bring: pkg-config and src/README.md name all of it.
for library in $(readelf -d "$libraries/libreprise.so" | sed -n 's/.*(NEEDED).*\[lib\(.*\)\.so.*/\1/p'); do
    case $library in c | gcc_s) continue ;; esac
    case " $flags " in *" -l$library "*) ;; *) echo "pkg-config does not name $library" >&2; exit 1 ;; esac
    grep -q "^Another machine needs .*\`lib$library\`" "$root/src/README.md" ||
        { echo "src/README.md does not name $library among what another machine needs" >&2; exit 1; }
done

found=$(PKG_CONFIG_PATH="$libraries/pkgconfig" pkg-config --modversion reprise)
[ "$found" = "$version" ] || { echo "pkg-config says version $found, CMake says $version" >&2; exit 1; }
echo "consumer: 1 passed, 0 failed"

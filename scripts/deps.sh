#!/bin/sh
# Install what the build (and, with the word "tests" or "fuzz", the tests or the fuzzers) need. Does nothing when all is there.
set -eu

build="gcc make pkg-config libdw-dev libelf-dev libiberty-dev libzstd-dev zlib1g-dev libsqlite3-dev libc6-dev"
tests="$build g++ clang git perl heaptrack libunwind-dev libcmocka-dev python3 jq valgrind sqlite3 redis-server redis-tools xz-utils zstd gdb man-db groff binutils
 protobuf-compiler libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0 fakeroot faketime musl-tools"
want="$build"
[ "${1:-}" = tests ] && want="$tests"
[ "${1:-}" = fuzz ] && want="$build clang libclang-rt-dev"

other_systems() {
	cat >&2 <<-TEXT
	deps: this is not a Debian system, so nothing was installed. The packages by name:
	  Fedora:  gcc gcc-c++ make elfutils-devel elfutils-libelf-devel binutils-devel libzstd-devel zlib-devel sqlite-devel
	           for tests: clang libunwind-devel libcmocka-devel python3 jq valgrind sqlite redis xz zstd gdb man-db groff
	           protobuf-compiler
	  Arch:    base-devel elfutils zstd zlib sqlite (libiberty comes with binutils)
	           for tests: clang libunwind cmocka python jq valgrind sqlite redis xz gdb man-db groff protobuf
	  Alpine:  build-base elfutils-dev binutils-dev zstd-dev zlib-dev sqlite-dev (the library itself records glibc programs only)
	           for tests: clang libunwind-dev cmocka-dev python3 jq valgrind sqlite redis xz zstd gdb mandoc groff protoc
	TEXT
	exit 1
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	# Elsewhere the compiler's own word on the headers decides.
	if printf '#include <elfutils/libdwfl.h>\n#include <libiberty/demangle.h>\n#include <zstd.h>\n#include <zlib.h>\n#include <sqlite3.h>\nint main(void){return 0;}\n' |
		${CC:-cc} -x c - -o /dev/null 2>/dev/null; then
		exit 0
	fi
	other_systems
fi

missing=""
for package in $want; do
	dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null 2>&1 || other_systems

sudo=""
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "deps: these packages are missing and there is no sudo; as root run: apt-get install$missing" >&2
		exit 1
	fi
	sudo=sudo
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
install_all() {
	# shellcheck disable=SC2086 # a list of words on purpose
	$sudo apt-get install -y -q --no-install-recommends $missing
}
# A list that was never fetched, or is old, is fetched once.
install_all >/dev/null 2>&1 || { $sudo apt-get update -q && install_all; }

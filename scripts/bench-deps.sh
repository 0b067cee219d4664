#!/bin/sh
# Install the tools that `make bench` compares with and the programs it records. What a distribution doesn't have is
# left out: the benchmark says which tools were missing.
set -eu

want="python3 heaptrack libgoogle-perftools4 libjemalloc2 binutils valgrind linux-perf strace
	sqlite3 jq clang redis-server redis-tools"

if ! command -v apt-get >/dev/null 2>&1; then
	echo "bench-deps: this is not a Debian system; the packages are called there:" >&2
	echo "$want" >&2
	exit 1
fi

sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
missing=""
for package in $want; do
	dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
failed=""
for package in $missing; do
	echo "bench-deps: installing $package"
	# One by one: a package that doesn't exist must not keep out the others.
	$sudo apt-get install -y -q --no-install-recommends "$package" >/dev/null || failed="$failed $package"
done
[ -z "$failed" ] || echo "bench-deps: not installed:$failed" >&2

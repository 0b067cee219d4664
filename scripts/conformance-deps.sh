#!/bin/sh
# Install the programs that `make conformance` runs bare and recorded. What a distribution doesn't have is left out:
# the cases of it are reported as not installed. `--list` prints the names only.
set -eu

want="python3 libpython3.11-testsuite perl nodejs default-jdk-headless lua5.4 luajit ruby php-cli tcl gawk
	bash dash zsh tcsh mksh busybox-static make gcc g++ clang gdb strace
	stress-ng redis-server redis-tools git sqlite3 postgresql nginx-light memcached socat rsync curl openssl
	xz-utils zstd pigz lbzip2 jq util-linux bc procps
	glibc-source fakeroot faketime libeatmydata1 libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0
	musl-tools rustc golang-go fio rt-tests libglib2.0-tests systemd-tests"

[ "${1:-}" = --list ] && { printf '%s\n' $want; exit 0; }

if ! command -v apt-get >/dev/null 2>&1; then
	echo "conformance-deps: this is not a Debian system; the packages are called there:" >&2
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

# Servers are wanted as programs; their installation must not start them.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
lock="-o DPkg::Lock::Timeout=600"
$sudo apt-get $lock update -q
failed=""
for package in $missing; do
	echo "conformance-deps: installing $package"
	# One by one: a package that doesn't exist must not keep out the others.
	$sudo apt-get $lock install -y -q --no-install-recommends "$package" >/dev/null || failed="$failed $package"
done
[ -z "$failed" ] || echo "conformance-deps: not installed:$failed" >&2

# Sourced by every end-to-end script: a private directory, the built tools in PATH, and a way to compare.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
PATH="$root/build/bin:$root/build/demos:$root/build/tests/programs:$PATH"
export PATH NO_COLOR=1
unset RINGSIDE LD_PRELOAD
lib="$root/build/lib/ringside/libringside.so"
dir=$(mktemp -d "${TMPDIR:-/tmp}/ringside-test.XXXXXX") || exit 1
# A check at the end of a pipe runs in a shell of its own, whose exit is not ours: a failure leaves a mark.
finish() {
	[ ! -e "$dir/.failed" ] || code=1
	rm -rf "$dir"
	exit "$code"
}
trap 'code=$?; finish' EXIT
cd "$dir"

fail() {
	echo "FAILED: $*" >&2
	: >"$dir/.failed"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# check WHAT EXPRESSION [jq arguments] : the JSON on stdin must satisfy it.
check() {
	what="$1" expression="$2"
	shift 2
	jq -e "$@" "$expression" >/dev/null || fail "$what: $expression"
}

# close_to WHAT GOT WANTED PERCENT
close_to() {
	awk -v got="$2" -v want="$3" -v percent="$4" 'BEGIN {
		off = want ? (got - want) * 100 / want : (got ? 100 : 0)
		exit !(off <= percent && off >= -percent)
	}' || fail "$1: got $2, want $3 within $4 %"
	echo "$1: $2, wanted $3"
}

# crowded RECORDING : threads that could run had to wait for a CPU for more than a seventh of the time they were not
# blocked, so times are not the program's. Those that begin and end all the time wait for a tenth by themselves.
crowded() {
	ringside trace threads --json --top 0 "$1" | jq -e '.summary | .ready_ns > 0.15 * (.cpu_ns + .ready_ns)' >/dev/null
}

#!/bin/bash
# The pages of programs that others wrote: a server under load and a compiler. A reader looks, searches, zooms, chooses
# an interval and reloads as in the pages of our own, each within 100 ms.
. "$(dirname "$0")/lib.sh"
. "$root/tests/web/browser.sh"

walked=
walk() { # PROGRAM
	ringside report --json "$1.rsd" | check "$1 is whole" '.recording.lost_events == 0 and .heap.allocations > 10000 and .cpu.samples > 10'
	ringside html -o "$1.html" "$1.rsd" || fail "html $1"
	size=$(stat -c %s "$1.html")
	echo "$1: a page of $size bytes"
	[ "$size" -lt 10000000 ] || fail "the page of $1 has $size bytes"
	drive walk.mjs "$1.html" "$1"
	walked="$walked $1"
}

if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	socket=$dir/redis.sock
	ringside record -t cpu=250 -o redis.rsd -- redis-server --port 0 --unixsocket "$socket" --save '' --daemonize no --dir "$dir" \
		>log 2>err &
	server=$!
	for _ in $(seq 100); do redis-cli -s "$socket" ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
	timeout 60 redis-benchmark -s "$socket" -q -n 20000 -t set,get,lpush >bench.txt 2>&1
	loaded=$?
	redis-cli -s "$socket" shutdown nosave
	wait $server || fail "redis-server: $(cat log err)"
	[ $loaded = 0 ] || fail "redis-benchmark: $(cat bench.txt)"
	walk redis
fi
if command -v clang++ >/dev/null; then
	ringside record -t cpu=250 -o clang.rsd -- clang++ -c -o compile.o "$root/tests/bench/compile.cpp" 2>err ||
		fail "clang++: $(cat err)"
	walk clang
fi
[ -n "$walked" ] || skip "no redis and no clang here"
echo "walked:$walked"
exit 0

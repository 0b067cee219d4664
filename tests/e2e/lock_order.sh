#!/bin/sh
# Locks of every kind taken in two orders are told, and nothing else is: not the same order twice, a try, a gate, readers.
. "$(dirname "$0")/lib.sh"
ringside record -o o.rsd -- lockorder >out 2>/dev/null || fail "lockorder"
[ "$(cat out)" = done ] || fail "lockorder says $(cat out)"
ringside trace order --json o.rsd >order.json || fail "report"
check "five circles can hang" '.summary.possible_deadlocks == 5' <order.json
for pair in inverted rw spun c11; do
	check "$pair is one circle of two, with both places" \
		'[.circles[] | select(.verdict == "deadlock possible") | select([.held, .taken] | sort == ["\($p)_a", "\($p)_b"])]
		| length == 2 and all(.[]; .stack[0].function and .held_at[0].function) and .[0].thread != .[1].thread' \
		--arg p $pair <order.json
done
check "three locks in a ring are one circle of three" \
	'[.circles[] | select(.held | startswith("ring["))] | length == 3 and all(.[]; .verdict == "deadlock possible")' <order.json
check "a gate makes its circle harmless" \
	'[.circles[] | select(.held | startswith("gated"))] | length == 2 and all(.[]; .verdict == "harmless: gate is held each time")' <order.json
check "readers that meet readers are harmless" \
	'[.circles[] | select(.held | startswith("readers"))] | length == 2 and all(.[]; .verdict == "harmless: readers only")' <order.json
check "a try, one order and a recursive mutex are in no circle" \
	'[.circles[] | select(.held | test("^(tried|ordered|recursive)"))] == []' <order.json

# Nothing is told of programs that are right.
for program in "service --requests 50" "workflow --jobs 20" "batch --items 200" "xz -T2 -k -c $lib" "/usr/bin/python3 -c 'import threading'"; do
	# shellcheck disable=SC2086 # words on purpose
	eval ringside record -o p.rsd -- $program >/dev/null 2>&1 || continue
	ringside trace order --json p.rsd | check "$program" '.summary.possible_deadlocks == 0'
done

if command -v redis-server >/dev/null; then
	ringside record -o redis.rsd -- redis-server --port 0 --unixsocket "$dir/s" --save '' --io-threads 2 --dir "$dir" >log 2>&1 &
	launcher=$!
	for _ in $(seq 100); do redis-cli -s "$dir/s" ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
	redis-benchmark -s "$dir/s" -q -n 20000 -t set,get,lpush,mset >bench.txt || fail "redis: $(cat log)"
	redis-cli -s "$dir/s" bgsave >saved
	redis-cli -s "$dir/s" flushall async >flushed
	redis-cli -s "$dir/s" shutdown nosave
	wait $launcher || fail "redis: $(cat log)"
	ringside trace order --json redis.rsd | check "redis" '.summary.possible_deadlocks == 0'
fi

ringside record -t lockorder=0 -o off.rsd -- lockorder >/dev/null 2>&1
ringside trace order --json off.rsd | check "lockorder=0 notes nothing" '.summary.orders == 0'

# A deadlock is told once while it lasts, and by the report: both threads, both locks, both places.
ringside record -t deadlocktrace=300ms -o hang.rsd -- lockorder --hang >/dev/null 2>err
[ "$(grep -c '^DEADLOCK ' err)" = 2 ] || fail "lines of a deadlock of two: $(cat err)"
grep -q 'waits for mutex 0x[0-9a-f]* at [^ ]*+0x[0-9a-f]*, held by tid=[0-9]' err || fail "a line: $(cat err)"
ringside report --json hang.rsd | check "the deadlock is a finding" \
	'[.findings[] | select(.rule == "deadlock")] | length == 1 and (.[0].severity == "high")
	and (.[0].text | contains("hung_a") and contains("hung_b") and contains("hang (lockorder.c"))'
# Somebody looks while it lasts, without the toggle; then the program is killed.
ringside record -o live.rsd -- lockorder --hang long >/dev/null 2>&1 &
recorder=$!
sleep 1
ringside report --json live.rsd >live.json
pkill -KILL -P $recorder
wait $recorder
ringside report --json live.rsd >dead.json
for json in live dead; do
	check "$json: the deadlock is told without a toggle" '[.findings[] | select(.rule == "deadlock")] | length == 1' <$json.json
done

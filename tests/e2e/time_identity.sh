#!/bin/bash
# Each thread's wall time is accounted for: on a CPU, ready, blocked by reason; at most 2 % of it is unknown.
. "$(dirname "$0")/lib.sh"

accounted() { # name : name.rsd
	ringside trace threads --json --top 0 "$1.rsd" >"$1.json" || fail "$1: trace threads"
	jq -r --arg name "$1" '.summary | "\($name): wall \(.wall_ns / 1e6 | floor) ms in \(.threads) threads, unknown \(.unknown_ns / .wall_ns * 100000 | round / 1000) %"' "$1.json"
	check "$1: little is unknown" '.summary | .unknown_ns <= .wall_ns * 0.02' <"$1.json"
	check "$1: the account adds up" '.summary | ((.cpu_ns + .ready_ns + .lock_ns + .sync_ns + .io_ns + .sleep_ns + .other_ns
		+ .idle_ns + .unknown_ns - .wall_ns) | if . < 0 then -. else . end) <= .wall_ns * 0.001' <"$1.json"
	check "$1: the CPU time is the kernel's, within 3 % or 20 ms" '(.summary.cpu_ns - $cpu | if . < 0 then -. else . end) as $off
		| $off <= $cpu * 0.03 or $off <= 20000000' --argjson cpu "$(ringside report --json "$1.rsd" | jq ".program.user_ns + .program.system_ns")" <"$1.json"
}

for demo in "batch --items 3000" "service --requests 300" "workflow --jobs 100"; do
	ringside record -o "${demo%% *}.rsd" -- $demo >/dev/null 2>&1 || fail "$demo"
	accounted "${demo%% *}"
done

ringside record -o pool.rsd -- thread_pool >/dev/null || fail "thread_pool"
accounted pool

if command -v xz >/dev/null; then
	head -c 30000000 /dev/zero | tr '\0' 'a' >big
	cat "$lib" "$lib" "$lib" >>big
	ringside record -o xz.rsd -- xz -T2 --block-size=2MiB -k -c big >/dev/null || fail "xz"
	accounted xz
fi

python=/usr/bin/python3
if [ -x $python ] && $python -c 'import sqlite3' 2>/dev/null; then
	cat >threads.py <<'PY'
import sqlite3, threading
def work(n):
    db = sqlite3.connect("file:shared.db?cache=private", uri=True, timeout=60)
    for i in range(40):
        with db:
            db.executemany("insert into t values (?, ?)", [(n, j) for j in range(200)])
    db.execute("select n, count(*), sum(v) from t group by n").fetchall()
    db.close()
sqlite3.connect("shared.db").execute("create table t (n, v)")
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
PY
	ringside record -o sqlite.rsd -- $python threads.py || fail "sqlite"
	accounted sqlite
fi

if command -v redis-server >/dev/null; then
	ringside record -o redis.rsd -- redis-server --port 0 --unixsocket "$dir/s" --save '' --dir "$dir" >log 2>&1 &
	launcher=$!
	for _ in $(seq 100); do redis-cli -s "$dir/s" ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
	redis-benchmark -s "$dir/s" -q -n 50000 -t set,get >bench.txt || fail "benchmark: $(cat log)"
	redis-cli -s "$dir/s" shutdown nosave
	wait $launcher || fail "redis: $(cat log)"
	accounted redis
fi

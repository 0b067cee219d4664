#!/bin/sh
# redis-server under redis-benchmark: a multi-threaded server with its own allocator, recorded live and after the end.
. "$(dirname "$0")/lib.sh"
command -v redis-server >/dev/null || skip "redis is not installed"
socket="$dir/redis.sock"
ringside record -o redis.rsd -- redis-server --port 0 --unixsocket "$socket" --save '' --daemonize no --dir "$dir" >log 2>err &
launcher=$!
for i in $(seq 100); do redis-cli -s "$socket" ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
redis-benchmark -s "$socket" -q -n 20000 -t set,get,lpush >bench.txt || fail "benchmark: $(cat log)"
# Live: the file is read while the server writes it.
ringside report --json redis.rsd >live.json || fail "live report"
check "it is running" '.program.end == "running" and .heap.allocations > 1000' <live.json
redis-cli -s "$socket" shutdown nosave
wait $launcher || fail "exit status: $(cat err)"
ringside report --json redis.rsd >end.json
check "it ended" '.program.end == "exit:0" and .heap.allocations >= 1000 and .recording.lost_events == 0' <end.json
check "epoll is the main wait" '[.block.kinds[] | select(.kind == "epoll")][0].blocked_ns > 0' <end.json
check "threads have names" '[.threads[].name] | any(startswith("bio_"))' <end.json
ringside report redis.rsd >text && [ "$(wc -l <text)" -gt 20 ] || fail "text report"

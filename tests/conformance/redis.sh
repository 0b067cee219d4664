# Title: redis: BGSAVE, BGREWRITEAOF, restarts from RDB and AOF, SHUTDOWN
# Needs: redis-server redis-cli redis-benchmark
# Package: redis-server
# Time: 240
# Left out: dump.rdb | it holds the time of saving
# Left out: appendonlydir* | its base file is an RDB file

cli() {
	redis-cli -s "$TMPDIR/redis.sock" "$@"
}

start() {
	redis-server --port 0 --unixsocket "$TMPDIR/redis.sock" --dir "$HOME" --enable-debug-command yes \
		--io-threads 2 --daemonize no "$@" >"$TMPDIR/log" 2>&1 &
	server=$!
	wait_for ping_server
}

ping_server() {
	cli ping | grep -q PONG
}

is_saved() {
	cli info persistence | grep -q "rdb_bgsave_in_progress:0"
}

is_rewritten() {
	cli info persistence | grep -q "aof_rewrite_in_progress:0" &&
		cli info persistence | grep -q "aof_rewrite_scheduled:0"
}

fill() {
	awk 'BEGIN { for (i = 0; i < 20000; i++) {
		print "SET key:" i " value" i
		print "HSET hash:" i % 100 " f" i " " i
		print "ZADD set:" i % 50 " " i * 7 % 1000 " m" i
		print "RPUSH list:" i % 20 " " i } }' | cli --pipe | grep -v "^All data\|^Last reply"
}

state() {
	echo "$1: $(cli dbsize) keys, digest $(cli debug digest)"
}

stop() {
	cli shutdown "$@"
	wait $server
	echo "server ended with $?"
}

run() {
	start --save ""
	fill
	state filled
	cli bgsave
	wait_for is_saved
	redis-benchmark -s "$TMPDIR/redis.sock" -q -n 2000 -r 100 -t set,incr,lpush,zadd >"$TMPDIR/bench" || echo failed
	stop nosave
	start --save ""
	state "restarted from RDB"
	cli config set appendonly yes
	wait_for is_rewritten
	cli bgrewriteaof
	cli del hash:1 list:1
	wait_for is_rewritten
	state "before AOF restart"
	cli info persistence | tr -d '\r' | grep "status:"
	stop nosave
	start --save "" --appendonly yes
	state "restarted from AOF"
	kill -TERM $server
	wait $server
	echo "killed by TERM: $?"
}

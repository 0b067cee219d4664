# Title: nginx (workers drop rights, reload, quit), PostgreSQL (initdb, load, crash, recovery), memcached
# Needs: nginx memcached /usr/sbin/nginx curl socat setpriv
# Package: nginx-light postgresql memcached
# Time: 150
# Left out: pg* | its files hold times and random numbers
# Left out: nginx/* | logs, the process number

nginx_case() {
	mkdir -p nginx html
	chmod 755 . nginx html
	seq 50000 >html/page
	cat >nginx/conf <<CONF
user nobody nogroup;
worker_processes 2;
pid $HOME/nginx/pid;
error_log $HOME/nginx/error.log;
events { worker_connections 64; }
http {
	access_log $HOME/nginx/access.log;
	client_body_temp_path $HOME/nginx/t1; proxy_temp_path $HOME/nginx/t2; fastcgi_temp_path $HOME/nginx/t3;
	uwsgi_temp_path $HOME/nginx/t4; scgi_temp_path $HOME/nginx/t5;
	sendfile on; gzip on;
	server { listen unix:$TMPDIR/n.sock; location / { root $HOME/html; } location /p { proxy_pass http://unix:$TMPDIR/n.sock:/page; } }
}
CONF
	chmod 777 "$TMPDIR"
	nginx -t -q -c "$HOME/nginx/conf" -e "$HOME/nginx/error.log"
	echo "test: $?"
	nginx -c "$HOME/nginx/conf" -e "$HOME/nginx/error.log"
	wait_for curl -s --unix-socket "$TMPDIR/n.sock" http://x/page
	for i in 1 2 3 4 5 6 7 8 9 10; do
		curl -s --unix-socket "$TMPDIR/n.sock" http://x/page http://x/p | sha256sum
	done | sort -u
	curl -s --compressed --unix-socket "$TMPDIR/n.sock" -o /dev/null -w '%{http_code}\n' http://x/none
	nginx -s reload -c "$HOME/nginx/conf" -e "$HOME/nginx/error.log"
	sleep 0.5
	curl -s --unix-socket "$TMPDIR/n.sock" http://x/page | sha256sum
	nginx -s quit -c "$HOME/nginx/conf" -e "$HOME/nginx/error.log"
	wait_for sh -c '! test -e nginx/pid'
	grep -c 'alert\|emerg\|crit' nginx/error.log
}

postgres_case() {
	local bin
	bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
	[ -x "$bin/initdb" ] || fail "PostgreSQL is not installed"
	# The server refuses to be root.
	as="setpriv --reuid 65534 --regid 65534 --clear-groups"
	mkdir pg && chown 65534:65534 pg && chmod 755 . .. ../..
	export PGHOST="$TMPDIR" PGUSER=u PGDATABASE=postgres
	(cd pg && $as "$bin/initdb" -D "$HOME/pg/data" -U u -A trust -N --no-locale >/dev/null 2>&1)
	echo "initdb: $?"
	printf "listen_addresses = ''\nunix_socket_directories = '%s'\nlogging_collector = off\nmax_parallel_workers_per_gather = 2\n" \
		"$TMPDIR" >>pg/data/postgresql.conf
	(cd pg && $as "$bin/pg_ctl" -D data -w -t 60 -l log start >/dev/null)
	echo "start: $?"
	psql -q -X -t <<'SQL' 2>&1
create table t as select i, md5(i::text) m from generate_series(1, 30000) i;
create index on t(m);
set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
select count(*), sum(length(m)), max(m) from t;
begin; delete from t where i % 2 = 0; rollback;
update t set m = 'x' where i < 1000;
select count(*) from t where m = 'x';
set statement_timeout = 100; select pg_sleep(5);
SQL
	kill -KILL "$(pgrep -f 'postgres: checkpointer' -P "$(head -n 1 pg/data/postmaster.pid)")"
	sleep 1
	wait_for psql -q -X -t -c 'select 1'
	psql -q -X -t -c 'select count(*), count(distinct m) from t'
	(cd pg && $as "$bin/pg_ctl" -D data -m fast -w stop >/dev/null)
	echo "stop: $?"
	$as "$bin/pg_controldata" -D pg/data | grep 'cluster state'
}

memcached_case() {
	memcached -u nobody -s "$TMPDIR/m.sock" -t 4 &
	server=$!
	wait_for test -S "$TMPDIR/m.sock"
	for i in $(seq 200); do printf 'set k%d 0 0 5\r\nhello\r\n' $i; done | socat -t 5 - UNIX:"$TMPDIR/m.sock" | sort | uniq -c | tr -d '\r'
	printf 'get k7\r\nincr k7 1\r\ndelete k8\r\nquit\r\n' | socat -t 5 - UNIX:"$TMPDIR/m.sock" | tr -d '\r'
	kill -TERM $server
	wait $server
	echo "memcached: $?"
}

run() {
	nginx_case
	postgres_case
	memcached_case
}

# Title: sqlite3: WAL, four writers and a reader, kill -9 in the middle, integrity_check
# Needs: sqlite3
# Package: sqlite3
# Time: 60
# Left out: db* | pages stand where the writers met

writer() {
	local i
	for ((i = 0; i < 60; i++)); do
		echo ".timeout 20000"
		echo "begin immediate; insert into t select $1, $i, hex(zeroblob(200)) from generate_series(1, 10); commit;"
	done | sqlite3 db
}

run() {
	local i pids=""
	sqlite3 db "pragma journal_mode=wal; create table t(w, i, x); create index ti on t(w, i)"
	for i in 1 2 3 4; do
		writer $i >"$TMPDIR/w$i" 2>&1 &
		pids="$pids $!"
	done
	for i in 1 2 3 4 5 6 7 8; do
		(for ((k = 0; ; k++)); do
			echo ".timeout 20000"
			echo "begin immediate; insert into t select 99, $k, 'killed' from generate_series(1, 7); commit;"
		done | exec sqlite3 db >/dev/null 2>&1) &
		victim=$!
		sleep 0.05
		pkill -KILL -P $victim
		kill -KILL $victim
		wait $victim 2>/dev/null
		sqlite3 db ".timeout 20000" "pragma quick_check"
	done 2>/dev/null
	for i in $pids; do
		wait $i || echo "writer failed"
	done
	cat "$TMPDIR"/w?
	sqlite3 db "pragma integrity_check" "select w, count(*), count(distinct i) from t where w < 99 group by w" \
		"select count(*) from (select i, count(*) n from t where w = 99 group by i) where n % 7"
	sqlite3 db "pragma wal_checkpoint(truncate)" "vacuum" "pragma integrity_check"
	sqlite3 :memory: "with recursive c(x) as (select 1 union all select x + 1 from c where x < 200000) select sum(x) from c"
}

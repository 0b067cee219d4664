#!/bin/bash
# Programs of different character are killed at random instants: every dump can be read as it is, and has all that the
# books say had returned. KILLS says how often each, SEED where the numbers begin, ONLY=NAME repeats one program.
. "$(dirname "$0")/lib.sh"
kills=${KILLS:-3} seed0=${SEED:-1} only=${ONLY:-}
PATH="$root/build/tests/kill:$PATH"
books="$root/build/tests/kill/bookkeeper.so"
ulimit -c 0
total=0 unreadable=0 differing=0 lost=0

record() { # seed least most toggles command... : through LD_PRELOAD, the whole tree is killed
	seed=$1 least=$2 most=$3 toggles=$4
	shift 4
	kill_at "$seed" "$least" "$most" env LD_PRELOAD="$books $lib" BOOKS="$dir/books" \
		RINGSIDE="out=$dir/run.rsd,$toggles" "$@" >/dev/null 2>err
}

launch() { # the same by `record`, which outlives the program; the books come before the recorder, as `record` would not put them
	seed=$1 least=$2 most=$3 toggles=$4
	shift 4
	ringside record -z -o run.rsd -t "$toggles" -- kill_at "$seed" "$least" "$most" \
		env LD_PRELOAD="$books $lib" BOOKS="$dir/books" "$@" >/dev/null 2>err
}

launch_and_kill_all() { # `record` is killed as well, perhaps while it compresses
	seed=$1 least=$2 most=$3 toggles=$4
	shift 4
	kill_at "$seed" "$least" "$most" ringside record -z -o run.rsd -t "$toggles" -- \
		env LD_PRELOAD="$books $lib" BOOKS="$dir/books" timeout --foreground -s KILL 0.05 "$@" >/dev/null 2>err
}

# A file without the magic was never begun: its process was killed while it made it, and nothing was recorded yet.
is_begun() {
	[ "$(head -c 8 "$1" | tr -d '\0')" = RINGSIDE ] || [ "$(head -c 4 "$1" | od -An -tx1 | tr -d ' ')" = 28b52ffd ]
}

bad() {
	echo "BAD: $name: $1; again by: ONLY=$name SEED=$seed KILLS=1 tests/e2e/kills.sh" >&2
	[ -z "${KEEP:-}" ] || cp -a --sparse=always . "$KEEP"
}

# Beside a dump may stand what a killed `record -z` had compressed of it so far: the dump itself is whole.
read_all() { # every dump of the recording, as lines
	for file in run.rsd run.rsd.d/*.rsd*; do
		case "$file" in *.tmp) continue ;; esac
		[ -f "$file" ] && is_begun "$file" || continue
		ringside dump "$file" 2>>reader.err || {
			echo "$file" >>unreadable
			bad "$file: $(tail -n 1 reader.err)"
		}
	done
}

look() { # [--waits] [--ring]
	: >unreadable
	: >reader.err
	[ -f books ] || : >books
	read_all | kill_check books "$@" >check.json 2>check.err || {
		differing=$((differing + 1))
		bad "$(head -n 3 check.err)"
	}
	unreadable=$((unreadable + $(wc -l <unreadable)))
	[ -s reader.err ] && { bad "the reader says: $(head -n 1 reader.err)"; unreadable=$((unreadable + 1)); }
	if [ -f run.rsd ] && is_begun run.rsd; then
		ringside report --json --top 0 run.rsd >report.json 2>report.err || {
			unreadable=$((unreadable + 1))
			bad "report: $(cat report.err)"
		}
		jq -e '.recording.lost_events == 0' report.json >/dev/null || bad "report: lost events"
		case "$name" in churn | pool | sqlite3) check_report ;; esac
	fi
	lost=$((lost + $(jq .lost_events check.json)))
	cat check.json >>sums.json
}

# The report's own sums: the bookkeeper sees all blocks of these programs, and in pool all locks.
check_report() {
	jq -n -e --slurpfile r report.json --slurpfile c check.json --arg name "$name" '$r[0] as $r | $c[0] as $c
		| $r.heap.allocations + $r.heap.frees >= $c.blocks
		and ($name != "pool" or ([$r.block.kinds[] | select(.kind == "mutex").calls] | add // 0) as $locks
			| $locks >= $c.locks_returned and $locks <= $c.locks_begun)' >/dev/null || {
		differing=$((differing + 1))
		bad "the report has other sums than the dump"
	}
}

run() { # name how least_us most_us toggles look-options command...
	name=$1 how=$2 least=$3 most=$4 toggles=$5 options=$6
	shift 6
	[ -z "$only" ] || [ "$only" = "$name" ] || return
	: >sums.json
	killed=0
	# On a busy machine some are killed before there is a program: these do not count.
	for ((seed = seed0; killed < kills && seed < seed0 + 4 * kills; seed++)); do
		export KILL_FROM="$dir/books"
		# One in six while the process starts.
		((seed % 6 == 0)) && unset KILL_FROM
		rm -rf run.rsd* books work
		mkdir work
		$how $seed $least $most "$toggles" "${@//SEED/$seed}"
		is_killed=$?
		# shellcheck disable=SC2086 # options are words
		look $options
		[ $is_killed = 0 ] && [ "$(jq .dumps check.json)" -gt 0 ] && killed=$((killed + 1))
	done
	total=$((total + killed))
	jq -s -r --arg name "$name" --arg killed "$killed" --arg seeds "$seed0-$((seed - 1))" '[$name, $killed + " kills",
		"seeds " + $seeds, (map(.dumps) | add | tostring) + " dumps", (map(.accounts) | add | tostring) + " accounts",
		(map(.records) | add | tostring) + " records", (map(.faults) | add | tostring) + " faults",
		(map(.lost_events) | add | tostring) + " lost"] | join(", ")' sums.json
}

sql='create table t(a, b); with recursive c(x) as (select 1 union all select x + 1 from c where x < 1000000)
insert into t select x, hex(randomblob(20)) from c; create index i on t(b);'
python='
import json, threading, subprocess
def work():
    while True:
        json.dumps([{str(i): i} for i in range(300)])
for i in range(3):
    threading.Thread(target=work, daemon=True).start()
while True:
    subprocess.run(["true"])'
redis='redis-server --port 0 --unixsocket work/s --dir work --save "1 1" &
while [ ! -S work/s ]; do sleep 0.01; done
redis-benchmark -s work/s -n 10000000 -c 8 -d 100 -t set,lpush -r 10000'

run churn record 0 150000 block=0 --waits kill_work churn SEED
run pool record 0 150000 block=0 --waits kill_work pool SEED
run forks record 0 300000 cpu=500 "" kill_work forks SEED
run execs record 0 300000 cpu=99 "" kill_work execs SEED
run ring record 0 300000 ring=2m --ring kill_work pool SEED
run compressed launch 0 150000 block=0 --waits kill_work pool SEED
run launcher launch_and_kill_all 0 120000 block=0 "" kill_work pool SEED
run sqlite3 record 0 250000 block=0 "" sqlite3 work/db "$sql"
run python3 record 0 300000 cpu=250 "" env PYTHONMALLOC=malloc /usr/bin/python3 -c "$python"
run redis record 0 700000 block=1us "" sh -c "$redis"
echo "$total kills: $unreadable unreadable, $differing with records missing, $lost lost events"
[ "$total" -gt 0 ] && [ $((unreadable + differing + lost)) = 0 ]

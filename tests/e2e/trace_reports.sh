#!/bin/sh
# The trace reports on the demos, against the demos' own books and against each other.
. "$(dirname "$0")/lib.sh"

ringside record -o w.rsd -- workflow --jobs 60 --truth >truth.json 2>/dev/null || fail "workflow"
ringside trace tasks --json w.rsd >tasks.json || fail "trace tasks"
check "tasks and regions are as many as the program says" \
	'.tasks[0].type == "job" and .tasks[0].count == $t.tasks[0].count
	and ([.regions[] | {(.type): .count}] | add) == ([$t.regions[] | {(.type): .count}] | add)' \
	--argjson t "$(cat truth.json)" <tasks.json
check "each region took as long as the program's own clock says, within 3 % or 2 ms" \
	'[.regions[] as $r | $t.regions[] | select(.type == $r.type) | ((.ns - $r.total_ns) | if . < 0 then -. else . end)
	as $off | $off < 2000000 or $off < .ns * 0.03] | length == 6 and all' \
	--argjson t "$(cat truth.json)" <tasks.json
check "what was done in regions sums up to their time" \
	'all(.regions[]; ((.cpu_ns + .ready_ns + .lock_ns + .sync_ns + .io_ns + .sleep_ns + .other_ns + .idle_ns + .unknown_ns
	- .total_ns) | if . < 0 then -. else . end) <= .total_ns * 0.01 + 1000000)' <tasks.json

ringside record -o s.rsd -- service --requests 300 >/dev/null 2>&1 || fail "service"
ringside trace threads --json --top 0 s.rsd >threads.json
check "each thread's account adds up to its wall time" \
	'all(.threads[]; ((.cpu_ns + .ready_ns + .lock_ns + .sync_ns + .io_ns + .sleep_ns + .other_ns + .idle_ns + .unknown_ns
	- .wall_ns) | if . < 0 then -. else . end) < 1000)' <threads.json
check "little is unknown" '.summary.unknown_ns <= .summary.wall_ns * 0.02' <threads.json
check "the groups are the threads" \
	'([.groups[].threads] | add) == .summary.threads and ([.groups[].wall_ns] | add) == .summary.wall_ns
	and any(.groups[]; .threads == 4 and (.routine | startswith("worker_run")))' <threads.json

ringside trace ledger --json --top 0 s.rsd >ledger.json
check "the ledger's rows add up to the time waited for locks" \
	'(([.ledger[].waited_ns] | add) - .summary.waited_ns | if . < 0 then -. else . end) < 1000' <ledger.json
check "the log's lock was held by who slept or synced" \
	'[.ledger[] | select(.lock == "server.log.lock")] | ([.[] | select(.wait == "sleep" or .wait == "fsync").waited_ns] | add)
	> ([.[].waited_ns] | add) * 0.5' <ledger.json
ringside trace locks --json --top 0 s.rsd >locks.json
check "locks and ledger know of the same waiting" \
	'(([.locks[].wait_ns] | add) - $l.summary.waited_ns | if . < 0 then -. else . end) <= $l.summary.waited_ns * 0.02 + 1000000' \
	--argjson l "$(cat ledger.json)" <locks.json
ringside trace held --json --top 0 s.rsd |
	check "sleeping and syncing under the log's lock is listed" \
		'[.deeds[] | select(.lock == "server.log.lock" and (.wait == "sleep" or .wait == "fsync"))] | length >= 2'
ringside trace wakers --json --top 0 s.rsd |
	check "waits for locks have wakers" '.summary.known_waits > .summary.waits * 0.9
		and any(.pairs[]; .kind == "mutex" and any(.waker[]; .function == "append_line"))'

ringside trace --timeline --json s.rsd >timeline.json
check "every cell of the timeline is as long as a column, where the thread was there all the time" \
	'.summary.column_ns as $c | [.cells[] | select(.thread | startswith("service"))][1:-1]
	| all(.[]; ((.cpu_ns + .ready_ns + .lock_ns + .sync_ns + .io_ns + .sleep_ns + .other_ns + .idle_ns + .unknown_ns - $c)
	| if . < 0 then -. else . end) <= $c * 0.02 + 1000)' <timeline.json
middle=$(jq '(.summary.from_ns + .summary.to_ns) / 2 / 1e9' timeline.json)
ringside trace --at "${middle}s" --json s.rsd |
	check "at a moment every thread that is there does something" '.threads | length >= 6 and any(.[]; .doing == "join")'
ringside trace --around mutex s.rsd | grep -q L || fail "around the longest wait for a mutex nobody waits for one"
ringside trace path --json s.rsd >path.json
check "the critical path is as long as the program" \
	'.summary.path_ns > 0 and (([.threads[].path_ns] | add) - .summary.path_ns | if . < 0 then -. else . end) < 1000' <path.json
ringside trace utilisation --json s.rsd |
	check "no window is better than the average" 'all(.windows[]; .least_share <= .mean_share + 0.001)'
ringside trace files --json --top 0 s.rsd | check "the log file is there" 'any(.descriptors[]; .path // "" | contains("service-log"))'

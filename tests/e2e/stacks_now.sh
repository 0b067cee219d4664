#!/bin/sh
# `ringside stacks PID`: of a recorded process with what its threads wait for, of any other one the stacks alone; the
# process goes on as before.
. "$(dirname "$0")/lib.sh"
ringside record -o live.rsd -- lockorder --hang long >/dev/null 2>&1 &
recorder=$!
for attempt in 1 2 3 4 5 6 7 8 9 10; do
	sleep 0.5
	pid=$(pgrep -P $recorder -x lockorder) && ringside stacks --json "$pid" >stacks.json 2>err &&
		[ "$(jq '[.threads[] | select(.wait == "mutex")] | length' stacks.json)" = 2 ] && break
	[ "$attempt" != 10 ] || fail "two threads never waited: $(cat err stacks.json)"
done
if [ ! -s stacks.json ]; then
	kill -KILL "$pid"
	grep -q 'not allowed' err && skip "ptrace is not allowed here"
	fail "stacks: $(cat err)"
fi
check "both threads wait for each other's lock, in hang" \
	'[.threads[] | select(.wait == "mutex")] | length == 2 and (map(.name_of_object) | sort) == ["hung_a", "hung_b"]
	and .[0].holder_tid == .[1].tid and .[1].holder_tid == .[0].tid
	and all(.[]; .waiting_ns > 0 and any(.stack[]; .function == "hang"))' <stacks.json
check "main sleeps" 'any(.threads[]; .wait == "sleep" and any(.stack[]; .function == "main"))' <stacks.json
ringside stacks "$pid" >text
grep -q "^thread [0-9]* lockorder \[mutex hung_[ab], .*, held by [0-9]*\]:$" text || fail "text: $(cat text)"
grep -q '^  hang (lockorder.c:[0-9]*)$' text || fail "frames: $(cat text)"
grep -q ringside text && fail "the recorder's own frames are shown: $(cat text)"
kill -0 "$pid" || fail "the process is gone"
[ "$(sed -n 's/^State:[^A-Z]*\(.\).*/\1/p' "/proc/$pid/status")" = S ] || fail "the process does not sleep as before"
kill -KILL "$pid"
wait $recorder

sleep 30 &
other=$!
ringside stacks $other >text || fail "a process that is not recorded"
grep -q 'not recorded' text || fail "it must say that it is not recorded: $(cat text)"
kill -0 $other || fail "the other process is gone"
kill $other
ringside stacks 999999999 2>err
[ $? = 3 ] || fail "no such process must be exit status 3"
ringside stacks nonsense 2>err
[ $? = 2 ] || fail "a bad PID must be exit status 2"

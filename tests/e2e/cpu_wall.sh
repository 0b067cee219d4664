#!/bin/sh
# CPU time within 3 % of getrusage's; for single-threaded programs CPU + blocked time within 5 % of the wall time, less
# what the kernel says the program was ready but had no processor (nothing on an idle machine).
. "$(dirname "$0")/lib.sh"
head -c 4000000 /dev/zero | openssl enc -aes-128-ctr -pass pass:x -nosalt 2>/dev/null >data || head -c 4000000 /dev/urandom >data

# The usage of the process alone: what it waited for is its own.
cat >run.py <<'PY'
import os, sys
name, argv = sys.argv[1], sys.argv[2:]
dump = os.path.abspath(name + ".rsd")
if os.path.exists(dump):
    os.unlink(dump)
env = dict(os.environ, LD_PRELOAD=os.environ["RINGSIDE_LIB"], RINGSIDE="out=" + dump)
null = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
pid = os.posix_spawnp(argv[0], argv, env, file_actions=null)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
delay_ns = open("/proc/%d/schedstat" % pid).read().split()[1]
_, status, usage = os.wait4(pid, 0)
print(int((usage.ru_utime + usage.ru_stime) * 1e9), delay_ns)
PY
python=$(command -v /usr/bin/python3 || command -v python3)

measure() { # name wall-check command...
	name="$1" check_wall="$2"
	shift 2
	usage=$(RINGSIDE_LIB="$lib" "$python" run.py "$name" "$@")
	ringside report --json "$name.rsd" >"$name.json"
	close_to "$name CPU time" "$(jq .cpu.cpu_ns "$name.json")" "${usage% *}" 3
	[ "$check_wall" = wall ] || return 0
	close_to "$name CPU + blocked" "$(jq '.cpu.cpu_ns + .block.blocked_ns' "$name.json")" \
		"$(jq ".program.duration_ns - ${usage#* }" "$name.json")" 5
}

# In a subshell, since a miss ends it: a hypervisor may steal time that no clock of ours tells, but not thrice.
retry() {
	for attempt in 1 2 3; do
		(measure "$@") && return 0
		echo "attempt $attempt missed"
	done
	exit 1
}

retry sqlite3 wall sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<3000000) select count(*), sum(x*x) from c'
retry sqlite3-short wall sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<300000) select count(*), sum(x*x) from c'
retry jq wall jq -n '[range(200000) | {a: ., b: tostring}] | length'
retry xz wall xz -1 -k -c -T1 data
retry python wall "$python" -c 'import time
x = [str(i) for i in range(1000000)]
time.sleep(0.3)'
retry threads no zstd -q -c -T2 -12 data

#!/bin/sh
# CPU time within 3 % of getrusage's; for single-threaded programs CPU + blocked time within 5 % of the wall time.
. "$(dirname "$0")/lib.sh"
head -c 30000000 /dev/zero | openssl enc -aes-128-ctr -pass pass:x -nosalt 2>/dev/null >data || head -c 30000000 /dev/urandom >data

cat >run.py <<'PY'
import json, os, sys
name, argv = sys.argv[1], sys.argv[2:]
dump = os.path.abspath(name + ".rsd")
pid = os.fork()
if pid == 0:
    os.environ["LD_PRELOAD"] = os.environ["RINGSIDE_LIB"]
    os.environ["RINGSIDE"] = "out=" + dump
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    os.execvp(argv[0], argv)
_, status, usage = os.wait4(pid, 0)
print(int((usage.ru_utime + usage.ru_stime) * 1e9), status)
PY
python=$(command -v /usr/bin/python3 || command -v python3)

measure() { # name wall-check command...
	name="$1" check_wall="$2"
	shift 2
	usage=$(RINGSIDE_LIB="$lib" "$python" run.py "$name" "$@")
	ringside report --json "$name.rsd" >"$name.json"
	close_to "$name CPU time" "$(jq .cpu.cpu_ns "$name.json")" "${usage% *}" 3
	[ "$check_wall" = wall ] || return 0
	close_to "$name CPU + blocked" "$(jq '.cpu.cpu_ns + .block.blocked_ns' "$name.json")" "$(jq .program.duration_ns "$name.json")" 5
}

retry() { "$@" || { echo "again, the machine was busy"; "$@"; } || "$@"; }

# In a subshell, since a miss ends the script; a busy machine may steal time from one run, not from three.
retry sh -c ':'
once() { (measure "$@"); }
retry once sqlite3 wall sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<3000000) select count(*), sum(x*x) from c'
retry once jq wall jq -n '[range(200000) | {a: ., b: tostring}] | length'
retry once xz wall xz -1 -k -c -T1 data
retry once python wall "$python" -c 'import time
x = [str(i) for i in range(1000000)]
time.sleep(0.3)'
retry once sleepy wall sh -c 'sleep 0.5; exit 0'
retry once threads no zstd -q -c -T2 -12 data

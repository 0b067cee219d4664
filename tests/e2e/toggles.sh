#!/bin/sh
# Toggles: warnings with a suggestion, help, and the lines of schedtrace, heaptrace, locktrace, iotrace, inittrace.
. "$(dirname "$0")/lib.sh"

said() { # toggles pattern : run under them, stderr must have a line like this
	rm -rf t.rsd*
	LD_PRELOAD="$lib" RINGSIDE="out=$dir/t.rsd,$1" sh -c 'sleep 0.35; exit 3' 2>err >out
	[ $? = 3 ] || fail "$1 changed the exit status"
	[ -s out ] && fail "$1 wrote to stdout"
	grep -Eq "$2" err || fail "$1: no line like $2 in: $(cat err)"
}

said hep=exact 'unknown toggle "hep".*did you mean "heap"'
said cpu=fast 'bad value "fast" for toggle cpu, want HZ\|off; it stays at 99'
said block=10parsec 'bad value "10parsec" for toggle block'
said depth=0 'bad value "0" for toggle depth'
said trigger=moon 'bad value "moon" for toggle trigger'
said reach=often 'bad value "often" for toggle reach, want exit\|mark\|signal:NAME\|off; it stays at off'
said help=1,block=1ms 'block=1ms +record blocking calls'
said schedtrace=100 '^SCHED [0-9]+ms: threads=1 running=0 other=[0-9]+ blocked=\[wait-child:1\] cpu=[0-9]+%$'
said schedtrace=100 'blocked=\[sleep:1\]'
said heaptrace=100 '^HEAP [0-9]+ms: live=[0-9.]+ k?B blocks=[0-9]+ allocs=[0-9]+/s peak=[0-9.]+ k?B rss=[0-9.]+ MB$'
said inittrace=1 '^init libc.so.6 @[0-9.]+ ms, [0-9.]+ ms clock, [0-9]+ bytes, [0-9]+ allocs$'
said stalltrace=100ms '^STALL tid=[0-9]+ .*: no progress for [0-9.]+ ms in (sleep|wait-child) '

rm -rf t.rsd*
LD_PRELOAD="$lib" RINGSIDE="out=$dir/t.rsd,locktrace=5ms" waits --only wait_mutex >/dev/null 2>err
grep -Eq '^LOCK tid=[0-9]+ mutex 0x[0-9a-f]+ waited [0-9.]+ ms held by tid=[0-9]+ at ' err || fail "locktrace: $(cat err)"

# The last one wins, -t wins over the variable, and off values are obeyed.
RINGSIDE=heap=exact,cpu=off ringside record -t heap=off,cpu=50 -o o.rsd -- true 2>/dev/null
check "-t wins" '.recording.heap == "off" and .recording.cpu_hz == 50 and .heap.allocations == 0' <<JSON
$(ringside report --json o.rsd)
JSON
ringside record -t block=off,heap=sample:64k -o o.rsd -- alloctruth 2>/dev/null >truth.json
ringside report --json o.rsd >o.json
check "sampled" '.recording.heap | startswith("sample")' <o.json
check "block=off records no spans" '.block.spans == 0' <o.json

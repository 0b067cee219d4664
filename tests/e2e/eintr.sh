#!/bin/sh
# No wait is interrupted because the thread is sampled: every call that waits, counted. EINTR_SECONDS is for how long.
. "$(dirname "$0")/lib.sh"
seconds=${EINTR_SECONDS:-4}

eintr --seconds 2 --disturb >disturbed && fail "signals were sent and no interruption was counted"
eintr --seconds "$seconds" >bare || fail "without a recorder: $(cat bare)"
tail -n 1 bare
RINGSIDE=cpu=1000,block=0,children=off,out="$dir/eintr.rsd" LD_PRELOAD="$lib" eintr --verbose --seconds "$seconds" >recorded ||
	fail "$(grep -v ' 0 interrupted' recorded; tail -n 1 recorded)"
tail -n 1 recorded
# Late samples, sent on purpose. What goes to the kernel by syscall() is not made again, see docs/safety.md.
RINGSIDE=cpu=1000,block=0,children=off,out="$dir/late.rsd" LD_PRELOAD="$lib" eintr --as-sampler --verbose --seconds 4 >late
[ "$(wc -l <late)" -ge 70 ] || fail "late samples: $(cat late)"
grep -v -e '^syscall ' -e '^[0-9]* threads' -e ' 0 interrupted' late >cut && fail "late samples: $(cat cut)"
tail -n 1 late
samples=$(ringside report --json eintr.rsd | jq .cpu.samples)
[ "$samples" -ge $((seconds * 20)) ] || fail "only $samples samples"
[ "$seconds" -lt 20 ] || cat recorded
echo "$samples samples in $seconds s"

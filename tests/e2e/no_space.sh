#!/bin/sh
# A full disk, a directory that can't be written, a file size limit: the program runs as ever and the end tells.
. "$(dirname "$0")/lib.sh"
work="sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<100000) select sum(x) from c'"
want=$(sh -c "$work")

[ "$(bash -c "ulimit -f 512; LD_PRELOAD=$lib RINGSIDE=out=$dir/limit.rsd $work" 2>&1)" = "$want" ] || fail "RLIMIT_FSIZE"
mkdir readonly && chmod 500 readonly
[ "$(LD_PRELOAD="$lib" RINGSIDE="out=$dir/nowhere/deeper/x.rsd" sh -c "$work" 2>&1)" = "$want" ] || fail "no directory"

[ "$(id -u)" = 0 ] || skip "only root can mount a small file system"
mkdir small
mount -t tmpfs -o size=2m tmpfs small 2>/dev/null || skip "mount is not allowed"
trap 'code=$?; umount "$dir/small"; finish' EXIT
ringside record -o small/full.rsd -- alloctruth --rounds 400000 >truth.json 2>err || fail "the program was disturbed: $(cat err)"
jq -e .allocations truth.json >/dev/null || fail "its output is damaged"
grep -qi 'lost' err || fail "the end does not tell: $(cat err)"
ringside report small/full.rsd >report.txt || fail "what was committed can't be read"
grep -qi 'disk full\|could not grow' report.txt || fail "the report does not tell of the loss"
dd if=/dev/zero of=small/fill bs=1k 2>/dev/null
rm -f small/full.rsd
dd if=/dev/zero of=small/fill2 bs=1k 2>/dev/null
ringside record -o small/none.rsd -- true 2>err
[ $? = 0 ] || fail "true failed on a full disk: $(cat err)"
grep -q 'nothing was recorded: .*[Nn]o space left' err || fail "the end does not tell: $(cat err)"
ringside record -o nowhere/x.rsd -- sh -c 'exit 7' 2>err
[ $? = 7 ] || fail "a missing directory kept the program from running"
grep -q 'nothing was recorded: .*No such file' err || fail "the end does not tell: $(cat err)"
exit 0

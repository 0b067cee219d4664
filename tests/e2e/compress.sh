#!/bin/sh
# A compressed recording is a smaller one and else the same: all commands read it, zstd unpacks it, and what fails or
# is still written stays as it is.
. "$(dirname "$0")/lib.sh"

ringside record -z -o run.rsd -- sh -c 'sqlite3 :memory: "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1
	FROM c WHERE x < 20000) SELECT count(*), max(hex(x)) FROM c"; sleep 0.05; echo sub | cat' >out 2>err || fail "$(cat err)"
[ "$(sed 1d out)" = sub ] || fail "output: $(cat out)"
grep -Eq 'in run.rsd \([0-9.]+kB, compressed from [0-9.]+MB\) and [0-9]+ descendants' err || fail "the end: $(cat err)"
[ "$(stat -c %a run.rsd run.rsd.d/sqlite3.*.rsd | uniq)" = 600 ] || fail "permissions: $(ls -l . run.rsd.d)"
[ -z "$(find . -name '*.tmp')" ] || fail "left behind: $(find . -name '*.tmp')"

# By hand the same recording is raw, by zstd as by us.
mkdir -p raw/run.rsd.d ours
(cd run.rsd.d && ls) >names
[ "$(wc -l <names)" -ge 3 ] || fail "descendants: $(cat names)"
for name in run.rsd $(sed 's,^,run.rsd.d/,' names); do
	[ "$(head -c 8 "$name")" = RINGSIDE ] && fail "$name is not compressed"
	zstd -dc <"$name" >raw/"$name" 2>err || fail "zstd -d $name: $(cat err)"
	[ "$(stat -c %s "$name")" -lt $(($(stat -c %s raw/"$name") / 3)) ] || fail "$name: $(stat -c %s "$name" raw/"$name")"
done
ringside compress -d -o ours/run.rsd run.rsd 2>err || fail "compress -d: $(cat err)"
diff -r raw ours >diff || fail "zstd and compress -d differ: $(cat diff)"

for command in 'report' 'report --json --top 0' 'report --all' 'report --json --process sqlite3' 'heap --traces' \
	'heap --json --process sqlite3 --sample alloc_space' 'cpu --all --tree' 'block --all' 'block --json' 'dump' \
	'dump --json --process sqlite3' 'report --time 1ms-' 'heap --thread sh'; do
	ringside $command run.rsd >packed.out 2>&1 || fail "$command: $(cat packed.out)"
	(cd raw && ringside $command run.rsd) >raw.out 2>&1
	cmp packed.out raw.out >&2 || fail "$command differs"
	[ -s raw.out ] || fail "$command printed nothing"
done

# In place there and back; what needs no work is told and is no error. A killed one loses its huge apparent size.
LD_PRELOAD="$lib" RINGSIDE="out=$dir/kill.rsd" killself --books books && fail "it survived"
[ "$(stat -c %s kill.rsd)" -gt 10000000000 ] || fail "not a sparse file: $(ls -l kill.rsd)"
ringside report --json kill.rsd | jq .heap >before
touch -d 2001-02-03 kill.rsd
ringside compress kill.rsd 2>err || fail "$(cat err)"
[ "$(stat -c %s kill.rsd)" -lt 10000000 ] || fail "size: $(ls -l kill.rsd)"
[ "$(stat -c %y kill.rsd | cut -c1-10)" = 2001-02-03 ] || fail "time: $(ls -l kill.rsd)"
ringside report --json kill.rsd | jq .heap | cmp - before || fail "after compressing"
ringside compress kill.rsd 2>err || fail "$(cat err)"
grep -q 'compressed already' err || fail "a second time: $(cat err)"
ringside compress -d kill.rsd 2>err || fail "$(cat err)"
[ "$(head -c 8 kill.rsd)" = RINGSIDE ] || fail "not raw again"
ringside report --json kill.rsd | jq .heap | cmp - before || fail "after decompressing"

# Wrong input.
ringside compress 2>err
[ $? = 2 ] || fail "no FILE: $(cat err)"
ringside compress missing.rsd 2>err
[ $? = 3 ] || fail "a missing FILE: $(cat err)"
echo text >text.rsd
ringside compress text.rsd 2>err
[ $? = 3 ] || fail "a text: $(cat err)"
[ "$(cat text.rsd)" = text ] || fail "a text was overwritten"
zstd -q -o plain.rsd raw/run.rsd
ringside report plain.rsd 2>err
[ $? = 3 ] || fail "a zstd file without a table"
grep -q 'zstd -d' err || fail "no advice: $(cat err)"

# A running program's dump is left alone.
LD_PRELOAD="$lib" RINGSIDE="out=$dir/live.rsd" sleep 30 &
live=$!
while [ ! -s live.rsd ] || ! ringside report live.rsd >/dev/null 2>&1; do sleep 0.05; done
ringside compress live.rsd 2>err
[ $? = 1 ] || fail "a live one: $(cat err)"
grep -q 'still being recorded' err || fail "a live one: $(cat err)"
[ "$(head -c 8 live.rsd)" = RINGSIDE ] || fail "the live one was touched"
kill $live
wait $live 2>/dev/null

# A full disk: the recording stays raw, and that is said.
[ "$(id -u)" = 0 ] || skip "only root can mount a small file system"
mkdir small
mount -t tmpfs -o size=2m tmpfs small 2>/dev/null || skip "mount is not allowed"
trap 'code=$?; umount "$dir/small"; finish' EXIT
ringside record -z -o small/full.rsd -- alloctruth --rounds 400000 >truth.json 2>err || fail "disturbed: $(cat err)"
grep -q 'not compressed: .*No space left' err || fail "the end does not tell: $(cat err)"
[ "$(head -c 8 small/full.rsd)" = RINGSIDE ] || fail "the recording is gone"
ringside report small/full.rsd >/dev/null || fail "what was committed can't be read"
[ "$(ls small)" = full.rsd ] || fail "left behind: $(ls small)"
exit 0

#!/bin/sh
# Several runs of a program: its own books are the mean, and nothing stays behind.
. "$(dirname "$0")/lib.sh"
mkdir tmp
TMPDIR="$dir/tmp"
export TMPDIR
ringside stat -r 3 --json -o stat.json -- contracts >truth 2>err || fail "exit $?: $(cat err)"
[ ! -s err ] || fail "says something: $(cat err)"
[ "$(wc -l <truth)" = 3 ] || fail "the program ran $(wc -l <truth) times"
check "three runs" '.runs == 3 and .program_status == 0 and .lost_events == 0 and .argv == ["contracts"]
	and (.numbers | all(.[]; .values | length == 3))' <stat.json
# Lines: 40 times two blocks; frames: 0 to 9 shapes; the callback: 5.
check "allocations as the program made them" '
	(.numbers.alloc_objects.values[0] - 265) as $others | $others >= 0 and $others < 20
	and .numbers.alloc_objects.stddev == 0 and .numbers.inuse_space.max < 20000' <stat.json
check "mean, median, extremes and deviation of the values" '
	.numbers | all(.[]; (.values | add / 3) as $mean | (.mean - $mean | fabs) <= $mean * 1e-9
	and .min == (.values | min) and .max == (.values | max) and .median == (.values | sort | .[1])
	and ((.stddev * .stddev) - (.values | map((. - $mean) * (. - $mean)) | add / 2) | fabs) <= 1e-6 * (.stddev * .stddev + 1))' \
	<stat.json
check "times" '.numbers | .wall.min > 1500000000 and .blocked.min > 1500000000 and .cpu.min > 0 and .rss.min > 500000' <stat.json

# As text behind the program's output, with the toggles given.
ringside stat -r 2 -t heap=off,cpu=off true >text || fail "text: exit $?"
grep -q '^true, 2 runs$' text && grep -q '^ *alloc_objects  *0  *0 ' text && grep -q '^ *wall  *[0-9]' text || fail "text: $(cat text)"

# Descendants count; the status is that of the first run that failed.
ringside stat -r 2 --json -o tree.json sh -c 'alloctruth >/dev/null 2>&1; exit 7' 2>/dev/null
[ $? = 7 ] || fail "exit status"
ringside stat -r 1 --json -o alone.json sh -c 'exit 0' || fail "sh alone"
check "descendants" '.numbers.alloc_objects.mean > $alone[0].numbers.alloc_objects.mean + 100 and .program_status == 7' \
	--slurpfile alone alone.json <tree.json
# A program that is killed is not run again.
ringside stat -r 5 --json -o killed.json sh -c 'kill -9 $$' 2>/dev/null
[ $? = 137 ] || fail "killed"
check "stopped" '.runs == 1' <killed.json

for bad in '-r 0 true' '-r x true' '' '--json'; do
	ringside stat $bad >/dev/null 2>err
	[ $? = 2 ] || fail "stat $bad: $(cat err)"
done
ringside stat ./nothing.here 2>/dev/null
[ $? = 127 ] || fail "no such program"
[ -z "$(ls -A tmp)" ] || fail "left behind: $(find tmp)"

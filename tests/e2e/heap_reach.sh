#!/bin/sh
# Which blocks nothing points to: planted ones of every kind are told apart exactly, memcheck and LeakSanitizer say the
# same where they have a word for it, and it works where nobody may trace.
. "$(dirname "$0")/lib.sh"
PLANTED_PLUGIN="$root/build/tests/programs/plugins/tls_keeper.so"
export PLANTED_PLUGIN

# Sums of all rows through a function of the program, in the shape of --truth; what the loader allocates is not planted.
found='def sum(f): [f] | add // 0;
	[.sites[] | select(any(.stack[]; .function == "block")) | . as $row | [.stack[].function] | map(select(in($truth[0]))) | .[0] | select(. != null) | {key: ., row: $row}]
	| group_by(.key) | map({key: .[0].key, value: ([
		{key: "lost", value: [sum(.[].row.lost_blocks), sum(.[].row.lost_bytes)]},
		{key: "indirect", value: [sum(.[].row.indirect_blocks), sum(.[].row.indirect_bytes)]},
		{key: "possible", value: [sum(.[].row.possible_blocks), sum(.[].row.possible_bytes)]},
		{key: "reachable", value: [sum(.[].row.reachable_blocks), sum(.[].row.reachable_bytes)]},
		{key: "mapped", value: [sum(.[].row.mapped_blocks), sum(.[].row.mapped_bytes)]}
	] | map(select(.value[0] > 0)) | from_entries)}) | from_entries'

planted() { # name, command that runs it
	name="$1"
	shift
	"$@" ringside record -t reach=mark -o "$name.rsd" -- planted --truth >truth.json 2>err || fail "$name: $(cat err)"
	ringside heap reach --by stack --top 0 --json "$name.rsd" >"$name.json" || fail "$name: no report"
	jq -S --slurpfile truth truth.json "$found" "$name.json" >found.json
	jq -S . truth.json >wanted.json
	diff wanted.json found.json || fail "$name: what was found differs from what was planted"
}
planted here env
planted without_ptrace no_ptrace
check "nothing was cut" '.summary.snapshot == "1 of 1, at the mark look" and .summary.freed_later_blocks == 0' <here.json

# The planted ones alone, summed up by state.
sums=$(jq -r '[.[] | to_entries[]] | group_by(.key) | map({key: .[0].key, value: [(map(.value[0]) | add), (map(.value[1]) | add)]})
	| from_entries | "\(.lost[1]) \(.lost[0]) \(.indirect[1]) \(.indirect[0]) \(.possible[1]) \(.possible[0]) \(.mapped[1])"' truth.json)
set -- $sums

compile() { # how, output
	gcc -g -O1 -fno-inline -D_GNU_SOURCE $1 -I"$root/include" -pthread -o "$2" "$root/tests/programs/planted.c" 2>cc.err
}

# The loader's table of libraries and the vector of a thread's TLS are possibly lost to memcheck; no program planted them.
if command -v valgrind >/dev/null && compile -DWITH_MEMCHECK checked; then
	cat >supp <<'END'
{
	loader
	Memcheck:Leak
	...
	fun:_dlfo_*
}
{
	tls
	Memcheck:Leak
	...
	fun:_dl_allocate_tls
}
END
	valgrind --leak-check=full --leak-check-heuristics=none --suppressions=supp --log-file=vg ./checked >/dev/null
	said=$(sed -n '/LEAK SUMMARY/,/still/ s/.*lost: \(.*\) bytes in \(.*\) blocks/\1 \2/p' vg | tr -d , | head -n 3 | tr '\n' ' ')
	[ "$said" = "$1 $2 $3 $4 $5 $6 " ] || fail "memcheck: definitely, indirectly, possibly lost $said, planted $1 $2 $3 $4 $5 $6"
	echo "memcheck says the same: $said"
else
	echo "not compared with memcheck: $(cat cc.err 2>/dev/null)"
fi

# LeakSanitizer does not look into mappings, and takes a pointer into the middle of a block for good.
if compile "-DWITH_LSAN -fsanitize=leak" sanitized; then
	if LSAN_OPTIONS=exitcode=0 ./sanitized >lsan 2>&1 && grep -q SUMMARY lsan; then
		said=$(sed -n 's/^SUMMARY: LeakSanitizer: \([0-9]*\) byte.*/\1/p' lsan | head -n 1)
		[ "$said" = $(($1 + $3 + $7)) ] || fail "LeakSanitizer: $said bytes, planted $(($1 + $3)) and $7 in a mapping"
		echo "LeakSanitizer says the same: $said bytes"
		no_ptrace ./sanitized >lsan 2>&1
		grep -q 'LeakSanitizer has encountered a fatal error' lsan || fail "LeakSanitizer was to fail without ptrace"
	else
		echo "LeakSanitizer does not run here: $(tail -n 1 lsan)"
	fi
fi

# --fail-on counts what is lost, directly or not; suppressions take along what hangs on a block.
ringside heap reach --fail-on $(($1 + $3)) here.rsd >/dev/null || fail "as much as is allowed"
ringside heap reach --fail-on $(($1 + $3 - 1)) here.rsd >/dev/null
[ $? = 1 ] || fail "one byte too many"
echo 'leak:lost_list' >rules
ringside heap reach --json --suppressions rules here.rsd | check "a list goes with its head" \
	'.summary.suppressed_blocks == 3 and .summary.lost_bytes == $lost - 48 and .summary.indirect_blocks == $indirect - 2' \
	--argjson lost "$1" --argjson indirect "$4"
ringside heap reach --json --focus '^thread_lost_block$' here.rsd | check "filters are for what is shown" \
	'.summary.live_blocks == 1 and .summary.lost_bytes == 133'
ringside heap reach --json --size 300-300 here.rsd | check "sizes too" \
	'.summary.live_blocks == 1 and .summary.reachable_bytes == 300'

# Threads that have ended leave nothing that is lost.
cat >ended.c <<'END'
#include <pthread.h>
static void *end(void *arg)
{
	return arg;
}
int main(void)
{
	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, end, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
END
gcc -O1 -pthread -o ended ended.c || fail "ended"
ringside record -t reach=exit -o ended.rsd ./ended 2>/dev/null || fail "ended did not run"
ringside heap reach --json ended.rsd | check "ended threads" '.summary.live_blocks >= 1 and .summary.lost_blocks == 0
	and .summary.possible_blocks == 0'

# At exit, by itself; and what there is to say when there is none.
ringside record -t reach=exit -o exit.rsd -- planted >/dev/null 2>&1 || fail "exit"
ringside heap reach --json exit.rsd | check "at exit" '.summary.snapshot == "1 of 1, at exit" and .summary.lost_bytes >= 1454'
ringside record -o none.rsd -- planted >/dev/null 2>&1
ringside heap reach none.rsd 2>err
[ $? = 2 ] && grep -q 'record with -t reach=exit' err || fail "without a snapshot: $(cat err)"
ringside record -t reach=exit,heap=sample:1k -o sampled.rsd -- planted >/dev/null 2>&1
ringside heap reach sampled.rsd 2>err
[ $? = 2 ] && grep -q 'it needs heap=exact' err || fail "of a sample: $(cat err)"
ringside report sampled.rsd | grep -q '1 snapshots of reach= that could not be made' || fail "the report does not tell"

# The program must not notice, and a sandbox is left alone.
for reach in "mark" "signal:USR2 signal"; do
	ringside record -t "reach=${reach% signal}" -o unseen.rsd -- unseen ${reach#${reach% signal}} >out 2>&1 ||
		fail "reach=$reach: $(cat out)"
	ringside heap reach --json unseen.rsd | check "reach=$reach: the block was freed later or is reachable" \
		'.summary.lost_blocks == 0 and .summary.live_bytes >= 67108864 and .summary.pause_ns < 1000000000'
done
ringside record -t reach=exit -o sandbox.rsd -- sandboxed >/dev/null 2>&1 || fail "sandboxed"
ringside heap reach sandbox.rsd 2>err
[ $? = 2 ] || fail "there should be no snapshot of a sandboxed process"
ringside report sandbox.rsd | grep -q 'snapshots of reach= that could not be made' || fail "skipped without a word"

# Pointers that have no room are counted, and then nothing is called lost.
cat >many.c <<'END'
#include <ringside.h>
#include <stdlib.h>
struct node { struct node *next, *first, *more[4]; };
int main(void)
{
	static struct node *volatile list;
	for (int i = 0; i < 60000; i++) {
		struct node *n = calloc(1, sizeof(*n));
		n->next = n->more[0] = list;
		n->first = n->more[2] = n;
		list = n;
	}
	ringside_mark("look");
	return 0;
}
END
gcc -O1 -I"$root/include" -o many many.c || fail "many"
ringside record -t reach=mark,limit=1600k,cpu=off -o cut.rsd ./many 2>/dev/null || fail "many did not run"
ringside heap reach --json --fail-on 100 cut.rsd >cut.json
[ $? = 1 ] || fail "what is unknown fails the check"
check "what is cut is told" '.summary.lost_blocks == 0 and .summary.unknown_blocks > 1000
	and .summary.unknown_blocks + .summary.reachable_blocks == 60000
	and any(.notes[]; test("[0-9]+ pointers had no room in the dump"))
	and any(.notes[]; test("pointers that had no room in a snapshot of reach="))' <cut.json

ringside record -t reach=mark,ring=256k,cpu=off -o ring.rsd ./many 2>/dev/null || fail "many did not run"
ringside heap reach --json ring.rsd | check "a ring forgets blocks" '.summary.lost_blocks == 0
	and any(.notes[]; test("not all blocks are known"))'

# Of a program that runs on: each signal makes one, and the last one is shown.
cat >server.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *volatile kept[3];
int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	kept[0] = malloc(1000);
	kept[1] = malloc(2000);
	printf("%d\n", getpid());
	while (getchar() == 'x') {
		kept[1] = NULL;
		puts("dropped");
	}
	return 0;
}
END
gcc -O1 -o server server.c || fail "server"
mkfifo in || fail "mkfifo"
ringside record -t reach=signal:USR2 -o server.rsd ./server <in >server.out 2>/dev/null &
exec 9>in
snapshot() { # number: wait until the report has it
	kill -USR2 "$(head -n 1 server.out)"
	for try in $(seq 100); do
		ringside heap reach --json server.rsd >server.json 2>/dev/null &&
			jq -e --arg n "$1 of $1, at SIGUSR2" '.summary.snapshot == $n and .summary.scan_ns > 0' server.json >/dev/null && return
		sleep 0.1
	done
	fail "no snapshot $1: $(cat server.json)"
}
for try in $(seq 100); do [ -s server.out ] && break || sleep 0.1; done
snapshot 1
check "all is reachable" '.summary.lost_blocks == 0 and .summary.reachable_bytes >= 3000' <server.json
printf x >&9
for try in $(seq 100); do grep -q dropped server.out && break || sleep 0.1; done
snapshot 2
check "what was dropped is lost" '.summary.lost_bytes == 2000' <server.json
exec 9>&-
wait

# Compressed dumps have it too.
ringside compress -o small.rsd here.rsd 2>/dev/null && ringside heap reach --json small.rsd >small.json || fail "compressed"
ringside heap reach --json here.rsd | cmp - small.json || fail "the compressed dump says something else"

#!/bin/sh
# A program built anew, with other optimisation and with its lines moved, differs in nothing; what was planted is found.
. "$(dirname "$0")/lib.sh"
cat >work.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ringside.h>
#ifdef MOVED
/* Lines that were not there before, */
static int padding(int x)
{
	return x * 3 + 1;
}
/* and a function. */
#endif

static char *kept[8192];
static int kept_len;

/* What nobody looks at, a compiler need not allocate. */
#define LOOK_AT(p) __asm__ volatile("" : : "r"(p) : "memory")

static inline char *text(size_t size)
{
#ifdef MOVED
	volatile int moves_the_next_line = 1;

	(void)moves_the_next_line;
#endif
	char *p = malloc(size);

	memset(p, 'x', size);
	LOOK_AT(p);
	return p;
}

__attribute__((noinline)) static void keep(size_t size)
{
	kept[kept_len++] = text(size);
}

__attribute__((noinline)) static void TABLE(int rows)
{
	for (int i = 0; i < rows; i++)
		keep(100);
#ifdef MOVED


#endif
	for (int i = 0; i < rows; i++) {
		char *row = calloc(1, 50);

		row[0] = (char)i;
		LOOK_AT(row);
		row = realloc(row, 200);
		LOOK_AT(row);
		free(row);
	}
#ifdef PLANTED
	for (int i = 0; i < 7; i++)
		keep(1000);
#endif
	keep(300);
#ifndef TAIL
	LOOK_AT(kept);
#endif
}

int main(int argc, char **argv)
{
	int units = argc > 1 ? atoi(argv[1]) : 10;
#ifdef MOVED
	volatile int y = padding(argc);

	(void)y;
#endif
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 0; i < units; i++) {
		ringside_region unit = ringside_region_begin(RINGSIDE_NO_TASK, "unit");

		TABLE(20);
		ringside_region_end(unit);
	}
	printf("%d\n", kept_len);
	return 0;
}
C
build() { # NAME COMPILER AND FLAGS
	name=$1
	shift
	"$@" -std=gnu11 -g -I"$root/include" -DTABLE="${TABLE:-table}" -o "$name" work.c || fail "$name does not build"
	ringside record -o "$name.rsd" -- "./$name" 10 >/dev/null 2>&1 || fail "$name does not run"
}
build old gcc -O0
build again gcc -O0
build o2 gcc -O2 -DMOVED
build o1 gcc -O1 -fno-pie -no-pie -DMOVED
build planted gcc -O2 -DMOVED -DPLANTED
build clang clang -O1 -DMOVED
# The last call becomes a jump, and its caller leaves no frame.
build tail gcc -O2 -DMOVED -DTAIL

# Nothing changed: no place of the heap, whatever a row is, and no total.
heap='inuse_space inuse_objects alloc_space alloc_objects peak_space peak_objects temporary free_objects'
for new in old again o2 o1 clang tail; do
	for by in place stack function module; do
		ringside diff --json --by $by --fail-on 'alloc_objects>0,alloc_space>0,peak_space>0%,inuse_space>0' \
			old.rsd $new.rsd >same.json || fail "$new by $by: exit $?"
		check "$new by $by is the same" '
			[($heap | split(" "))[] as $name | .places[$name], [.totals[] | select(.name == $name and .delta != 0)]]
			| length == 16 and all(. == [])' --arg heap "$heap" <same.json
	done
done

# What was planted, and only that: 70 blocks of 1000 bytes by keep for table, in a build that moved everything else.
ringside diff --json --top 0 old.rsd planted.rsd >planted.json
check "the planted blocks" '
	.places.alloc_objects | length == 1 and .[0].delta == 70 and .[0].state == "both" and .[0].old == 210
	and .[0].stack[0].function == "text"' <planted.json
check "the planted bytes" '.places | all(.alloc_space, .peak_space, .inuse_space; length == 1 and .[0].delta == 70000)' <planted.json
ringside diff --json --by stack old.rsd planted.rsd |
	check "as a stack of its own" '.places.alloc_objects | length == 1 and .[0].state == "new" and .[0].new == 70
		and [.[0].stack[].function][0:3] == ["text", "keep", "table"]'
check "totals" '
	(.totals[] | select(.name == "alloc_objects")) as $t | $t.delta == 70 and $t.old == 610 and $t.ratio > 1.11
	and .old.program == "old" and .new.program == "planted"' <planted.json

gate() { # EXIT LIMITS [WORD]
	ringside diff --fail-on "$2" old.rsd planted.rsd >gate.out 2>gate.err
	got=$?
	[ $got = "$1" ] || fail "--fail-on $2: exit $got, want $1: $(cat gate.err)"
	[ -z "${3:-}" ] || grep -q "$3" gate.err || fail "--fail-on $2 does not say $3: $(cat gate.err)"
}
gate 1 'peak_space>5%' 'crossed: peak_space>5%: .* to .* (+.*%), most by text (work.c:'
gate 1 'alloc_objects>0' '610 to 680'
gate 0 'alloc_objects>70'
gate 1 'alloc_objects>69,peak_space>1g'
gate 0 'peak_space>1m, temporary>0'
gate 1 'alloc_objects@^keep$>69' 'crossed: alloc_objects@^keep$>69: 210 to 280'
gate 0 'alloc_objects@^calloc_of_nobody$>0'
gate 2 'peek_space>5%' 'did you mean peak_space?'
gate 2 'peak_space>5ms' 'a percentage or a size'
gate 2 'peak_space' 'NAME>LIMIT'
gate 2 'wall@f>5%' 'belongs to no function'
gate 2 'peak_space>>5%' 'one sign too many'
gate 2 'alloc_objects@(>0' 'Unmatched'
ringside diff --fail-on 'alloc_objects<0' planted.rsd old.rsd >/dev/null 2>&1
[ $? = 1 ] || fail "a fall is no change"

# A renamed function is gone and new.
TABLE=chart build renamed gcc -O2
ringside diff --json --by function --focus '^(table|chart)$' old.rsd renamed.rsd >renamed.json
check "a renamed function" '
	.places.alloc_objects | [.[] | {s: .state, f: .stack[0].function}] | sort_by(.s)
	== [{s: "gone", f: "table"}, {s: "new", f: "chart"}]' <renamed.json
check "is said to be" 'any(.notes[]; contains("renamed"))' <renamed.json

# Twice the work is no difference by unit of work.
ringside record -o twice.rsd -- ./old 20 >/dev/null 2>&1
for per in '--per unit' '--work 10,20'; do
	ringside diff --json $per old.rsd twice.rsd |
		check "$per" '(.places | all(.alloc_objects, .alloc_space, .temporary; . == [])) and .old.work == 10 and .new.work == 20
			and (.totals[] | select(.name == "alloc_objects")) .old == 61
			and (.totals[] | select(.name == "peak_space")) .delta == 23000'
done
ringside diff --json --per second old.rsd twice.rsd |
	check "--per second" '(.old.work - .old.duration_ns / 1e9 | fabs) < 1e-9 and (.totals[] | select(.name == "wall")) .old == 1000000000'
ringside diff --per unot old.rsd twice.rsd 2>err >/dev/null
[ $? = 2 ] && grep -q 'did you mean unit?' err || fail "--per unot: $(cat err)"
for bad in '--work 1' '--work 0,1' '--work 1,2,3' '--sample peek_space' '--by plac' '--focus ('; do
	ringside diff $bad old.rsd twice.rsd 2>err >/dev/null
	[ $? = 2 ] || fail "$bad: $(cat err)"
done
ringside diff old.rsd 2>/dev/null
[ $? = 2 ] || fail "one file"
ringside diff old.rsd none.rsd 2>/dev/null
[ $? = 3 ] || fail "no file"

# CSV: the totals, or the places of one number.
ringside diff --csv old.rsd planted.rsd | grep -q '^alloc_objects,610,680,70' || fail "CSV of totals"
ringside diff --csv --sample alloc_space old.rsd planted.rsd | tail -n +2 | grep -qc '^text (work.c:[0-9]*),[0-9]*,[0-9]*,70000,' ||
	fail "CSV of places"

# --diff-base: the same in pprof's views, where what fell is negative.
ringside heap --diff-base old.rsd --sample alloc_space --json planted.rsd |
	check "top" '.total == $total and .diff_base == "old.rsd" and .rows[0].function == "text" and .rows[0].flat == 70000
		and all(.rows[1:][]; .flat == 0 and .cum == 70000)' --argjson total "$(jq '.totals[] | select(.name == "alloc_space") | .old' planted.json)"
ringside heap --diff-base planted.rsd --sample alloc_space --json old.rsd |
	check "top the other way" '.rows[0].function == "text" and .rows[0].flat == -70000 and .rows[0].flat_share < 0'
ringside heap --diff-base planted.rsd --sample alloc_objects old.rsd | grep -q '^ *-70 .* text (work.c' || fail "negative numbers in text"
ringside heap --diff-base old.rsd --sample alloc_objects --traces --json planted.rsd |
	check "traces" '.rows | length == 1 and .[0].value == 70 and [.[0].stack[].function][0:4] == ["text", "keep", "table", "main"]'
ringside heap --diff-base old.rsd --sample alloc_objects --peek '^keep$' --json planted.rsd |
	check "peek" '.rows[0] | .cum == 70 and .callees[0].value == 70 and .callers[0].function == "table"'
ringside heap --diff-base old.rsd --sample alloc_objects --tree --json o2.rsd | check "tree of no change" '.rows == []'
ringside heap --diff-base old.rsd --lines --sample alloc_objects --json planted.rsd |
	check "lines" '[.rows[] | select(.function == "table" and .cum != 0)] | length == 1'
ringside cpu --diff-base old.rsd --json planted.rsd | check "cpu" '.profile == "cpu"'
ringside block --diff-base old.rsd --json planted.rsd | check "block" '.profile == "block"'
ringside heap --diff-base old.rsd --list text planted.rsd 2>/dev/null
[ $? = 2 ] || fail "--list with --diff-base"

# Built anew in its place, the old program is found where it was put aside.
cp old prog && ringside record -o before.rsd -- ./prog 10 >/dev/null 2>&1
mkdir aside && mv prog aside/prog && cp planted prog && ringside record -o after.rsd -- ./prog 10 >/dev/null 2>&1
ringside diff --json before.rsd after.rsd | check "without the old program" 'any(.notes[]; contains("replaced"))'
ringside diff --json --binaries "nowhere:$dir/aside" before.rsd after.rsd |
	check "--binaries" '(.places.alloc_objects | length == 1 and .[0].delta == 70) and .notes == []'

# C++: the compiler decides which part of a container is inlined.
cat >containers.cc <<'C'
#include <map>
#include <memory>
#include <string>
#include <vector>
#ifdef MOVED


#endif
struct item {
	std::string name;
	int n;
};

static std::vector<item> make(int n)
{
#ifdef MOVED
	volatile int y = n;
	(void)y;
#endif
	std::vector<item> out;
	for (int i = 0; i < n; i++)
		out.push_back(item{ std::string(40 + i % 7, 'x'), i });
	return out;
}

int main()
{
	std::map<std::string, int> index;
	for (auto &i : make(500))
		index[i.name + std::to_string(i.n)] = i.n;
	std::vector<std::unique_ptr<item>> list;
	for (int i = 0; i < 50; i++)
		list.push_back(std::make_unique<item>());
#ifdef PLANTED
	for (int i = 0; i < 9; i++)
		list.push_back(std::make_unique<item>());
#endif
	return index.empty();
}
C
g++ -g -O0 -o c0 containers.cc && g++ -g -O2 -DMOVED -o c2 containers.cc && g++ -g -O2 -DMOVED -DPLANTED -o c3 containers.cc ||
	fail "containers.cc does not build"
for p in c0 c2 c3; do ringside record -o $p.rsd -- ./$p 2>/dev/null; done
for by in place stack function; do
	ringside diff --json --by $by c0.rsd c2.rsd | check "containers by $by" '.places | all(.alloc_objects, .alloc_space; . == [])'
done
ringside diff --json c0.rsd c3.rsd | check "one more container" '
	[.totals[] | select(.name == "alloc_objects")][0].delta == 9 and ([.places.alloc_objects[].delta] | add) == 9
	and all(.places.alloc_objects[]; .stack[0].function == "main" or (.stack[0].function | test("make_unique")))'

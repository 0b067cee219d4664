#!/bin/sh
# Allocations, frees and bytes of real single-threaded programs equal memcheck's "total heap usage" within 0.1 %.
. "$(dirname "$0")/lib.sh"
command -v valgrind >/dev/null || skip "valgrind is not installed"

# Without valgrind's own call of __libc_freeres, which frees what the program itself never does.
compare() { # name command...
	name="$1"
	shift
	ringside record -o "$name.rsd" -- "$@" >"$name.out" 2>"$name.err" || fail "$name did not run: $(cat "$name.err")"
	ringside report --json --top 5 "$name.rsd" >"$name.json"
	valgrind --run-libc-freeres=no --log-file="$name.vg" "$@" >"$name.bare"
	cmp "$name.out" "$name.bare" || fail "$name: its output differs"
	usage=$(sed -n 's/.*total heap usage: \(.*\) allocs, \(.*\) frees, \(.*\) bytes allocated/\1 \2 \3/p' "$name.vg" | tr -d ,)
	set -- $usage
	close_to "$name allocations" "$(jq .heap.allocations "$name.json")" "$1" 0.1
	close_to "$name frees" "$(jq .heap.frees "$name.json")" "$2" 0.1
	close_to "$name bytes" "$(jq .heap.allocated_bytes "$name.json")" "$3" 0.1
	jq -e '.recording.lost_events == 0' "$name.json" >/dev/null || fail "$name lost events"
}

compare sqlite3 sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<300000) select count(*), sum(x*x) from c'
compare jq jq -n '[range(20000) | {a: ., b: tostring}] | length'
head -c 3000000 "$root/build/bin/ringside" >data
compare xz xz -1 -k -c -T1 data
compare zstd zstd -q -c --single-thread data
# A compiler's allocations depend on where the kernel puts it: another run of it may need one buffer more.
retry() {
	for attempt in 1 2 3 4 5 6 7 8; do
		(compare "$@") && return
		rm -f "$dir/.failed"
	done
	exit 1
}
echo 'int main(void) { return 0; }' >t.c
retry cc1 "$(gcc -print-prog-name=cc1)" -quiet t.c -o /dev/null
PYTHONMALLOC=malloc PYTHONHASHSEED=1
export PYTHONMALLOC PYTHONHASHSEED
python=$(command -v /usr/bin/python3 || command -v python3)
compare python3 "$python" -S -c 'print(len([str(i) * 3 for i in range(30000)]))'

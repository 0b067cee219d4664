#!/bin/bash
# sqlite: sqlite3 opens the database and finds it whole; sites, waits, samples and threads are the recording's, exactly,
# and stacks have all their frames. Hostile names are text, quotes or not.
. "$(dirname "$0")/lib.sh"
command -v sqlite3 >/dev/null || skip "no sqlite3 to read the database with"
ringside record -t cpu=250,block=0 -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record"
echo secret >secret
hostile=$'x\'); drop table waits; --\033[31mred\a\r\n\t\xc2\x9b2J\xff\xe2\x80\xae",;%s\\'
objcopy --redefine-sym alloc_of_names="$hostile" --strip-debug "$root/build/tests/programs/names" prog || fail "objcopy"
ringside record -t cpu=250,block=0 -o h.rsd -- ./prog "file$hostile" secret "$hostile" >/dev/null 2>&1 || fail "record names"

same() { # what query wanted
	got=$(sqlite3 "$run.db" "$2") || fail "$run: $2"
	[ "$got" = "$3" ] || fail "$run: $1: the database says $got, the recording $3"
	echo "$run: $1 $got"
}
for run in b h; do
	ringside export sqlite -o "$run.db" "$run.rsd" || fail "export $run"
	ringside report --json "$run.rsd" >report.json
	ringside dump --json "$run.rsd" >dump.json
	same "integrity" "pragma integrity_check" ok
	same "heap" "select sum(allocations), sum(allocated_bytes), sum(live_blocks), sum(live_bytes), sum(peak_bytes) from sites" \
		"$(jq -r '.heap | [.allocations, .allocated_bytes, .live_blocks, .live_bytes, .peak_bytes] | join("|")' report.json)"
	same "waits" "select kind, count(*), sum(dur_ns), sum(amount), count(distinct thread) from waits group by kind order by kind" \
		"$(jq -r -s 'map(select(.kind == "span")) | group_by(.wait)[] | [.[0].wait, length, (map(.dur_ns) | add),
			(map(.amount) | add), (map(.tid) | unique | length)] | join("|")' dump.json)"
	same "blocked" "select sum(blocked_ns) from waits" "$(ringside export folded --profile block --sample blocked "$run.rsd" |
		awk '{ sum += $NF } END { printf "%.0f", sum }')"
	same "samples" "select sum(weight) from samples" "$(jq -s 'map(select(.kind == "sample").weight) | add' dump.json)"
	same "threads" "select tid from threads order by tid" "$(jq -r 'select(.kind == "thread-slot").tid' dump.json | sort -n)"
	same "stacks without frames" "select count(*) from (select stack from sites union select stack from waits union
		select stack from samples) where stack <> 0 and stack not in (select stack from stack_frames)" 0
	same "end" "select value from recording where key = 'end_ns'" "$(jq 'select(.kind == "recording").end_ns' dump.json)"
done
run=b
# By function, against the folded export.
ringside export folded --sample alloc_space b.rsd | awk '{ n = $NF; sub(/ [0-9]*$/, ""); sub(/.*;/, ""); sum[$0] += n }
	END { for (f in sum) printf "%s|%.0f\n", f, sum[f] }' | LC_ALL=C sort >ours
sqlite3 b.db "select function, sum(allocated_bytes) from sites natural join stack_frames where depth = 0
	group by function" | LC_ALL=C sort >theirs
diff theirs ours || fail "bytes by function: the database (<), folded (>)"
run=h
same "the hostile function" "select count(*) from frames where function like 'x''); drop table waits; --' || char(27) || '[31mred%'" 1

# A database is a file; no journal and no part stays.
ringside export sqlite b.rsd 2>err | cat >piped
[ ! -s piped ] && grep -q 'a database is a file' err || fail "into a pipe: $(cat err)"
ringside export sqlite b.rsd >redirected.db || fail "stdout that is a file"
[ "$(sqlite3 redirected.db 'select sum(allocations) from sites')" = "$(sqlite3 b.db 'select sum(allocations) from sites')" ] ||
	fail "redirected"
[ -z "$(ls -d ./*.part.* ./*-journal 2>/dev/null)" ] || fail "left behind: $(ls)"
(ulimit -f 40; trap '' XFSZ; ringside export sqlite -o full.db b.rsd 2>err) && fail "a disk without room"
[ ! -e full.db ] && grep -q SQLite err || fail "no room: $(cat err)"

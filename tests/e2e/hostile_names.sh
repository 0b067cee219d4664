#!/bin/bash
# Names of functions that are made to harm, in every format of `ringside export` and in the page: markup, terminal
# escapes, line ends, quotes, separators, 64 KB, bytes that are no UTF-8. Each format is read by its own client, which must
# count the same as from the same recording with plain names.
. "$(dirname "$0")/lib.sh"
set -o pipefail
markup='</script><script>document.title="owned"</script><img src=x onerror=alert(1)>'
escapes=$'\033[31mred\033]0;title\a\r\n\t\b\177\xc2\x9b2J\xff\xc3(\xe2\x80\xaeevil\xe2\x80\xa8'
long="(1) alloc<b>$escapes;\"',=\\%s%n$(printf 'x%.0s' {1..65536})</b>"
echo "a secret" >secret

# The same build id, so that each stands in for the other when names are looked up.
plain() {
	objcopy --strip-debug "$root/build/tests/programs/names" prog || fail "objcopy"
}
hostile() {
	objcopy --redefine-sym main="$markup" --redefine-sym alloc_of_names="$long" --redefine-sym wait_of_names="wait$escapes" \
		--redefine-sym burn_of_names=$'burn"\\\n+ 1\nfn=(1) x\n# y\n1 2 3;' --redefine-sym hold_of_names=$'hold\',\r\n"' \
		--redefine-sym lock_of_names="lock$markup" --strip-debug "$root/build/tests/programs/names" prog || fail "objcopy"
}
hostile
ringside record -o run.rsd -t cpu=250,block=0 -- ./prog "file$escapes" secret "$markup" >/dev/null 2>err || fail "record: $(cat err)"

# No control character but newline (in CSV: after a carriage return), no hidden one, valid UTF-8.
clean() { # file
	perl -0777 -MEncode -ne '
		my $text = eval { decode("UTF-8", $_, Encode::FB_CROAK) } // die "not UTF-8\n";
		$text =~ s/\r\n/\n/g;
		$text =~ /[\x00-\x09\x0b-\x1f\x7f-\x9f\x{61c}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]/ and
			die sprintf("U+%04X after %s\n", ord $&, quotemeta substr($text, $-[0] < 60 ? 0 : $-[0] - 60, 60));
	' "$1" 2>perl.err || fail "$side: $1: $(cat perl.err)"
}

sum_of_lines() { awk '{ sum += $NF } END { printf "%.0f\n", sum }'; }
heap() { jq ".heap.$1" "$side/report.json"; }
# equal WHAT GOT WANTED
equal() {
	[ -n "$2" ] && [ "$2" = "$3" ] || fail "$side: $format: $1 is $2, must be $3"
	echo "$1 $2"
}

# ---- one for each format: clean, read by its client, the totals printed and the report's -------------------------

client_pprof() { # file
	gzip -t "$1" || fail "$side: not gzip"
	command -v go >/dev/null || { echo "no go"; return; }
	go tool pprof -symbolize=none -sample_index=alloc_space -raw "$1" >raw 2>/dev/null || fail "$side: go tool pprof -raw"
	go tool pprof -symbolize=none -sample_index=alloc_space -unit=B -top -nodefraction=0 "$1" >top 2>/dev/null || fail "$side: go tool pprof -top"
	clean top
	tr -d '\t' <raw >raw.text
	clean raw.text
	equal bytes "$(awk '/^Samples:/ { inside = 1; next } /^Locations/ { inside = 0 }
		inside && /\// && !column { for (i = 1; i <= NF; i++) if ($i ~ /^alloc_space\//) column = i; next }
		inside && column && /^ *[-0-9]+[- 0-9]*:/ { split($0, sides, ":"); split(sides[1], v, " "); sum += v[column] }
		END { printf "%.0f", sum }' raw)" "$(heap allocated_bytes)"
	awk '/flat%/ { table = 1; next } table { print $1, $4, (NF > 5 ? "named" : "not") }' top | sort
}
client_folded() {
	clean "$1"
	equal bytes "$(sum_of_lines <"$1")" "$(heap allocated_bytes)"
	awk -F';' '{ n = split($NF, words, " "); print NF, words[n] }' "$1" | sort
}
client_speedscope() {
	clean "$1"
	jq -c '.shared.frames as $f | .profiles[] | (all(.samples[][]; . < ($f | length)) | if . then empty else error("frames") end),
		[.name, (.weights | add // 0), .endValue, (.samples | map(length) | sort)]' "$1"
	equal bytes "$(jq '.profiles[] | select(.name == "alloc_space").endValue' "$1")" "$(heap allocated_bytes)"
}
client_callgrind() {
	clean "$1"
	callgrind_annotate --threshold=100 --sort=alloc_space "$1" >annotated 2>&1 || fail "$side: callgrind_annotate: $(head -c 300 annotated)"
	tr -d , <annotated | grep 'PROGRAM TOTALS' | grep -q "\\b$(heap allocated_bytes)\\b" || fail "$side: $(grep TOTALS annotated)"
	grep -qi '^warning\|malformed' annotated && fail "$side: callgrind_annotate complains: $(grep -i '^warning\|malformed' annotated | head -c 300)"
	awk '/file:function/ { table = 1; next } table && /[0-9] *\([0-9. ]*%\)/ { print $1, $3, $5 }' annotated
}
client_chrome() {
	clean "$1"
	jq -c '[.traceEvents[] | select(.ph == "X" and .cat != "region" and .cat != "unfinished")] | [length, (map(.dur * 1000 | round) | add)]' "$1"
	jq -c '.traceEvents | group_by(.ph)[] | [.[0].ph, length]' "$1"
	jq -c '.stackFrames | length' "$1"
	equal peak "$(jq '[.traceEvents[] | select(.cat == "heap").args.live_bytes] | max' "$1")" "$(heap peak_bytes)"
}
client_firefox() {
	clean "$1"
	python3 "$root/tests/e2e/firefox_profile.py" run.rsd "$1" >/dev/null || fail "$side: the profile's tables"
	jq -c 'del(.functions)' facts.json
}
client_perfetto() {
	command -v protoc >/dev/null || { echo "no protoc"; return; }
	protoc --proto_path "$root/tests/support" --decode=perfetto.protos.Trace "$root/tests/support/perfetto.proto" <"$1" >decoded ||
		fail "$side: protoc"
	# What shows it is a browser: control characters are text there, bytes that are no UTF-8 are none.
	grep -q '\\377' decoded && fail "$side: a name that is not UTF-8"
	grep -o '^ *[a-z_0-9]* [{]' decoded | sort | uniq -c
	[ "$(grep -c 'type: 1$' decoded)" -ge "$(jq .block.spans "$side/report.json")" ] || fail "$side: waits are missing"
}
client_jsonl() {
	clean "$1"
	jq -c -s 'map(select(.ns != null)) | group_by(.kind)[] | [.[0].kind, length, (map(.dur_ns // 0) | add), (map(.size // 0) | add),
		(map(.amount // 0) | add)]' "$1"
	jq -c -s 'map(select(.kind == "stack").frames | length) | sort' "$1"
	equal bytes "$(jq -s 'map(select(.kind == "alloc" or .kind == "realloc-alloc").size) | add' "$1")" "$(heap allocated_bytes)"
}
client_csv() {
	clean "$1"
	command -v sqlite3 >/dev/null || { echo "no sqlite3"; return; }
	sqlite3 :memory: ".import --csv $1 events" "select kind, count(*), sum(dur_ns), sum(size), sum(amount),
		sum(length(functions) > 0) from events group by kind order by kind" 2>sqlite.err || fail "$side: sqlite3"
	[ ! -s sqlite.err ] || fail "$side: sqlite3 complains: $(head -c 300 sqlite.err)"
}
client_massif() {
	clean "$1"
	ms_print --threshold=0 "$1" >printed 2>ms.err || fail "$side: ms_print: $(head -c 300 ms.err)"
	[ ! -s ms.err ] || fail "$side: ms_print complains: $(head -c 300 ms.err)"
	equal peak "$(tr -d , <printed | awk 'NF == 6 && $1 ~ /^[0-9]+$/ && $3 == $4 && $5 == 0 && $3 > most { most = $3 } END { print most }')" \
		"$(heap peak_bytes)"
	tr -d , <printed | sed -n 's/^[ |]*->\([0-9.]*% ([0-9]*B)\).*/\1/p'
}
client_dhat() {
	clean "$1"
	jq -c '.ftbl as $f | [(.pps | map(.tb) | add), (.pps | map(.tbk) | add), (.pps | map(.gb) | add), ($f | length),
		(.pps | map(.fs | length) | sort), (all(.pps[].fs[]; . < ($f | length)))]' "$1"
	equal bytes "$(jq '.pps | map(.tb) | add' "$1")" "$(heap allocated_bytes)"
}
client_heaptrack() {
	clean "$1"
	heaptrack_print --disable-builtin-suppressions --disable-embedded-suppressions --flamegraph-cost-type allocations -F stacks \
		"$1" >printed 2>ht.err || fail "$side: heaptrack_print: $(head -c 300 ht.err)"
	equal allocations "$(sum_of_lines <stacks)" "$(heap allocations)"
	grep -a '^calls to allocation\|^peak heap\|^total memory leaked' printed
}
client_sqlite() {
	command -v sqlite3 >/dev/null || { echo "no sqlite3"; return; }
	equal integrity "$(sqlite3 "$1" 'pragma integrity_check')" ok
	equal bytes "$(sqlite3 "$1" 'select sum(allocated_bytes) from sites')" "$(heap allocated_bytes)"
	sqlite3 "$1" 'select kind, count(*), sum(dur_ns) from waits group by kind order by kind; select count(*) from frames;
		select sum(weight) from samples; select depth, count(*) from stack_frames group by depth order by depth'
}

for need in callgrind_annotate ms_print heaptrack_print python3; do
	command -v $need >/dev/null || skip "no $need here"
done
formats=$(ringside help export | sed -n '/^Formats/,/^$/s/^  \([a-z]*\)  .*/\1/p')
[ "$(echo "$formats" | wc -w)" -ge 13 ] || fail "the help lists too few formats: $formats"
for side in hostile plain; do
	$side
	mkdir $side
	ringside report --json --top 0 run.rsd >$side/report.json || fail "$side: report"
	for format in $formats; do
		declare -F "client_$format" >/dev/null || fail "the format $format has no client in this test"
		sample=
		[ "$format" != folded ] || sample="--sample alloc_space"
		# shellcheck disable=SC2086 # words
		timeout 60 ringside export "$format" $sample -o "$side/out.$format" run.rsd 2>err || fail "$side: export $format: $(head -c 300 err)"
		clean err
		"client_$format" "$side/out.$format" >"$side/$format.totals" || exit 1
		[ -s "$side/$format.totals" ] || fail "$side: nothing was read of $format"
	done
done
for format in $formats; do
	cmp -s "hostile/$format.totals" "plain/$format.totals" ||
		fail "$format: plain (<) and hostile (>) names differ: $(diff "plain/$format.totals" "hostile/$format.totals" | head -c 600)"
	# Shown, and not left out: by the first letters, which harm nobody.
	case $format in
	pprof) gzip -dc hostile/out.pprof ;;
	*) cat "hostile/out.$format" ;;
	esac | LC_ALL=C grep -acF '<script>document.title=' >/dev/null || fail "$format: the name of main is not shown"
	echo "$format: equal, $(stat -c %s "plain/out.$format") bytes with plain names, $(stat -c %s "hostile/out.$format") with hostile ones"
done

# ---- the page ----------------------------------------------------------------------------------------------------
hostile
ringside html -o page.html run.rsd 2>err || fail "html: $(head -c 300 err)"
side=hostile
tr -d '\t' <page.html >page.text
clean page.text
grep -qF '<script>document' page.html && fail "a script in a name is a script of the page"
. "$root/tests/web/browser.sh"
drive hostile.mjs page.html
exit 0

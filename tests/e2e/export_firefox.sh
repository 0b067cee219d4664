#!/bin/bash
# The Firefox Profiler's profile: tables that fit together and sums that are the recording's; hostile names do no harm;
# more waits than there is room for are left out and told. The Profiler's own client finds the same sums.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to check the profile with"

ringside record -t cpu=250,block=0 -o w.rsd -- workflow --parallel --jobs 40 >/dev/null 2>&1 || fail "record workflow"
ringside record -t cpu=250 -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record batch"
ringside record -t heap=sample:4k,cpu=250 -o s.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record sampled"
echo secret >secret
hostile=$'\033[31mred\a\r\n\t\177\xc2\x9b2J\xff\xe2\x80\xae",;=&<b>%s\\'
objcopy --redefine-sym alloc_of_names="alloc$hostile" --redefine-sym wait_of_names="wait$hostile" --strip-debug \
	"$root/build/tests/programs/names" "$hostile" 2>/dev/null || fail "objcopy"
ringside record -t cpu=250,block=0 -o h.rsd -- "./$hostile" "file$hostile" secret "$hostile" >/dev/null 2>err ||
	fail "record names: $(cat err)"
for run in w b s h; do
	ringside export firefox -o "$run.json" "$run.rsd" 2>err || fail "export $run"
	[ -s err ] && fail "export $run says: $(cat err)"
	python3 "$root/tests/e2e/firefox_profile.py" "$run.rsd" "$run.json" || fail "$run.json"
	mv facts.json "$run.facts"
	LC_ALL=C tr -d '\n' <"$run.json" | LC_ALL=C grep -q '[[:cntrl:]]' && fail "$run.json: a control character"
done
check "the hostile function is there" 'any(.functions[]; startswith("wait\u001b[31mred") and contains("\ufffd"))' <h.facts
check "regions, tasks and counters are there" '.types | .region > 10 and .task > 10 and .counter > 10' <w.facts
check "samples are there" '.samples > 10 and .counters > 0' <b.facts

# More waits than there is room for: the longest ones are there, and how many are not is said twice.
ringside record -t block=0,heap=off -o many.rsd -- manywaits 400000 >/dev/null 2>&1 || fail "record manywaits"
ringside export firefox -o many.json many.rsd 2>err || fail "export many"
ringside dump --json many.rsd | jq 'select(.kind == "span").dur_ns' >durations
jq '[.threads[].markers | .startTime as $b | .endTime | to_entries[] | select(.value != null)
	| ((.value - $b[.key]) * 1000000 | round)] | sort' many.json >kept.json
all=$(wc -l <durations) kept=$(jq length kept.json)
[ "$all" -ge 400000 ] && [ "$kept" -gt 100000 ] && [ "$kept" -lt 262144 ] || fail "$kept of $all waits are in the profile"
sort -rn durations | head -n "$kept" | sort -n | cmp - <(jq '.[]' kept.json) || fail "these are not the longest waits"
grep -q "$((all - kept)) waits of .* are not in the profile" err || fail "not told how many are left out: $(cat err)"
check "and in the profile" '.meta.extra[0].entries[0].value | startswith($n + " waits")' --arg n "$((all - kept))" <many.json

# The Profiler's own client, which brings the profile up to its version and reads it.
command -v node >/dev/null && command -v npm >/dev/null || { echo "no node and npm here: its own client did not read it"; exit 0; }
modules=$root/build/tests/web/profiler
mkdir -p "$modules"
if ! cmp -s "$root/tests/web/profiler/package.json" "$modules/package.json" || [ ! -e "$modules/installed" ]; then
	rm -f "$modules/installed"
	cp "$root/tests/web/profiler/package.json" "$modules/"
	(cd "$modules" && timeout 200 npm install --no-audit --no-fund --no-package-lock --silent >npm.log 2>&1) ||
		{ echo "npm could not install the Profiler's client: it did not read it"; exit 0; }
	touch "$modules/installed"
fi
export PROFILER_CLI_SESSION_DIR=$dir/s
cli=$modules/node_modules/.bin/profiler-cli
client() {
	timeout 60 node "$cli" "$@" --session test
}
# It is a daemon that is asked questions: ours, so that it has the time it needs and ends with us.
daemon=
stop_client() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	[ -z "$daemon" ] || wait "$daemon" 2>/dev/null
	daemon=
}
trap 'code=$?; stop_client; finish' EXIT
# A client that asks before the daemon is ready takes its session for a dead one and removes it: its log says when it is.
start_client() { # FILE
	for try in 1 2 3; do
		stop_client
		# A folder for each: the one before may still be tidying up in its own.
		export PROFILER_CLI_SESSION_DIR="$dir/s.$try.$1"
		timeout 400 node "$cli" --daemon "$PWD/$1" --session test >daemon.log 2>&1 &
		daemon=$!
		for _ in $(seq 300); do
			grep -q 'Profile loaded' "$PROFILER_CLI_SESSION_DIR/test.log" 2>/dev/null && break
			kill -0 $daemon 2>/dev/null || break
			sleep 0.1
		done
		client status >out 2>&1 && return
	done
	fail "profiler-cli did not load $1: $(cat out daemon.log "$PROFILER_CLI_SESSION_DIR"/test.log)"
}
# self STRATEGY THREAD: what all functions have themselves.
self() {
	client thread functions --thread "$2" --strategy "$1" --include-idle --limit 0 --json 2>/dev/null |
		jq '[.functions[].selfSamples] | add // 0' 2>/dev/null || echo 0
}
# read_by_client RUN: it has the same threads, markers and time waited.
read_by_client() {
	start_client "$1.json"
	client thread list --json >threads || fail "profiler-cli thread list"
	check "$1: threads" '.threads | length == $f[0].threads and (map(.markerCount) | add) == $f[0].markers' \
		--slurpfile f "$1.facts" <threads
	client profile markers --limit 100000 --json >markers || fail "profiler-cli profile markers"
	check "$1: waits" '[.markers[] | select(.markerType == "wait" and .data.unfinished == null)] | length == $f[0].waits
		and (map(.duration * 1000000 | round) | add) == $f[0].waits_ns' --slurpfile f "$1.facts" <markers
}
read_by_client h
read_by_client w
for pair in "native-allocations allocated" "native-retained-allocations live" "timing weight"; do
	set -- $pair
	sum=$(for thread in $(jq -r '.threads[].threadHandle' threads); do self "$1" "$thread"; done | jq -s add)
	check "$1 of $sum" '.[$key] == $sum' --arg key "$2" --argjson sum "$sum" <w.facts
done
client counter list --json | grep -q 'live bytes' || fail "profiler-cli counter list"
echo "its own client found the same"
exit 0

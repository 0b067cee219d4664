#!/bin/sh
# How much more stack calls take under the recorder, by group of functions: not more than docs/safety.md says.
# With --table the rows of that page are printed.
. "$(dirname "$0")/lib.sh"
SLACK=64 # another compiler may lay frames out a little differently

LD_BIND_NOW=1 stack_use >bare || fail "stack_use"
LD_BIND_NOW=1 LD_PRELOAD="$lib" RINGSIDE="cpu=off,block=0,out=$dir/s.rsd" stack_use >recorded || fail "stack_use, recorded"

# The group of a function is the file of its wrapper, as the comments in hooks.def say.
awk '/^\/\*.*hook_[a-z0-9]*\.c/ { match($0, /hook_[a-z0-9]*\.c/); file = substr($0, RSTART, RLENGTH) }
	match($0, /^HOOK\([^(]*, *\(/) { n = $0; sub(/, \(.*/, "", n); sub(/.*[ *,]/, "", n); print n "\t" file }' "$root/preload/hooks.def" >groups
paste bare recorded | awk -F'\t' '
	NR == FNR { group[$1] = $2; next }
	!($1 in group) { print $1 " is in no group" > "/dev/stderr"; bad = 1 }
	{ first = $7 - $3; again = $8 - $4; g = group[$1] }
	!(g in most) || first > most[g] { most[g] = first; worst[g] = $1 }
	!(g in usual) || again > usual[g] { usual[g] = again }
	END { for (g in most) printf "| `%s` | %d | %d | `%s` |\n", g, most[g], usual[g], worst[g]; exit bad }
' groups - | sort >rows || fail "the groups"
[ "${1:-}" = --table ] && cat rows && exit 0
[ "$(wc -l <rows)" -ge 12 ] || fail "only $(wc -l <rows) groups"
while read -r _ group _ first _ again _; do
	wanted=$(grep -F "| $group |" "$root/docs/safety.md") || fail "docs/safety.md has no row for $group"
	echo "$wanted" | awk -v first="$first" -v again="$again" -v slack="$SLACK" \
		'{ exit !(first <= $4 + slack && again <= $6 + slack && $4 <= first + 4 * slack) }' ||
		fail "$group takes $first and $again bytes; docs/safety.md says: $wanted"
done <rows
cat rows

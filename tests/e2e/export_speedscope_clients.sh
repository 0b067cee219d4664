#!/bin/bash
# speedscope's own page opens what is exported for it: each number is a profile by its name, with the sums of the reports
# in all and by stack. Hostile names are shown as they are.
. "$(dirname "$0")/lib.sh"
. "$root/tests/web/browser.sh"
. "$root/tests/web/viewers.sh"

make_recordings
files=()
for run in w b h; do
	for what in heap cpu block; do
		ringside export speedscope --profile "$what" -o "$run.$what.json" "$run.rsd" || fail "export $run $what"
		files+=("$run.rsd" "$what" "$run.$what.json")
	done
done
view speedscope.mjs --shows "$markup" --shows "hold$markup" --shows "$long" "${files[@]}"
exit 0

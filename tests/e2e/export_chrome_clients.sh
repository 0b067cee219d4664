#!/bin/bash
# Chrome's trace events, read by those that they are for: catapult's importer, in a browser, and the engine of DevTools'
# Performance panel have the recording's threads, events, times, counters, samples and stacks, hostile names too.
. "$(dirname "$0")/lib.sh"
. "$root/tests/web/browser.sh"
. "$root/tests/web/viewers.sh"

make_recordings
# A mark, and a wait that does not end.
ringside record -t block=0 -o m.rsd -- planted >/dev/null 2>&1 || fail "record planted"
for run in w b h m; do
	ringside export chrome -o "$run.json" "$run.rsd" || fail "export $run"
done
view catapult.mjs --shows "$markup" --shows "hold$markup" --shows "$long" w.rsd w.json b.rsd b.json h.rsd h.json m.rsd m.json
view devtools.mjs --shows "hold$markup" w.rsd w.json b.rsd b.json h.rsd h.json m.rsd m.json
exit 0

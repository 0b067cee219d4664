#!/bin/bash
# Chrome's trace events, read by those that they are for: catapult's importer, in a browser, and the engine of DevTools'
# Performance panel have the recording's threads, events, times, counters, samples and stacks, hostile names too.
. "$(dirname "$0")/lib.sh"
. "$root/tests/web/browser.sh"
. "$root/tests/web/viewers.sh"

make_recordings
for run in w b h; do
	ringside export chrome -o "$run.json" "$run.rsd" || fail "export $run"
done
view catapult.mjs --shows "$markup" --shows "hold$markup" --shows "$long" w.rsd w.json b.rsd b.json h.rsd h.json
view devtools.mjs --shows "hold$markup" w.rsd w.json b.rsd b.json h.rsd h.json
exit 0

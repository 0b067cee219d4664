#!/bin/bash
# The page of `ringside html` in a headless browser: what tests/web/*.mjs do with it.
. "$(dirname "$0")/lib.sh"
. "$root/tests/web/browser.sh"

ringside record -o batch.rsd -t cpu=250 -- batch >/dev/null 2>err || fail "batch: $(cat err)"
ringside html -o batch.html batch.rsd || fail "html batch"
drive walk.mjs batch.html

# Tasks and regions by several threads, which wake each other; latency has a view of its own.
ringside record -o workflow.rsd -- workflow --parallel >/dev/null 2>err || fail "workflow: $(cat err)"
ringside html -o workflow.html workflow.rsd || fail "html workflow"
drive lanes.mjs workflow.html
[ -z "$FIREFOX" ] || drive firefox.mjs workflow.html

# Two recordings: the newer one takes its small blocks from a pool.
ringside record -o naive.rsd -- batch >/dev/null 2>err || fail "batch: $(cat err)"
ringside record -o pooled.rsd -- batch --variant pooled >/dev/null 2>err || fail "batch: $(cat err)"
ringside html --diff-base naive.rsd -o diff.html pooled.rsd || fail "html with a base"
drive diff.mjs diff.html

markup='</script><script>document.title="owned"</script><img src=x onerror=alert(1)>'
objcopy --redefine-sym alloc_of_names="$markup" --redefine-sym wait_of_names="$markup<b>" --redefine-sym lock_of_names="$markup<i>" \
	--redefine-sym burn_of_names=$'\033[31m\xe2\x80\xaeevil' --strip-debug "$root/build/tests/programs/names" hostile || fail objcopy
echo secret >secret
LD_PRELOAD="$lib" RINGSIDE="out=$dir/hostile.rsd,cpu=250,block=0" ./hostile "file<b>" secret "$markup" 2>err || fail "$(cat err)"
ringside html -o hostile.html hostile.rsd || fail "html of hostile names"
drive hostile.mjs hostile.html
exit 0

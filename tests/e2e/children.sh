#!/bin/sh
# A tree of processes is one recording: FILE and FILE.d/, named by report, chosen by --process, merged by --all.
. "$(dirname "$0")/lib.sh"
ringside record -o tree.rsd -- sh -c 'sqlite3 :memory: "select 1"; (echo sub | cat); jq -n 1' >out 2>err || fail "$(cat err)"
printf '1\nsub\n1\n' | cmp - out || fail "output"
ls tree.rsd.d/sqlite3.*.rsd tree.rsd.d/jq.*.rsd tree.rsd.d/cat.*.rsd >/dev/null || fail "descendants: $(ls tree.rsd.d)"
[ "$(stat -c %a tree.rsd.d)" = 700 ] && [ "$(stat -c %a tree.rsd)" = 600 ] || fail "permissions"
ringside report tree.rsd | grep -q sqlite3 || fail "report does not name the children"
[ "$(ringside report --json --process sqlite3 tree.rsd | jq -r .program.exe | xargs basename)" = sqlite3 ] || fail "--process"
one=$(ringside report --json --process sqlite3 tree.rsd | jq .heap.allocations)
all=$(ringside report --json --all tree.rsd | jq .heap.allocations)
[ "$all" -gt "$one" ] || fail "--all has $all allocations, sqlite3 alone $one"

ringside record -t children=off -o off.rsd -- sh -c 'sqlite3 :memory: "select 1"' >/dev/null 2>&1
[ -e off.rsd.d ] && fail "children=off left $(ls off.rsd.d)"
ringside record -t children==^jq -o match.rsd -- sh -c 'sqlite3 :memory: "select 1"; jq -n 1' >/dev/null 2>&1
ls match.rsd.d | grep -q jq || fail "children==^jq has no jq"
ls match.rsd.d | grep -q sqlite3 && fail "children==^jq has sqlite3"

# The default name gets a suffix instead of overwriting; -o replaces.
ringside record -- true 2>/dev/null && ringside record -- true 2>/dev/null
[ "$(ls ringside.true.*.rsd | wc -l)" = 2 ] || fail "default names: $(ls)"
ringside record -o tree.rsd -- true 2>/dev/null
[ "$(ringside report --json tree.rsd | jq -r .program.exe | xargs basename)" = true ] || fail "-o does not replace"

# An exec ends one dump and begins the next, of the same process.
ringside record -o exec.rsd -- sh -c 'exec sleep 0.05' 2>/dev/null
[ "$(ringside report --json exec.rsd | jq -r .program.end)" = exec ] || fail "the end of the first image"
[ "$(ringside report --json --process sleep exec.rsd | jq -r .program.end)" = exit:0 ] || fail "the end of the second"
forkexec >bare.txt 2>&1
ringside record -o fx.rsd -- forkexec >rec.txt 2>/dev/null || fail "forkexec failed under the recorder"
exit 0

#!/bin/bash
# What descriptors are used for, and where they were opened: planted storms of EAGAIN, syncs and descriptors left open.
. "$(dirname "$0")/lib.sh"

ringside record -o files.rsd -- descriptors >truth.json || fail "descriptors"
ringside trace files --json --top 0 files.rsd >files.json
with() {
	what="$1" expression="$2"
	check "$what" "$expression" --slurpfile truth truth.json <files.json
}
by='def by(f): [.descriptors[] | select(any(.stack[]?; .function == f))];'
with "who asks again instead of waiting" "$by by(\"ask_again\") | any(.[]; .again == \$truth[0].storm and .sign == \"EAGAIN storm\")"
with "who syncs after each write" "$by by(\"sync_often\") | length == 1 and (.[0] | .syncs == \$truth[0].syncs
	and .sign == \"sync after sync\" and .bytes_written == 7 * .syncs and .state == \"closed\" and (.path | endswith(\"/synced\")))"
with "who leaves descriptors open" "$by by(\"leave_open\") | length == \$truth[0].leaks and all(.[]; .state == \"open\" and .bytes_read == 7)"
with "nothing is said of one that is used well" "$by by(\"use_well\") | length == 1 and (.[0] | .sign == null and .syncs == 1
	and .bytes_per_call >= 60000)"
ringside trace files files.rsd | grep -q 'sync_often (descriptors.c' || fail "the text does not say where it was opened"
ringside dump --json files.rsd | jq -s -e 'any(.[]; .kind == "fd-close" and .syncs == 150 and (.open_stack | length > 0))' >/dev/null ||
	fail "the records do not tell"

#!/bin/sh
# The tables in the pages say what the .def rows say, and every kind of table is somewhere.
set -eu
cd "$(dirname "$0")/../.."
docs/tables.sh --check
for name in events metas waits apis cuts counters toggles commands findings; do
	grep -q "^<!-- table:$name -->" README.md docs/*.md || { echo "no page has the table $name" >&2; exit 1; }
done

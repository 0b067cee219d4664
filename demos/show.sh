#!/bin/sh
# What `make demo` runs after the build: record a bundled workload and a program of this machine, show the reports.
# The recordings stay in build/demo. The exit status is 0 only if every step worked.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/build/bin:$root/build/demos:$PATH"
out="$root/build/demo"
unset LD_PRELOAD RINGSIDE
export PATH PAGER=cat

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

for word in ringside batch; do
	command -v "$word" >/dev/null || { echo "demo: $word is not built; run make demo" >&2; exit 1; }
done
rm -rf "$out"
mkdir -p "$out"
cd "$out"

heading() {
	printf '\n%s-- %s%s\n\n' "$bold" "$*" "$plain"
}

# Say what is typed, then do it.
run() {
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
	"$@"
}

# A program that is here anyway, with work of its own to do.
record_something_real() {
	if command -v sqlite3 >/dev/null; then
		cat >words.sql <<-'SQL'
			CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT);
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
			INSERT INTO words SELECT i, hex(i * 2654435761 % 1000003) FROM n;
			CREATE INDEX by_word ON words(word);
			SELECT count(DISTINCT word) || ' words' FROM words WHERE word LIKE '3%';
		SQL
		run ringside record -o real.rsd sqlite3 words.db ".read words.sql"
	elif command -v python3 >/dev/null; then
		run ringside record -o real.rsd python3 -c 'import json; print(len(json.dumps([{"n": i, "s": str(i)} for i in range(200000)])))'
	else
		od -An -tx4 -v "$root/build/lib/ringside/libringside.so" >numbers
		run ringside record -o real.rsd sort -o sorted numbers
	fi
}

heading "1. A batch processor with four workers, recorded. It was not built for this; only symbols help."
run ringside record -o batch.rsd batch --variant naive

heading "2. The report: findings first, then memory, CPU, waiting, locks and threads."
run ringside report --top 5 batch.rsd

heading "3. Who holds the lock that the others wait for?"
run ringside block --kind mutex --top 4 batch.rsd

heading "4. Where do the bytes come from that it allocates over its run?"
run ringside heap --sample alloc_space --top 6 batch.rsd

heading "5. A program of this machine, as it is."
record_something_real
run ringside report --top 5 real.rsd

heading "What next"
cat <<EOF_NEXT
The recordings are in build/demo. Try

  export PATH="$root/build/bin:\$PATH"
  ringside heap --list grow_result build/demo/batch.rsd      source lines with their bytes
  ringside block --traces build/demo/batch.rsd               every stack that waited
  ringside record ./your-program                             then: ringside report
  ringside help                                              all commands

README.md shows how to read a report, docs/README.md is the index by task.
EOF_NEXT

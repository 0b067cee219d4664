#!/bin/sh
# A few programs that others wrote behave as without the recorder: the short form of `make conformance`.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
run="$root/tests/conformance/run.py"

# The runner can tell a difference, a case that is no measure, and nothing.
mkdir cases none
cat >cases/same.sh <<'CASE'
# Title: prints the same each time
run() {
	echo same
	seq 10 >file
}
CASE
"$run" --cases cases --quick "$root/build" && fail "there was nothing to run, and it was content"
sed -i '1a # Quick: yes' cases/same.sh
"$run" --cases cases --quick "$root/build" || fail "equal runs were not seen as equal"
"$run" --cases none --quick "$root/build" 2>/dev/null && fail "an empty folder was enough"

planted() { # what shell-code
	printf '# Title: %s\n# Quick: yes\nrun() {\n\techo always\n\t%s\n}\n' "$1" "$2" >none/case.sh
	"$run" --cases none --quick "$root/build" >planted.out && fail "a difference in $1 was not seen"
	grep -q "$3" planted.out || fail "a difference in $1 was seen as: $(cat planted.out)"
}
recorded='[ -n "${RINGSIDE:-}" ]'
planted "stdout" "$recorded && echo other" DIFFERENT
planted "stderr" "$recorded && echo other >\&2; true" DIFFERENT
planted "the exit status" "$recorded && return 3; true" DIFFERENT
planted "files" "$recorded && echo other >file; true" DIFFERENT
planted "modes of files" "touch file; $recorded && chmod 600 file || chmod 644 file" DIFFERENT
planted "what is left running" "$recorded && { sleep 60 >/dev/null 2>\&1 \& }; true" DIFFERENT
planted "two bare runs" 'date +%N' "broken"
printf '# Title: lacks a program\n# Quick: yes\n# Needs: no-such-program\nrun() {\n\techo\n}\n' >none/case.sh
"$run" --cases none --quick "$root/build" >planted.out && fail "a case that did not run was enough"
grep -q "not installed" planted.out || fail "a missing program: $(cat planted.out)"

"$run" --quick "$root/build"

#!/bin/bash
# Names that are made to harm: of functions, locks, threads, files, programs, arguments, annotations. No command shows
# a control character in any format, none breaks a line, a column or a field.
. "$(dirname "$0")/lib.sh"
names_program=$root/build/tests/programs/names
hostile=$'\033[31mred\033]0;title\a\r\n\t\177\xc2\x9b2J\xff\xe2\x80\xaeevil\xe2\x80\xa8",;=&b&%s\\'
friendly=_$(printf 'f%.0s' {1..90}) # takes as many columns as the other one made safe
odd=$'p\033[2J\nq\xe2\x80\xae\xc2\x9b\xff'
echo "a secret" >secret
mkdir "$odd"

# The same build id, so that each stands in for the other when names are looked up.
rename() { # suffix
	objcopy --redefine-sym alloc_of_names="alloc$1" --redefine-sym wait_of_names="wait$1" \
		--redefine-sym burn_of_names="burn$1" --redefine-sym hold_of_names="hold$1" \
		--redefine-sym lock_of_names="lock$1" --strip-debug "$names_program" "$odd/prog$odd" || fail "objcopy"
}
rename "$hostile"
LD_PRELOAD="$lib" RINGSIDE="out=$dir/run.rsd,cpu=250,block=0" "$odd/prog$odd" "file$hostile" secret "$hostile" 2>err ||
	fail "the program: $(cat err)"
ringside record -o "launched$odd.rsd" -- "$odd/prog$odd" "file$hostile" secret "$hostile" 2>record.err ||
	fail "record: $(cat record.err)"
ringside report run.rsd >/dev/null || fail "report"

# No control character but newline (in CSV: after a carriage return), no direction override, valid UTF-8.
clean() { # what file
	perl -0777 -MEncode -ne '
		my $text = eval { decode("UTF-8", $_, Encode::FB_CROAK) } // die "not UTF-8\n";
		$text =~ s/\r\n/\n/g;
		$text =~ /(.{0,60}[\x00-\x09\x0b-\x1f\x7f-\x9f].{0,60})/s and die "a control character: " . quotemeta($1) . "\n";
		$text =~ /([\x{61c}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}])/ and
			die sprintf("a hidden character, U+%04X\n", ord $1);
	' "$2" 2>perl.err || fail "$1: $(cat perl.err)"
}

commands='report
report --top=0 --all
heap --top=0
heap --top=0 --sample alloc_space --lines
heap --top=0 --sample alloc_space --addresses
heap --top=0 --sample alloc_space --modules
heap --top=0 --sample alloc_space --files
heap --tree --sample alloc_space
heap --traces --sample alloc_space
heap --peek . --sample alloc_space
heap --list alloc --sample alloc_space
cpu --top=0
cpu --tree
cpu --traces
cpu --peek .
block --top=0
block --tree
block --traces
block --peek .
block --top=0 --thread .
dump'

run_all() { # into a folder, one file for each command and format
	mkdir "$1"
	echo "$commands" | while read -r command; do
		for format in '' --json --csv; do
			case "$command$format" in dump--csv | report*--csv) continue ;; esac
			# shellcheck disable=SC2086 # words
			ringside $command $format run.rsd >"$1/$command$format" 2>"$1/err" ||
				{ grep -q 'no\|not' "$1/err" && continue; }
			clean "$command $format" "$1/$command$format"
			clean "$command $format, stderr" "$1/err"
		done
	done || exit 1
	rm -f "$1/err"
}
run_all hostile || exit 1
clean "record, stderr" record.err
grep -q 'alloc\\x1b\[31mred' 'hostile/heap --traces --sample alloc_space' || fail "the name is not shown at all"
grep -q 'lock\\x1b' 'hostile/block --top=0' || fail "the lock's name is not shown"
grep -q 'task \\x1b' hostile/dump || fail "the task's name is not shown"

rename "$friendly"
run_all friendly || exit 1
for file in hostile/*; do
	name=${file#hostile/}
	[ "$(wc -l <"$file")" = "$(wc -l <"friendly/$name")" ] ||
		fail "$name: $(wc -l <"$file") lines with hostile names, $(wc -l <"friendly/$name") with others"
	case "$name" in
	dump--json) jq -e . "$file" >/dev/null || fail "$name: no JSON" ;;
	*--json) jq -e . "$file" >/dev/null || fail "$name: no JSON" ;;
	*--csv) /usr/bin/python3 -c '
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
assert rows and len({len(r) for r in rows}) == 1, {len(r) for r in rows}
assert not any(c[:1] in "=+-@" and not c[1:2].isdigit() for r in rows for c in r if c)
' "$file" || fail "$name: no CSV" ;;
	esac
done
# Columns stay where they are: up to the name, each line is the same with either.
columns() {
	sed -n 's/\(alloc\|wait\|burn\|hold\|lock\)\(\\x1b\|_ff\).*/\1/p' "$1"
}
for name in report 'heap --top=0' 'cpu --top=0' 'block --top=0' 'heap --tree --sample alloc_space'; do
	columns "hostile/$name" >a
	columns "friendly/$name" >b
	[ -s a ] || fail "$name: no name is shown"
	cmp -s a b || fail "$name: the columns moved: $(diff a b | head -4)"
done
echo "$(ls hostile | wc -l) outputs are clean"

# What the launcher and errors say, and a name that stands in the current directory.
ringside report "launched$odd.rsd" >out 2>err || fail "report: $(cat err)"
clean "report of an odd name" out
ringside report "missing$odd" >out 2>err && fail "a missing file was read"
clean "error" err
ringside record -o x.rsd -- "missing$odd" 2>err
clean "not found" err
ringside heap --focus "($odd" run.rsd 2>err && fail "a bad expression was taken"
clean "bad expression" err
LD_PRELOAD="$lib" RINGSIDE="$odd=1,heap=$odd,out=$dir/y.rsd" true 2>err
clean "a bad toggle" err
LD_PRELOAD="$lib" RINGSIDE="block=0,iotrace=1ns,locktrace=1ns,schedtrace=20,heaptrace=20,inittrace=1,help=1,out=$dir/z.rsd" \
	"$odd/prog$odd" "file$hostile" secret 2>err
[ "$(wc -l <err)" -gt 20 ] || fail "no lines of the toggles"
clean "lines while it runs" err
exit 0

#!/bin/sh
# What can't be read gives one clear line and exit 3; what can't be recorded is told before it runs.
. "$(dirname "$0")/lib.sh"

refused() { # code pattern command...
	code="$1" pattern="$2"
	shift 2
	"$@" >out 2>err
	got=$?
	[ $got = "$code" ] || fail "$*: exit $got, want $code: $(cat err)"
	[ -s out ] && fail "$*: wrote to stdout"
	grep -Eiq "$pattern" err || fail "$*: no '$pattern' in: $(cat err)"
	[ "$(wc -l <err)" -le 3 ] || fail "$*: more than three lines: $(cat err)"
}

: >empty.rsd
echo 'this is not a dump, it only has the name of one' >foreign.rsd
head -c 300000 /dev/urandom >noise.rsd
ringside record -o good.rsd -- true 2>/dev/null
head -c 100 good.rsd >short.rsd
for f in empty foreign noise short missing; do
	for command in report heap cpu block dump; do
		refused 3 "$f.rsd" ringside $command $f.rsd
	done
done
refused 3 'not a regular file' ringside report /tmp
refused 2 'did you mean' ringside reprot good.rsd
refused 2 'top' ringside heap --topp good.rsd
mkdir none && (cd none && refused 3 'rsd' ringside report)

# A dump cut anywhere after its header is read as far as it goes.
size=$(stat -c %s good.rsd)
for cut in 70000 131000 200000 $((size - 1)); do
	head -c $cut good.rsd >cut.rsd
	ringside report --json cut.rsd >cut.json 2>err || [ $? = 3 ] || fail "cut at $cut: $(cat err)"
done

echo 'int main(void) { return 0; }' >t.c
gcc -static -o static t.c && refused 125 'static' ringside record -o s.rsd -- ./static
cp /bin/true setuid && { chown 65534 setuid 2>/dev/null; chmod u+s setuid; } && refused 125 'set-?u' ringside record -o s.rsd -- ./setuid
gcc -m32 -o thirtytwo t.c 2>/dev/null && refused 125 '32' ringside record -o s.rsd -- ./thirtytwo
refused 127 'not found' ringside record -o s.rsd -- no-such-program-here
echo hello >plain && refused 126 'execut|permission' ringside record -o s.rsd -- ./plain
refused 2 '' ringside record
[ -e s.rsd ] && fail "a dump was left behind"

# Exit statuses are the program's own.
ringside record -o s.rsd -- sh -c 'exit 42' 2>/dev/null
[ $? = 42 ] || fail "exit status"
ringside record -o s.rsd -- sh -c 'kill -TERM $$' 2>/dev/null
[ $? = 143 ] || fail "signal status"
exit 0

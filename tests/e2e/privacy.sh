#!/bin/bash
# What a dump gives away, who may read it, and what is planted where it will stand.
. "$(dirname "$0")/lib.sh"
chmod 755 "$dir"
cp "$lib" libringside.so
lib="$dir/libringside.so"
cp "$root/build/tests/programs/names" "$root/build/tests/programs/faults" .

# Nothing of the environment, of memory or of files; the arguments are there, and so is the toggles' variable.
# Files as sparse as dumps are read without their holes.
holds() { # text file...
	text=$1
	shift
	tar -Scf - "$@" | grep -aq -e "$text"
}
secret=hunter2-$$-correcthorsebattery
echo "$secret" >secret
for toggles in block=0,cpu=500 ring=1m heap=sample:1k heap=off inittrace=1,trigger=block:1ms,ring=1m; do
	rm -rf run.rsd* small.rsd*
	PASSWORD=$secret LD_PRELOAD="$lib" RINGSIDE="out=$dir/run.rsd,$toggles" ./names file secret argument-of-$$ 2>/dev/null ||
		fail "names: $toggles"
	PASSWORD=$secret ringside record -z -o small.rsd -t "$toggles" -- ./names file secret argument-of-$$ 2>/dev/null
	ringside dump small.rsd >small.txt
	holds "argument-of-$$" run.rsd || fail "the arguments are not in the dump: would anything be found?"
	holds "$secret" run.rsd* small.txt && fail "$toggles: the secret is in a dump"
done
ls run.rsd.snap* >/dev/null 2>&1 || fail "no snapshot was looked at"
ringside report --json run.rsd | jq -e --arg a "argument-of-$$" '.program.argv[3] == $a' >/dev/null || fail "argv"

# 0600 and 0700, whatever the umask says.
if [ "$(id -u)" = 0 ]; then
	other='setpriv --reuid 65534 --regid 65534 --clear-groups'
	chmod 777 .
else
	other=
fi
for mask in 000 022 077 0277 0777; do
	rm -rf um*
	$other sh -c "umask $mask; LD_PRELOAD=$lib RINGSIDE=out=$dir/um.rsd ./faults forks >/dev/null
		ringside record -o um2.rsd -- ./faults plain >/dev/null 2>um.err" || fail "umask $mask"
	[ "$(stat -c %a um.rsd um2.rsd | tr '\n' ' ')" = "600 600 " ] || fail "umask $mask: $(ls -l um*.rsd)"
	[ "$(stat -c %a um.rsd.d)" = 700 ] || fail "umask $mask: $(ls -ld um.rsd.d)"
	[ "$(find um.rsd.d -type f ! -perm 600 | wc -l)" = 0 ] || fail "umask $mask: $(ls -l um.rsd.d | head)"
	[ "$(find um.rsd.d -type f | wc -l)" -ge 150 ] || fail "umask $mask: $(find um.rsd.d -type f | wc -l) dumps"
	[ "$(stat -c %s um.rsd)" -lt 100000000 ] || fail "umask $mask: the file was not cut at the end"
done
chmod 755 .
rm -rf um*

# Planted at the name: nothing is followed, nothing is changed, the program runs.
victim() {
	rm -rf x x.d victim
	echo precious >victim
}
planted() { # what : afterwards
	[ "$(cat victim)" = precious ] || fail "$1: the victim was changed"
	[ "$(stat -c %a victim)" = 644 ] || fail "$1: the victim's rights were changed"
}
run_into() { # what pattern
	[ "$(LD_PRELOAD="$lib" RINGSIDE="out=$dir/$2" timeout 20 ./faults plain 2>&1)" = "child: exit 0" ] ||
		fail "$1: the program was disturbed"
	planted "$1"
}
umask 022
victim && ln -s victim x && run_into "a link" x
[ -L x ] || fail "a link was replaced"
victim && ln -s nowhere x && run_into "a link to nothing" x
[ ! -e nowhere ] || fail "a file was made behind a link"
victim && ln victim x && run_into "a hard link" x
victim && : >empty && ln empty x && run_into "a hard link to an empty file" x
[ ! -s empty ] || fail "an empty file with two names was taken"
victim && mkfifo x && run_into "a pipe" x
victim && mkdir x && run_into "a directory" x
victim && echo mine >x && run_into "a file with contents" x
[ "$(cat x)" = mine ] || fail "a file with contents was changed"
victim && ln -s victim x.d && run_into "a link for the descendants" x
victim && mkdir elsewhere && ln -s elsewhere x.d && run_into "a link to a directory for the descendants" x
[ -z "$(ls elsewhere)" ] || fail "dumps of descendants went through a link"
victim && mkdir -m 777 x.d && run_into "an open directory for the descendants" x
[ -z "$(ls x.d)" ] || fail "dumps of descendants went into an open directory"
ringside report x | grep -q 'child processes whose dump could not be created' || fail "that is not told"
if [ "$(id -u)" = 0 ]; then
	victim && mkdir -m 700 x.d && chown 65534 x.d && run_into "somebody else's directory for the descendants" x
	[ -z "$(ls x.d)" ] || fail "dumps of descendants went into somebody else's directory"
	victim && : >x && chown 65534 x && run_into "somebody else's empty file" x
	[ ! -s x ] || fail "somebody else's file was taken"
fi
# By the command: the same, but a file in place is replaced, as -o says.
victim && ln victim x && ringside record -o x -- ./faults plain >/dev/null 2>&1
planted "record, a hard link"
victim && mkfifo x && ringside record -o x -- ./faults plain >/dev/null 2>err
[ -p x ] && grep -q 'not a place for a recording' err || fail "record, a pipe: $(cat err)"

victim && echo mine >target && ln -s target x && ringside record -o x -- ./faults plain >/dev/null 2>&1
[ -L x ] && ringside report target >/dev/null || fail "record did not follow a link of the user's own"
mkdir elsewhere2 && : >elsewhere2/empty && ln -s elsewhere2 target.d && : >elsewhere2/faults.1.rsd
ringside record -o x -- ./faults plain >/dev/null 2>&1
[ -e elsewhere2/empty ] && [ -e elsewhere2/faults.1.rsd ] || fail "record emptied a directory behind a link"

# A race for the name, against another user in an open directory.
race() {
	for ((i = 0; i < 2000; i++)); do
		$other sh -c 'for i in 1 2 3 4 5 6 7 8; do
			ln -sf ../victim race/x; rm -f race/x; ln victim race/x; rm -f race/x; mkfifo race/x; rm -f race/x
			ln -s ../behind race/x.d; rm -f race/x.d
		done' 2>/dev/null
	done
}
if [ "$(id -u)" = 0 ]; then
	victim
	mkdir -m 777 race
	mkdir behind
	: >behind/kept.1.rsd
	race &
	racer=$!
	for ((i = 0; i < 25; i++)); do
		LD_PRELOAD="$lib" RINGSIDE="out=$dir/race/x" ./faults execs 2 >/dev/null || fail "race: the program was disturbed"
		ringside record -o race/x -- ./faults execs 1 >/dev/null 2>&1
		planted race
		[ "$(ls behind)" = kept.1.rsd ] || fail "race: the directory behind a link was changed"
	done
	kill $racer
	wait $racer 2>/dev/null
fi

# A directory where others may write is told.
mkdir -m 777 open
ringside record -o open/x.rsd -- ./faults execs 0 >/dev/null 2>err
grep -q 'open/: others can write to this directory' err || fail "an open directory is not told: $(cat err)"
mkdir -m 1777 sticky
ringside record -o sticky/x.rsd -- ./faults execs 0 >/dev/null 2>err
[ "$(wc -l <err)" = 1 ] || fail "a sticky directory is as good as one of our own: $(cat err)"

# A program with rights of its own: linked with the library, so that the loader takes it even then.
[ "$(id -u)" = 0 ] || exit 0
echo 'int main(void) { return 7; }' >plain.c
gcc -o linked plain.c -Wl,--no-as-needed "$lib" || fail "gcc"
mkdir -m 777 for-all
ordinary() {
	rm -rf for-all/*
	RINGSIDE=out=$dir/for-all/x.rsd,help=1 setpriv --reuid 65534 --regid 65534 --clear-groups ./linked 2>err
	[ $? = 7 ] || fail "$1: $(cat err)"
}
ordinary "without rights"
[ -s for-all/x.rsd ] && [ -s err ] || fail "the library was not even loaded"
chmod u+s linked
ordinary setuid
[ -z "$(ls for-all)" ] && [ ! -s err ] || fail "a setuid program was recorded: $(ls for-all) $(cat err)"
chmod u-s,g+s linked
chgrp 12 linked && chmod g+s linked
ordinary setgid
[ -z "$(ls for-all)" ] && [ ! -s err ] || fail "a setgid program was recorded"
chmod g-s linked
if command -v setcap >/dev/null && setcap cap_net_raw+ep linked 2>/dev/null; then
	ordinary "file capabilities"
	[ -z "$(ls for-all)" ] && [ ! -s err ] || fail "a program with file capabilities was recorded"
	ringside record -o for-all/y.rsd -- ./linked 2>err && fail "record ran it"
	grep -q 'file capabilities' err || fail "record does not say why: $(cat err)"
fi
exit 0

#!/bin/sh
# Limits, file systems and users that recording meets: the program runs as ever, and the files are the user's only.
. "$(dirname "$0")/lib.sh"
ulimit -c 0
part() { echo "part $1"; }
work="sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<3000) select sum(length(hex(x))) from c'"
want=$(sh -c "$work")
mode="block=0,cpu=1000"

# runs WHAT shell-command-before : the work comes out right.
runs() {
	got=$(bash -c "$2; LD_PRELOAD='$lib' RINGSIDE='$mode,out=$dir/l.%p.rsd' $work" 2>&1)
	[ "$got" = "$want" ] || fail "$1: $got"
	rm -f l.*.rsd
	echo "fine    $1"
}

part limits
runs "address space" "ulimit -v 400000"
runs "hardly any address space" "ulimit -v 60000"
runs "no descriptor to spare" "ulimit -n 8"
runs "file size" "ulimit -f 1"
runs "no locked memory" "ulimit -l 0"
runs "small stack" "ulimit -s 128"
runs "no signals in reserve" "ulimit -i 0"
LD_PRELOAD="$lib" RINGSIDE="$mode,out=$dir/limits.rsd" limits >recorded 2>&1
limits >bare 2>&1
diff bare recorded || fail "limits that a program sets for itself"

part shared-mappings
# A file system on which a file can't be mapped for writing, as some are: a filter refuses such mappings.
cat >noshared.c <<'C'
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_SHARED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENODEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return 99;
	execvp(argv[1], argv + 1);
	return argc;
}
C
gcc -o noshared noshared.c
if ./noshared true; then
	[ "$(LD_PRELOAD="$lib" RINGSIDE="$mode,out=$dir/x.rsd" ./noshared sh -c "$work" 2>&1)" = "$want" ] || fail "no shared mappings"
fi

part planted-names
# What somebody put in the way is neither followed nor written to.
echo precious >victim
for kind in link fifo hard full; do
	rm -f planted.rsd
	case $kind in
	link) ln -s victim planted.rsd ;;
	fifo) mkfifo planted.rsd ;;
	hard) : >empty && ln -f empty planted.rsd ;;
	full) echo text >planted.rsd ;;
	esac
	[ "$(LD_PRELOAD="$lib" RINGSIDE="$mode,out=$dir/planted.rsd" timeout 60 sh -c "$work" 2>&1)" = "$want" ] || fail "$kind in the way"
	[ "$(cat victim)" = precious ] || fail "$kind: the file it leads to was written"
	[ $kind != hard ] || [ ! -s empty ] || fail "a second name was written through"
	[ $kind != full ] || [ "$(cat planted.rsd)" = text ] || fail "a file that was not empty was written"
done
rm -f planted.rsd
(umask 0; LD_PRELOAD="$lib" RINGSIDE="out=$dir/mode.rsd" /bin/true)
[ "$(stat -c %a mode.rsd)" = 600 ] || fail "readable by others: $(stat -c %a mode.rsd)"

part content
SECRET_VARIABLE=hushhush PATH="$PATH" LD_PRELOAD="$lib" RINGSIDE="$mode,out=$dir/secret.rsd" sqlite3 :memory: "select length(printf('%s%s', 'dis', 'creet'))" >/dev/null
printf 'tellnobody\n' | LD_PRELOAD="$lib" RINGSIDE="$mode,out=$dir/secret2.rsd" cat >/dev/null
grep -qa 'hushhush\|SECRET_VARIABLE' secret.rsd && fail "the environment is in the dump"
grep -qa 'tellnobody' secret2.rsd && fail "what was read is in the dump"
grep -qa 'discreet' secret.rsd && fail "memory is in the dump"
[ "$(wc -c <secret.rsd)" -gt 1000 ] || fail "nothing was recorded"

part configuration
# Whatever stands in the variable, the program runs, and stdout is its own.
n=0
for toggles in '=' ',,,' 'out=' 'out=%' 'out=%n%s%p' 'depth=-1' 'depth=99999999999999999999' 'cpu=1e9' 'cpu=-5' 'ring=18446744073709551615' \
	'limit=1' 'limit=0x' 'heap=sample:0' 'heap=sample:' 'block=9999999999999s' 'children==(' 'children==[' 'trigger=signal:KILL' \
	"out=$(printf 'a%.0s' $(seq 1 5000))" "$(printf 'heap=exact,%.0s' $(seq 1 2000))" 'heap' 'help=2' "$(printf '\033[31m=\001')"; do
	[ "$(LD_PRELOAD="$lib" RINGSIDE="$toggles" sh -c 'echo fine' 2>err)" = fine ] || fail "RINGSIDE=$toggles: $(cat err)"
	grep -q "$(printf '\033')" err && fail "RINGSIDE=$toggles reaches the terminal raw"
	n=$((n + 1))
done
echo "fine    $n strange values"

part names
# Many processes of one name and number never share a file; a name that exists gets another.
mkdir many
for i in $(seq 1 40); do LD_PRELOAD="$lib" RINGSIDE="out=$dir/many/same.rsd" /bin/true & done
wait
[ "$(LD_PRELOAD="$lib" RINGSIDE="out=$dir/many/same.rsd" /bin/true; ls many | wc -l)" -ge 1 ] || fail "no file"
if unshare -pf true 2>/dev/null; then
	for i in 1 2 3; do unshare -pf env LD_PRELOAD="$lib" RINGSIDE="out=$dir/many/pid.%p.rsd" /bin/true; done
	ls many | grep -c '^pid' | grep -qv '^0' || fail "no dump of a process that is number 1"
fi
for f in many/*.rsd; do ringside report "$f" >/dev/null || fail "$f can't be read"; done
exit 0

#!/bin/sh
# Programs behave byte for byte as before: exit status, stdout and stderr, in every mode.
. "$(dirname "$0")/lib.sh"
differences=0

same() { # name shell-command
	bash -c "$2" >bare.out 2>bare.err
	bare=$?
	LD_PRELOAD="$lib" RINGSIDE="out=$dir/d/%e.%p.rsd,$mode" timeout 300 bash -c "$2" >rec.out 2>rec.err
	rec=$?
	rm -rf d && mkdir d
	if [ $bare = $rec ] && cmp -s bare.out rec.out && cmp -s bare.err rec.err; then
		echo "same      $mode  $1"
		return
	fi
	differences=$((differences + 1))
	echo "DIFFERENT $mode  $1: exit $bare, recorded $rec"
	diff bare.out rec.out | head -5
	diff bare.err rec.err | head -5
}

mkdir d
cat >t.cc <<'CC'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
int main() {
	std::map<int, std::string> m;
	for (int i = 0; i < 1000; i++)
		m[i] = std::to_string(i);
	try {
		throw std::runtime_error("thrown");
	} catch (const std::exception &e) {
		std::cout << e.what() << m.size() << "\n";
	}
}
CC
head -c 5000000 /dev/urandom >data
for mode in heap=exact cpu=250 cpu=1000,block=0 heap=sample:64k,block=0 heap=exact,cpu=250,block=0,ring=4m; do
	same sqlite3 'sqlite3 :memory: "with recursive c(x) as (select 1 union all select x+1 from c where x<100000) select count(*) from c"'
	same jq 'jq -n "[range(50000)|{a:.,b:(.|tostring)}]|length"'
	same python 'PYTHONMALLOC=malloc /usr/bin/python3 -c "
import json, subprocess, threading
print(len(json.dumps([{str(i): i} for i in range(20000)])))
print(subprocess.run([\"echo\", \"hi\"], capture_output=True))"'
	same g++ 'g++ -O1 -o prog t.cc && md5sum <prog && ./prog; ./prog; rm prog'
	same xz 'xz -1 -T2 -c data | md5sum; xz -1 -c data | xz -dc | md5sum'
	same perl 'perl -e "my %h; \$h{\$_} = \$_ x 3 for 1..50000; print scalar keys %h; local \$SIG{ALRM} = sub { die qq(alarm\n) }; eval { alarm 1; sleep 3 }; print \$@"'
	same sort 'seq 200000 | sort -rn | md5sum'
	same shell 'trap "echo trapped" USR1; kill -USR1 $$; for i in 1 2 3; do (exit $i); echo $?; done; sleep 0.1 & wait $!; echo $((1 + 1)) | cat'
	same git 'git init -q repo && cd repo && git config user.email a@b && git config user.name n && for i in 1 2 3; do echo $i >f; git add f; GIT_AUTHOR_DATE=2020-01-01T00:00:00 GIT_COMMITTER_DATE=2020-01-01T00:00:00 git commit -qm $i; done; git log --format=%H; git fsck; cd .. && rm -rf repo'
	for program in errno_kept cancel longjmp_signal exceptions coroutine fds threads_count sigstate sigtaken fork_in_handler limits seccomp stack16k dlopen_loop keys own_realloc bad_address holes; do
		command -v $program >/dev/null && same $program $program
	done
done
[ $differences = 0 ]

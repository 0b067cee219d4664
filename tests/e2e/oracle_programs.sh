#!/bin/sh
# Stacks captured in real programs equal those of two other unwinders, frame by frame; see tests/oracle/watch.h.
# ORACLE_SCALE=n: everything n times (make oracle-long: 10). ORACLE_ONLY=word: programs whose name contains it.
# ORACLE_SHOW=1: tell the differences that are allowed, too.
. "$(dirname "$0")/lib.sh"
library="$root/build/tests/liboracle.so"
scale="${ORACLE_SCALE:-1}"
[ -e "$library" ] || fail "not built: $library (make units)"
mkdir accounts

# What the accounts of one program, or of all, say: a row of the table.
row() { # name accounts...
	row_name="$1"
	shift
	cat "$@" | awk -v name="$row_name" '
		$1 == "count" { kind[$2] += $3 ~ /^(equal|guessed|cut|wrong)$/ ? $4 : 0; sum[$3] += $4 }
		END {
			all = kind["call"] + kind["timer"] + kind["step"]
			asked = sum["second_equal"] + sum["second_guessed"] + sum["second_cut"] + sum["second_wrong"]
			printf "%-16s %8d %6d %7d | %8d %6d %7d %4d | %5d %5d %6d %5d %5d | %7d %7d | %8.4f\n", name,
				kind["call"], kind["timer"], kind["step"], sum["equal"], sum["at_depth"], sum["guessed"], sum["cut"],
				sum["wrong"], sum["memo_differs"], sum["misnamed"], sum["lost"] + sum["nested"], sum["no_oracle"],
				asked, sum["second_wrong"], all ? 100 * (sum["equal"] + sum["guessed"]) / all : 0
		}'
}

head_row() {
	printf '%-16s %8s %6s %7s | %8s %6s %7s %4s | %5s %5s %6s %5s %5s | %7s %7s | %8s\n' \
		program calls timer steps equal '>depth' guessed cut wrong memo module lost crash libunw. differs percent
}

# The program must do what it does on its own.
under_oracle() { # name every steps command
	LD_PRELOAD="$library" ORACLE_OUT="$dir/accounts/$1" ORACLE_EVERY="$2" ORACLE_STEPS="$3" \
		timeout 300 bash -c "$4" >out 2>err || fail "$1: exit $?: $(tail -n 3 err)"
	cmp -s out "$dir/bare.out" || fail "$1: prints something else: $(head -n 3 out)"
}

# Twice: in each call, and in few of them, so that the signals strike the program and not the oracle.
programs() { # name every command
	case "$1" in *"${ORACLE_ONLY:-}"*) ;; *) return ;; esac
	command -v "$1" >/dev/null || { printf '%-16s not installed\n' "$1" && return; }
	bash -c "$3" >bare.out 2>bare.err || fail "$1: on its own: exit $?: $(tail -n 3 bare.err)"
	for i in $(seq "$scale"); do
		# Not always each: what is remembered between two captures differs then.
		under_oracle "$1" "$(($2 + (i - 1) % 3))" 64 "$3"
		under_oracle "$1" "$(($2 * 101))" 150 "$3"
	done
	row "$1" accounts/"$1".*
}

cat >work.py <<'PY'
import decimal, json, re, sys

def nest(n):
    return [nest(n - 1), {"k%d" % n: str(n)}] if n else []

def deep(n):
    return 1 + (deep(n - 1) if n else len(sorted((str(i) for i in range(10)), key=lambda s: s[::-1])))

sys.setrecursionlimit(5000)
print(len(json.dumps(nest(60))), deep(400))
for i in range(3):
    json.loads(json.dumps([nest(40), list(range(500))]))
print(len(re.findall(r"(\w+)-(\d+)", " ".join("a%d-%d" % (i, i) for i in range(3000)))))
decimal.getcontext().prec = 200
print(sum((decimal.Decimal(i).sqrt() for i in range(1, 200)), decimal.Decimal(0)) > 0)
PY
cat >work.cc <<'CC'
#include <cstdio>
#include <map>
#include <string>
int main() {
	std::map<int, std::string> m;
	for (int i = 0; i < 1000; i++)
		m[i] = std::to_string(i);
	printf("%zu\n", m.size());
}
CC
cat >work.pl <<'PL'
my %h;
$h{$_} = $_ x 3 for 1 .. 60000;
sub f { my $n = shift; return $n ? f($n - 1) + 1 : scalar(sort { $a <=> $b } map { "$_" =~ /(\d)/ ? $1 : 0 } 1 .. 50) }
f(50) for 1 .. 30;
print scalar(keys %h), "\n";
PL
# 300 commits in a repository of their own; what git starts is watched, too.
cat >work.git <<'SH'
set -e
rm -rf repo && git init -q repo 2>/dev/null && cd repo
git config user.email a@b && git config user.name n
awk 'BEGIN {
	for (i = 1; i <= 300; i++) {
		printf "commit refs/heads/main\ncommitter n <a@b> %d +0000\ndata 9\ncommit%03d\n", 1600000000 + i * 60, i
		for (f = 0; f < 3; f++) {
			text = ""
			for (l = 0; l < 40; l++)
				text = text sprintf("line %d of %d at %d\n", l, f, (l * 7 + i * f) % i)
			printf "M 100644 inline dir%d/file%d\ndata %d\n%s\n", (i + f) % 9, (i * f) % 13, length(text), text
		}
	}
	print "done"
}' | git fast-import --quiet --done
git log -p --stat main | md5sum
git gc -q
git fsck 2>/dev/null
git blame main -- dir1/file0 | md5sum
SH
# Only the server is watched; what it prints has times in it.
cat >work.redis <<'SH'
redis-server --port 0 --unixsocket "$PWD/redis.sock" --save '' --io-threads 2 >redis.log &
unset LD_PRELOAD
for i in $(seq 100); do redis-cli -s redis.sock ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
redis-benchmark -s redis.sock -q -n 2500 -t set,get,lpush,lrange_100,mset,zadd,hset >bench.txt
redis-cli -s redis.sock eval 'local t = {} for i = 1, 20000 do t[i] = i .. "x" end table.sort(t) return #t' 0
redis-cli -s redis.sock shutdown nosave
wait $!
SH
for i in 1 2 3 4; do cat "$root"/build/pic/preload/*.o "$root/build/bin/ringside"; done >data

head_row
programs sqlite3 1 'sqlite3 :memory: "with recursive c(x) as (select 1 union all select x + 1 from c where x < 50000)
	select count(*) from (select x, printf(\"%d-%s\", x, hex(x)) z from c order by x * 7919 % 20011, z)"'
programs jq 1 'jq -n "[range(25000) | {a: ., b: (. | tostring)}] | group_by(.a % 7) | length"'
programs python3 1 'PYTHONMALLOC=malloc /usr/bin/python3 work.py'
programs perl 1 'perl work.pl'
programs git 1 'sh ./work.git'
programs clang++ 2 'clang++ -c -O1 -o work.o work.cc'
programs g++ 2 'g++ -c -O1 -o work.o work.cc'
programs xz 1 'xz -0 -T2 --block-size=200KiB -kc data | xz -dc | md5sum'
programs zstd 1 'zstd -T2 -B500K -kcq data | zstd -dcq | md5sum'
programs redis-server 3 'sh ./work.redis'
programs batch 1 'batch --items 2000 | grep digest'
programs exceptions 1 exceptions
programs throwing 1 'throwing; ORACLE_DEPTH=20 throwing 300'
programs deep 1 'deep --steps 10000; ORACLE_DEPTH=20 deep'
programs lookalike 1 'lookalike; lookalike --ways 3'
programs deep_holes 1 'deep_holes --steps 2000 --depth 80'
programs coroutine 1 coroutine
programs altstack 1 altstack
programs longjmp_signal 1 'longjmp_signal --count 100'
programs fork_in_handler 1 fork_in_handler
programs dlopen_loop 1 'dlopen_loop --rounds 1000'
programs dlopen_threads 1 'dlopen_threads --rounds 500; ORACLE_LATE=200 dlopen_threads'
row all accounts/* >all
cat all
[ "${ORACLE_SHOW:-}" ] && grep -h -A13 '^difference' accounts/*

[ -z "$(grep -L '^end$' accounts/*)" ] || fail "incomplete: $(grep -L '^end$' accounts/*)"
awk -v least="$([ -z "${ORACLE_ONLY:-}" ] && echo $((1000000 + 2000000 * scale)) || echo 1)" '{
	exit !($2 + $3 + $4 >= least && $11 + $12 + $13 + $18 == 0 && $20 >= 99.99 &&
		$14 * 10000 < $2 && $15 * 200 < $3 + $4)
}' all || {
	grep -h -A13 -E '^difference [a-z]+ (wrong|memo|of another|not as)' accounts/* | head -n 200
	fail "see the row of all"
}

#!/bin/bash
# Programs that limit, jail, overflow and starve themselves, and what others do to their dumps: they behave as without
# a recorder, and what is missing is told.
. "$(dirname "$0")/lib.sh"
chmod 755 "$dir"
ulimit -c 0
cp "$lib" libringside.so
lib="$dir/libringside.so"
differences=0

differ() {
	differences=$((differences + 1))
	echo "DIFFERENT $*"
}

same() { # name shell-command : run.rsd holds the recording afterwards
	rm -rf run.rsd* rest
	mkdir -m 777 rest
	bash -c "$2" >bare.out 2>bare.err
	bare=$?
	rm -rf rest
	mkdir -m 777 rest
	LD_PRELOAD="$lib" RINGSIDE="out=${out:-$dir/run.rsd}${toggles:+,$toggles}" timeout 120 bash -c "$2" >rec.out 2>rec.err
	recorded=$?
	if [ $bare = $recorded ] && cmp -s bare.out rec.out && cmp -s bare.err rec.err; then
		echo "same      $1"
		return
	fi
	differ "$1: exit $bare, recorded $recorded"
	diff bare.out rec.out | head -5
	diff bare.err rec.err | head -5
}

readable() { # name : all dumps of the recording
	for file in run.rsd run.rsd.d/*; do
		[ -s "$file" ] || continue
		ringside report "$file" >/dev/null 2>reader.err || differ "$1: $file: $(cat reader.err)"
	done
}

tells() { # name words : the report, or what it says on stderr
	ringside report --all run.rsd 2>&1 | grep -q "$2" || differ "$1: the report does not say '$2'"
}

for toggles in block=0 heap=exact,cpu=500,ring=1m; do
	for name in closefrom no-descriptors chroot drop forks spawns overflow memory sandbox bus; do
		if [ "$(id -u)" != 0 ]; then
			case $name in chroot | drop) continue ;; esac
		fi
		same "$name ($toggles)" "exec faults $name rest"
		readable "$name"
		case $name in
		chroot | drop) tells "$name" 'child processes whose dump could not be created' ;;
		sandbox) for file in run.rsd.d/*; do ringside report "$file"; done | grep -q 'seccomp: from .* nothing is recorded of' ||
			differ "sandbox: no report says since when" ;;
		esac
	done
done
toggles=
same "an exec chain of 200" "exec faults execs 200"
readable execs
[ "$(ls run.rsd.d/faults.* | wc -l)" = 201 ] || differ "execs: $(ls run.rsd.d/faults.* | wc -l) dumps of 201 images"

# Limits that are there from the start.
for limit in 'f 1' 'f 2048' 'v 40000' 'v 300000' 'n 4' 's 128' 'i 0' 'l 0' 'd 20000' 'm 1000'; do
	same "ulimit -$limit" "ulimit -$limit; exec faults plain"
	readable "ulimit -$limit"
done
same "ulimit -f 2048" "ulimit -f 2048; exec faults threads 200"
same "a small stack" "ulimit -s 64; exec faults threads 200"

# Many threads, one after another: memory stays bounded.
SHOW_RSS=1 faults threads 3000 2>few >/dev/null
LD_PRELOAD="$lib" RINGSIDE="out=$dir/few.rsd" SHOW_RSS=1 faults threads 3000 2>few >/dev/null
LD_PRELOAD="$lib" RINGSIDE="out=$dir/many.rsd" SHOW_RSS=1 faults threads "${THREADS:-30000}" 2>many >/dev/null
ringside report --json many.rsd | jq -e --argjson n "${THREADS:-30000}" '.program.threads == $n + 1 and .recording.lost_events == 0' >/dev/null ||
	differ "threads: not all are in the dump"
[ "$(cat many)" -lt $(($(cat few) + 8192)) ] || differ "threads: resident $(cat few) kB with 3000, $(cat many) kB"
echo "threads: resident $(cat few) kB with 3000, $(cat many) kB with ${THREADS:-30000}"
rm -f many.rsd few.rsd

# Places where nothing can be written.
mkdir -m 555 locked
if [ "$(id -u)" = 0 ]; then
	nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
	chmod 777 . # the same user again, for what can be written
else
	nobody=
fi
out=$dir/locked/x.rsd same "a directory that is read-only" "exec $nobody faults plain"
out=$dir/nowhere/x.rsd same "a directory that is missing" "exec $nobody faults plain"
out=/dev/full same "a device" "exec $nobody faults plain"
out=$dir same "a directory as file" "exec $nobody faults plain"
chmod 755 .

# Name spaces: process 1 everywhere.
if unshare -Urpf --mount-proc true 2>/dev/null; then
	out=$dir/run.rsd same "a process 1" "unshare -Urpf --mount-proc faults plain; unshare -Urpf --mount-proc faults plain"
	readable namespaces
	same "a root file system of its own" "unshare -Urm sh -c 'mount -t tmpfs none rest && cd rest && exec faults plain rest'"
	# A disk that is full, and one that gets full.
	for size in 16k 200k 1m; do
		rm -rf run.rsd*
		unshare -Urm bash -c "mount -t tmpfs -o size=$size none rest && LD_PRELOAD=$lib RINGSIDE=out=$dir/rest/run.rsd,block=0 \
			faults plain >full.out 2>full.err; echo \$? >>full.out; [ ! -s rest/run.rsd ] || cp --sparse=always -a rest/run.rsd* ."
		printf 'child: exit 0\n0\n' | cmp -s - full.out && [ ! -s full.err ] || differ "a disk of $size: $(cat full.out full.err)"
		if [ $size = 16k ]; then continue; fi
		readable "disk of $size"
		tells "disk of $size" 'could not grow\|could not be'
	done
fi

# What others do to the dump while it is written.
meddle() { # name command
	for how in direct launched; do
		rm -rf run.rsd* other
		if [ $how = direct ]; then
			LD_PRELOAD="$lib" RINGSIDE="out=$dir/run.rsd" faults forever 2>forever.err &
			pid=$!
		else
			ringside record -o run.rsd -- faults forever 2>forever.err &
			pid=$!
		fi
		for ((i = 0; i < 1000; i++)); do
			[ "$(head -c 8 run.rsd 2>/dev/null | tr -d '\0')" = RINGSIDE ] && break
			sleep 0.01
		done
		sleep 0.1
		eval "$2"
		sleep 0.1
		kill -TERM $pid
		wait $pid
		status=$?
		[ $status = 6 ] || differ "$1, $how: ended with $status: $(cat forever.err)"
	done
	echo "done      $1"
}
meddle "truncated to nothing" ': >run.rsd'
meddle "truncated in its header" 'truncate -s 100 run.rsd'
ringside report run.rsd 2>&1 | grep -q 'run.rsd:' || differ "truncated: the report does not say"
meddle "truncated in its records" 'truncate -s 200000 run.rsd'
ringside report run.rsd 2>&1 | grep -qi 'cut short\|truncated' || differ "truncated: the report does not say"
meddle "deleted" 'rm run.rsd'
meddle "replaced by a file" 'echo mine >other; mv other run.rsd'
[ "$(cat run.rsd)" = mine ] || differ "replaced: the file in its place was changed"
meddle "replaced by a directory" 'rm run.rsd; mkdir run.rsd'
meddle "replaced by a link" 'echo mine >other; ln -sf other run.rsd'
[ "$(cat other)" = mine ] || differ "replaced: a link in its place was followed"
[ $differences = 0 ]

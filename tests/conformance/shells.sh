# Title: bash, dash, zsh, mksh, tcsh, busybox: traps, job control, pipelines, background jobs
# Needs: bash dash zsh mksh tcsh busybox setsid
# Package: bash dash zsh mksh tcsh busybox-static
# Time: 120
# Normalise: line 22: +\d+ Seg => line 22: N Seg | bash tells the process number

posix='
trap "echo usr1" USR1
trap "echo exit \$?" EXIT
kill -USR1 $$
sleep 5 & p=$!
sleep 0.2; kill -TERM $p; wait $p; echo "terminated: $?"
(sleep 0.1; kill -USR1 $$; sleep 0.4) & wait $!; echo "interrupted wait: $?"
wait
seq 1000 | sort -rn | head -n 1 | cat
seq 100000 | head -n 1
i=0; while [ $i -lt 50 ]; do i=$((i + 1)); done; echo $i
x=$(echo a; echo b >&2; exit 3); echo "$x $?"
for n in 1 2 3 4 5; do (exit $n) & done; for j in 1 2 3 4 5; do wait; done; echo waited
echo here | { read -r line; echo "got $line"; }
cat <<TEXT
document
TEXT
( trap "echo inner" TERM; sh -c "kill -TERM $$" 2>/dev/null; : ) &
wait
exec 5>file; echo five >&5; exec 5>&-; cat file
ulimit -n 50; ulimit -n
trap "" PIPE; yes 2>/dev/null | head -n 1
(ulimit -c 0; kill -SEGV $(sh -c "echo \$PPID")) ; echo "segv $?"
exit 7'
posix=$(echo "$posix" | grep -v "inner")

bash_only='
set -m
sleep 10 & sleep 0.05; kill -STOP %1; sleep 0.1; jobs | tr -s " "; bg %1 >/dev/null; kill %1; wait %1; echo "job: $?"
(sleep 0.2; echo done) & fg %% >/dev/null 2>&1; echo "fg $?"
set +m
coproc cat; echo hello >&${COPROC[1]}; read -r -t 5 line <&${COPROC[0]}; echo "coproc $line"
eval "exec ${COPROC[1]}>&-"; wait
diff <(seq 10) <(seq 10 | tac) | head -n 2
read -r -t 0.2 x < <(sleep 1); echo "read: $?"
trap "echo chld" CHLD; /bin/true; trap - CHLD
trap "echo err" ERR; false; trap - ERR
trap "echo debug" DEBUG; :; trap - DEBUG
shopt -s lastpipe; echo z | read -r y; echo "$y"
mapfile -t lines < <(seq 1000); echo ${#lines[@]}
echo $SECONDS >/dev/null; printf "%(%Y)T\n" 0
set -o pipefail; false | true; echo $?
timeout -s INT 0.2 bash -c "trap \"echo int; exit 9\" INT; while :; do sleep 0.05; done"; echo $?
exec bash -c "echo replaced; exit 4"'

run() {
	local shell
	for shell in bash dash mksh "bash --posix" "busybox sh" zsh; do
		echo "== $shell"
		mkdir -p d && (cd d && exec $shell -c "$posix") 2>&1
		echo "ended with $?"
	done
	echo "== bash only"
	bash -c "$bash_only" 2>&1
	echo "ended with $?"
	echo "== monitor mode"
	for shell in dash mksh zsh; do
		$shell -c 'set -m; sleep 0.1 & wait; (exit 3) | (exit 4); echo $?; sleep 0.3 & kill %1; wait; echo ok' 2>/dev/null | grep -v '^\[1\] [0-9]*$'
	done
	echo "== terminal"
	# A shell at a terminal of its own: jobs, stop and continue by the keyboard's signals.
	script -qec "bash --norc --noediting -ic 'sleep 0.1 | cat; set -m; sleep 9 & kill -STOP %1; sleep 0.1; kill %1; kill -CONT %1; wait; echo over'" /dev/null </dev/null 2>&1 |
		tr -d '\r' | sed 's/[0-9]\{3,\}/N/g' | grep over
	echo "== csh"
	tcsh -f -c 'set x = (a b c); foreach i ($x); echo $i; end; sleep 0.1 & wait; sh -c "exit 5"; echo $status; echo `seq 5`' | grep -v '^\[1\] [0-9]*$'
	busybox seq 20000 | busybox sort -rn | busybox awk '{ s += $1 } END { print s }'
}

# Title: stress-ng --verify: processes, threads, clone, exec
# Needs: stress-ng
# Package: stress-ng
# Time: 120

# Each stressor checks its own results; the number is how many operations it is asked for.
stressors="clone:60 context:20 daemon:100 exit-group:20 fork:200 forkheavy:2
	get:2 kcmp:50 landlock:2 personality:20 pidfd:100 prctl:20 pthread:50 ptrace:200 race-sched:50 regs:20
	resched:50 resources:2 rlimit:50 schedpolicy:5 seccomp:50 session:50 set:20 sleep:50 switch:2000
	sysinfo:50 unshare:50 vdso:500 vfork:200 vforkmany:2 wait:100 waitcpu:5 yield:50 zombie:200"

run() {
	local stressor
	for stressor in $stressors; do
		printf '%s\tstress-ng --seed 1 --%s 1 --%s-ops %s --verify -t 10\n' "${stressor%:*}" \
			"${stressor%:*}" "${stressor%:*}" "${stressor#*:}"
	done | verdicts
}

# Title: stress-ng --verify: processes, threads, clone, exec
# Needs: stress-ng
# Package: stress-ng
# Time: 120

# Each stressor checks its own results; the number is how many operations it is asked for.
stressors="clone:20 context:20 daemon:30 exit-group:10 fork:100 get:1 kcmp:50 landlock:2 personality:20 pidfd:100
	prctl:20 pthread:50 ptrace:200 regs:20 resched:50 rlimit:50 seccomp:20 session:20 set:20 sleep:50
	switch:2000 sysinfo:50 unshare:10 vdso:100 vfork:200 wait:30 waitcpu:5 zombie:50"

run() {
	local stressor
	for stressor in $stressors; do
		printf '%s\tstress-ng --seed 1 --%s 1 --%s-ops %s --verify -t 10\n' "${stressor%:*}" \
			"${stressor%:*}" "${stressor%:*}" "${stressor#*:}"
	done | verdicts
}

# Title: stress-ng --verify: signals and timers
# Needs: stress-ng
# Package: stress-ng
# Time: 120

# Each stressor checks its own results; the number is how many operations it is asked for.
stressors="alarm:200 bad-altstack:100 clock:50 enosys:1 itimer:20 kill:500 longjmp:1000 nanosleep:50 sigabrt:100
	sigchld:50 sigfd:2000 sigfpe:200 sigio:200 signal:5000 signest:200 sigpending:500 sigpipe:200 sigq:2000
	sigrt:500 sigsegv:500 sigsuspend:500 sigtrap:500 timer:500 timerfd:50"

run() {
	local stressor
	for stressor in $stressors; do
		printf '%s\tstress-ng --seed 1 --%s 1 --%s-ops %s --verify -t 10\n' "${stressor%:*}" \
			"${stressor%:*}" "${stressor%:*}" "${stressor#*:}"
	done | verdicts
}

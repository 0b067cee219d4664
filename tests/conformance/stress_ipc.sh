# Title: stress-ng --verify: pipes, sockets, semaphores, queues, mutexes, files
# Needs: stress-ng
# Package: stress-ng
# Time: 120

# Each stressor checks its own results; the number is how many operations it is asked for.
stressors="close:200 copy-file:20 dir:50 dnotify:20 dup:10 epoll:200 eventfd:1000 fallocate:5 fcntl:50 fifo:1000
	flock:500 futex:500 getrandom:50 lease:50 locka:100 lockf:500 lockofd:100 mknod:50 mq:1000 msg:2000
	mutex:2000 open:100 pipe:5000 poll:200 ring-pipe:200 sem:20 sem-sysv:1000 sendfile:200 shm:5 sock:50
	sockfd:200 sockmany:5 sockpair:50 splice:200 tee:200 udp:200 utime:100 xattr:20 zero:500"

run() {
	local stressor
	for stressor in $stressors; do
		printf '%s\tstress-ng --seed 1 --%s 1 --%s-ops %s --verify -t 10\n' "${stressor%:*}" \
			"${stressor%:*}" "${stressor%:*}" "${stressor#*:}"
	done | verdicts
}

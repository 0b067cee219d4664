# Title: CPython's own tests: signals, threads, fork, mmap, select, epoll, pty, posix
# Needs: /usr/bin/python3 /usr/lib/python3.11/test/test_signal.py
# Package: libpython3.11-testsuite
# Time: 200
# Normalise: @test_\d+_tmp => @test_N_tmp | process numbers in names of files

suites="test_fork1 test_wait3 test_wait4 test_popen test_select test_epoll test_poll test_mmap test_queue test_thread
	test_threadsignals test_fileio test_fcntl test_pty test_posix test_exceptions test_generators test_coroutines
	test_signal test_pipes test_selectors"

# Each test's verdict, without times; the suite's own exit status is the last line.
run() {
	local suite
	for suite in $suites; do
		timeout 100 /usr/bin/python3 -m test -v "$suite" >"$TMPDIR/out" 2>&1
		code=$?
		sed -n 's/^\(test[A-Za-z0-9_]* ([^)]*)\).* \.\.\. .*\(ok\|FAIL\|ERROR\|skipped.*\)$/\1 \2/p' "$TMPDIR/out" | sort
		echo "$suite $code"
	done
}

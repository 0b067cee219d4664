# Title: CPython's own tests: signal, threading, subprocess, fork, mmap, select, socket, ctypes ...
# Needs: /usr/bin/python3 /usr/lib/python3.11/test/test_signal.py
# Package: libpython3.11-testsuite
# Time: 200

suites="test_fork1 test_wait3 test_wait4 test_popen test_pipes test_select test_selectors test_epoll test_poll
	test_mmap test_queue test_sched test_thread test_threadsignals test_threading_local test_dynamic test_exceptions
	test_memoryview test_array test_bytes test_dict test_io test_fileio test_file test_fcntl test_pty
	test_posix test_time test_timeout test_signal test_eintr test_faulthandler test_resource test_ctypes
	test_socketserver test_context test_contextlib_async test_gc test_generators test_coroutines test_sqlite3 test_zlib test_lzma test_bz2"

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

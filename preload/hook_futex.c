/* SPDX-License-Identifier: MIT */
/*
 * hook_futex.c - locks that a program or its language's library makes by hand: syscall(SYS_futex, ...). Rust's and
 * C++20's waiting are such.
 */
#include <linux/futex.h>

#include "preload/hook.h"
#include "preload/span.h"
#include "preload/wakes.h"

long futex_syscall(long n, long word, long op, long value, long timeout, long word2, long value3);

static bool does_wait(long command)
{
	return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
	       command == FUTEX_WAIT_REQUEUE_PI || command == 13 /* FUTEX_LOCK_PI2 */;
}

static bool does_wake(long command)
{
	return command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET || command == FUTEX_WAKE_OP ||
	       command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE || command == FUTEX_CMP_REQUEUE_PI ||
	       command == FUTEX_UNLOCK_PI;
}

/* hook_sandbox.c jumps here: the return address and the stack are the caller's. */
__attribute__((visibility("hidden"))) long futex_syscall(long n, long word, long op, long value, long timeout,
							 long word2, long value3)
{
	long command = op & FUTEX_CMD_MASK, ret;
	struct span s;
	uint64_t tick;

	if (does_wake(command)) {
		tick = wake_tick((const void *)word);
		ret = real.syscall(n, word, op, value, timeout, word2, value3);
		if (unlikely(tick)) {
			struct regs from = REGS_OF_CALLER();

			wake_record((const void *)word, WAIT_FUTEX, value > 1 ? UINT16_MAX : 1, tick, &from);
		}
		return ret;
	}
	if (!does_wait(command))
		return real.syscall(n, word, op, value, timeout, word2, value3);
	s = span_begin(WAIT_FUTEX, (uint64_t)word);
	wake_wait_begin((const void *)word);
	SPAN_CALL(s, ret, real.syscall(n, word, op, value, timeout, word2, value3), ret < 0, errno);
	wake_wait_end((const void *)word);
	span_end(&s, ret < 0 ? errno : 0, 0, REGS_OF_CALLER());
	return ret;
}

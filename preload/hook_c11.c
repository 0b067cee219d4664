/* SPDX-License-Identifier: MIT */
/* hook_c11.c - C11 threads: glibc's mtx_, cnd_ and thrd_ functions do not call the pthread names we stand before. */
#include "preload/birth.h"
#include "preload/hook.h"
#include "preload/locks.h"
#include "preload/order.h"
#include "preload/span.h"
#include "preload/wakes.h"

/* mtx_t begins with a pthread mutex in glibc. */
static uint32_t mtx_owner(const mtx_t *mutex)
{
	return (uint32_t)__atomic_load_n(&((const pthread_mutex_t *)mutex)->__data.__owner, __ATOMIC_RELAXED);
}

#define MTX_SLOW(mutex, call, from)                                                                                    \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_MUTEX, (uintptr_t)(mutex));                                           \
		int ret_;                                                                                              \
                                                                                                                       \
		s_.peer = mtx_owner(mutex);                                                                            \
		order_wanted(mutex, WAIT_MUTEX, __builtin_return_address(0));                                          \
		if (s_.t) {                                                                                            \
			s_.t->slot->waiting_peer = s_.peer;                                                            \
			s_.t->slot->waiting_site = (uintptr_t)__builtin_return_address(0);                             \
		}                                                                                                      \
		lock_wait_begin(mutex);                                                                                \
		ret_ = (call);                                                                                         \
		lock_wait_end(mutex, ret_ == thrd_timedout);                                                           \
		if (ret_ == thrd_success) {                                                                            \
			lock_acquired(mutex);                                                                          \
			order_got(mutex, WAIT_MUTEX, __builtin_return_address(0));                                     \
		}                                                                                                      \
		span_end(&s_, ret_ == thrd_timedout ? ETIMEDOUT : 0, 0, from);                                         \
		ret_;                                                                                                  \
	})

EXPORT int mtx_lock(mtx_t *mutex)
{
	int ret;

	HOOK_READY(mtx_lock);
	ret = real.mtx_trylock(mutex);
	if (likely(ret == thrd_success)) {
		span_count(WAIT_MUTEX);
		lock_acquired(mutex);
		order_taken(mutex, WAIT_MUTEX, __builtin_return_address(0));
		return ret;
	}
	return MTX_SLOW(mutex, real.mtx_lock(mutex), REGS_OF_CALLER());
}

EXPORT int mtx_trylock(mtx_t *mutex)
{
	int ret;

	HOOK_READY(mtx_trylock);
	ret = real.mtx_trylock(mutex);
	if (ret == thrd_success && !span_is_off())
		order_got(mutex, WAIT_MUTEX, __builtin_return_address(0));
	return ret;
}

EXPORT int mtx_timedlock(mtx_t *mutex, const struct timespec *until)
{
	HOOK_READY(mtx_timedlock);
	return MTX_SLOW(mutex, real.mtx_timedlock(mutex, until), REGS_OF_CALLER());
}

EXPORT int mtx_unlock(mtx_t *mutex)
{
	struct lock_release release;
	int ret;

	HOOK_READY(mtx_unlock);
	order_released(mutex);
	release = lock_release_begin(mutex);
	ret = real.mtx_unlock(mutex);
	if (unlikely(release.tick) && ret == thrd_success) {
		struct regs from = REGS_OF_CALLER();

		lock_release_end(&release, WAIT_MUTEX, &from);
	}
	return ret;
}

#define CND_WAIT(cond, mutex, call)                                                                                    \
	({                                                                                                             \
		struct regs from_ = REGS_OF_CALLER();                                                                  \
		struct lock_release release_ = lock_release_begin(mutex);                                              \
		struct span s_ = span_begin(WAIT_COND, (uintptr_t)(cond));                                             \
		int ret_;                                                                                              \
                                                                                                                       \
		if (unlikely(release_.tick))                                                                           \
			lock_release_end(&release_, WAIT_MUTEX, &from_);                                               \
		wake_wait_begin(cond);                                                                                 \
		ret_ = (call);                                                                                         \
		wake_wait_end(cond);                                                                                   \
		lock_acquired(mutex);                                                                                  \
		span_end(&s_, ret_ == thrd_timedout ? ETIMEDOUT : 0, 0, from_);                                        \
		ret_;                                                                                                  \
	})

EXPORT int cnd_signal(cnd_t *cond)
{
	HOOK_READY(cnd_signal);
	return WAKE(WAIT_COND, cond, 1, real.cnd_signal(cond));
}

EXPORT int cnd_broadcast(cnd_t *cond)
{
	HOOK_READY(cnd_broadcast);
	return WAKE(WAIT_COND, cond, UINT16_MAX, real.cnd_broadcast(cond));
}

EXPORT int cnd_wait(cnd_t *cond, mtx_t *mutex)
{
	HOOK_READY(cnd_wait);
	return CND_WAIT(cond, mutex, real.cnd_wait(cond, mutex));
}

EXPORT int cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until)
{
	HOOK_READY(cnd_timedwait);
	return CND_WAIT(cond, mutex, real.cnd_timedwait(cond, mutex, until));
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
	struct birth *birth;
	int ret;

	HOOK_READY(thrd_create);
	birth = birth_make(REGS_OF_CALLER(), (uintptr_t)start, arg);
	if (!birth)
		return real.thrd_create(thread, start, arg);
	ret = real.thrd_create(thread, birth_start_c11, birth);
	if (ret != thrd_success)
		birth_free(birth);
	return ret;
}

EXPORT int thrd_join(thrd_t thread, int *result)
{
	struct span s;
	int ret;

	HOOK_READY(thrd_join);
	s = span_begin(WAIT_JOIN, (uint64_t)thread);
	ret = real.thrd_join(thread, result);
	span_end(&s, 0, 0, REGS_OF_CALLER());
	return ret;
}

/* thrd_sleep(3): 0, -1 when interrupted, else negative; errno untouched. */
EXPORT int thrd_sleep(const struct timespec *time, struct timespec *left)
{
	struct span s;
	int ret;

	HOOK_READY(thrd_sleep);
	s = span_begin(WAIT_SLEEP, 0);
	SPAN_CALL(s, ret, real.thrd_sleep(time, left), ret == -1, EINTR);
	span_end(&s, ret == -1 ? EINTR : 0, 0, REGS_OF_CALLER());
	return ret;
}

/* SPDX-License-Identifier: MIT */
/*
 * hook_sync.c - mutexes, rwlocks, conditions, semaphores, barriers, spin locks of POSIX threads.
 *
 * Locks try first: an uncontended lock costs a few ns and no clock reading. Only EBUSY falls through to the
 * real call; every other answer is the answer (EOWNERDEAD is "acquired", EINVAL of a priority ceiling is
 * what the real call would say). sem_wait does not try first, since it must act on a pending cancellation.
 */
#include "preload/hook.h"
#include "preload/locks.h"
#include "preload/order.h"
#include "preload/span.h"
#include "preload/wakes.h"

static bool is_acquired(int err)
{
	return err == 0 || err == EOWNERDEAD;
}

/* glibc keeps the owner's tid in the mutex. */
static uint32_t mutex_owner(const pthread_mutex_t *mutex)
{
	return (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
}

/* The waiting part of any lock call, around an expression of the real one. */
#define LOCK_SLOW(kind, lock, owner, call, from)                                                                       \
	({                                                                                                             \
		struct span s = span_begin(kind, (uintptr_t)(lock));                                                   \
		int err_;                                                                                              \
                                                                                                                       \
		s.peer = (owner);                                                                                      \
		order_wanted((const void *)(lock), kind, __builtin_return_address(0));                                 \
		if (s.t) {                                                                                             \
			s.t->slot->waiting_peer = s.peer;                                                              \
			s.t->slot->waiting_site = (uintptr_t)__builtin_return_address(0);                              \
		}                                                                                                      \
		lock_wait_begin(lock);                                                                                 \
		err_ = (call);                                                                                         \
		lock_wait_end(lock, err_ == ETIMEDOUT);                                                                \
		if (is_acquired(err_)) {                                                                               \
			lock_acquired(lock);                                                                           \
			order_got((const void *)(lock), kind, __builtin_return_address(0));                            \
		}                                                                                                      \
		span_end(&s, err_, 0, from);                                                                           \
		err_;                                                                                                  \
	})

/*
 * The two calls that programs make most have two parts: what is exported does what an uncontended lock needs, and jumps
 * to the rest.
 */
__attribute__((noinline)) static int mutex_lock_tried(pthread_mutex_t *mutex, int err)
{
	if (err == EBUSY)
		return LOCK_SLOW(WAIT_MUTEX, mutex, mutex_owner(mutex), real.pthread_mutex_lock(mutex),
				 REGS_OF_CALLER());
	span_count(WAIT_MUTEX);
	if (is_acquired(err)) {
		lock_acquired(mutex);
		order_taken(mutex, WAIT_MUTEX, __builtin_return_address(0));
	}
	return err;
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int err;

	HOOK_READY(pthread_mutex_lock);
	if (span_is_off())
		return real.pthread_mutex_lock(mutex);
	err = real.pthread_mutex_trylock(mutex);
	if (unlikely(err || !lock_is_quiet(mutex)))
		return mutex_lock_tried(mutex, err);
	span_count(WAIT_MUTEX);
	order_taken(mutex, WAIT_MUTEX, __builtin_return_address(0));
	return 0;
}

/* Tried is not waited for: nothing is recorded, but the lock is held. */
EXPORT int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	int err;

	HOOK_READY(pthread_mutex_trylock);
	err = real.pthread_mutex_trylock(mutex);
	if (is_acquired(err) && !span_is_off())
		order_got(mutex, WAIT_MUTEX, __builtin_return_address(0));
	return err;
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
	int err;

	HOOK_READY(pthread_mutex_timedlock);
	err = real.pthread_mutex_trylock(mutex);
	if (likely(err != EBUSY)) {
		span_count(WAIT_MUTEX);
		if (is_acquired(err)) {
			lock_acquired(mutex);
			order_taken(mutex, WAIT_MUTEX, __builtin_return_address(0));
		}
		return err;
	}
	return LOCK_SLOW(WAIT_MUTEX, mutex, mutex_owner(mutex), real.pthread_mutex_timedlock(mutex, until),
			 REGS_OF_CALLER());
}

EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	HOOK_READY(pthread_mutex_clocklock);
	/* No try first: a clock that is not supported must be refused even when the mutex is free. */
	return LOCK_SLOW(WAIT_MUTEX, mutex, mutex_owner(mutex), real.pthread_mutex_clocklock(mutex, clock, until),
			 REGS_OF_CALLER());
}

/* An inner unlock of a recursive mutex releases nothing. */
static bool releases(const pthread_mutex_t *mutex)
{
	return (mutex->__data.__kind & 3) != PTHREAD_MUTEX_RECURSIVE_NP || mutex->__data.__count <= 1;
}

static struct lock_release mutex_release_begin(const pthread_mutex_t *mutex)
{
	struct lock_release release = lock_release_begin(mutex);

	if (unlikely(release.tick) && !releases(mutex))
		release.tick = 0;
	return release;
}

__attribute__((noinline)) static int mutex_unlock_watched(pthread_mutex_t *mutex)
{
	struct lock_release release = mutex_release_begin(mutex);
	int err = real.pthread_mutex_unlock(mutex);

	if (unlikely(release.tick) && !err) {
		struct regs from = REGS_OF_CALLER();

		lock_release_end(&release, WAIT_MUTEX, &from);
	}
	return err;
}

EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	HOOK_READY(pthread_mutex_unlock);
	order_released(mutex);
	if (likely(lock_is_quiet(mutex)))
		return real.pthread_mutex_unlock(mutex);
	return mutex_unlock_watched(mutex);
}

/* ---- rwlocks ---- */

#define RWLOCK(kind, lock, try, call)                                                                                  \
	({                                                                                                             \
		int tried_ = (try);                                                                                    \
                                                                                                                       \
		if (likely(tried_ != EBUSY)) {                                                                         \
			span_count(kind);                                                                              \
			if (!tried_) {                                                                                 \
				lock_acquired(lock);                                                                   \
				order_taken(lock, kind, __builtin_return_address(0));                                  \
			}                                                                                              \
		} else {                                                                                               \
			tried_ = LOCK_SLOW(kind, lock, rwlock_owner(lock), call, REGS_OF_CALLER());                    \
		}                                                                                                      \
		tried_;                                                                                                \
	})

/* Only a writer is known by name. */
static uint32_t rwlock_owner(const pthread_rwlock_t *lock)
{
	return (uint32_t)__atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
}

EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	HOOK_READY(pthread_rwlock_rdlock);
	return RWLOCK(WAIT_RWLOCK_READ, lock, real.pthread_rwlock_tryrdlock(lock), real.pthread_rwlock_rdlock(lock));
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	HOOK_READY(pthread_rwlock_wrlock);
	return RWLOCK(WAIT_RWLOCK_WRITE, lock, real.pthread_rwlock_trywrlock(lock), real.pthread_rwlock_wrlock(lock));
}

EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
	int err;

	HOOK_READY(pthread_rwlock_tryrdlock);
	err = real.pthread_rwlock_tryrdlock(lock);
	if (!err && !span_is_off())
		order_got(lock, WAIT_RWLOCK_READ, __builtin_return_address(0));
	return err;
}

EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
	int err;

	HOOK_READY(pthread_rwlock_trywrlock);
	err = real.pthread_rwlock_trywrlock(lock);
	if (!err && !span_is_off())
		order_got(lock, WAIT_RWLOCK_WRITE, __builtin_return_address(0));
	return err;
}

EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
	HOOK_READY(pthread_rwlock_timedrdlock);
	return LOCK_SLOW(WAIT_RWLOCK_READ, lock, rwlock_owner(lock), real.pthread_rwlock_timedrdlock(lock, until),
			 REGS_OF_CALLER());
}

EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
	HOOK_READY(pthread_rwlock_timedwrlock);
	return LOCK_SLOW(WAIT_RWLOCK_WRITE, lock, rwlock_owner(lock), real.pthread_rwlock_timedwrlock(lock, until),
			 REGS_OF_CALLER());
}

EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	HOOK_READY(pthread_rwlock_clockrdlock);
	return LOCK_SLOW(WAIT_RWLOCK_READ, lock, rwlock_owner(lock),
			 real.pthread_rwlock_clockrdlock(lock, clock, until), REGS_OF_CALLER());
}

EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	HOOK_READY(pthread_rwlock_clockwrlock);
	return LOCK_SLOW(WAIT_RWLOCK_WRITE, lock, rwlock_owner(lock),
			 real.pthread_rwlock_clockwrlock(lock, clock, until), REGS_OF_CALLER());
}

EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	struct lock_release release;
	enum rsd_wait kind = WAIT_RWLOCK_READ;
	int err;

	HOOK_READY(pthread_rwlock_unlock);
	order_released(lock);
	release = lock_release_begin(lock);
	if (unlikely(release.tick) && rwlock_owner(lock))
		kind = WAIT_RWLOCK_WRITE;
	err = real.pthread_rwlock_unlock(lock);
	if (unlikely(release.tick) && !err) {
		struct regs from = REGS_OF_CALLER();

		lock_release_end(&release, kind, &from);
	}
	return err;
}

/* ---- conditions: the wait releases the mutex and takes it again, below any wrapper ---- */

#define COND_WAIT(cond, mutex, call)                                                                                   \
	({                                                                                                             \
		struct regs from_ = REGS_OF_CALLER();                                                                  \
		struct lock_release release_ = mutex_release_begin(mutex);                                             \
		struct span s_ = span_begin(WAIT_COND, (uintptr_t)(cond));                                             \
		int err_;                                                                                              \
                                                                                                                       \
		if (unlikely(release_.tick))                                                                           \
			lock_release_end(&release_, WAIT_MUTEX, &from_);                                               \
		wake_wait_begin(cond);                                                                                 \
		err_ = (call);                                                                                         \
		wake_wait_end(cond);                                                                                   \
		lock_acquired(mutex);                                                                                  \
		span_end(&s_, err_, 0, from_);                                                                         \
		err_;                                                                                                  \
	})

EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	HOOK_READY(pthread_cond_wait);
	return COND_WAIT(cond, mutex, real.pthread_cond_wait(cond, mutex));
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	HOOK_READY(pthread_cond_timedwait);
	return COND_WAIT(cond, mutex, real.pthread_cond_timedwait(cond, mutex, until));
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
				  const struct timespec *until)
{
	HOOK_READY(pthread_cond_clockwait);
	return COND_WAIT(cond, mutex, real.pthread_cond_clockwait(cond, mutex, clock, until));
}

EXPORT int pthread_cond_signal(pthread_cond_t *cond)
{
	HOOK_READY(pthread_cond_signal);
	return WAKE(WAIT_COND, cond, 1, real.pthread_cond_signal(cond));
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *cond)
{
	HOOK_READY(pthread_cond_broadcast);
	return WAKE(WAIT_COND, cond, UINT16_MAX, real.pthread_cond_broadcast(cond));
}

/* ---- semaphores, barriers, spin locks ---- */

#define SEM_WAIT(sem, call)                                                                                            \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_SEM, (uintptr_t)(sem));                                               \
		int ret_;                                                                                              \
                                                                                                                       \
		wake_wait_begin(sem);                                                                                  \
		SPAN_CALL(s_, ret_, call, ret_ != 0, errno);                                                           \
		wake_wait_end(sem);                                                                                    \
                                                                                                                       \
		span_end(&s_, ret_ ? errno : 0, 0, REGS_OF_CALLER());                                                  \
		ret_;                                                                                                  \
	})

/* sem_wait(3): -1 and errno on failure, EINTR included. */
EXPORT int sem_wait(sem_t *sem)
{
	HOOK_READY(sem_wait);
	return SEM_WAIT(sem, real.sem_wait(sem));
}

EXPORT int sem_timedwait(sem_t *sem, const struct timespec *until)
{
	HOOK_READY(sem_timedwait);
	return SEM_WAIT(sem, real.sem_timedwait(sem, until));
}

EXPORT int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	HOOK_READY(sem_clockwait);
	return SEM_WAIT(sem, real.sem_clockwait(sem, clock, until));
}

EXPORT int sem_post(sem_t *sem)
{
	HOOK_READY(sem_post);
	return WAKE(WAIT_SEM, sem, 1, real.sem_post(sem));
}

EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier)
{
	struct span s;
	struct regs from;
	uint64_t now;
	int ret;

	HOOK_READY(pthread_barrier_wait);
	s = span_begin(WAIT_BARRIER, (uintptr_t)barrier);
	ret = real.pthread_barrier_wait(barrier);
	if (!span_is_ours(&s))
		return ret;
	from = REGS_OF_CALLER();
	now = clock_now();
	/* glibc tells the thread that came last, which opened the barrier. */
	if (ret == PTHREAD_BARRIER_SERIAL_THREAD)
		wake_record(barrier, WAIT_BARRIER, UINT16_MAX, s.start, &from);
	span_close(&s, now, ret > 0 ? ret : 0, 0, &from);
	return ret;
}

EXPORT int pthread_spin_lock(pthread_spinlock_t *lock)
{
	HOOK_READY(pthread_spin_lock);
	if (likely(real.pthread_spin_trylock(lock) != EBUSY)) {
		span_count(WAIT_SPIN);
		order_taken((const void *)lock, WAIT_SPIN, __builtin_return_address(0));
		return 0;
	}
	return LOCK_SLOW(WAIT_SPIN, (const void *)lock, 0, real.pthread_spin_lock(lock), REGS_OF_CALLER());
}

EXPORT int pthread_spin_trylock(pthread_spinlock_t *lock)
{
	int err;

	HOOK_READY(pthread_spin_trylock);
	err = real.pthread_spin_trylock(lock);
	if (!err && !span_is_off())
		order_got((const void *)lock, WAIT_SPIN, __builtin_return_address(0));
	return err;
}

EXPORT int pthread_spin_unlock(pthread_spinlock_t *lock)
{
	HOOK_READY(pthread_spin_unlock);
	order_released((const void *)lock);
	return real.pthread_spin_unlock(lock);
}

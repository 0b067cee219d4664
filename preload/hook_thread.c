/* SPDX-License-Identifier: MIT */
/*
 * hook_thread.c - creation and joining of POSIX threads. Thread end is a key destructor, see thread.c. A program that
 * wants all keys there are gets ours as well.
 */
#include "preload/birth.h"
#include "preload/hook.h"
#include "preload/span.h"
#include "preload/text.h"

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	struct birth *birth;
	int err;

	HOOK_READY(pthread_create);
	birth = birth_make(REGS_OF_CALLER(), (uintptr_t)start, arg);
	if (!birth)
		return real.pthread_create(thread, attr, start, arg);
	err = real.pthread_create(thread, attr, birth_start_posix, birth);
	if (err)
		birth_free(birth);
	return err;
}

#define JOIN(thread, call)                                                                                             \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_JOIN, (uint64_t)(thread));                                            \
		int err_ = (call);                                                                                     \
                                                                                                                       \
		span_end(&s_, err_, 0, REGS_OF_CALLER());                                                              \
		err_;                                                                                                  \
	})

EXPORT int pthread_join(pthread_t thread, void **result)
{
	HOOK_READY(pthread_join);
	return JOIN(thread, real.pthread_join(thread, result));
}

EXPORT int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until)
{
	HOOK_READY(pthread_timedjoin_np);
	return JOIN(thread, real.pthread_timedjoin_np(thread, result, until));
}

EXPORT int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *until)
{
	HOOK_READY(pthread_clockjoin_np);
	return JOIN(thread, real.pthread_clockjoin_np(thread, result, clock, until));
}

/* A thread's own new name; what another gives it is read at the end, by thread_finish. */
EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	struct thread *t;
	int err;

	HOOK_READY(pthread_setname_np);
	err = real.pthread_setname_np(thread, name);
	if (!err && pthread_equal(thread, pthread_self()) && (t = thread_enter())) {
		__builtin_memcpy(t->slot->name, name,
				 text_len(name) + 1); /* at most 15 and the end, or it had failed */
		thread_settle(t);
	}
	return err;
}

EXPORT int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	int err;

	HOOK_READY(pthread_key_create);
	err = real.pthread_key_create(key, destructor);
	if (unlikely(err == EAGAIN) && thread_give_key())
		err = real.pthread_key_create(key, destructor);
	return err;
}

EXPORT int tss_create(tss_t *key, tss_dtor_t destructor)
{
	int ret;

	HOOK_READY(tss_create);
	ret = real.tss_create(key, destructor);
	if (unlikely(ret == thrd_error) && thread_give_key())
		ret = real.tss_create(key, destructor);
	return ret;
}

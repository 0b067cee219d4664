/* SPDX-License-Identifier: MIT */
/*
 * cancel_calls.c - every function that the library stands in front of, called with a cancellation pending: does it act
 * upon it, and do clean-up handlers and key destructors run? The output is the same with and without a recorder.
 *
 * Each call is the first thing its thread does, and then once more in a thread that has cancellation disabled.
 */
#include "calls.h"

#include "common/options.h"

static pthread_key_t key;
static int cleanups, destroyed;

static void on_cleanup(void *arg)
{
	(void)arg;
	cleanups++;
}

static void on_destroy(void *value)
{
	(void)value;
	destroyed++;
}

static void *run(void *arg)
{
	const struct call *call = arg;

	pthread_setspecific(key, &key);
	call->prepare();
	pthread_cleanup_push(on_cleanup, NULL);
	pthread_cancel(pthread_self());
	call->make();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *run_disabled(void *arg)
{
	const struct call *call = arg;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	call->prepare();
	pthread_cleanup_push(on_cleanup, NULL);
	pthread_cancel(pthread_self());
	call->make();
	pthread_cleanup_pop(0);
	return NULL;
}

static const char *try_call(const struct call *call, void *(*how)(void *))
{
	struct timespec limit;
	void *result = NULL;
	pthread_t own;

	cleanups = destroyed = 0;
	must(!pthread_create(&own, NULL, how, (void *)(uintptr_t)call));
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 10;
	if (pthread_timedjoin_np(own, &result, &limit))
		return "HANGS";
	return result == PTHREAD_CANCELED ? "cancelled" : "returns";
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };

	options_parse(argc, argv, "cancel_calls", "Makes calls with a cancellation pending.\n", rows);
	calls_begin();
	pthread_key_create(&key, on_destroy);
	for (size_t i = 0; i < CALLS; i++) {
		const char *pending_, *disabled;
		int ran, gone;

		if (!calls[i].situation)
			continue;
		pending_ = try_call(&calls[i], run);
		ran = cleanups;
		gone = destroyed;
		disabled = try_call(&calls[i], run_disabled);
		printf("%-26s %-18s %s, %d clean-up, %d destroyed; disabled: %s\n", calls[i].function,
		       calls[i].situation, pending_, ran, gone, disabled);
		fflush(stdout);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * cancel_blocks.c - every cancellation point that the library stands in front of, cancelled while it waits: the thread
 * ends there, having run its clean-up handler and key destructor. The output is the same with and without a recorder.
 */
#include "blocks.h"

#include "common/clock.h"
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
	const struct block *block = arg;

	pthread_setspecific(key, &key);
	pthread_cleanup_push(on_cleanup, NULL);
	block->wait();
	pthread_cleanup_pop(0);
	return NULL;
}

static void try_block(const struct block *block, uint64_t after_ms)
{
	struct timespec limit;
	void *result = NULL;
	pthread_t own;
	int err;

	cleanups = destroyed = 0;
	must(!pthread_create(&own, NULL, run, (void *)(uintptr_t)block));
	clock_sleep_ns(after_ms * 1000000);
	pthread_cancel(own);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 10;
	err = pthread_timedjoin_np(own, &result, &limit);
	printf("%-26s %s, %d clean-up, %d destroyed\n", block->function,
	       err			    ? "HANGS"
	       : result == PTHREAD_CANCELED ? "cancelled"
					    : "returns",
	       cleanups, destroyed);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t after_ms = 20;
	const struct option_row rows[] = {
		{ "after-ms", OPTION_NUMBER, &after_ms, 1, 10000, "how long each call waits before it is cancelled" },
		{ 0 },
	};

	options_parse(argc, argv, "cancel_blocks", "Cancels calls that wait.\n", rows);
	if (blocks_check())
		return 1;
	wait_ms = 60000;
	blocks_begin();
	pthread_key_create(&key, on_destroy);
	for (size_t i = 0; i < BLOCKS; i++) {
		if (blocks[i].group && blocks[i].is_point)
			try_block(&blocks[i], after_ms);
	}
	blocks_end();
	fflush(stdout);
	_exit(0); /* some threads wait for a minute */
}

/* SPDX-License-Identifier: MIT */
/*
 * Dumps that end anywhere and dumps with wrong bits, through the commands themselves: whatever is in a file, a command
 * ends with 0 or with "could not be read". What the fuzzers do is deeper (tests/fuzz), this is complete.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/commands/options.h"
#include "analyzer/read/pack.h"
#include "analyzer/util/die.h"
#include "tests/support/trace.h"

#define SECONDS_MAX 60u /* for some commands; then SIGALRM ends the test */
#define FLIPS 400

static int (*const reading[])(struct options *o) = { cmd_report, cmd_heap, cmd_cpu, cmd_block, cmd_dump };
#define COMMANDS (sizeof(reading) / sizeof(*reading))

static int file;
static char path[64];
static FILE *nowhere;

static ssize_t swallow(void *self, const char *text, size_t size)
{
	(void)self;
	(void)text;
	return (ssize_t)size;
}

static int setup(void **state)
{
	const cookie_io_functions_t functions = { .write = swallow };
	cpu_set_t one;

	(void)state;
	/* Without a core to spare no process for names is started ahead, which costs most under a sanitizer. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	file = memfd_create("dump", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	nowhere = fopencookie(NULL, "w", functions);
	return file < 0 || !nowhere;
}

/* True: it could be read. */
static bool run(size_t command, bool is_json)
{
	char *args[] = { path };
	struct options o = { .top = -1, .args = args, .args_len = 1, .is_json = is_json };
	FILE *out = stdout, *err = stderr;
	int status;

	if (is_json)
		o.view.format = VIEW_JSON;
	stdout = stderr = nowhere;
	status = reading[command](&o);
	stdout = out;
	stderr = err;
	assert_true(status == EXIT_FINE || status == EXIT_UNREADABLE);
	return status == EXIT_FINE;
}

/* How many of the commands could read it. */
static unsigned run_all(bool is_json)
{
	unsigned readable = 0;

	alarm(SECONDS_MAX);
	for (size_t i = 0; i < COMMANDS; i++)
		readable += run(i, is_json);
	alarm(0);
	return readable;
}

static void put_file(const void *data, size_t size)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, data, size, 0), (ssize_t)size);
}

/* From the end to the beginning, read by one command after the other. */
static void cut_everywhere(size_t size)
{
	assert_int_equal(run_all(false), COMMANDS);
	for (size_t cut = size; cut--;) {
		assert_int_equal(ftruncate(file, (off_t)cut), 0);
		if (!(cut % 256))
			alarm(SECONDS_MAX);
		assert_false(run(cut % COMMANDS, false));
	}
	alarm(0);
}

static void a_dump_cut_at_any_byte_is_refused(void **state)
{
	struct trace t;
	struct trace_lane lane;

	(void)state;
	trace_init(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 10, 0x10000, 100, 0);
	put_file(t.data, trace_size(&t));
	cut_everywhere(trace_size(&t));
	trace_release(&t);
}

/* Something of everything. */
static void fill(struct trace *t)
{
	struct rsd_fd slot = { .name = 1, .own = { .calls = 3, .bytes_read = 100 } };
	struct trace_lane lane;
	uint32_t stack;

	trace_init(t);
	trace_add_thread(t, 0, 100, "main");
	trace_add_thread(t, 1, 101, "worker");
	stack = trace_stack(t, 0x1000, 0x2000);
	trace_string(t, 1, "/etc/hosts");
	trace_add_fd(t, 3, &slot);
	trace_add_live(t, 0, 5, 0x50000, 64, stack);
	lane = trace_lane(t, RSD_EXTENT_EVENTS, 0, 0);
	for (uint64_t i = 0; i < 40; i++) {
		trace_alloc(t, &lane, 10 * i, 0x10000 + 64 * i, 100 + i, stack);
		if (i % 3)
			trace_free(t, &lane, 10 * i + 5, 0x10000 + 64 * i);
	}
	trace_span(t, &lane, 1000, 300, WAIT_MUTEX, 0x7000, stack);
	trace_span(t, &lane, 1400, 200, WAIT_READ, 3, stack);
	lane = trace_lane(t, RSD_EXTENT_EVENTS, 1, 0);
	trace_hold(t, &lane, 990, 0x7000, stack);
	lane = trace_lane(t, RSD_EXTENT_SAMPLES, 0, 0);
	trace_sample(t, &lane, 500, 0, stack, 1);
	trace_sample(t, &lane, 900, 1, stack, 1);
	trace_end(t, 2000, 0);
}

static void a_compressed_dump_cut_at_any_byte_is_refused(void **state)
{
	char packed[] = "/tmp/ringside-hostile.XXXXXX";
	struct pack_result result;
	struct buf error = { 0 };
	int fd = mkstemp(packed);
	uint8_t bytes[65536];
	struct trace t;
	ssize_t size;

	(void)state;
	assert_true(fd >= 0);
	fill(&t);
	put_file(t.data, trace_size(&t));
	assert_int_equal(pack_file(path, packed, false, &result, &error), 0);
	close(fd);
	fd = open(packed, O_RDONLY);
	size = read(fd, bytes, sizeof(bytes));
	assert_in_range(size, 100, sizeof(bytes) - 1);
	close(fd);
	unlink(packed);
	put_file(bytes, (size_t)size);
	cut_everywhere((size_t)size);
	trace_release(&t);
	buf_release(&error);
}

static uint32_t draw(uint32_t limit)
{
	static uint64_t state = 20260101;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % limit;
}

/* A byte that says something: most of a dump is empty. */
static size_t draw_byte(const struct trace *t)
{
	size_t at;

	do
		at = draw((uint32_t)trace_size(t));
	while (!t->data[at] && draw(2000));
	return at;
}

static void wrong_bits_are_damage_or_other_numbers(void **state)
{
	unsigned readable = 0, refused = 0;

	(void)state;
	for (int i = 0; i < FLIPS; i++) {
		struct trace t;
		unsigned got;

		fill(&t);
		for (unsigned n = 1 + draw(12); n--;)
			t.data[draw_byte(&t)] ^= (uint8_t)(1u << draw(8));
		put_file(t.data, trace_size(&t));
		got = run_all(i % 2);
		readable += got;
		refused += !got;
		trace_release(&t);
	}
	/* Both must have been met, or nothing was tried. */
	assert_in_range(readable, FLIPS, UINT32_MAX);
	assert_in_range(refused, 5, FLIPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_compressed_dump_cut_at_any_byte_is_refused),
		cmocka_unit_test(wrong_bits_are_damage_or_other_numbers),
	};

	return cmocka_run_group_tests_name("analyzer/commands/hostile", tests, setup, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Files of other tools through the commands: cut at any byte and with wrong bits. A command ends with 0, with "could
 * not be read" or with a word about what wants another file, and prints nothing that a terminal obeys.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/commands/options.h"
#include "analyzer/util/die.h"
#include "tests/support/import_files.h"

#define SECONDS_MAX 60u
#define FLIPS 1500

static int file, whole; /* what is damaged, and what it is compared with */
static char path[64], whole_path[64];
static FILE *looked_at;
static bool has_control_byte;

static ssize_t look_at(void *self, const char *text, size_t size)
{
	(void)self;
	for (size_t i = 0; i < size; i++)
		has_control_byte |= ((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f;
	return (ssize_t)size;
}

static int setup(void **state)
{
	const cookie_io_functions_t functions = { .write = look_at };
	cpu_set_t one;

	(void)state;
	/* Without a core to spare no process for names is started ahead, which costs most under a sanitizer. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	file = memfd_create("import", MFD_CLOEXEC);
	whole = memfd_create("whole", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	snprintf(whole_path, sizeof(whole_path), "/proc/self/fd/%d", whole);
	looked_at = fopencookie(NULL, "w", functions);
	return file < 0 || whole < 0 || !looked_at;
}

static void put(int fd, const struct buf *data)
{
	assert_false(data->failed);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, buf_string(data), data->len, 0), (ssize_t)data->len);
}

static int run(int (*command)(struct options *o), char **args, int args_len, bool is_json)
{
	struct options o = { .top = -1, .args = args, .args_len = args_len, .is_json = is_json };
	FILE *out = stdout, *err = stderr;
	int status;

	if (is_json)
		o.view.format = VIEW_JSON;
	else
		o.view.kind = VIEW_TRACES;
	stdout = stderr = looked_at;
	status = command(&o);
	fflush(looked_at);
	stdout = out;
	stderr = err;
	assert_false(has_control_byte);
	assert_true(status == EXIT_FINE || status == EXIT_UNREADABLE || status == EXIT_USAGE);
	return status;
}

/* The status of report; the other commands must agree whether it can be read. */
static int run_all(bool is_json)
{
	char *args[] = { path, whole_path }, *turned[] = { whole_path, path };
	int status = run(cmd_report, args, 1, is_json);

	assert_int_not_equal(status, EXIT_USAGE);
	assert_int_equal(run(cmd_heap, args, 1, is_json) == EXIT_UNREADABLE, status == EXIT_UNREADABLE);
	run(cmd_cpu, args, 1, is_json);
	run(cmd_block, args, 1, is_json);
	assert_int_equal(run(cmd_diff, args, 2, is_json) == EXIT_UNREADABLE, status == EXIT_UNREADABLE);
	run(cmd_diff, turned, 2, is_json);
	return status;
}

static const struct {
	const char *what;
	void (*make)(struct buf *out);
	void (*pack)(struct buf *data);
	bool is_whole_or_nothing; /* a cut can be told wherever it is */
} cases[] = {
	{ "pprof", import_pprof_heap, NULL, false },
	{ "pprof, gzip", import_pprof_heap, import_gzip, true },
	{ "heaptrack", import_heaptrack_small, NULL, false },
	{ "heaptrack, gzip", import_heaptrack_small, import_gzip, false },
	{ "heaptrack, zstd", import_heaptrack_small, import_zstd, false },
};

static void make(struct buf *out, size_t i)
{
	buf_clear(out);
	cases[i].make(out);
	if (cases[i].pack)
		cases[i].pack(out);
}

static void a_file_cut_at_any_byte_is_read_as_far_as_it_goes_or_refused(void **state)
{
	struct buf data = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned refused = 0;

		make(&data, i);
		put(file, &data);
		put(whole, &data);
		assert_int_equal(run_all(false), EXIT_FINE);
		assert_int_equal(run_all(true), EXIT_FINE);
		for (size_t cut = data.len; cut--;) {
			assert_int_equal(ftruncate(file, (off_t)cut), 0);
			alarm(SECONDS_MAX);
			refused += run_all(cut % 2) == EXIT_UNREADABLE;
		}
		alarm(0);
		if (!refused || (cases[i].is_whole_or_nothing && refused != data.len))
			fail_msg("%s: %u of %zu cuts were refused", cases[i].what, refused, data.len);
	}
	buf_release(&data);
}

static uint32_t draw(uint32_t limit)
{
	static uint64_t state = 20260102;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % limit;
}

static void wrong_bits_are_damage_or_other_numbers(void **state)
{
	struct buf data = { 0 };
	unsigned readable = 0, refused = 0;

	(void)state;
	for (int i = 0; i < FLIPS; i++) {
		size_t which = draw(sizeof(cases) / sizeof(cases[0]));
		int status;

		make(&data, which);
		put(whole, &data);
		for (unsigned n = 1 + draw(4); n--;)
			data.data[draw((uint32_t)data.len)] ^= (char)(1u << draw(8));
		put(file, &data);
		alarm(SECONDS_MAX);
		status = run_all(i % 2);
		readable += status == EXIT_FINE;
		refused += status == EXIT_UNREADABLE;
	}
	alarm(0);
	/* Both must have been met, or nothing was tried. */
	assert_in_range(readable, 50, FLIPS);
	assert_in_range(refused, 50, FLIPS);
	buf_release(&data);
}

static void what_wants_events_is_refused(void **state)
{
	char *args[] = { path }, *peaks[] = { (char *)"peaks", path };
	struct buf data = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(&data, i);
		put(file, &data);
		assert_int_equal(run(cmd_heap, peaks, 2, false), EXIT_USAGE);
		peaks[0] = (char *)"peaks";
		peaks[1] = path;
		assert_int_equal(run(cmd_trace, args, 1, false), EXIT_USAGE);
		assert_int_equal(run(cmd_dump, args, 1, false), EXIT_USAGE);
		assert_int_equal(run(cmd_cpu, args, 1, false), EXIT_USAGE);
	}
	buf_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_cut_at_any_byte_is_read_as_far_as_it_goes_or_refused),
		cmocka_unit_test(wrong_bits_are_damage_or_other_numbers),
		cmocka_unit_test(what_wants_events_is_refused),
	};

	return cmocka_run_group_tests_name("analyzer/commands/imported", tests, setup, NULL);
}

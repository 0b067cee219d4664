/* SPDX-License-Identifier: MIT */
/* test_reader.c - hostile and growing files: the whole analysis runs over them, and never more than an error happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/models/analysis.h"
#include "analyzer/read/reader.h"
#include "tests/support/trace.h"

/* Something of everything in few units. */
static void make_trace(struct trace *t)
{
	struct trace_lane lane;
	uint32_t stack;
	struct rsd_fd fd = { .name = 1, .own.calls = 3, .own.bytes_read = 10 };

	trace_init(t);
	trace_add_thread(t, 0, 100, "main");
	trace_string(t, 1, "/etc/passwd");
	trace_add_fd(t, 3, &fd);
	stack = trace_stack(t, 0x1000, 0x2000);
	lane = trace_lane(t, RSD_EXTENT_EVENTS, 0, 0);
	for (uint64_t i = 0; i < 20; i++) {
		trace_alloc(t, &lane, 10 * i, 0x10000 + 64 * i, 40 + i, stack);
		if (i & 1)
			trace_free(t, &lane, 10 * i + 5, 0x10000 + 64 * i);
	}
	trace_hold(t, &lane, 250, 0x10010, stack);
	trace_span(t, &lane, 300, 90, WAIT_MUTEX, 0x10010, stack);
	trace_span(t, &lane, 400, 50, WAIT_READ, 3, stack);
	lane = trace_lane(t, RSD_EXTENT_SAMPLES, 0, 0);
	trace_sample(t, &lane, 120, 0, stack, 2);
	trace_end(t, 1000, 0);
}

/* Analyse a file; the result only has to be an error with a sentence or a finished analysis. */
static int analyse(const char *path)
{
	struct symbols *symbols = symbols_new(NULL);
	struct stacks *stacks = stacks_new(symbols);
	struct analysis a;
	struct buf error = { 0 }, losses = { 0 };
	int err = analysis_open(&a, path, stacks, NULL, NULL, &error);

	if (err) {
		assert_int_not_equal(error.len, 0);
	} else {
		analysis_losses(&a, &losses);
		analysis_release(&a);
	}
	buf_release(&error);
	buf_release(&losses);
	stacks_free(stacks);
	symbols_free(symbols);
	return err;
}

static int analyse_bytes(const struct trace *t, size_t size)
{
	char *path = trace_write(t, size);
	int err = analyse(path);

	unlink(path);
	free(path);
	return err;
}

static void a_good_dump_is_read(void **state)
{
	struct trace t;
	struct reader r;
	struct buf error = { 0 };
	char *path, *exe;

	(void)state;
	make_trace(&t);
	path = trace_write(&t, SIZE_MAX);
	assert_int_equal(reader_open(&r, path, &error), 0);
	assert_int_equal(r.extents_len, t.units - 1);
	assert_int_equal(r.damaged, 0);
	exe = reader_text(&r, r.header.exe, NULL);
	assert_string_equal(exe, "/bin/traced");
	free(exe);
	reader_release(&r);
	assert_int_equal(analyse(path), 0);
	unlink(path);
	free(path);
	trace_release(&t);
}

static void a_cut_file_is_refused_at_every_length(void **state)
{
	struct trace t;
	size_t step;

	(void)state;
	make_trace(&t);
	for (size_t size = 0; size < trace_size(&t); size += step) {
		/* Every byte of the header and around the begin of units, then in strides. */
		step = size % RSD_UNIT < sizeof(struct rsd_header) + 8 || size % RSD_UNIT > RSD_UNIT - 4 ? 1 : 4093;
		assert_int_not_equal(analyse_bytes(&t, size), 0);
	}
	assert_int_equal(analyse_bytes(&t, trace_size(&t)), 0);
	trace_release(&t);
}

/* Where extents have data: flips elsewhere change nothing that is read. */
static size_t interesting(const struct trace *t, size_t at)
{
	size_t inside = at % RSD_UNIT, end = at < RSD_UNIT ? sizeof(struct rsd_header) : 1100;

	(void)t;
	return inside < end ? at : (at / RSD_UNIT + 1) * RSD_UNIT;
}

static void no_flipped_bit_crashes_the_analysis(void **state)
{
	static const uint8_t masks[] = { 0x01, 0x80, 0xff };
	struct trace t;

	(void)state;
	make_trace(&t);
	for (size_t at = 0; (at = interesting(&t, at)) < trace_size(&t); at++) {
		uint8_t mask = masks[at % 3];

		t.data[at] ^= mask;
		analyse_bytes(&t, SIZE_MAX);
		t.data[at] ^= mask;
	}
	trace_release(&t);
}

static void no_noise_crashes_the_analysis(void **state)
{
	struct trace t;
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 300; round++) {
		make_trace(&t);
		for (int i = 0; i < 40; i++) {
			size_t at;

			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			at = interesting(&t, random % (trace_size(&t) - RSD_UNIT) + (round & 1 ? 0 : RSD_UNIT));
			if (at < trace_size(&t))
				t.data[at] = (uint8_t)(random >> 32);
		}
		analyse_bytes(&t, SIZE_MAX);
		trace_release(&t);
	}
}

static void foreign_files_are_told_apart(void **state)
{
	static const struct {
		const char *what, *bytes, *want;
	} cases[] = {
		{ "empty", "", "the file is empty" },
		{ "short", "RINGSIDE", "ends inside its header" },
		{ "text", "#!/bin/sh\necho hello, this is no dump at all\n", "not a Ringside dump" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[] = "/tmp/ringside-test-XXXXXX";
		int fd = mkstemp(path);
		struct buf error = { 0 };
		struct reader r;

		assert_int_equal(write(fd, cases[i].bytes, strlen(cases[i].bytes)), strlen(cases[i].bytes));
		close(fd);
		assert_int_equal(reader_open(&r, path, &error), -EINVAL);
		assert_non_null(strstr(buf_string(&error), cases[i].want));
		assert_non_null(strstr(buf_string(&error), ": offset "));
		buf_release(&error);
		unlink(path);
	}
}

/* A live file: sparse, larger than any disk, and growing between two looks. */
static void a_growing_sparse_file_is_read_as_far_as_it_is_used(void **state)
{
	struct trace t;
	struct reader r;
	struct buf error = { 0 };
	struct rsd_extent ext;
	uint64_t next = 0;
	char *path;

	(void)state;
	make_trace(&t);
	trace_header(&t)->cap_units = UINT64_C(1) << 22;
	path = trace_write(&t, SIZE_MAX);
	assert_int_equal(truncate(path, (off_t)(UINT64_C(1) << 38)), 0);
	assert_int_equal(reader_open(&r, path, &error), 0);
	assert_int_equal(r.extents_len, t.units - 1);

	/* One unit taken but never begun, then an extent far behind a hole. */
	next = t.units + 100000;
	memcpy(&ext, trace_extent(&t, 1), sizeof(ext));
	ext.kind = RSD_EXTENT_META;
	ext.used = 0;
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, &ext, sizeof(ext), (off_t)((next - 1) * RSD_UNIT)), sizeof(ext));
	assert_int_equal(pwrite(fd, &next, sizeof(next), offsetof(struct rsd_header, next_unit)), sizeof(next));
	close(fd);
	assert_int_equal(reader_refresh(&r, &error), 0);
	assert_int_equal(r.extents_len, t.units);
	assert_int_equal(r.damaged, 0);
	reader_release(&r);
	unlink(path);
	free(path);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_dump_is_read),
		cmocka_unit_test(a_cut_file_is_refused_at_every_length),
		cmocka_unit_test(no_flipped_bit_crashes_the_analysis),
		cmocka_unit_test(no_noise_crashes_the_analysis),
		cmocka_unit_test(foreign_files_are_told_apart),
		cmocka_unit_test(a_growing_sparse_file_is_read_as_far_as_it_is_used),
	};

	return cmocka_run_group_tests_name("analyzer/read/reader", tests, NULL, NULL);
}

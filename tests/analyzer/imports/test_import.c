/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/exports/proto.h"
#include "analyzer/imports/import.h"
#include "tests/support/import_files.h"

static int file;
static char path[64];

struct bench {
	struct symbols *symbols;
	struct stacks *stacks;
	struct import im;
	struct buf error;
	int err;
};

static int setup(void **state)
{
	(void)state;
	file = memfd_create("import", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return file < 0;
}

static void put_file(const struct buf *data)
{
	assert_false(data->failed);
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, buf_string(data), data->len, 0), (ssize_t)data->len);
}

/* Recognised as `name`, and read: b->err says how. */
static void open_as(struct bench *b, const char *name)
{
	const struct import_format *format = import_recognise(path);

	*b = (struct bench){ .symbols = symbols_new(NULL) };
	b->stacks = stacks_new(b->symbols);
	assert_non_null(format);
	assert_string_equal(format->name, name);
	b->err = import_open(&b->im, format, path, b->stacks, &b->error);
}

static void close_bench(struct bench *b)
{
	if (!b->err)
		import_release(&b->im);
	stacks_free(b->stacks);
	symbols_free(b->symbols);
	buf_release(&b->error);
}

/* The row whose innermost function is this. */
static const struct profile_row *row_of(struct bench *b, const char *function)
{
	const struct profile *p = &b->im.profile;

	for (size_t i = 0; i < p->rows_len; i++)
		if (p->rows[i].stack.v &&
		    !strcmp(stacks_leaf(b->stacks, p->rows[i].stack)->frames[0].function, function))
			return &p->rows[i];
	fail_msg("no row of %s", function);
	return NULL;
}

static int64_t value_of(struct bench *b, const char *function, const char *name)
{
	int index = profile_value_index(&b->im.profile, name);

	assert_true(index >= 0);
	return row_of(b, function)->values[index];
}

static int64_t total_of(struct bench *b, const char *name)
{
	return profile_total(&b->im.profile, (size_t)profile_value_index(&b->im.profile, name));
}

static void check_frame(const struct frame *f, const char *function, unsigned line, bool inlined)
{
	assert_string_equal(f->function, function);
	assert_string_equal(f->file, "tool.c");
	assert_string_equal(f->module, "tool");
	assert_string_equal(f->module_path, "/bin/tool");
	assert_int_equal(f->line, line);
	assert_int_equal(f->inlined, inlined);
}

static void check_leaf_stack(struct bench *b)
{
	struct frames frames = { 0 };

	assert_int_equal(stacks_frames(b->stacks, row_of(b, "leaf")->stack, &frames), 0);
	assert_int_equal(frames.len, 3);
	check_frame(frames.list[0], "leaf", 11, true);
	check_frame(frames.list[1], "middle", 22, false);
	check_frame(frames.list[2], "main", 33, false);
	frames_release(&frames);
}

static void a_pprof_profile_has_its_numbers_frames_and_labels(void **state)
{
	struct buf data = { 0 };
	struct bench b;

	(void)state;
	import_pprof_heap(&data);
	for (int packed = 0; packed < 2; packed++) {
		put_file(&data);
		open_as(&b, "pprof");
		assert_int_equal(b.err, 0);
		assert_int_equal(b.im.subject, IMPORT_HEAP);
		assert_string_equal(b.im.program, "tool");
		assert_int_equal(b.im.modules_len, 1);
		assert_int_equal(b.im.modules[0].build_id_len, 2);
		assert_memory_equal(b.im.modules[0].build_id, "\xab\xcd", 2);
		assert_int_equal(b.im.profile.duration_ns, 1500000000);
		assert_int_equal(b.im.profile.main_value, 0);
		assert_int_equal(b.im.profile.rows_len, 2);
		check_leaf_stack(&b);
		assert_int_equal(value_of(&b, "leaf", "alloc_space"), 1000);
		assert_int_equal(value_of(&b, "leaf", "slow"), 2000000);
		assert_int_equal(value_of(&b, "main", "alloc_objects"), 1);
		assert_int_equal(total_of(&b, "alloc_space"), 1024);
		assert_string_equal(profile_label_text(&b.im.profile, row_of(&b, "leaf")->label), "mutex");
		assert_string_equal(profile_label_text(&b.im.profile, row_of(&b, "main")->label), "bytes:24");
		close_bench(&b);
		import_gzip(&data);
	}
	buf_release(&data);
}

static void check_heaptrack(struct bench *b)
{
	assert_int_equal(b->err, 0);
	assert_int_equal(b->im.subject, IMPORT_HEAP);
	assert_string_equal(b->im.program, "tool");
	assert_int_equal(b->im.profile.duration_ns, 16000000);
	check_leaf_stack(b);
	assert_int_equal(value_of(b, "leaf", "alloc_objects"), 3);
	assert_int_equal(value_of(b, "leaf", "alloc_space"), 300);
	assert_int_equal(value_of(b, "leaf", "free_objects"), 2);
	assert_int_equal(value_of(b, "leaf", "temporary"), 1);
	assert_int_equal(value_of(b, "leaf", "inuse_space"), 100);
	assert_int_equal(value_of(b, "leaf", "peak_space"), 200);
	assert_int_equal(value_of(b, "main", "temporary"), 1);
	assert_int_equal(value_of(b, "main", "inuse_objects"), 1);
	assert_int_equal(value_of(b, "main", "peak_objects"), 2);
	assert_int_equal(total_of(b, "peak_space"), 300);
}

static void a_heaptrack_file_is_counted_as_events_are(void **state)
{
	struct buf plain = { 0 };

	(void)state;
	for (int packing = 0; packing < 3; packing++) {
		struct bench b;

		buf_clear(&plain);
		import_heaptrack_small(&plain);
		if (packing == 1)
			import_gzip(&plain);
		if (packing == 2)
			import_zstd(&plain);
		put_file(&plain);
		open_as(&b, "heaptrack");
		check_heaptrack(&b);
		close_bench(&b);
	}
	buf_release(&plain);
}

/* Equal frames are equal stacks, so that files of one program can be compared. */
static void equal_stacks_of_two_files_are_one(void **state)
{
	struct buf data = { 0 }, error = { 0 };
	struct import other;
	struct bench b;

	(void)state;
	import_heaptrack_small(&data);
	put_file(&data);
	open_as(&b, "heaptrack");
	assert_int_equal(import_open(&other, import_recognise(path), path, b.stacks, &error), 0);
	assert_int_equal(b.im.profile.rows[0].stack.v, other.profile.rows[0].stack.v);
	import_release(&other);
	close_bench(&b);
	buf_release(&data);
	buf_release(&error);
}

static void a_string_may_hold_line_ends(void **state)
{
	struct buf data = { 0 };
	struct bench b;

	(void)state;
	buf_add_string(&data,
		       "v 10400 3\ns 7 one\ntwo\ns 4 main\ni 10 1 1\ni 20 0 2\nt 1 0\nt 2 0\na 8 1\n+ 0\na 1 2\n+ 1\n");
	put_file(&data);
	open_as(&b, "heaptrack");
	assert_int_equal(b.err, 0);
	assert_int_equal(value_of(&b, "one\ntwo", "alloc_space"), 8);
	assert_int_equal(value_of(&b, "main", "alloc_space"), 1);
	close_bench(&b);
	buf_release(&data);
}

/* What refers to nothing, or to what comes later, is nothing. */
static void wrong_references_are_counted_and_told(void **state)
{
	struct buf data = { 0 };
	struct bench b;

	(void)state;
	buf_add_string(&data, "v 10400 3\ni 10 9 9 9 9\nt 7 0\nt 1 5\nt 1 3\na 8 ffffffffffffffff\na 8 3\n"
			      "+ 0\n+ 1\n- 1\n- 1\n+ 77\n");
	put_file(&data);
	open_as(&b, "heaptrack");
	assert_int_equal(b.err, 0);
	assert_int_equal(total_of(&b, "alloc_objects"), 2);
	assert_int_equal(total_of(&b, "free_objects"), 1);
	assert_int_equal(b.im.profile.notes_len, 3);
	assert_non_null(strstr(b.im.profile.notes[1], "1 frees"));
	assert_non_null(strstr(b.im.profile.notes[2], "refer to something"));
	close_bench(&b);
	buf_release(&data);
}

static void a_file_without_names_says_what_makes_them(void **state)
{
	struct buf data = { 0 };
	struct bench b;

	(void)state;
	buf_add_string(&data, "v 10400 3\nx /bin/tool\n+ 10 1 7f00\n");
	put_file(&data);
	open_as(&b, "heaptrack");
	assert_int_equal(b.err, -EBADMSG);
	assert_non_null(strstr(buf_string(&b.error), "heaptrack --interpret"));
	close_bench(&b);
	buf_release(&data);
}

static void add_wide_sample(struct buf *out, uint64_t value)
{
	struct buf m = { 0 };

	for (unsigned i = 0; i < 3000; i++)
		proto_u64(&m, 1, 1 + (i < 1500));
	proto_u64(&m, 2, value);
	proto_message(out, 2, &m);
	buf_release(&m);
}

/* Of a stack that is too deep the innermost frames are there, and sums stop at the end of int64. */
static void deep_stacks_are_cut_outside_and_sums_do_not_wrap(void **state)
{
	struct buf data = { 0 };
	struct frames frames = { 0 };
	struct bench b;

	(void)state;
	import_pprof_heap(&data);
	add_wide_sample(&data, INT64_MAX);
	add_wide_sample(&data, INT64_MAX);
	put_file(&data);
	open_as(&b, "pprof");
	assert_int_equal(b.err, 0);
	assert_int_equal(total_of(&b, "alloc_space"), INT64_MAX);
	assert_int_equal(stacks_cut(b.stacks, b.im.profile.rows[2].stack), CUT_DEPTH);
	assert_int_equal(stacks_frames(b.stacks, b.im.profile.rows[2].stack, &frames), 0);
	assert_int_equal(frames.len, RSD_DEPTH_MAX);
	assert_string_equal(frames.list[0]->function, "main");
	frames_release(&frames);
	close_bench(&b);
	buf_release(&data);
}

/* A type's name goes to terminals as it is. */
static void names_of_types_are_made_safe(void **state)
{
	struct buf data = { 0 }, m = { 0 };
	struct bench b;

	(void)state;
	proto_u64(&m, 1, 1);
	proto_u64(&m, 2, 2);
	proto_message(&data, 1, &m);
	proto_u64(&m, 1, 1);
	proto_message(&data, 1, &m);
	proto_bytes(&data, 6, "", 0);
	proto_bytes(&data, 6, "\033[31mred", 8);
	proto_bytes(&data, 6, "seconds", 7);
	put_file(&data);
	open_as(&b, "pprof");
	assert_int_equal(b.err, 0);
	assert_int_equal(b.im.profile.values_len, 1);
	assert_string_equal(b.im.profile.values[0].name, "\\x1b[31mred");
	assert_int_equal(b.im.profile.values[0].unit, UNIT_NS);
	assert_non_null(strstr(b.im.profile.notes[0], "the name of another one"));
	close_bench(&b);
	buf_release(&data);
	buf_release(&m);
}

/* 257 MiB of nothing in a quarter of a MB. */
static void what_unpacks_without_end_is_refused(void **state)
{
	struct buf data = { 0 }, zeros = { 0 };
	static char piece[1 << 20];
	struct bench b;

	(void)state;
	import_pprof_heap(&data);
	proto_varint(&data, 6 << 3 | 2);
	proto_varint(&data, UINT64_C(300) << 20);
	import_gzip(&data);
	/* gzip's members follow each other: the same one over and over. */
	buf_add(&zeros, piece, sizeof(piece));
	import_gzip(&zeros);
	for (unsigned i = 0; i < 257; i++)
		buf_add(&data, zeros.data, zeros.len);
	assert_true(data.len < 1 << 19);
	put_file(&data);
	open_as(&b, "pprof");
	assert_int_equal(b.err, -EFBIG);
	assert_non_null(strstr(buf_string(&b.error), "larger than 256 MiB"));
	close_bench(&b);
	buf_release(&data);
	buf_release(&zeros);
}

static void what_is_something_else_is_not_recognised(void **state)
{
	static const char *const texts[] = { "",
					     "v",
					     "v 1",
					     "verse 1\n",
					     "2025-01-01 12:00:00\n",
					     "\x1f\x8b",
					     "\n\n\n",
					     "{\"schema\": 1}\n",
					     "#!/bin/sh\n",
					     "RINGSIDE",
					     "\x28\xb5\x2f\xfd" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf data = { 0 };

		buf_add_string(&data, texts[i]);
		put_file(&data);
		if (import_recognise(path))
			fail_msg("recognised: %s", texts[i]);
		buf_release(&data);
	}
	assert_null(import_recognise("/"));
	assert_null(import_recognise("/nowhere/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pprof_profile_has_its_numbers_frames_and_labels),
		cmocka_unit_test(a_heaptrack_file_is_counted_as_events_are),
		cmocka_unit_test(equal_stacks_of_two_files_are_one),
		cmocka_unit_test(a_string_may_hold_line_ends),
		cmocka_unit_test(wrong_references_are_counted_and_told),
		cmocka_unit_test(a_file_without_names_says_what_makes_them),
		cmocka_unit_test(deep_stacks_are_cut_outside_and_sums_do_not_wrap),
		cmocka_unit_test(names_of_types_are_made_safe),
		cmocka_unit_test(what_unpacks_without_end_is_refused),
		cmocka_unit_test(what_is_something_else_is_not_recognised),
	};

	return cmocka_run_group_tests_name("analyzer/imports/import", tests, setup, NULL);
}

/* SPDX-License-Identifier: MIT */
/* test_packed.c - compressed dumps: there and back, any part of them at once by several threads, and hostile ones. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "analyzer/models/analysis.h"
#include "analyzer/read/pack.h"
#include "analyzer/read/packed.h"
#include "tests/support/trace.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
	return *state;
}

/* ---- whole dumps ---------------------------------------------------------------------------------------------- */

static void make_trace(struct trace *t)
{
	struct trace_lane lane;
	uint32_t stack;

	trace_init(t);
	trace_add_thread(t, 0, 100, "main");
	trace_string(t, 1, "/etc/passwd");
	stack = trace_stack(t, 0x1000, 0x2000);
	for (uint64_t part = 0; part < 3; part++) {
		lane = trace_lane(t, RSD_EXTENT_EVENTS, 0, 10000 * part);
		for (uint64_t i = 0; i < 300; i++) {
			trace_alloc(t, &lane, 10000 * part + 10 * i, 0x10000 + 64 * i, 40 + i, stack);
			trace_free(t, &lane, 10000 * part + 10 * i + 5, 0x10000 + 64 * i);
		}
	}
	trace_end(t, 100000, 0);
}

static char *packed_copy(const struct trace *t)
{
	char *raw = trace_write(t, SIZE_MAX), *path = NULL;
	struct buf error = { 0 };
	struct pack_result result;

	assert_true(asprintf(&path, "%s.packed", raw) > 0);
	assert_int_equal(pack_file(raw, path, false, &result, &error), 0);
	assert_int_equal(result.before, trace_size(t));
	assert_true(result.after < result.before / 10);
	unlink(raw);
	free(raw);
	return path;
}

static void forget(char *path)
{
	unlink(path);
	free(path);
}

static uint8_t *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	uint8_t *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	bytes = malloc(*size + 1);
	assert_int_equal(read(fd, bytes, *size), *size);
	close(fd);
	return bytes;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* The allocations of a file, or an error. */
static int analyse(const char *path, uint64_t *allocations)
{
	struct symbols *symbols = symbols_new(NULL);
	struct stacks *stacks = stacks_new(symbols);
	struct buf error = { 0 };
	struct analysis a;
	int err = analysis_open(&a, path, stacks, NULL, NULL, &error);

	if (err) {
		assert_int_not_equal(error.len, 0);
	} else {
		*allocations = weight_count(a.heap.total.allocations);
		if (a.damaged)
			*allocations = 0;
		analysis_release(&a);
	}
	buf_release(&error);
	stacks_free(stacks);
	symbols_free(symbols);
	return err;
}

static void a_dump_is_the_same_there_and_back(void **state)
{
	struct pack_result result;
	struct buf error = { 0 };
	struct trace t;
	uint8_t *bytes;
	uint64_t allocations;
	size_t size;
	char *path;

	(void)state;
	make_trace(&t);
	path = packed_copy(&t);
	assert_int_equal(analyse(path, &allocations), 0);
	assert_int_equal(allocations, 900);
	assert_int_equal(pack_file(path, path, false, &result, &error), -EALREADY);
	assert_int_equal(pack_file(path, path, true, &result, &error), 0);
	bytes = read_file(path, &size);
	assert_int_equal(size, trace_size(&t));
	assert_memory_equal(bytes, t.data, size);
	assert_int_equal(pack_file(path, path, true, &result, &error), -EALREADY);
	free(bytes);
	forget(path);
	buf_release(&error);
	trace_release(&t);
}

static void zstd_itself_unpacks_it(void **state)
{
	struct trace t;
	uint8_t *bytes, *raw;
	size_t size;
	char *path;

	(void)state;
	make_trace(&t);
	path = packed_copy(&t);
	bytes = read_file(path, &size);
	raw = malloc(trace_size(&t));
	assert_int_equal(ZSTD_decompress(raw, trace_size(&t), bytes, size), trace_size(&t));
	assert_memory_equal(raw, t.data, trace_size(&t));
	free(raw);
	free(bytes);
	forget(path);
	trace_release(&t);
}

static void a_dump_that_is_still_recorded_is_left_alone(void **state)
{
	struct pack_result result;
	struct buf error = { 0 };
	struct trace t;
	char *path, line[1024] = { 0 }, *at;
	int fd = open("/proc/self/stat", O_RDONLY);

	(void)state;
	assert_true(read(fd, line, sizeof(line) - 1) > 0);
	close(fd);
	make_trace(&t);
	trace_header(&t)->end_kind = RSD_END_NONE;
	trace_header(&t)->end.tick = 0;
	trace_header(&t)->pid = (uint32_t)getpid();
	at = strrchr(line, ')');
	for (int field = 2; field < 22; field++)
		at = strchr(at + 1, ' ');
	trace_header(&t)->pid_start = strtoull(at + 1, NULL, 10);
	path = trace_write(&t, SIZE_MAX);
	assert_int_equal(pack_file(path, path, false, &result, &error), -EBUSY);
	assert_non_null(strstr(buf_string(&error), "still being recorded"));
	buf_release(&error);
	forget(path);
	trace_release(&t);
}

static void what_cannot_be_written_leaves_the_dump_as_it_was(void **state)
{
	struct pack_result result;
	struct buf error = { 0 };
	struct trace t;
	uint64_t allocations;
	char *path;

	(void)state;
	make_trace(&t);
	path = trace_write(&t, SIZE_MAX);
	assert_int_equal(pack_file(path, "/nowhere/at/all.rsd", false, &result, &error), -ENOENT);
	assert_false(result.is_unreadable);
	assert_non_null(strstr(buf_string(&error), "/nowhere/at/all.rsd: No such file"));
	assert_int_equal(pack_file(path, "/tmp", false, &result, &error), -EISDIR);
	assert_int_equal(pack_file(path, "/dev/null", false, &result, &error), -EINVAL);
	assert_int_equal(analyse(path, &allocations), 0);
	assert_int_equal(allocations, 900);
	buf_release(&error);
	forget(path);
	trace_release(&t);
}

static void a_cut_file_is_refused_at_every_length(void **state)
{
	struct trace t;
	uint64_t allocations;
	uint8_t *bytes;
	size_t size;
	char *path;

	(void)state;
	make_trace(&t);
	path = packed_copy(&t);
	bytes = read_file(path, &size);
	for (size_t len = 0; len<size; len += len + 200> size ? 1 : 37) {
		write_file(path, bytes, len);
		assert_int_not_equal(analyse(path, &allocations), 0);
	}
	free(bytes);
	forget(path);
	trace_release(&t);
}

/* Frames have checksums and the sum of the table is known: what is read is right, or it is said that it is not. */
static void no_flipped_bit_goes_unnoticed(void **state)
{
	struct trace t;
	uint8_t *bytes;
	size_t size;
	char *path;

	(void)state;
	make_trace(&t);
	path = packed_copy(&t);
	bytes = read_file(path, &size);
	for (size_t at = 0; at < size; at++) {
		uint64_t allocations = 0;

		bytes[at] ^= (uint8_t)(1 << at % 8);
		write_file(path, bytes, size);
		if (!analyse(path, &allocations))
			assert_true(allocations == 0 || allocations == 900);
		bytes[at] ^= (uint8_t)(1 << at % 8);
	}
	free(bytes);
	forget(path);
	trace_release(&t);
}

static void no_noise_crashes_the_analysis(void **state)
{
	struct trace t;
	uint8_t *bytes, *noisy;
	size_t size;
	char *path;

	(void)state;
	make_trace(&t);
	path = packed_copy(&t);
	bytes = read_file(path, &size);
	noisy = malloc(size);
	for (int round = 0; round < 500; round++) {
		/* Every other round spares the frames: the table is what is trusted least. */
		size_t from = round & 1 ? size - 160 : 0;
		uint64_t allocations;

		memcpy(noisy, bytes, size);
		for (int i = 0; i < 1 + round % 20; i++)
			noisy[from + next_random(&random_state) % (size - from)] = (uint8_t)next_random(&random_state);
		write_file(path, noisy, size);
		analyse(path, &allocations);
	}
	free(noisy);
	free(bytes);
	forget(path);
	trace_release(&t);
}

/* ---- tables made by hand -------------------------------------------------------------------------------------- */

struct made {
	uint8_t bytes[1 << 20];
	size_t len;
	uint32_t table[4096][3];
	uint32_t entries;
};

static void add_frame(struct made *m, const void *raw, size_t size)
{
	size_t n = ZSTD_compress(m->bytes + m->len, sizeof(m->bytes) - m->len, raw, size, 1);

	assert_false(ZSTD_isError(n));
	m->table[m->entries][0] = (uint32_t)n;
	m->table[m->entries++][1] = (uint32_t)size;
	m->len += n;
}

static void add_u32(struct made *m, uint32_t value)
{
	memcpy(m->bytes + m->len, &value, 4);
	m->len += 4;
}

/* descriptor: with bit 7 the entries have a third word. */
static void add_table(struct made *m, uint32_t entries, uint8_t descriptor)
{
	uint32_t words = descriptor & 0x80 ? 3 : 2;

	add_u32(m, PACKED_TABLE_MAGIC);
	add_u32(m, m->entries * words * 4 + PACKED_FOOTER_SIZE);
	for (uint32_t i = 0; i < m->entries; i++)
		for (uint32_t word = 0; word < words; word++)
			add_u32(m, m->table[i][word]);
	add_u32(m, entries);
	m->bytes[m->len++] = descriptor;
	add_u32(m, PACKED_FOOTER_MAGIC);
}

static int open_made(const struct made *m, struct packed **p, int *fd)
{
	char path[] = "/tmp/ringside-test-XXXXXX";
	const char *fault = NULL;
	uint64_t offset;
	int err;

	*fd = mkstemp(path);
	assert_int_equal(write(*fd, m->bytes, m->len), m->len);
	unlink(path);
	err = packed_open(p, *fd, m->len, &fault, &offset);
	if (err) {
		assert_int_equal(err, -EINVAL);
		assert_non_null(fault);
		assert_true(offset <= m->len);
		assert_null(*p);
		close(*fd);
	}
	return err;
}

static struct made *new_made(void)
{
	struct made *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	return m;
}

static void checksums_in_the_table_and_empty_pieces_are_stepped_over(void **state)
{
	struct made *m = new_made();
	struct packed *p;
	char out[8] = "";
	int fd;

	(void)state;
	add_frame(m, "abc", 3);
	add_frame(m, "", 0);
	add_frame(m, "def", 3);
	add_table(m, 3, 0x80 | 3); /* the lowest two bits mean nothing */
	assert_int_equal(open_made(m, &p, &fd), 0);
	assert_int_equal(packed_size(p), 6);
	assert_int_equal(packed_read(p, 1, out, 4), 0);
	assert_string_equal(out, "bcde");
	assert_int_equal(packed_read(p, 6, out, 0), 0);
	assert_int_equal(packed_read(p, 3, out, 4), -EIO);
	assert_int_equal(packed_read(p, UINT64_MAX, out, 2), -EIO);
	packed_close(p);
	close(fd);
	free(m);
}

static void a_table_that_makes_no_sense_is_refused(void **state)
{
	struct packed *p;
	int fd;

	(void)state;
	for (int wrong = 0; wrong < 9; wrong++) {
		struct made *m = new_made();
		uint32_t entries = 2;
		uint8_t descriptor = 0;

		add_frame(m, "abc", 3);
		add_frame(m, "def", 3);
		switch (wrong) {
		case 0: /* more than there is room for */
			entries = UINT32_MAX;
			break;
		case 1:
			entries = 3;
			break;
		case 2: /* fewer than the skippable frame holds */
			entries = 1;
			break;
		case 3: /* bits that some later version may use */
			descriptor = 0x40;
			break;
		case 4: /* sums that end elsewhere than where the table begins */
			m->table[0][0]++;
			break;
		case 5:
			m->table[1][0] = UINT32_MAX;
			break;
		case 6: /* a frame takes some bytes */
			m->table[1][0] += m->table[0][0];
			m->table[0][0] = 0;
			break;
		case 7: /* more memory than a piece may take */
			m->table[1][1] = PACKED_PIECE_MAX + 1;
			break;
		case 8: /* no table at all */
			descriptor = 0;
			m->len = 0;
			break;
		}
		if (wrong < 8)
			add_table(m, entries, descriptor);
		assert_int_equal(open_made(m, &p, &fd), -EINVAL);
		free(m);
	}
}

/* A frame says its own size too, and nobody asks it. */
static void a_frame_of_another_size_than_the_table_says_is_damage(void **state)
{
	static const char zeros[100000];
	struct made *m = new_made();
	struct packed *p;
	char out[16] = "";
	int fd;

	(void)state;
	add_frame(m, zeros, sizeof(zeros)); /* a bomb: 100 000 bytes in 20 */
	m->table[0][1] = 10;
	add_frame(m, "abc", 3);
	m->table[1][1] = 4;
	add_frame(m, "def", 3);
	add_table(m, 3, 0);
	assert_int_equal(open_made(m, &p, &fd), 0);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(packed_read(p, 0, out, 10), -EBADMSG);
		assert_int_equal(packed_read(p, 10, out, 1), -EBADMSG);
		assert_int_equal(packed_read(p, 12, out, 3), -EBADMSG);
		assert_int_equal(packed_read(p, 14, out, 3), 0);
	}
	assert_string_equal(out, "def");
	packed_close(p);
	close(fd);
	free(m);
}

/* ---- threads -------------------------------------------------------------------------------------------------- */

#define PIECES 300u
#define PIECE_SIZE 1000u
#define THREADS 4

struct reading {
	struct packed *p;
	const uint8_t *raw;
	uint64_t seed;
	unsigned wrong;
};

/* More pieces than the cache has room for, from random places, and long stretches in between. */
static void *read_anywhere(void *arg)
{
	struct reading *r = arg;
	uint8_t out[5 * PIECE_SIZE];

	for (int i = 0; i < 2000; i++) {
		uint64_t at = next_random(&r->seed) % (PIECES * PIECE_SIZE);
		size_t size = next_random(&r->seed) % (i % 10 ? 64 : sizeof(out));

		if (size > PIECES * PIECE_SIZE - at)
			size = PIECES * PIECE_SIZE - at;
		r->wrong += packed_read(r->p, at, out, size) || memcmp(out, r->raw + at, size);
	}
	return NULL;
}

static void threads_read_any_part_at_once(void **state)
{
	struct made *m = new_made();
	uint8_t *raw = malloc(PIECES * PIECE_SIZE);
	struct reading readings[THREADS];
	pthread_t threads[THREADS];
	struct packed *p;
	int fd;

	(void)state;
	for (size_t i = 0; i < PIECES * PIECE_SIZE; i++)
		raw[i] = (uint8_t)next_random(&random_state);
	for (size_t i = 0; i < PIECES; i++)
		add_frame(m, raw + i * PIECE_SIZE, PIECE_SIZE);
	add_table(m, PIECES, 0);
	assert_int_equal(open_made(m, &p, &fd), 0);
	for (size_t i = 0; i < THREADS; i++) {
		readings[i] = (struct reading){ p, raw, i + 1, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, read_anywhere, &readings[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readings[i].wrong, 0);
	}
	packed_close(p);
	close(fd);
	free(raw);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_is_the_same_there_and_back),
		cmocka_unit_test(zstd_itself_unpacks_it),
		cmocka_unit_test(a_dump_that_is_still_recorded_is_left_alone),
		cmocka_unit_test(what_cannot_be_written_leaves_the_dump_as_it_was),
		cmocka_unit_test(a_cut_file_is_refused_at_every_length),
		cmocka_unit_test(no_flipped_bit_goes_unnoticed),
		cmocka_unit_test(no_noise_crashes_the_analysis),
		cmocka_unit_test(checksums_in_the_table_and_empty_pieces_are_stepped_over),
		cmocka_unit_test(a_table_that_makes_no_sense_is_refused),
		cmocka_unit_test(a_frame_of_another_size_than_the_table_says_is_damage),
		cmocka_unit_test(threads_read_any_part_at_once),
	};

	return cmocka_run_group_tests_name("analyzer/read/packed", tests, NULL, NULL);
}

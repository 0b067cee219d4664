// SPDX-License-Identifier: MIT
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "format/codec.h"
#include "format/kinds.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD_BYTES_MAX 1020u /* what the length of a record's head can say */

struct row {
	unsigned id;
	const char *name, *second; /* domain, or nothing */
};

static const struct row events[] = {
#define EVENT(KIND, id, shape, domain, name) { id, name, #domain },
#include "format/events.def"
};
static const struct row waits[] = {
#define WAIT(KIND, id, word, domain) { id, word, #domain },
#include "format/waits.def"
};
static const struct row apis[] = {
#define API(KIND, id, name) { id, name, "" },
#include "format/apis.def"
};
static const struct row cuts[] = {
#define CUT(REASON, id, words) { id, words, "" },
#include "format/cuts.def"
};
static const struct row metas[] = {
#define META(KIND, id, name) { id, name, "" },
#include "format/metas.def"
};
static const struct row counters[] = {
#define COUNTER(NAME, slot, words, loss) { slot, words, #NAME },
#include "format/counters.def"
};

static const char *event_name(unsigned id)
{
	return kind_info(id) ? kind_info(id)->name : "?";
}

static const char *counter_words(unsigned id)
{
	return counter_info(id) ? counter_info(id)->words : "?";
}

static const struct table {
	const char *what;
	const struct row *rows;
	size_t len;
	unsigned first, limit; /* ids are in [first, limit): what their field on disk holds */
	const char *(*name)(unsigned id);
} tables[] = {
	{ "events", events, LEN(events), 1, 256, event_name },
	{ "waits", waits, LEN(waits), 1, RSD_WAITS, wait_name },
	{ "apis", apis, LEN(apis), 1, 65536, api_name },
	{ "cuts", cuts, LEN(cuts), 0, 256, cut_words },
	{ "metas", metas, LEN(metas), 1, 65536, meta_name },
	{ "counters", counters, LEN(counters), 0, RSD_COUNTERS, counter_words },
};

static void every_row_is_found_by_its_id(void **state)
{
	(void)state;
	for (size_t t = 0; t < LEN(tables); t++)
		for (size_t i = 0; i < tables[t].len; i++) {
			const struct row *row = &tables[t].rows[i];

			if (row->id < tables[t].first || row->id >= tables[t].limit)
				fail_msg("%s: id %u of %s is out of range", tables[t].what, row->id, row->name);
			assert_true(strlen(row->name) > 0);
			assert_string_equal(tables[t].name(row->id), row->name);
		}
}

static void ids_and_names_are_unique(void **state)
{
	(void)state;
	for (size_t t = 0; t < LEN(tables); t++)
		for (size_t i = 0; i < tables[t].len; i++)
			for (size_t j = 0; j < i; j++) {
				const struct row *a = &tables[t].rows[i], *b = &tables[t].rows[j];

				if (a->id == b->id || !strcmp(a->name, b->name))
					fail_msg("%s: %u %s and %u %s", tables[t].what, a->id, a->name, b->id, b->name);
			}
}

static void ids_without_a_row_have_no_name(void **state)
{
	static const unsigned far[] = { 65535, 65536, 1u << 20, INT_MAX, 1u << 31, UINT_MAX - 1, UINT_MAX };

	(void)state;
	for (size_t t = 0; t < LEN(tables); t++) {
		unsigned named = 0;

		for (unsigned id = 0; id < 4096; id++)
			named += strcmp(tables[t].name(id), "?") != 0;
		assert_int_equal(named, tables[t].len);
		for (size_t i = 0; i < LEN(far); i++)
			assert_string_equal(tables[t].name(far[i]), "?");
	}
	assert_null(kind_info(0));
	assert_null(kind_info(EV_LIMIT));
	assert_null(counter_info(RSD_COUNTERS));
	assert_string_equal(wait_domain(0), "?");
	assert_string_equal(wait_domain(RSD_WAITS), "?");
	assert_string_equal(wait_domain(UINT_MAX), "?");
}

static void sizes_are_those_of_the_structs(void **state)
{
	static const struct {
		const char *shape;
		size_t size;
		bool moves_addr;
	} shapes[] = {
		{ "alloc", sizeof(struct rec_alloc), true },	{ "free", sizeof(struct rec_free), true },
		{ "pages", sizeof(struct rec_pages), false },	{ "span", sizeof(struct rec_span), false },
		{ "hold", sizeof(struct rec_hold), false },	{ "wake", sizeof(struct rec_wake), false },
		{ "order", sizeof(struct rec_order), false },	{ "sample", sizeof(struct rec_sample), false },
		{ "thread", sizeof(struct rec_thread), false }, { "fd", sizeof(struct rec_fd), false },
		{ "note", sizeof(struct rec_note), false },	{ "pool", sizeof(struct rec_pool), false },
		{ "proc", sizeof(struct rec_proc), false },	{ "timed", sizeof(struct rec_timed), false },
		{ "memory", sizeof(struct rec_memory), false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(events); i++) {
		const struct kind_info *info = kind_info(events[i].id);
		size_t s = 0;

		while (s < LEN(shapes) && strcmp(shapes[s].shape, info->shape))
			s++;
		if (s == LEN(shapes))
			fail_msg("%s has an unknown shape %s", info->name, info->shape);
		assert_string_equal(info->domain, events[i].second);
		assert_int_equal(info->size, shapes[s].size);
		assert_int_equal(info->moves_addr, shapes[s].moves_addr);
		assert_int_equal(info->size % 4, 0);
		assert_true(info->size <= CODEC_RECORD_MAX && info->size <= HEAD_BYTES_MAX);
		assert_true(events[i].id < EV_LIMIT);
	}
	/* codec_get takes the address of both from one of them. */
	assert_int_equal(offsetof(struct rec_alloc, addr), offsetof(struct rec_free, addr));
}

static void a_head_gives_back_its_parts(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 256; kind += 5)
		for (unsigned bytes = 0; bytes <= HEAD_BYTES_MAX; bytes += 4)
			for (unsigned flags = 0; flags < 4096; flags = flags * 2 + 1) {
				uint32_t head = RSD_HEAD(kind, bytes, flags);

				assert_int_equal(head & 15, RSD_TAG_LONG);
				assert_int_equal(RSD_HEAD_KIND(head), kind);
				assert_int_equal(RSD_HEAD_BYTES(head), bytes);
				assert_int_equal(RSD_HEAD_FLAGS(head), flags);
			}
}

static void waits_are_found_by_their_word(void **state)
{
	static const char *const none[] = { "", "mute", "mutexx", "Mutex", "rwlock", "?", "lock" };

	(void)state;
	for (size_t i = 0; i < LEN(waits); i++) {
		assert_int_equal(wait_by_name(waits[i].name), waits[i].id);
		assert_string_equal(wait_domain(waits[i].id), waits[i].second);
	}
	for (size_t i = 0; i < LEN(none); i++)
		assert_int_equal(wait_by_name(none[i]), 0);
}

static void wait_domains_are_the_documented_ones(void **state)
{
	static const char *const domains[] = { "lock", "sync", "time", "io", "process", "other" };

	(void)state;
	for (size_t i = 0; i < LEN(waits); i++) {
		size_t d = 0;

		while (d < LEN(domains) && strcmp(domains[d], waits[i].second))
			d++;
		if (d == LEN(domains))
			fail_msg("%s has the domain %s", waits[i].name, waits[i].second);
	}
}

static void losses_are_told_apart_from_mere_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(counters); i++)
		assert_string_equal(counter_info(counters[i].id)->name, counters[i].second);
	assert_true(counter_info(COUNT_LOST_FULL)->is_loss);
	assert_true(counter_info(COUNT_DEGRADED)->is_loss);
	assert_false(counter_info(COUNT_LOST_RECYCLED)->is_loss); /* that is what ring=SIZE asks for */
	assert_false(counter_info(COUNT_FOREIGN_FREES)->is_loss);
}

/* Dumps of older versions have these numbers: a row may be added behind, none may change. */
static void ids_on_disk_stay(void **state)
{
	static const char *const old_events[] = {
		"?",	       "alloc",	     "free",	  "realloc-free", "realloc-alloc", "pages-map",
		"pages-unmap", "span",	     "hold",	  "wake",	  "sample",	   "thread",
		"fd-close",    "task-begin", "task-end",  "region-begin", "region-end",	   "log",
		"counter",     "pool-alloc", "pool-free", "fork",	  "mark",	   "sampled-alloc",
		"timed",       "memory",     "order",
	};
	static const char *const old_waits[] = {
		"?",	"mutex",     "rwlock-read", "rwlock-write", "cond",   "sem",	"barrier",
		"join", "spin",	     "once",	    "sleep",	    "poll",   "select", "epoll",
		"read", "write",     "accept",	    "connect",	    "recv",   "send",	"fsync",
		"open", "lock-file", "wait-child",  "futex",	    "signal", "ipc",	"other",
	};
	static const char *const old_apis[] = {
		"?",	    "malloc",	      "calloc",	       "realloc", "free",    "reallocarray",
		"memalign", "posix_memalign", "aligned_alloc", "valloc",  "pvalloc", "free_sized",
		"pool",	    "mmap",	      "munmap",	       "mremap",  "brk",
	};
	static const char *const old_metas[] = { "?", "string", "module", "module-gone", "notice", "child" };

	(void)state;
	for (unsigned i = 0; i < LEN(old_events); i++)
		assert_string_equal(event_name(i), old_events[i]);
	for (unsigned i = 0; i < LEN(old_waits); i++)
		assert_string_equal(wait_name(i), old_waits[i]);
	for (unsigned i = 0; i < LEN(old_apis); i++)
		assert_string_equal(api_name(i), old_apis[i]);
	for (unsigned i = 0; i < LEN(old_metas); i++)
		assert_string_equal(meta_name(i), old_metas[i]);
	assert_string_equal(cut_words(CUT_NONE), "complete");
	assert_int_equal(CUT_LOOP, 8);
	assert_int_equal(COUNT_CHILD_LOST, 15);
	assert_int_equal(COUNT_OWN_BYTES, 17);
	assert_int_equal(COUNT_FILE_CUT, 18);
	assert_int_equal(COUNT_REACH_CUT, 20);
	assert_int_equal(RSD_EXTENT_REACH, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_id),
		cmocka_unit_test(ids_and_names_are_unique),
		cmocka_unit_test(ids_without_a_row_have_no_name),
		cmocka_unit_test(sizes_are_those_of_the_structs),
		cmocka_unit_test(a_head_gives_back_its_parts),
		cmocka_unit_test(waits_are_found_by_their_word),
		cmocka_unit_test(wait_domains_are_the_documented_ones),
		cmocka_unit_test(losses_are_told_apart_from_mere_counts),
		cmocka_unit_test(ids_on_disk_stay),
	};

	return cmocka_run_group_tests_name("format/kinds", tests, NULL, NULL);
}

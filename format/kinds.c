/* SPDX-License-Identifier: MIT */
/* kinds.c - the .def tables as arrays. */
#include <string.h>

#include "format/kinds.h"
#include "format/record.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Which shapes set the base of the next address delta. */
enum {
	moves_alloc = 1,
	moves_free = 1,
	moves_pages = 0,
	moves_span = 0,
	moves_hold = 0,
	moves_wake = 0,
	moves_order = 0,
	moves_sample = 0,
	moves_thread = 0,
	moves_fd = 0,
	moves_note = 0,
	moves_pool = 0,
	moves_proc = 0,
	moves_timed = 0,
	moves_memory = 0,
};

static const struct kind_info kinds[] = {
#define EVENT(KIND, id, shape, domain, name)                                                                           \
	[EV_##KIND] = { name, #domain, #shape, sizeof(struct rec_##shape), moves_##shape },
#include "format/events.def"
};

static const struct counter_info counters[RSD_COUNTERS] = {
#define COUNTER(NAME, slot, words, loss) [slot] = { #NAME, words, loss },
#include "format/counters.def"
};

static const struct {
	const char *name, *domain;
} waits[] = {
#define WAIT(KIND, id, word, domain) [id] = { word, #domain },
#include "format/waits.def"
};

static const char *const apis[] = {
#define API(KIND, id, name) [id] = name,
#include "format/apis.def"
};

static const char *const cuts[] = {
#define CUT(REASON, id, words) [id] = words,
#include "format/cuts.def"
};

static const char *const metas[] = {
#define META(KIND, id, name) [id] = name,
#include "format/metas.def"
};

const struct kind_info *kind_info(unsigned kind)
{
	return kind < LEN(kinds) && kinds[kind].name ? &kinds[kind] : NULL;
}

const struct counter_info *counter_info(unsigned slot)
{
	return slot < LEN(counters) && counters[slot].words ? &counters[slot] : NULL;
}

const char *wait_name(unsigned wait)
{
	return wait < LEN(waits) && waits[wait].name ? waits[wait].name : "?";
}

const char *wait_domain(unsigned wait)
{
	return wait < LEN(waits) && waits[wait].domain ? waits[wait].domain : "?";
}

const char *api_name(unsigned api)
{
	return api < LEN(apis) && apis[api] ? apis[api] : "?";
}

const char *cut_words(unsigned cut)
{
	return cut < LEN(cuts) && cuts[cut] ? cuts[cut] : "?";
}

const char *meta_name(unsigned kind)
{
	return kind < LEN(metas) && metas[kind] ? metas[kind] : "?";
}

unsigned wait_by_name(const char *word)
{
	for (unsigned id = 1; id < LEN(waits); id++)
		if (waits[id].name && !strcmp(waits[id].name, word))
			return id;
	return 0;
}

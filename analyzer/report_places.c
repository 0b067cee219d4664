/* SPDX-License-Identifier: MIT */
/* report_places.c - thousands of stacks become the few places where memory is allocated. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings.h"
#include "analyzer/report_places.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/map.h"

static int by_peak(const void *a, const void *b)
{
	const struct report_place *x = a, *y = b;

	if (x->sum.peak_bytes != y->sum.peak_bytes)
		return x->sum.peak_bytes > y->sum.peak_bytes ? -1 : 1;
	if (x->sum.allocated_bytes != y->sum.allocated_bytes)
		return x->sum.allocated_bytes > y->sum.allocated_bytes ? -1 : 1;
	return strcmp(x->name, y->name);
}

static uint64_t name_key(const char *name)
{
	uint64_t key = 0xcbf29ce484222325u;

	for (; *name; name++)
		key = (key ^ (uint8_t)*name) * 0x100000001b3u;
	return key;
}

long report_heap_places(const struct heap *h, struct stacks *stacks, struct report_place **places)
{
	struct map index_of;
	long len = 0;

	*places = calloc(h->sites_len + 1, sizeof(**places));
	map_init(&index_of);
	for (size_t i = 0; *places && i < h->sites_len; i++) {
		struct buf name = { 0 };
		uint64_t index, key;

		site_name(&name, stacks, h->sites[i].stack);
		key = name_key(buf_string(&name));
		if (!map_get(&index_of, key, &index)) {
			index = (uint64_t)len;
			(*places)[len].name = strdup(buf_string(&name));
			if (!(*places)[len].name || map_put(&index_of, key, index))
				len = -ENOMEM;
			else
				len++;
		}
		buf_release(&name);
		if (len < 0)
			break;
		heap_site_add(&(*places)[index].sum, &h->sites[i]);
	}
	map_release(&index_of);
	if (!*places || len < 0)
		return -ENOMEM;
	qsort(*places, (size_t)len, sizeof(**places), by_peak);
	return len;
}

void report_places_free(struct report_place *places, long len)
{
	for (long i = 0; i < len; i++)
		free(places[i].name);
	free(places);
}

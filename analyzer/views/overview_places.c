/* SPDX-License-Identifier: MIT */
/* overview_places.c - thousands of stacks become the few places where memory is allocated. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/findings.h"
#include "analyzer/views/overview_places.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/map.h"

static int by_peak(const void *a, const void *b)
{
	const struct overview_place *x = a, *y = b;

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

struct finder {
	struct map by_frames, by_name; /* hash -> index of the place */
	struct overview_place *places;
	long len;
};

/* The place of a name: frames of different lines may have one. */
static long place_of_name(struct finder *f, const char *name)
{
	uint64_t key = name_key(name), index;

	if (map_get(&f->by_name, key, &index))
		return (long)index;
	f->places[f->len].name = strdup(name);
	if (!f->places[f->len].name || map_put(&f->by_name, key, (uint64_t)f->len))
		return -ENOMEM;
	return f->len++;
}

static long place_of_frames(struct finder *f, struct place frames)
{
	uint64_t key = hash_bytes(&frames, sizeof(frames)), index;
	struct buf name = { 0 };
	long place;

	if (map_get(&f->by_frames, key, &index))
		return (long)index;
	place_spell(&name, frames);
	place = name.failed ? -ENOMEM : place_of_name(f, buf_string(&name));
	buf_release(&name);
	return place < 0 || map_put(&f->by_frames, key, (uint64_t)place) ? -ENOMEM : place;
}

long overview_heap_places(const struct heap *h, struct stacks *stacks, struct overview_place **places)
{
	struct finder f = { .places = calloc(h->sites_len + 1, sizeof(**places)) };
	long place = f.places ? 0 : -ENOMEM;

	map_init(&f.by_frames);
	map_init(&f.by_name);
	if (h->sites_len)
		places_want(stacks, &h->sites[0].stack, sizeof(h->sites[0]), h->sites_len);
	for (size_t i = 0; place >= 0 && i < h->sites_len; i++) {
		place = place_of_frames(&f, place_find(stacks, h->sites[i].stack));
		if (place >= 0)
			heap_site_add(&f.places[place].sum, &h->sites[i]);
	}
	map_release(&f.by_frames);
	map_release(&f.by_name);
	*places = f.places;
	if (place < 0)
		return -ENOMEM;
	qsort(f.places, (size_t)f.len, sizeof(*f.places), by_peak);
	return f.len;
}

void overview_places_free(struct overview_place *places, long len)
{
	for (long i = 0; i < len; i++)
		free(places[i].name);
	free(places);
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/util/list.h"
#include "analyzer/web/latency.h"

#define FIRST_BIT 10u
/* Names are meant to be few; a program that makes them up as it goes is told of by the first ones. */
#define SERIES_MOST 400u

unsigned web_latency_row(uint64_t ns)
{
	unsigned bit, row;

	if (ns >> FIRST_BIT == 0)
		return 0;
	bit = 63 - (unsigned)__builtin_clzll(ns);
	row = (bit - FIRST_BIT) * 4 + (unsigned)(ns >> (bit - 2) & 3) + 1;
	return row < WEB_LATENCY_ROWS ? row : WEB_LATENCY_ROWS - 1;
}

static unsigned column_of(const struct web_latency *l, uint64_t tick)
{
	unsigned column = (unsigned)((unsigned __int128)(tick - l->window.from) * WEB_LATENCY_COLUMNS /
				     (l->window.to - l->window.from));

	return column < WEB_LATENCY_COLUMNS ? column : WEB_LATENCY_COLUMNS - 1;
}

static struct web_series *series_at(struct web_latency *l, enum web_latency_group group, uint64_t key)
{
	uint64_t found, name = (uint64_t)group << 48 | key;
	struct web_series *series;

	if (map_get(&l->series_of, name, &found))
		return l->list[found];
	if (l->len == SERIES_MOST)
		return NULL;
	series = calloc(1, sizeof(*series));
	if (series)
		series->grid = calloc(WEB_LATENCY_COLUMNS, sizeof(*series->grid));
	if (!series || !series->grid || list_grow((void **)&l->list, &l->cap, l->len, sizeof(*l->list)) ||
	    map_put(&l->series_of, name, l->len)) {
		if (series)
			free(series->grid);
		free(series);
		l->failed = true;
		return NULL;
	}
	series->group = group;
	series->key = key;
	return l->list[l->len++] = series;
}

void web_latency_add(struct web_latency *l, enum web_latency_group group, uint64_t key, uint64_t end, uint64_t ns)
{
	struct web_series *series;

	if (end < l->window.from || end > l->window.to)
		return;
	series = series_at(l, group, key);
	if (!series)
		return;
	series->sum_ns += ns;
	histogram_add(&series->durations, ns);
	series->grid[column_of(l, end)][web_latency_row(ns)]++;
}

void web_latency_stretch(struct web_latency *l, const struct stretch *s)
{
	const bool *chosen = l->r->a->filter.threads;
	uint64_t lock;

	if (!s->wait || s->is_unfinished || (chosen && !chosen[s->thread]))
		return;
	web_latency_add(l, WEB_LATENCY_WAIT, s->wait, s->end, s->blocked_ns);
	if (s->object && map_get(&l->lock_of, s->object, &lock))
		web_latency_add(l, WEB_LATENCY_LOCK, lock, s->end, s->blocked_ns);
}

int web_latency_init(struct web_latency *l, struct report_run *r, struct report_window window)
{
	const struct locks *locks = &r->a->locks;
	int err = 0;

	*l = (struct web_latency){ .r = r, .window = window };
	map_init(&l->series_of);
	map_init(&l->lock_of);
	for (size_t i = 0; i < locks->locks_len && i < WEB_LATENCY_LOCKS && !err; i++)
		err = map_put(&l->lock_of, locks->locks[i].address, i);
	return err;
}

void web_latency_release(struct web_latency *l)
{
	for (size_t i = 0; i < l->len; i++) {
		free(l->list[i]->grid);
		free(l->list[i]);
	}
	free(l->list);
	map_release(&l->series_of);
	map_release(&l->lock_of);
}

static int by_sum(const void *a, const void *b)
{
	const struct web_series *x = *(struct web_series *const *)a, *y = *(struct web_series *const *)b;

	if (x->sum_ns != y->sum_ns)
		return x->sum_ns > y->sum_ns ? -1 : 1;
	return x->group != y->group ? (x->group < y->group ? -1 : 1) : (x->key > y->key) - (x->key < y->key);
}

void web_latency_order(struct web_latency *l)
{
	if (l->len)
		qsort(l->list, l->len, sizeof(struct web_series *), by_sum);
}

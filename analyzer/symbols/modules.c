/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/modules.h"

#define MODULE_ID_MAX 0xffffu /* a stack node has 16 bits for it */

void modules_init(struct modules *m)
{
	memset(m, 0, sizeof(*m));
}

void modules_release(struct modules *m)
{
	for (size_t i = 0; i < m->len; i++)
		free(m->list[i].path);
	free(m->list);
	free(m->by_start);
	map_release(&m->by_id);
	modules_init(m);
}

static int reserve(struct modules *m)
{
	size_t cap = m->cap ? m->cap * 2 : 32;
	struct module *list;

	if (m->len < m->cap)
		return 0;
	list = realloc(m->list, cap * sizeof(*list));
	if (!list)
		return -ENOMEM;
	m->list = list;
	m->cap = cap;
	return 0;
}

int modules_add(struct modules *m, uint32_t id, const char *path, size_t path_len, const void *build_id,
		size_t build_id_len, uint64_t bias, uint64_t start, uint64_t end)
{
	struct module *new;

	if (!id || id > MODULE_ID_MAX || end < start || build_id_len > RSD_BUILD_ID_MAX)
		return -EINVAL;
	if (map_get(&m->by_id, id, NULL))
		return 0;
	if (reserve(m) || map_put(&m->by_id, id, m->len))
		return -ENOMEM;
	new = &m->list[m->len];
	*new = (struct module){ .id = id, .bias = bias, .start = start, .end = end };
	new->path = strndup(path, path_len);
	if (!new->path) {
		map_remove(&m->by_id, id, NULL);
		return -ENOMEM;
	}
	new->build_id_len = (uint32_t)build_id_len;
	if (build_id_len)
		memcpy(new->build_id, build_id, build_id_len);
	m->len++;
	if (end - start > m->widest)
		m->widest = end - start;
	free(m->by_start);
	m->by_start = NULL;
	return 0;
}

void modules_gone(struct modules *m, uint32_t id, uint64_t tick)
{
	struct module *gone = modules_by_id(m, id);

	if (gone)
		gone->gone_tick = tick ? tick : 1;
}

struct module *modules_by_id(const struct modules *m, uint32_t id)
{
	uint64_t at;

	return map_get(&m->by_id, id, &at) ? &m->list[at] : NULL;
}

static int compare_start(const void *a, const void *b, void *arg)
{
	const struct module *list = arg;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	if (list[i].start != list[j].start)
		return list[i].start < list[j].start ? -1 : 1;
	return i < j ? -1 : 1;
}

static int sort_by_start(struct modules *m)
{
	if (m->by_start)
		return 0;
	m->by_start = malloc((m->len + 1) * sizeof(*m->by_start));
	if (!m->by_start)
		return -ENOMEM;
	for (size_t i = 0; i < m->len; i++)
		m->by_start[i] = (uint32_t)i;
	qsort_r(m->by_start, m->len, sizeof(*m->by_start), compare_start, m->list);
	return 0;
}

/* Loaded beats gone; then the later one in the dump. */
static bool is_better(const struct modules *m, uint32_t a, uint32_t b)
{
	bool a_gone = m->list[a].gone_tick, b_gone = m->list[b].gone_tick;

	return a_gone != b_gone ? b_gone : a > b;
}

struct module *modules_by_addr(struct modules *m, uint64_t addr)
{
	size_t low = 0, high = m->len;
	struct module *best = NULL;

	if (sort_by_start(m))
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->list[m->by_start[mid]].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	/* Modules of different times overlap: all that start at most `widest` before may hold it. */
	while (low-- > 0) {
		struct module *at = &m->list[m->by_start[low]];

		if (addr - at->start >= m->widest)
			break;
		if (addr < at->end && (!best || is_better(m, m->by_start[low], (uint32_t)(best - m->list))))
			best = at;
	}
	return best;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

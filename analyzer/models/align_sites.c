/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/align_sites.h"

/* Longer lists are compared by line alone. */
#define SITES_MAX 256u

/* A pair with another line and another weight is still one; with other callees too, it is two sites left alone. */
enum { COST_LINE = 1, COST_WEIGHT = 2, COST_CALLEES = 4, COST_ALONE = 3 };

static unsigned cost_of(const struct align_site *old, const struct align_site *new)
{
	return (old->line != new->line) * COST_LINE + (old->callees != new->callees) * COST_CALLEES +
	       (old->weight != new->weight) * COST_WEIGHT;
}

/* The same build, or too much of it: what has the same line is the same. */
static void align_by_line(uint32_t *next, struct align_site *old, size_t old_len, struct align_site *new,
			  size_t new_len)
{
	for (size_t i = 0, j = 0; i < old_len || j < new_len;) {
		bool takes_old = j == new_len || (i < old_len && old[i].line <= new[j].line);
		bool takes_new = i == old_len || (j < new_len && new[j].line <= old[i].line);
		uint32_t number = ++*next;

		if (takes_old)
			old[i++].number = number;
		if (takes_new)
			new[j++].number = number;
	}
}

static void align_as_one(uint32_t *next, struct align_site *old, size_t old_len, struct align_site *new, size_t new_len)
{
	uint32_t number = ++*next;

	for (size_t i = 0; i < old_len; i++)
		old[i].number = number;
	for (size_t i = 0; i < new_len; i++)
		new[i].number = number;
}

static bool has_no_lines(const struct align_site *sites, size_t len)
{
	return len == 1 && !sites->line;
}

/* The cheapest alignment; cost[i][j]: of the first i old and the first j new sites. */
static int align_by_cost(uint32_t *next, struct align_site *old, size_t old_len, struct align_site *new, size_t new_len)
{
	size_t width = new_len + 1;
	unsigned *cost = malloc((old_len + 1) * width * sizeof(*cost));

	if (!cost)
		return -ENOMEM;
	for (size_t i = 0; i <= old_len; i++)
		for (size_t j = 0; j <= new_len; j++) {
			unsigned best = i || j ? UINT32_MAX : 0;

			if (i && cost[(i - 1) * width + j] + COST_ALONE < best)
				best = cost[(i - 1) * width + j] + COST_ALONE;
			if (j && cost[i * width + j - 1] + COST_ALONE < best)
				best = cost[i * width + j - 1] + COST_ALONE;
			if (i && j && cost[(i - 1) * width + j - 1] + cost_of(&old[i - 1], &new[j - 1]) <= best)
				best = cost[(i - 1) * width + j - 1] + cost_of(&old[i - 1], &new[j - 1]);
			cost[i * width + j] = best;
		}
	for (size_t i = old_len, j = new_len; i || j;) {
		unsigned here = cost[i * width + j];
		uint32_t number = ++*next;

		if (i && j && here == cost[(i - 1) * width + j - 1] + cost_of(&old[i - 1], &new[j - 1]))
			old[--i].number = new[--j].number = number;
		else if (j && here == cost[i * width + j - 1] + COST_ALONE)
			new[--j].number = number;
		else
			old[--i].number = number;
	}
	free(cost);
	return 0;
}

/* Every site has one of its weight on the other side. */
static bool is_balanced(const struct align_site *old, size_t old_len, const struct align_site *new, size_t new_len)
{
	if (old_len != new_len)
		return false;
	for (size_t i = 0; i < old_len; i++)
		if (old[i].number != new[i].number || old[i].weight != new[i].weight)
			return false;
	return true;
}

static uint64_t sum_weights(const struct align_site *sites, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += sites[i].weight;
	return sum;
}

int align_sites(struct align_site *old, size_t old_len, struct align_site *new, size_t new_len, bool is_rebuilt,
		uint32_t *next)
{
	uint64_t weight = sum_weights(old, old_len);
	int err;

	if (!old_len || !new_len || !is_rebuilt || old_len > SITES_MAX || new_len > SITES_MAX) {
		align_by_line(next, old, old_len, new, new_len);
		return 0;
	}
	if (has_no_lines(old, old_len) || has_no_lines(new, new_len)) {
		align_as_one(next, old, old_len, new, new_len);
		return 0;
	}
	err = align_by_cost(next, old, old_len, new, new_len);
	if (!err && weight && weight == sum_weights(new, new_len) && !is_balanced(old, old_len, new, new_len))
		align_as_one(next, old, old_len, new, new_len);
	return err;
}

/* SPDX-License-Identifier: MIT */
/* contract_names.c - does anything have the name that a rule speaks of? A misspelt rule is kept by every program. */
#include <stdlib.h>

#include "analyzer/models/contract.h"
#include "analyzer/util/list.h"
#include "analyzer/util/nearest.h"

struct names {
	const char **list;
	size_t len, cap;
	struct map known; /* of frames and names, which are interned */
};

static bool is_known(struct names *n, const void *pointer)
{
	bool is_new = false;

	map_at(&n->known, (uintptr_t)pointer, &is_new);
	return !is_new;
}

static void add_name(struct names *n, const char *name)
{
	if (!is_known(n, name) && !list_grow((void **)&n->list, &n->cap, n->len, sizeof(*n->list)))
		n->list[n->len++] = name;
}

static bool look_at_chain(struct names *n, const struct contract *c, const struct frame_chain *chain)
{
	for (uint32_t i = 0; i < chain->len; i++) {
		if (is_known(n, &chain->frames[i]))
			continue;
		if (name_matches_frame(&c->function, &chain->frames[i]))
			return true;
		add_name(n, chain->frames[i].function);
	}
	return false;
}

bool contract_is_known(const struct contract *c, struct stacks *stacks, const char **nearest)
{
	struct names n = { .known = MAP_INIT };
	bool is_seen = !c->function.text;
	int at;

	*nearest = NULL;
	for (uint32_t id = 1; !is_seen && id < stacks_len(stacks); id++)
		is_seen = look_at_chain(&n, c, stacks_leaf(stacks, (struct stack_id){ id }));
	at = is_seen ? -1 : nearest_word(c->function.text, n.list, n.len);
	if (at >= 0)
		*nearest = n.list[at];
	free(n.list);
	map_release(&n.known);
	return is_seen;
}

// SPDX-License-Identifier: MIT
/* chain.c - see chain.h. */
#include "tests/oracle/chain.h"

#include <setjmp.h>
#include <string.h>
#include <unwind.h>

#include "preload/modules.h"
#include "tests/support/fake_file.h"

const char *const verdict_names[VERDICTS] = { "equal", "longer by a guess", "shorter and marked", "wrong" };

bool chain_of_node(struct chain *c, uint32_t id)
{
	c->len = c->cut = 0;
	c->guessed = CHAIN_MAX;
	while (id && c->len < CHAIN_MAX) {
		const struct rsd_node *node = fake_file_node(id);

		if (!node)
			return false;
		if (node->flags & RSD_NODE_GUESSED && c->guessed == CHAIN_MAX)
			c->guessed = c->len;
		c->node[c->len] = id;
		c->ip[c->len++] = RSD_NODE_IP(node);
		c->cut = node->cut;
		id = node->parent;
	}
	return true;
}

/* ---- libgcc ----------------------------------------------------------------------------------------------- */

struct libgcc_walk {
	struct chain *chain;
	uintptr_t from;
	unsigned most;
	bool is_from_exact; /* the handler's own return address may be equal */
	bool is_found;
};

static _Unwind_Reason_Code libgcc_frame(struct _Unwind_Context *context, void *arg)
{
	struct libgcc_walk *walk = arg;
	int is_exact = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &is_exact);

	if (ip == walk->from && is_exact == walk->is_from_exact)
		walk->is_found = true;
	if (walk->is_found && ip)
		walk->chain->ip[walk->chain->len++] = ip;
	return walk->chain->len < walk->most ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Of the innermost walk in progress: a handler that walks may have interrupted one. */
static __thread sigjmp_buf *crash_to;

void chain_crash(void)
{
	if (crash_to)
		siglongjmp(*crash_to, 1);
}

void *chain_unguard(void)
{
	sigjmp_buf *guard = crash_to;

	crash_to = NULL;
	return guard;
}

void chain_reguard(void *guard)
{
	crash_to = guard;
}

bool chain_of_libgcc(struct chain *c, uintptr_t from, bool is_exact, unsigned most)
{
	struct libgcc_walk walk = { c, from, most < CHAIN_MAX ? most : CHAIN_MAX, is_exact, false };
	sigjmp_buf here, *volatile outer = crash_to;

	c->len = 0;
	if (sigsetjmp(here, 0)) {
		crash_to = outer;
		return false;
	}
	crash_to = &here;
	_Unwind_Backtrace(libgcc_frame, &walk);
	crash_to = outer;
	return true;
}

/* ---- libunwind -------------------------------------------------------------------------------------------- */

void chain_of_libunwind(struct chain *c, unw_context_t *context, int flags, uintptr_t from, unsigned most)
{
	unw_cursor_t cursor;
	bool is_found = false;
	unw_word_t ip;

	if (most > CHAIN_MAX)
		most = CHAIN_MAX;
	c->len = 0;
	if (unw_init_local2(&cursor, context, flags) < 0)
		return;
	do {
		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) < 0 || !ip)
			break;
		is_found |= ip == from;
		if (is_found)
			c->ip[c->len++] = ip;
	} while (c->len < most && unw_step(&cursor) > 0);
}

/* ---- comparing -------------------------------------------------------------------------------------------- */

bool chain_is_equal(const struct chain *a, const struct chain *b)
{
	return a->len == b->len && memcmp(a->ip, b->ip, a->len * sizeof(a->ip[0])) == 0;
}

unsigned chain_common(const struct chain *a, const struct chain *b)
{
	unsigned i = 0;

	while (i < a->len && i < b->len && a->ip[i] == b->ip[i])
		i++;
	return i;
}

enum verdict chain_judge(const struct chain *ours, const struct chain *theirs, unsigned depth)
{
	unsigned same = chain_common(ours, theirs);

	if (ours->cut == CUT_DEPTH ? same == depth && ours->len == depth && theirs->len > depth
				   : chain_is_equal(ours, theirs))
		return EQUAL;
	if (same == theirs->len && ours->guessed == same)
		return LONGER_GUESSED;
	if (same == ours->len && ours->cut)
		return CUT_MARKED;
	return WRONG;
}

bool chain_explains_crash(const struct chain *ours, const struct chain *theirs)
{
	if (chain_common(ours, theirs) < theirs->len)
		return false;
	if (ours->len == theirs->len)
		return ours->cut == CUT_BAD_MEMORY || ours->cut == CUT_LOOP;
	return RSD_NODE_MODULE(fake_file_node(ours->node[theirs->len])) == 0;
}

bool chain_says_same(const struct chain *a, const struct chain *b)
{
	if (a->len != b->len)
		return false;
	for (unsigned i = 0; i < a->len && a->node[i] != b->node[i]; i++) {
		const struct rsd_node *x = fake_file_node(a->node[i]), *y = fake_file_node(b->node[i]);

		if (x->ip_module != y->ip_module || x->flags != y->flags || x->cut != y->cut)
			return false;
	}
	return true;
}

/* ---- modules ---------------------------------------------------------------------------------------------- */

/* The record of a module, looked for once: numbers are never used again. */
static const struct meta_module *module_record(uint32_t id)
{
	static const struct meta_module *known[MODULES_MAX + 1];
	const struct meta_module *rec = __atomic_load_n(&known[id], __ATOMIC_ACQUIRE);

	if (!rec) {
		rec = fake_file_module(id);
		__atomic_store_n(&known[id], rec, __ATOMIC_RELEASE);
	}
	return rec;
}

static bool is_module(const struct meta_module *rec, const struct module *m)
{
	const char *path = (const char *)(rec + 1), *slash = m->name ? strrchr(m->name, '/') : NULL;
	const char *name = slash ? slash + 1 : m->name;
	size_t len = name ? strlen(name) : 0;

	/* The loader has no name for the program. */
	return rec->start == m->start && rec->end == m->end && rec->path_len >= len &&
	       memcmp(path + rec->path_len - len, name, len) == 0;
}

bool chain_is_named_right(const struct chain *ours)
{
	for (unsigned i = 0; i < ours->len; i++) {
		const struct rsd_node *node = fake_file_node(ours->node[i]);
		uint32_t id = RSD_NODE_MODULE(node);
		const struct meta_module *rec = id ? module_record(id) : NULL;
		struct module m;

		if (!module_find(ours->ip[i] - !(node->flags & RSD_NODE_EXACT), &m)) {
			if (id)
				return false;
		} else if (!id || (rec && !is_module(rec, &m))) {
			return false;
		}
	}
	return true;
}

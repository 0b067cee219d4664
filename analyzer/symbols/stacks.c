/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/stacks.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"
#include "analyzer/util/pages.h"

/* A canonical node. Node 0 is the empty stack. */
struct node {
	uint64_t address;
	uint32_t object;
	uint32_t parent;
	uint16_t depth;
	uint8_t is_exact : 1;
	uint8_t is_wanted : 1;		 /* and so are all around it */
	uint8_t cut;			 /* why the whole stack ends, copied from its outermost node */
	const struct frame_chain *chain; /* NULL while not asked */
	uint64_t hash;			 /* of the whole stack */
};

struct stacks {
	struct symbols *symbols;
	struct node *nodes;
	uint32_t len, cap;
	/*
	 * Open addressing: the upper half of an entry are 32 bits of the node's hash, the lower its number, 0: free. A
	 * node is touched only when the hash says that it is probably the one.
	 */
	uint64_t *index;
	uint32_t index_cap;	    /* a power of two, at most 3/4 full */
	struct stack_space *newest; /* of stacks_ahead, NULL: none */
	uint64_t ahead;		    /* ids of it below this were given out */
};

#define NODES_MAX (1u << 30)

/* Raw nodes by id in pages, so that one wild id costs one page. */
#define PAGE_NODES 4096u
#define PAGES_MAX (UINT32_MAX / PAGE_NODES + 1)

struct page {
	struct rsd_node raw[PAGE_NODES];
	uint32_t known[PAGE_NODES]; /* canonical node + 1; 0: not asked yet */
};

struct stack_space {
	struct stacks *stacks;
	struct modules *modules;
	struct page **pages;
	uint32_t pages_len;
	uint32_t raw_len; /* nodes that are there */
	uint64_t unknown;
};

/* ---- canonical nodes ---- */

struct stacks *stacks_new(struct symbols *symbols)
{
	struct stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->symbols = symbols;
	s->cap = 1024;
	s->nodes = calloc(s->cap, sizeof(*s->nodes));
	s->index_cap = 2048;
	s->index = pages_alloc(s->index_cap * sizeof(*s->index));
	s->len = 1;
	if (!s->nodes || !s->index) {
		stacks_free(s);
		return NULL;
	}
	return s;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	pages_free(s->index, s->index_cap * sizeof(*s->index));
	free(s->nodes);
	free(s);
}

struct symbols *stacks_symbols(struct stacks *s)
{
	return s->symbols;
}

uint32_t stacks_len(const struct stacks *s)
{
	return s->len;
}

static bool is_equal(const struct node *a, const struct node *b)
{
	return a->address == b->address && a->object == b->object && a->parent == b->parent &&
	       a->is_exact == b->is_exact && a->cut == b->cut;
}

/* The hash of a stack from that of its caller's (of the outermost: why it ends there). */
static uint64_t hash_call(uint64_t parent, uint32_t object, uint64_t address, bool is_exact)
{
	return hash_u64(parent * 3 + (address ^ (uint64_t)object << 48) + is_exact);
}

/* Where a hash begins to look in a table of `cap` entries: bits that are not kept in the entry. */
static uint32_t home(uint64_t hash, uint32_t cap)
{
	return (uint32_t)hash & (cap - 1);
}

static int index_grow(struct stacks *s, uint32_t cap)
{
	uint64_t *index = pages_alloc(cap * sizeof(*index));
	uint32_t at;

	if (!index)
		return -ENOMEM;
	for (uint32_t id = 1; id < s->len; id++) {
		uint64_t hash = s->nodes[id].hash;

		for (at = home(hash, cap); index[at]; at = (at + 1) & (cap - 1))
			;
		index[at] = (hash & ~(uint64_t)UINT32_MAX) | id;
	}
	pages_free(s->index, s->index_cap * sizeof(*s->index));
	s->index = index;
	s->index_cap = cap;
	return 0;
}

static int nodes_grow(struct stacks *s, uint32_t cap)
{
	struct node *nodes = realloc(s->nodes, (size_t)cap * sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	s->nodes = nodes;
	s->cap = cap;
	return 0;
}

/* Room for so many more nodes and their entries. */
static int reserve(struct stacks *s, uint64_t more)
{
	uint64_t wanted = s->len + more, cap = s->cap, index_cap = s->index_cap;

	if (wanted > NODES_MAX)
		return -ENOMEM;
	while (cap < wanted)
		cap *= 2;
	while (index_cap / 4 * 3 < wanted)
		index_cap *= 2;
	if (index_cap > s->index_cap && index_grow(s, (uint32_t)index_cap))
		return -ENOMEM;
	return cap > s->cap ? nodes_grow(s, (uint32_t)cap) : 0;
}

struct stack_id stacks_push(struct stacks *s, struct stack_id parent, uint32_t object, uint64_t address, bool is_exact,
			    enum rsd_cut cut)
{
	struct node new = { .address = address, .object = object, .parent = parent.v, .is_exact = is_exact };
	uint64_t hash, entry;
	uint32_t at;

	if (parent.v >= s->len || s->nodes[parent.v].depth >= RSD_DEPTH_MAX)
		return parent.v < s->len ? parent : (struct stack_id){ 0 };
	new.cut = parent.v ? s->nodes[parent.v].cut : (uint8_t)cut;
	new.depth = (uint16_t)(s->nodes[parent.v].depth + 1);
	if ((s->len == s->cap || s->len >= s->index_cap / 4 * 3) && reserve(s, 1))
		return (struct stack_id){ 0 };
	hash = new.hash = hash_call(parent.v ? s->nodes[parent.v].hash : cut, object, address, is_exact);
	for (at = home(hash, s->index_cap); (entry = s->index[at]); at = (at + 1) & (s->index_cap - 1))
		if (entry >> 32 == hash >> 32 && is_equal(&s->nodes[(uint32_t)entry], &new))
			return (struct stack_id){ (uint32_t)entry };
	s->nodes[s->len] = new;
	s->index[at] = (hash & ~(uint64_t)UINT32_MAX) | s->len;
	return (struct stack_id){ s->len++ };
}

struct stack_node stacks_node(const struct stacks *s, struct stack_id id)
{
	const struct node *n = &s->nodes[id.v < s->len ? id.v : 0];

	return (struct stack_node){
		.parent = { n->parent }, .object = n->object, .address = n->address, .is_exact = n->is_exact
	};
}

uint32_t stacks_depth(const struct stacks *s, struct stack_id id)
{
	return id.v < s->len ? s->nodes[id.v].depth : 0;
}

enum rsd_cut stacks_cut(const struct stacks *s, struct stack_id id)
{
	return id.v < s->len ? s->nodes[id.v].cut : CUT_NONE;
}

/* ---- frames ---- */

void frames_release(struct frames *f)
{
	free(f->list);
	*f = (struct frames){ 0 };
}

/* A return address follows the call; one byte less is inside it. */
static uint64_t code_address(const struct node *n)
{
	return n->is_exact || !n->address ? n->address : n->address - 1;
}

const struct frame_chain *stacks_leaf(struct stacks *s, struct stack_id id)
{
	struct node *n = &s->nodes[id.v < s->len ? id.v : 0];

	if (!n->chain)
		n->chain = symbols_lookup(s->symbols, n->object, code_address(n));
	return n->chain;
}

static const struct frame_chain *peek_leaf(struct stacks *s, struct stack_id id)
{
	struct node *n = &s->nodes[id.v];

	if (!n->chain)
		n->chain = symbols_peek(s->symbols, n->object, code_address(n));
	return n->chain;
}

void stacks_expect(struct stacks *s, struct stack_id id)
{
	while (id.v && id.v < s->len && symbols_is_recorder(s->symbols, s->nodes[id.v].object))
		id.v = s->nodes[id.v].parent;
	if (!id.v || id.v >= s->len)
		return;
	symbols_expect(s->symbols, s->nodes[id.v].object);
	peek_leaf(s, id);
}

void stacks_want(struct stacks *s, struct stack_id id)
{
	for (; id.v && id.v < s->len && !s->nodes[id.v].is_wanted; id.v = s->nodes[id.v].parent) {
		s->nodes[id.v].is_wanted = true;
		if (!symbols_is_recorder(s->symbols, s->nodes[id.v].object))
			peek_leaf(s, id);
	}
}

const struct frame *stacks_next_frame(struct frame_walk *w)
{
	struct stacks *s = w->stacks;

	while (!w->chain || w->at == w->chain->len) {
		struct stack_id id = w->id;

		if (!id.v || id.v >= s->len)
			return NULL;
		w->id.v = s->nodes[id.v].parent;
		/* The recorder's wrappers stand between the program and what it called: they show only as a leaf. */
		if (w->has_begun && symbols_is_recorder(s->symbols, s->nodes[id.v].object))
			continue;
		w->chain = w->is_peeking ? peek_leaf(s, id) : stacks_leaf(s, id);
		w->is_missing = !w->chain;
		if (w->is_missing) {
			w->id = id;
			return NULL;
		}
		w->at = 0;
		w->has_begun = true;
	}
	return &w->chain->frames[w->at++];
}

int stacks_frames(struct stacks *s, struct stack_id id, struct frames *out)
{
	struct frame_walk w = { .stacks = s, .id = id };
	const struct frame *frame;

	out->len = 0;
	stacks_want(s, id);
	while ((frame = stacks_next_frame(&w))) {
		if (list_grow((void **)&out->list, &out->cap, out->len, sizeof(*out->list)))
			return -ENOMEM;
		out->list[out->len++] = frame;
	}
	return 0;
}

/* ---- one dump's ids ---- */

struct stack_space *stack_space_new(struct stacks *s, struct modules *modules)
{
	struct stack_space *space = calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	space->stacks = s;
	space->modules = modules;
	s->newest = space;
	s->ahead = 1;
	return space;
}

void stack_space_free(struct stack_space *space)
{
	if (!space)
		return;
	if (space->stacks->newest == space)
		space->stacks->newest = NULL;
	for (uint32_t i = 0; i < space->pages_len; i++)
		if (space->pages[i]) /* one wild id makes a million that are not there */
			free(space->pages[i]);
	free(space->pages);
	free(space);
}

uint64_t stack_space_unknown(const struct stack_space *space)
{
	return space->unknown;
}

static struct page *page_make(struct stack_space *space, uint32_t index)
{
	if (index >= space->pages_len) {
		uint32_t len = index + 16 < PAGES_MAX ? index + 16 : PAGES_MAX;
		struct page **pages = realloc(space->pages, len * sizeof(*pages));

		if (!pages)
			return NULL;
		memset(pages + space->pages_len, 0, (len - space->pages_len) * sizeof(*pages));
		space->pages = pages;
		space->pages_len = len;
	}
	if (!space->pages[index])
		space->pages[index] = calloc(1, sizeof(struct page));
	return space->pages[index];
}

int stack_space_add(struct stack_space *space, uint32_t first, const struct rsd_node *nodes, size_t count)
{
	if (!first || count > UINT32_MAX - (uint64_t)first)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		uint32_t id = first + (uint32_t)i;
		struct page *page;

		if (nodes[i].committed != 1)
			continue;
		page = page_make(space, id / PAGE_NODES);
		if (!page)
			return -ENOMEM;
		if (page->raw[id % PAGE_NODES].committed)
			continue;
		page->raw[id % PAGE_NODES] = nodes[i];
		space->raw_len++;
	}
	return 0;
}

void stack_space_reserve(struct stack_space *space)
{
	reserve(space->stacks, space->raw_len);
}

/* The page that holds committed node `id`, or NULL. */
static struct page *page_of(const struct stack_space *space, uint32_t id)
{
	struct page *page = id / PAGE_NODES < space->pages_len ? space->pages[id / PAGE_NODES] : NULL;

	return page && page->raw[id % PAGE_NODES].committed ? page : NULL;
}

/* A node on its way from the dump's ids to ours. */
struct step {
	uint32_t id, object;
	uint64_t address;
	bool is_exact;
};

static struct step step_of(struct stack_space *space, uint32_t id)
{
	const struct rsd_node *raw = &page_of(space, id)->raw[id % PAGE_NODES];
	struct module *module = modules_by_id(space->modules, RSD_NODE_MODULE(raw));
	struct step step = { .id = id, .address = RSD_NODE_IP(raw), .is_exact = raw->flags & RSD_NODE_EXACT };

	/* The recorder may not have known the module yet; what is there now is the best guess. */
	if (!module)
		module = modules_by_addr(space->modules, step.address);
	step.object = module ? symbols_object(space->stacks->symbols, module) : 0;
	if (step.object)
		step.address -= module->bias;
	return step;
}

/*
 * Walk out to a node already known, to the outermost one, or to what makes no sense (a hole, too many frames: a
 * loop is too many frames), then make the canonical nodes inwards. A hash needs no more than the one before it, so all
 * entries of the index can be on their way from memory before the first is looked at.
 */
struct stack_id stacks_resolve(struct stack_space *space, uint32_t id)
{
	struct step path[RSD_DEPTH_MAX];
	uint32_t len = 0, at;
	struct stack_id stack = { 0 };
	uint64_t hash;
	enum rsd_cut cut = CUT_NONE;
	struct page *page;

	if (!id)
		return stack;
	for (at = id; at; at = page->raw[at % PAGE_NODES].parent) {
		page = page_of(space, at);
		if (!page || len == RSD_DEPTH_MAX) {
			cut = page ? CUT_LOOP : CUT_NO_STATE;
			break;
		}
		if (page->known[at % PAGE_NODES]) {
			stack.v = page->known[at % PAGE_NODES] - 1;
			break;
		}
		cut = page->raw[at % PAGE_NODES].cut;
		path[len++].id = at;
	}
	if (!len && !stack.v)
		space->unknown++;
	hash = stack.v ? space->stacks->nodes[stack.v].hash : cut;
	for (uint32_t i = len; i--;) {
		path[i] = step_of(space, path[i].id);
		hash = hash_call(hash, path[i].object, path[i].address, path[i].is_exact);
		__builtin_prefetch(&space->stacks->index[home(hash, space->stacks->index_cap)], 1);
	}
	while (len--) {
		const struct step *step = &path[len];
		struct stack_id next =
			stacks_push(space->stacks, stack, step->object, step->address, step->is_exact, cut);

		if (!next.v)
			return next;
		stack = next;
		page_of(space, step->id)->known[step->id % PAGE_NODES] = stack.v + 1;
	}
	return stack;
}

/* The recorder writes a stack's new nodes in a row, from its caller inwards: what the next one does not go on from. */
static bool is_innermost(const struct stack_space *space, uint32_t id)
{
	const struct page *page = page_of(space, id), *next = page_of(space, id + 1);

	return page && (!next || next->raw[(id + 1) % PAGE_NODES].parent != id);
}

size_t stacks_ahead(struct stacks *s, struct stack_id *list, size_t max)
{
	struct stack_space *space = s->newest;
	uint64_t end = space ? (uint64_t)space->pages_len * PAGE_NODES : 0;
	size_t len = 0;

	while (len < max && s->ahead < end) {
		uint32_t id = (uint32_t)s->ahead++;

		if (!space->pages[id / PAGE_NODES])
			s->ahead = (uint64_t)(id / PAGE_NODES + 1) * PAGE_NODES;
		else if (is_innermost(space, id))
			list[len++] = stacks_resolve(space, id);
	}
	return len;
}

#define WANTED_AHEAD 4096u

void stacks_want_ahead(struct stacks *s)
{
	struct stack_id ids[WANTED_AHEAD];
	size_t len = stacks_ahead(s, ids, WANTED_AHEAD);

	for (size_t i = 0; i < len; i++)
		stacks_want(s, ids[i]);
}

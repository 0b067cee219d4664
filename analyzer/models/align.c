/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/align.h"
#include "analyzer/models/align_sites.h"
#include "analyzer/symbols/place.h"
#include "analyzer/util/list.h"

/* So many pairs of stacks are compared at most to find tail calls. */
#define PAIRS_MAX 2000000u
/* A stack of more functions is not compared. */
#define FUNCTIONS_MAX 256u

struct align_module {
	char *name;
	uint8_t build_id[ALIGN_SIDES][RSD_BUILD_ID_MAX];
	uint32_t build_id_len[ALIGN_SIDES];
	bool is_there[ALIGN_SIDES], has_files[ALIGN_SIDES];
	bool is_rebuilt;
};

/* A frame, as often as the symbols have it. */
struct seen {
	const struct frame *frame;
	uint64_t callees, weight; /* callees: sum of the hashes of different ones */
	bool on[ALIGN_SIDES];
	bool is_sample;
	struct align_place place;
};

/* A stack with a weight. */
struct weighed {
	struct stack_id stack;
	enum align_side side;
	uint64_t weight, key;
};

struct align {
	struct stacks *stacks;
	struct weighed *weighed;
	size_t weighed_len, weighed_cap;
	struct map stand_ins;	      /* old stack -> new stack */
	struct align_module *modules; /* number - 1 */
	size_t modules_len, modules_cap;
	struct map by_name; /* hash of a module's name -> number */
	struct seen *seen;
	size_t seen_len, seen_cap;
	struct map by_frame;  /* frame -> index in seen */
	struct map calls;     /* frame and callee's name: seen */
	struct map functions; /* hash of what names it -> number */
	struct align_site *sites;
	size_t sites_len, sites_cap;
	struct map by_site; /* function, side and line -> index in sites */
	uint32_t next_site;
	bool has_rebuilt;	/* any module */
	char *exe[ALIGN_SIDES]; /* base names */
};

struct align *align_new(struct stacks *stacks)
{
	struct align *a = calloc(1, sizeof(*a));

	if (a)
		a->stacks = stacks;
	return a;
}

void align_free(struct align *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->modules_len; i++)
		free(a->modules[i].name);
	for (unsigned side = 0; side < ALIGN_SIDES; side++)
		free(a->exe[side]);
	free(a->modules);
	free(a->seen);
	free(a->sites);
	free(a->weighed);
	map_release(&a->by_name);
	map_release(&a->stand_ins);
	map_release(&a->by_frame);
	map_release(&a->calls);
	map_release(&a->functions);
	map_release(&a->by_site);
	free(a);
}

/* ---- modules -------------------------------------------------------------------------------------------------- */

static bool is_exe(const struct align *a, const char *base)
{
	for (unsigned side = 0; side < ALIGN_SIDES; side++)
		if (a->exe[side] && !strcmp(a->exe[side], base))
			return true;
	return false;
}

/* "libfoo.so.1.2" is "libfoo.so", either executable is "". 0 without memory. */
static uint32_t module_number(struct align *a, const char *path)
{
	const char *base = path_base(path), *so = strstr(base, ".so.");
	size_t len = is_exe(a, base) ? 0 : so ? (size_t)(so - base) + 3 : strlen(base);
	uint64_t key = hash_bytes(base, len), number;
	struct align_module *m;

	for (; map_get(&a->by_name, key, &number); key++)
		if (!strncmp(a->modules[number - 1].name, base, len) && !a->modules[number - 1].name[len])
			return (uint32_t)number;
	if (list_grow((void **)&a->modules, &a->modules_cap, a->modules_len, sizeof(*a->modules)))
		return 0;
	m = &a->modules[a->modules_len];
	*m = (struct align_module){ .name = strndup(base, len) };
	if (!m->name)
		return 0;
	a->modules_len++;
	return map_put(&a->by_name, key, a->modules_len) ? 0 : (uint32_t)a->modules_len;
}

int align_program(struct align *a, enum align_side side, const char *name)
{
	if (!a->exe[side])
		a->exe[side] = strdup(name);
	return a->exe[side] ? 0 : -ENOMEM;
}

int align_module(struct align *a, enum align_side side, const char *path, const uint8_t *build_id, uint32_t len)
{
	uint32_t number = module_number(a, path);
	struct align_module *m = number ? &a->modules[number - 1] : NULL;

	if (!m)
		return -ENOMEM;
	m->is_there[side] = true;
	m->build_id_len[side] = len;
	memcpy(m->build_id[side], build_id, len);
	return 0;
}

int align_recording(struct align *a, enum align_side side, const struct recording *rec)
{
	int err = align_program(a, side, recording_name(rec));

	for (size_t i = 0; !err && i < rec->modules.len; i++) {
		const struct module *m = &rec->modules.list[i];

		err = align_module(a, side, m->path, m->build_id, m->build_id_len);
	}
	return err;
}

/* Without a build-id nothing says that it is the same. */
static void compare_builds(struct align *a)
{
	a->has_rebuilt = false;
	for (size_t i = 0; i < a->modules_len; i++) {
		struct align_module *m = &a->modules[i];
		uint32_t len = m->build_id_len[ALIGN_OLD];

		m->is_rebuilt = m->is_there[ALIGN_OLD] && m->is_there[ALIGN_NEW] &&
				(!len || len != m->build_id_len[ALIGN_NEW] ||
				 memcmp(m->build_id[ALIGN_OLD], m->build_id[ALIGN_NEW], len) != 0);
		a->has_rebuilt |= m->is_rebuilt;
	}
}

/* ---- stacks --------------------------------------------------------------------------------------------------- */

static struct seen *see(struct align *a, const struct frame *frame)
{
	bool is_new;
	uint64_t *at;

	if (list_grow((void **)&a->seen, &a->seen_cap, a->seen_len, sizeof(*a->seen)))
		return NULL;
	at = map_at(&a->by_frame, (uintptr_t)frame, &is_new);
	if (!at)
		return NULL;
	if (is_new) {
		a->seen[a->seen_len] = (struct seen){ .frame = frame };
		*at = a->seen_len++;
	}
	return &a->seen[*at];
}

/* The name without what compilers append to clones of a function. */
static size_t essential_length(const char *function)
{
	static const char *const endings[] = { ".part.", ".constprop.", ".isra.", ".lto_priv.",
					       ".llvm.", ".cold",	" [clone" };
	size_t len = strlen(function);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const char *end = strstr(function, endings[i]);

		if (end && end > function && (size_t)(end - function) < len)
			len = (size_t)(end - function);
	}
	return len;
}

static uint64_t name_hash(const char *function)
{
	return hash_bytes(function, essential_length(function));
}

static int note_callee(struct align *a, struct seen *s, const struct frame *callee)
{
	uint64_t words[2] = { (uintptr_t)s->frame, callee ? name_hash(callee->function) : 0 };
	bool is_new;

	if (!map_at(&a->calls, hash_bytes(words, sizeof(words)), &is_new))
		return -ENOMEM;
	if (is_new)
		s->callees += words[1];
	return 0;
}

int align_stack(struct align *a, enum align_side side, struct stack_id stack, uint64_t weight, bool is_sample)
{
	struct frame_walk w = { .stacks = a->stacks, .id = stack };
	const struct frame *frame, *callee = NULL;

	if (weight && list_grow((void **)&a->weighed, &a->weighed_cap, a->weighed_len, sizeof(*a->weighed)))
		return -ENOMEM;
	if (weight)
		a->weighed[a->weighed_len++] = (struct weighed){ .stack = stack, .side = side, .weight = weight };
	while ((frame = stacks_next_frame(&w))) {
		struct seen *s = see(a, frame);

		if (!s || note_callee(a, s, callee))
			return -ENOMEM;
		s->on[side] = true;
		s->weight += weight;
		s->is_sample |= is_sample && !callee;
		callee = frame;
	}
	return 0;
}

/* ---- functions ------------------------------------------------------------------------------------------------ */

static int find_modules(struct align *a)
{
	for (size_t i = 0; i < a->seen_len; i++) {
		struct seen *s = &a->seen[i];

		s->place.module = module_number(a, s->frame->module_path ? s->frame->module_path : "?");
		if (!s->place.module)
			return -ENOMEM;
		for (unsigned side = 0; side < ALIGN_SIDES; side++)
			a->modules[s->place.module - 1].has_files[side] |= s->on[side] && s->frame->decl_file;
	}
	return 0;
}

/* A function without a name is an address: it says nothing where the code was built anew. */
static int find_function(struct align *a, struct seen *s)
{
	const struct align_module *m = &a->modules[s->place.module - 1];
	bool has_name = s->frame->source != FRAME_OFFSET || !m->is_rebuilt;
	const char *file = m->has_files[ALIGN_OLD] && m->has_files[ALIGN_NEW] ? s->frame->decl_file : NULL;
	uint64_t words[3] = { s->place.module, has_name ? name_hash(s->frame->function) : 0,
			      file ? hash_bytes(path_base(file), strlen(path_base(file))) : 0 };
	bool is_new;
	uint64_t *number = map_at(&a->functions, hash_bytes(words, sizeof(words)), &is_new);

	if (!number)
		return -ENOMEM;
	if (is_new)
		*number = a->functions.len;
	s->place.function = (uint32_t)*number;
	return 0;
}

/* ---- call sites ----------------------------------------------------------------------------------------------- */

/* Where one side does not say where functions begin, lines of the file are all that can be compared. */
static int64_t relative_line(const struct align *a, const struct seen *s)
{
	const struct align_module *m = &a->modules[s->place.module - 1];
	const struct frame *f = s->frame;
	bool is_in_function = m->has_files[ALIGN_OLD] && m->has_files[ALIGN_NEW] && f->decl_line && f->decl_file &&
			      f->file && !strcmp(f->decl_file, f->file);

	return is_in_function ? (int64_t)f->line - f->decl_line : f->line;
}

static int add_site(struct align *a, const struct seen *s, enum align_side side)
{
	struct align_site site = { s->place.function, s->place.module, side, relative_line(a, s), 0, 0, 0 };
	uint64_t words[3] = { site.function, side, (uint64_t)site.line };
	bool is_new;
	uint64_t *at;

	if (list_grow((void **)&a->sites, &a->sites_cap, a->sites_len, sizeof(*a->sites)))
		return -ENOMEM;
	at = map_at(&a->by_site, hash_bytes(words, sizeof(words)), &is_new);
	if (!at)
		return -ENOMEM;
	if (is_new) {
		a->sites[a->sites_len] = site;
		*at = a->sites_len++;
	}
	a->sites[*at].callees += s->callees;
	a->sites[*at].weight += s->weight;
	return 0;
}

static int compare_sites(const void *pa, const void *pb)
{
	const struct align_site *a = pa, *b = pb;

	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	if (a->side != b->side)
		return a->side < b->side ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* The sites of one function: the old ones come first. */
static int number_function(struct align *a, struct align_site *sites, size_t len)
{
	size_t old_len = 0;

	while (old_len < len && sites[old_len].side == ALIGN_OLD)
		old_len++;
	return align_sites(sites, old_len, sites + old_len, len - old_len, a->modules[sites->module - 1].is_rebuilt,
			   &a->next_site);
}

static int number_sites(struct align *a)
{
	int err = 0;

	if (a->sites_len)
		qsort(a->sites, a->sites_len, sizeof(*a->sites), compare_sites);
	for (size_t i = 0, len; !err && i < a->sites_len; i += len) {
		for (len = 1; i + len < a->sites_len && a->sites[i + len].function == a->sites[i].function;)
			len++;
		err = number_function(a, a->sites + i, len);
	}
	map_clear(&a->by_site);
	for (size_t i = 0; !err && i < a->sites_len; i++) {
		uint64_t words[3] = { a->sites[i].function, a->sites[i].side, (uint64_t)a->sites[i].line };

		err = map_put(&a->by_site, hash_bytes(words, sizeof(words)), i);
	}
	return err;
}

static uint32_t site_number(const struct align *a, const struct seen *s)
{
	uint64_t words[3] = { s->place.function, s->on[ALIGN_OLD] ? ALIGN_OLD : ALIGN_NEW,
			      (uint64_t)relative_line(a, s) };
	uint64_t at;

	return !s->is_sample && map_get(&a->by_site, hash_bytes(words, sizeof(words)), &at) ? a->sites[at].number : 0;
}

/* ---- tail calls ----------------------------------------------------------------------------------------------- */

static size_t list_functions(const struct align *a, struct stack_id stack, uint32_t *functions)
{
	struct frame_walk w = { .stacks = a->stacks, .id = stack };
	const struct frame *frame;
	size_t len = 0;

	while (len < FUNCTIONS_MAX && (frame = stacks_next_frame(&w)))
		if (!place_is_plumbing(frame))
			functions[len++] = align_frame(a, frame).function;
	return len;
}

/* Is the shorter list the longer one with some left out? */
static bool is_shortened(const uint32_t *x, size_t x_len, const uint32_t *y, size_t y_len)
{
	size_t at = 0;

	if (x_len > y_len)
		return is_shortened(y, y_len, x, x_len);
	for (size_t i = 0; i < y_len && at < x_len; i++)
		at += x[at] == y[i];
	return at == x_len && x_len;
}

static bool is_like(const struct align *a, const struct weighed *old, const struct weighed *new)
{
	uint32_t x[FUNCTIONS_MAX], y[FUNCTIONS_MAX];

	return is_shortened(x, list_functions(a, old->stack, x), y, list_functions(a, new->stack, y));
}

static int compare_weighed(const void *pa, const void *pb)
{
	const struct weighed *a = pa, *b = pb;

	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	if (a->side != b->side)
		return a->side < b->side ? -1 : 1;
	return a->stack.v < b->stack.v ? -1 : a->stack.v > b->stack.v;
}

/* Leave only the stacks whose key is on one side alone: several stacks may have one key. */
static int keep_lonely(struct align *a)
{
	struct map sides = MAP_INIT;
	size_t len = 0;
	int err = 0;

	for (size_t i = 0; !err && i < a->weighed_len; i++) {
		uint64_t *at;

		a->weighed[i].key = align_key(a, a->weighed[i].stack);
		at = map_at(&sides, a->weighed[i].key, NULL);
		if (at)
			*at |= UINT64_C(1) << a->weighed[i].side;
		else
			err = -ENOMEM;
	}
	for (size_t i = 0; !err && i < a->weighed_len; i++) {
		uint64_t on = 0;

		if (map_get(&sides, a->weighed[i].key, &on) && on != (1 << ALIGN_OLD | 1 << ALIGN_NEW))
			a->weighed[len++] = a->weighed[i];
	}
	a->weighed_len = len;
	map_release(&sides);
	return err;
}

/* Those of one weight: the old ones come first. A new one stands in for one old one. */
static int pair_stacks(struct align *a, struct weighed *list, size_t len, size_t *pairs)
{
	size_t old_len = 0;
	int err = 0;

	while (old_len < len && list[old_len].side == ALIGN_OLD)
		old_len++;
	for (size_t i = 0; !err && i < old_len; i++)
		for (size_t j = old_len; j < len && *pairs < PAIRS_MAX; j++) {
			++*pairs;
			if (!list[j].stack.v || !is_like(a, &list[i], &list[j]))
				continue;
			err = map_put(&a->stand_ins, list[i].stack.v, list[j].stack.v);
			list[j].stack.v = 0;
			break;
		}
	return err;
}

static int find_tail_calls(struct align *a)
{
	size_t pairs = 0;
	int err = a->has_rebuilt ? keep_lonely(a) : 0;

	if (err || !a->has_rebuilt || !a->weighed_len)
		return err;
	qsort(a->weighed, a->weighed_len, sizeof(*a->weighed), compare_weighed);
	for (size_t i = 0, len; !err && i < a->weighed_len; i += len) {
		for (len = 1; i + len < a->weighed_len && a->weighed[i + len].weight == a->weighed[i].weight;)
			len++;
		err = pair_stacks(a, a->weighed + i, len, &pairs);
	}
	return err;
}

int align_finish(struct align *a)
{
	int err = find_modules(a);

	compare_builds(a);
	for (size_t i = 0; !err && i < a->seen_len; i++)
		err = find_function(a, &a->seen[i]);
	for (size_t i = 0; !err && i < a->seen_len; i++)
		for (unsigned side = 0; !err && side < ALIGN_SIDES; side++)
			if (a->seen[i].on[side] && !a->seen[i].is_sample)
				err = add_site(a, &a->seen[i], (enum align_side)side);
	err = err ? err : number_sites(a);
	for (size_t i = 0; !err && i < a->seen_len; i++)
		a->seen[i].place.site = site_number(a, &a->seen[i]);
	return err ? err : find_tail_calls(a);
}

/* ---- answers -------------------------------------------------------------------------------------------------- */

struct align_place align_frame(const struct align *a, const struct frame *frame)
{
	uint64_t at;

	return map_get(&a->by_frame, (uintptr_t)frame, &at) ? a->seen[at].place : (struct align_place){ 0 };
}

static uint64_t add_to_key(uint64_t key, struct align_place place)
{
	uint64_t words[3] = { key, place.function, place.site };

	return hash_bytes(words, sizeof(words));
}

struct stack_id align_stand_in(const struct align *a, struct stack_id stack)
{
	uint64_t other;

	return map_get(&a->stand_ins, stack.v, &other) ? (struct stack_id){ (uint32_t)other } : stack;
}

uint64_t align_key(const struct align *a, struct stack_id stack)
{
	struct frame_walk w = { .stacks = a->stacks, .id = align_stand_in(a, stack) };
	const struct frame *frame;
	uint64_t key = 0;

	while ((frame = stacks_next_frame(&w))) {
		/* Which part of a container is inlined and which is called in the library, the compiler decides. */
		if (a->has_rebuilt && place_is_plumbing(frame))
			continue;
		key = add_to_key(key, align_frame(a, frame));
	}
	return key;
}

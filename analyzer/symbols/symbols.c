/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/names.h"
#include "analyzer/symbols/strings.h"
#include "analyzer/symbols/symbols.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/list.h"

struct object {
	const char *path, *name; /* interned */
	uint8_t build_id[RSD_BUILD_ID_MAX];
	uint32_t build_id_len;
	bool is_recorder;  /* libringside.so */
	bool is_given;	   /* no file: its chains were given, by a number in the place of an address */
	bool is_open;	   /* opening was tried */
	bool is_expected;  /* opening was asked for */
	bool has_names;	   /* it is open and gave no trouble so far */
	struct map chains; /* address -> struct frame_chain *, NULL while it is only wanted */
	uint64_t *wanted;  /* addresses that were not looked up yet */
	size_t wanted_len, wanted_cap;
};

struct symbols {
	struct symbol_options options;
	char *debug_dir, *sysroot, *binaries;
	struct object *objects; /* [0] is "outside any module" */
	size_t len, cap;
	struct map by_path; /* hash of path and build-id -> object */
	struct strings strings;
	char **notes;
	size_t notes_len;
	struct names *names;
	struct symbol_stats stats;
};

static const struct {
	uint32_t len;
	struct frame frame;
} no_memory_chain = { 1, { .function = "[unknown]", .source = FRAME_UNKNOWN } };

_Static_assert(offsetof(struct frame_chain, frames) == 8, "no_memory_chain is laid out like a frame_chain");

/* ---- strings ---- */

const char *symbols_intern(struct symbols *s, const char *text)
{
	return strings_intern(&s->strings, text, strlen(text));
}

const char *symbols_intern_text(struct symbols *s, const char *text, size_t len)
{
	return strings_intern(&s->strings, text, len);
}

/* Keep what is in *note, and release it. */
static void add_note(struct symbols *s, struct buf *note)
{
	char **notes = note->len ? realloc(s->notes, (s->notes_len + 1) * sizeof(*notes)) : NULL;

	if (notes) {
		s->notes = notes;
		notes[s->notes_len] = strdup(note->data);
		if (notes[s->notes_len])
			s->notes_len++;
	}
	buf_release(note);
}

const char *symbols_note(struct symbols *s, size_t index)
{
	return index < s->notes_len ? s->notes[index] : NULL;
}

/* ---- objects ---- */

static uint32_t object_new(struct symbols *s, const char *path)
{
	struct object *o;

	if (s->len == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 32;
		struct object *objects = realloc(s->objects, cap * sizeof(*objects));

		if (!objects)
			return 0;
		s->objects = objects;
		s->cap = cap;
	}
	o = &s->objects[s->len];
	memset(o, 0, sizeof(*o));
	o->path = symbols_intern(s, path);
	o->name = symbols_intern(s, path_base(path));
	o->is_recorder = o->name && !strcmp(o->name, "libringside.so");
	return o->path && o->name ? (uint32_t)s->len++ : 0;
}

bool symbols_is_recorder(const struct symbols *s, uint32_t object)
{
	return object < s->len && s->objects[object].is_recorder;
}

static bool is_same(const struct object *o, const struct module *module)
{
	return !o->is_given && !strcmp(o->path, module->path) && o->build_id_len == module->build_id_len &&
	       !memcmp(o->build_id, module->build_id, o->build_id_len);
}

uint32_t symbols_object(struct symbols *s, struct module *module)
{
	uint64_t key, at;
	uint32_t id;

	if (module->object)
		return module->object;
	key = hash_bytes(module->path, strlen(module->path)) ^ hash_bytes(module->build_id, module->build_id_len);
	while (map_get(&s->by_path, key, &at)) {
		if (is_same(&s->objects[at], module)) {
			module->object = (uint32_t)at;
			return module->object;
		}
		key++;
	}
	id = object_new(s, module->path);
	if (!id || map_put(&s->by_path, key, id))
		return 0;
	s->objects[id].build_id_len = module->build_id_len;
	memcpy(s->objects[id].build_id, module->build_id, module->build_id_len);
	module->object = id;
	return id;
}

const char *symbols_path(struct symbols *s, uint32_t object)
{
	return object && object < s->len ? s->objects[object].path : "";
}

static struct elf_want want_of(const struct symbols *s, const struct object *o)
{
	return (struct elf_want){ .path = o->path,
				  .build_id = o->build_id,
				  .build_id_len = o->build_id_len,
				  .debug_dir = s->debug_dir,
				  .sysroot = s->sysroot,
				  .binaries = s->binaries };
}

void symbols_expect(struct symbols *s, uint32_t object)
{
	struct object *o = &s->objects[object < s->len ? object : 0];
	struct elf_want want = want_of(s, o);

	if (!s->options.opens_ahead || o == s->objects || o->is_open || o->is_expected || o->is_recorder)
		return;
	o->is_expected = true;
	names_expect(s->names, object, &want);
}

static void object_open(struct symbols *s, struct object *o)
{
	struct elf_want want = want_of(s, o);
	struct buf note = { 0 };

	o->is_open = true;
	s->stats.objects_opened++;
	o->has_names = names_open(s->names, (uint32_t)(o - s->objects), &want, &note);
	add_note(s, &note);
}

struct symbols *symbols_new(const struct symbol_options *options)
{
	struct names_options names_options = { 0 };
	struct symbols *s = calloc(1, sizeof(*s));
	const char *wish = getenv("RINGSIDE_DEBUGINFOD");

	if (!s)
		return NULL;
	if (options)
		s->options = *options;
	if (wish && !strcmp(wish, "1"))
		s->options.use_debuginfod = true;
	if (!s->options.use_debuginfod)
		unsetenv("DEBUGINFOD_URLS"); /* libdwfl asks the servers named there on its own */
	if (s->options.debug_dir)
		s->debug_dir = strdup(s->options.debug_dir);
	if (s->options.sysroot)
		s->sysroot = strdup(s->options.sysroot);
	if (s->options.binaries)
		s->binaries = strdup(s->options.binaries);
	names_options.is_inside = s->options.is_inside;
	names_options.has_network = s->options.use_debuginfod;
	names_options.seconds_max = s->options.seconds_max;
	s->names = names_new(&names_options);
	if (!s->names || object_new(s, "") || !s->len) {
		symbols_free(s);
		return NULL;
	}
	/* While there is little in this process that a copy of it would hold. */
	if (s->options.opens_ahead)
		names_start(s->names);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	names_end(s->names);
	for (size_t i = 0; i < s->len; i++) {
		struct map_iter it = { 0 };

		while (map_next(&s->objects[i].chains, &it))
			free((void *)(uintptr_t)it.value);
		map_release(&s->objects[i].chains);
		free(s->objects[i].wanted);
	}
	for (size_t i = 0; i < s->notes_len; i++)
		free(s->notes[i]);
	free(s->notes);
	free(s->objects);
	map_release(&s->by_path);
	strings_release(&s->strings);
	free(s->debug_dir);
	free(s->sysroot);
	free(s->binaries);
	names_free(s->names);
	free(s);
}

/* ---- one address ---- */

/* The object whose addresses are looked up now. */
struct looking {
	struct symbols *symbols;
	struct object *object;
};

static void take(void *self, uint64_t address, const struct frame *frames, size_t len)
{
	const struct looking *l = self;
	struct frame_chain *chain = malloc(sizeof(*chain) + len * sizeof(chain->frames[0]));
	uint64_t *slot = map_at(&l->object->chains, address, NULL);

	if (!chain || !slot || *slot) {
		free(chain);
		return;
	}
	chain->len = (uint32_t)len;
	for (size_t i = 0; i < len; i++) {
		chain->frames[i] = frames[i];
		chain->frames[i].module = l->object->path[0] ? l->object->name : NULL;
		chain->frames[i].module_path = l->object->path[0] ? l->object->path : NULL;
		chain->frames[i].inlined = l->object->is_given ? i + 1 < len : frames[i].inlined;
		l->symbols->stats.without_name += frames[i].source == FRAME_OFFSET;
	}
	*slot = (uintptr_t)chain;
}

/* An object without names: where in it the code is. */
static void take_offset(struct looking *l, uint64_t address)
{
	struct frame frame = { .address = address, .source = FRAME_OFFSET };
	struct buf text = { 0 };

	namer_offset(&text, l->object->path, address);
	frame.function = symbols_intern(l->symbols, buf_string(&text));
	if (!frame.function)
		frame.function = "[unknown]";
	take(l, address, &frame, 1);
	buf_release(&text);
}

/* All that is wanted of an object, in few questions. */
static void look_up_wanted(struct symbols *s, struct object *o)
{
	struct looking looking = { s, o };
	struct names_sink sink = { .take = take, .self = &looking, .strings = &s->strings };
	struct elf_want want = want_of(s, o);
	size_t at = 0;

	while (at < o->wanted_len && o->has_names) {
		struct buf note = { 0 };
		size_t done = names_lookup(s->names, (uint32_t)(o - s->objects), &want, o->wanted + at,
					   o->wanted_len - at, &sink, &note);

		at += done;
		/* Once is enough, whatever it was. */
		o->has_names = done;
		add_note(s, &note);
	}
	for (; at < o->wanted_len; at++)
		take_offset(&looking, o->wanted[at]);
	o->wanted_len = 0;
}

/* The chain of an address; NULL when there is none yet, and then it is wanted. */
static const struct frame_chain *known_or_wanted(struct object *o, uint64_t address)
{
	bool is_new;
	uint64_t *slot = map_at(&o->chains, address, &is_new);

	if (slot && is_new) {
		if (list_grow((void **)&o->wanted, &o->wanted_cap, o->wanted_len, sizeof(*o->wanted)))
			map_remove(&o->chains, address, NULL);
		else
			o->wanted[o->wanted_len++] = address;
	}
	return slot && !is_new ? (const struct frame_chain *)(uintptr_t)*slot : NULL;
}

/* One frame without a name of its own: outside any module, or in the recorder. */
static struct frame_chain *nameless(const struct object *o, uint64_t address)
{
	struct frame_chain *chain = calloc(1, sizeof(*chain) + sizeof(chain->frames[0]));

	if (!chain)
		return NULL;
	chain->len = 1;
	chain->frames[0] = (struct frame){ .function = o->is_recorder ? "[ringside]" : "[unknown]",
					   .address = address,
					   .source = FRAME_UNKNOWN };
	return chain;
}

static bool has_no_names(const struct symbols *s, const struct object *o)
{
	return o == s->objects || o->is_recorder || o->is_given;
}

const struct frame_chain *symbols_peek(struct symbols *s, uint32_t object, uint64_t address)
{
	struct object *o = &s->objects[object < s->len ? object : 0];

	return has_no_names(s, o) ? symbols_lookup(s, object, address) : known_or_wanted(o, address);
}

const struct frame_chain *symbols_lookup(struct symbols *s, uint32_t object, uint64_t address)
{
	struct object *o = &s->objects[object < s->len ? object : 0];
	uint64_t *slot, chain = 0;

	s->stats.lookups++;
	if (map_get(&o->chains, address, &chain) && chain) {
		s->stats.cached++;
	} else if (has_no_names(s, o)) {
		slot = map_at(&o->chains, address, NULL);
		chain = slot ? *slot = (uintptr_t)nameless(o, address) : 0;
	} else {
		if (!o->is_open)
			object_open(s, o);
		known_or_wanted(o, address);
		look_up_wanted(s, o);
		map_get(&o->chains, address, &chain);
	}
	return chain ? (const struct frame_chain *)(uintptr_t)chain
		     : (const struct frame_chain *)(const void *)&no_memory_chain;
}

void symbols_fetch(struct symbols *s)
{
	for (size_t i = 1; i < s->len; i++) {
		if (!s->objects[i].wanted_len)
			continue;
		if (!s->objects[i].is_open)
			object_open(s, &s->objects[i]);
		look_up_wanted(s, &s->objects[i]);
	}
}

const struct frame_chain *symbols_addr_lookup(struct symbols *s, struct modules *modules, uint64_t addr)
{
	struct module *module = modules_by_addr(modules, addr);

	if (!module)
		return symbols_lookup(s, 0, addr);
	return symbols_lookup(s, symbols_object(s, module), addr - module->bias);
}

const char *symbols_data_name(struct symbols *s, uint32_t object, uint64_t address)
{
	struct object *o = &s->objects[object < s->len ? object : 0];
	struct buf text = { 0 }, note = { 0 };
	struct elf_want want = want_of(s, o);
	const char *kept;

	if (o == s->objects || o->is_given)
		return NULL;
	if (!o->is_open)
		object_open(s, o);
	if (o->has_names)
		names_data(s->names, object, &want, address, &text, &note);
	o->has_names &= !note.len;
	add_note(s, &note);
	kept = text.len && !text.failed ? symbols_intern(s, text.data) : NULL;
	buf_release(&text);
	return kept;
}

const char *symbols_addr_data_name(struct symbols *s, struct modules *modules, uint64_t addr)
{
	struct module *module = modules_by_addr(modules, addr);

	return module ? symbols_data_name(s, symbols_object(s, module), addr - module->bias) : NULL;
}

/* ---- frames that are given ---- */

static uint32_t given_object(struct symbols *s, const char *path)
{
	uint64_t key = ~hash_bytes(path, strlen(path)), at;
	uint32_t id;

	for (; map_get(&s->by_path, key, &at); key++)
		if (s->objects[at].is_given && !strcmp(s->objects[at].path, path))
			return (uint32_t)at;
	id = object_new(s, path);
	if (!id)
		return 0;
	s->objects[id].is_given = s->objects[id].is_open = true;
	s->objects[id].is_recorder = false;
	return map_put(&s->by_path, key, id) ? 0 : id;
}

/* Texts are interned: equal ones are equal pointers. */
static bool is_like(const struct frame_chain *chain, const struct frame *frames, size_t len)
{
	for (size_t i = 0; i < len && chain->len == len; i++) {
		const struct frame *a = &chain->frames[i], *b = &frames[i];

		if (a->function != b->function || a->linkage != b->linkage || a->file != b->file ||
		    a->line != b->line || a->decl_file != b->decl_file || a->decl_line != b->decl_line ||
		    a->address != b->address || a->source != b->source)
			return false;
	}
	return chain->len == len;
}

static uint64_t given_hash(const struct frame *frames, size_t len)
{
	uint64_t hash = len;

	for (size_t i = 0; i < len; i++) {
		const uint64_t words[] = { hash, (uintptr_t)frames[i].function, (uintptr_t)frames[i].file,
					   (uint64_t)frames[i].line << 32 | frames[i].decl_line, frames[i].address };

		hash = hash_bytes(words, sizeof(words));
	}
	return hash;
}

int symbols_give(struct symbols *s, const char *module_path, const struct frame *frames, size_t len, uint32_t *object,
		 uint64_t *number)
{
	struct looking looking = { .symbols = s };
	uint64_t chain;

	*object = given_object(s, module_path ? module_path : "");
	if (!*object || !len || len > UINT32_MAX)
		return -ENOMEM;
	looking.object = &s->objects[*object];
	for (*number = given_hash(frames, len); map_get(&looking.object->chains, *number, &chain); ++*number)
		if (chain && is_like((const struct frame_chain *)(uintptr_t)chain, frames, len))
			return 0;
	take(&looking, *number, frames, len);
	return map_get(&looking.object->chains, *number, &chain) && chain ? 0 : -ENOMEM;
}

/* An object that may have names; NULL when it has none. */
static struct object *object_for_reading(struct symbols *s, uint32_t object)
{
	struct object *o = &s->objects[object < s->len ? object : 0];

	if (has_no_names(s, o))
		return NULL;
	if (!o->is_open)
		object_open(s, o);
	return o->has_names ? o : NULL;
}

int symbols_returned_text(struct symbols *s, uint32_t object, const char *function, struct buf *out)
{
	struct object *o = object_for_reading(s, object);
	struct elf_want want = want_of(s, o ? o : s->objects);
	struct buf note = { 0 };
	int err = o ? names_text(s->names, object, &want, function, out, &note) : -ENOENT;

	if (o)
		o->has_names &= !note.len;
	add_note(s, &note);
	return err;
}

const char *symbols_class_name(struct symbols *s, uint32_t object, uint64_t address)
{
	struct object *o = object_for_reading(s, object);
	struct elf_want want = want_of(s, o ? o : s->objects);
	struct buf text = { 0 }, note = { 0 };
	const char *kept;

	if (!o)
		return NULL;
	names_class(s->names, object, &want, address, &text, &note);
	o->has_names &= !note.len;
	add_note(s, &note);
	kept = text.len && !text.failed ? symbols_intern(s, text.data) : NULL;
	buf_release(&text);
	return kept;
}

struct symbol_stats symbols_stats(const struct symbols *s)
{
	return s->stats;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/demangle.h"
#include "analyzer/symbols/opener.h"
#include "analyzer/symbols/elf_text.h"
#include "analyzer/symbols/symbols.h"
#include "analyzer/util/buf.h"

struct interned {
	struct interned *next; /* another text with the same hash */
	char text[];
};

struct object {
	const char *path, *name; /* interned */
	uint8_t build_id[RSD_BUILD_ID_MAX];
	uint32_t build_id_len;
	bool is_recorder;      /* libringside.so */
	bool is_open;	       /* opening was tried */
	struct opening *ahead; /* the opener has it; NULL: it has not */
	struct opened file;    /* file.elf NULL: no names from it */
	struct map chains;     /* address -> struct frame_chain * */
};

struct symbols {
	struct symbol_options options;
	char *debug_dir, *sysroot, *binaries;
	struct object *objects; /* [0] is "outside any module" */
	size_t len, cap;
	struct map by_path; /* hash of path and build-id -> object */
	struct map strings; /* hash -> struct interned * */
	char **notes;
	size_t notes_len;
	struct opener *opener; /* NULL: nothing is opened ahead */
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
	size_t len = strlen(text);
	uint64_t *head = map_at(&s->strings, hash_bytes(text, len), NULL);
	struct interned *new;

	if (!head)
		return NULL;
	for (struct interned *at = (struct interned *)(uintptr_t)*head; at; at = at->next)
		if (!strcmp(at->text, text))
			return at->text;
	new = malloc(sizeof(*new) + len + 1);
	if (!new)
		return NULL;
	new->next = (struct interned *)(uintptr_t)*head;
	memcpy(new->text, text, len + 1);
	*head = (uintptr_t) new;
	return new->text;
}

static void free_strings(struct symbols *s)
{
	struct map_iter it = { 0 };

	while (map_next(&s->strings, &it)) {
		for (struct interned *at = (struct interned *)(uintptr_t)it.value, *next; at; at = next) {
			next = at->next;
			free(at);
		}
	}
	map_release(&s->strings);
}

static void add_note(struct symbols *s, const char *text)
{
	char **notes = realloc(s->notes, (s->notes_len + 1) * sizeof(*notes));

	if (!notes)
		return;
	s->notes = notes;
	notes[s->notes_len] = strdup(text);
	if (notes[s->notes_len])
		s->notes_len++;
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
	return !strcmp(o->path, module->path) && o->build_id_len == module->build_id_len &&
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

	if (s->opener && o != s->objects && !o->is_open && !o->ahead && !o->is_recorder)
		o->ahead = opener_add(s->opener, &want);
}

static void object_open(struct symbols *s, struct object *o)
{
	struct elf_want want = want_of(s, o);

	o->is_open = true;
	s->stats.objects_opened++;
	if (o->ahead)
		opener_take(s->opener, o->ahead, &o->file);
	else
		opened_make(&o->file, &want);
	o->ahead = NULL;
	if (o->file.note.len)
		add_note(s, o->file.note.data);
}

struct symbols *symbols_new(const struct symbol_options *options)
{
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
	if (object_new(s, "") || !s->len) {
		symbols_free(s);
		return NULL;
	}
	if (s->options.opens_ahead)
		s->opener = opener_new();
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	opener_free(s->opener);
	for (size_t i = 0; i < s->len; i++) {
		struct map_iter it = { 0 };

		while (map_next(&s->objects[i].chains, &it))
			free((void *)(uintptr_t)it.value);
		map_release(&s->objects[i].chains);
		opened_release(&s->objects[i].file);
	}
	for (size_t i = 0; i < s->notes_len; i++)
		free(s->notes[i]);
	free(s->notes);
	free(s->objects);
	map_release(&s->by_path);
	free_strings(s);
	free(s->debug_dir);
	free(s->sysroot);
	free(s->binaries);
	free(s);
}

/* ---- one address ---- */

static const char *readable(struct symbols *s, const char *linkage)
{
	char *name = demangle(linkage);
	const char *kept = symbols_intern(s, name ? name : linkage);

	free(name);
	return kept;
}

/*
 * The part of a linkage name that names the function: without the symbol version of "fopen@@GLIBC_2.2.5" and the
 * ".cold" of unlikely parts that the compiler moved away.
 */
static size_t essential_length(const char *linkage)
{
	const char *version = strchr(linkage, '@'), *cold = strstr(linkage, ".cold");

	if (version && version > linkage)
		return (size_t)(version - linkage);
	if (cold && cold > linkage && strspn(cold + 5, ".0123456789") == strlen(cold + 5))
		return (size_t)(cold - linkage);
	return strlen(linkage);
}

static const char *essential_name(struct symbols *s, const char *linkage)
{
	size_t len = essential_length(linkage);
	const char *kept;
	char *name;

	if (!linkage[len])
		return symbols_intern(s, linkage);
	name = strndup(linkage, len);
	kept = name ? symbols_intern(s, name) : NULL;
	free(name);
	return kept;
}

/* "/a/./b//c" -> "/a/b/c"; relative names get the directory the compiler ran in. */
static const char *absolute(struct symbols *s, const char *file, const char *dir)
{
	struct buf path = { 0 };
	const char *kept;
	size_t at = 0;

	if (file[0] != '/' && dir && dir[0] == '/')
		buf_printf(&path, "%s/", dir);
	buf_add_string(&path, file);
	if (path.failed)
		return NULL;
	for (size_t i = 0; i <= path.len; i++) {
		while (path.data[i] == '/' && (path.data[i + 1] == '/' || !strncmp(path.data + i, "/./", 3)))
			i += path.data[i + 1] == '/' ? 1 : 2;
		path.data[at++] = path.data[i];
	}
	kept = symbols_intern(s, path.data);
	buf_release(&path);
	return kept;
}

static void name_from_symbol(struct symbols *s, struct object *o, struct frame *frame)
{
	struct elf_symbol symbol;
	struct buf text = { 0 };
	const char *plt = NULL;
	uint64_t start = 0;

	if (o->file.elf && elf_object_function(o->file.elf, frame->address, &symbol)) {
		frame->linkage = essential_name(s, symbol.name);
		frame->function = frame->linkage ? readable(s, frame->linkage) : NULL;
		frame->start = symbol.start;
		frame->source = FRAME_SYMBOL;
	} else if (o->file.elf && (plt = elf_object_plt(o->file.elf, frame->address, &start))) {
		char *name = demangle(plt);

		buf_printf(&text, "%s@plt", name ? name : plt);
		free(name);
		frame->source = FRAME_PLT;
		frame->start = start;
	} else {
		frame->start = o->file.elf ? elf_object_unwind_start(o->file.elf, frame->address) : 0;
		buf_printf(&text, "%s+0x%llx", o->name,
			   (unsigned long long)(frame->start ? frame->start : frame->address));
		frame->source = FRAME_OFFSET;
		s->stats.without_name++;
	}
	if (text.len)
		frame->function = symbols_intern(s, text.data);
	buf_release(&text);
}

/*
 * A C library calls its malloc "__libc_malloc" inside: the name that programs link to is in the symbol table, at
 * the same address, global and with no more underscores.
 */
static void prefer_public_name(struct symbols *s, struct object *o, struct frame *frame)
{
	struct elf_symbol symbol;

	if (frame->function[0] != '_' || frame->inlined || !frame->start ||
	    !elf_object_function(o->file.elf, frame->start, &symbol) || symbol.start != frame->start ||
	    symbol.is_local || strspn(symbol.name, "_") > strspn(frame->function, "_"))
		return;
	frame->linkage = essential_name(s, symbol.name);
	if (frame->linkage)
		frame->function = frame->linkage;
}

static void name_from_dwarf(struct symbols *s, struct dwarf_function *function, struct frame *frame)
{
	if (!function->interned) {
		const char *name = function->linkage ? function->linkage : function->name;

		function->interned = name ? readable(s, name) : "[unnamed]";
		if (function->decl_file)
			function->interned_file = absolute(s, function->decl_file, function->decl_dir);
	}
	frame->function = function->interned;
	frame->decl_file = function->interned_file;
	frame->decl_line = function->decl_line;
	frame->source = FRAME_DWARF;
	if (function->linkage && !frame->inlined)
		frame->linkage = symbols_intern(s, function->linkage);
}

static size_t frames_of(struct object *o, uint64_t address, struct dwarf_frame *found)
{
	size_t len = o->file.dwarf ? dwarf_index_lookup(o->file.dwarf, address - o->file.dwarf_bias, found) : 0;

	if (!len) {
		memset(found, 0, sizeof(*found));
		len = 1;
	}
	return len;
}

/* The worker: needs nothing but the object and the address. */
static struct frame_chain *object_lookup(struct symbols *s, struct object *o, uint64_t address)
{
	struct dwarf_frame found[DWARF_CHAIN_MAX];
	size_t len = frames_of(o, address, found);
	struct frame_chain *chain = calloc(1, sizeof(*chain) + len * sizeof(chain->frames[0]));

	if (!chain)
		return NULL;
	chain->len = (uint32_t)len;
	for (size_t i = 0; i < len; i++) {
		struct frame *frame = &chain->frames[i];

		frame->address = address;
		frame->inlined = found[i].inlined;
		frame->line = found[i].line;
		frame->file = found[i].file ? absolute(s, found[i].file, found[i].dir) : NULL;
		frame->module = o->name;
		frame->module_path = o->path;
		frame->start = found[i].start ? found[i].start + o->file.dwarf_bias : 0;
		if (found[i].function)
			name_from_dwarf(s, found[i].function, frame);
		else
			name_from_symbol(s, o, frame);
		if (!frame->function)
			frame->function = "[unknown]";
		if (found[i].function)
			prefer_public_name(s, o, frame);
	}
	return chain;
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

const struct frame_chain *symbols_lookup(struct symbols *s, uint32_t object, uint64_t address)
{
	struct object *o = &s->objects[object < s->len ? object : 0];
	struct frame_chain *chain;
	uint64_t *slot;
	bool is_new;

	slot = map_at(&o->chains, address, &is_new);
	s->stats.lookups++;
	if (slot && *slot) {
		s->stats.cached++;
		return (const struct frame_chain *)(uintptr_t)*slot;
	}
	if (!slot)
		return (const struct frame_chain *)(const void *)&no_memory_chain;
	if (o != s->objects && !o->is_open && !o->is_recorder)
		object_open(s, o);
	chain = o == s->objects || o->is_recorder ? nameless(o, address) : object_lookup(s, o, address);
	if (!chain)
		return (const struct frame_chain *)(const void *)&no_memory_chain;
	*slot = (uintptr_t)chain;
	return chain;
}

const struct frame_chain *symbols_addr_lookup(struct symbols *s, struct modules *modules, uint64_t addr)
{
	struct module *module = modules_by_addr(modules, addr);

	if (!module)
		return symbols_lookup(s, 0, addr);
	return symbols_lookup(s, symbols_object(s, module), addr - module->bias);
}

/* "queue.2" is the second static called queue in its file: people know it as "queue". */
static size_t without_number(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (strchr(name, '@'))
		return strcspn(name, "@");
	if (dot && dot != name && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1))
		return (size_t)(dot - name);
	return strlen(name);
}

const char *symbols_data_name(struct symbols *s, uint32_t object, uint64_t address)
{
	struct object *o = &s->objects[object < s->len ? object : 0];
	struct elf_symbol symbol;
	struct buf text = { 0 };
	const char *kept;
	char *name;

	if (o == s->objects)
		return NULL;
	if (!o->is_open)
		object_open(s, o);
	if (!o->file.elf || !elf_object_data(o->file.elf, address, &symbol))
		return NULL;
	name = demangle(symbol.name);
	buf_add(&text, name ? name : symbol.name, name ? strlen(name) : without_number(symbol.name));
	free(name);
	if ((!o->file.data ||
	     dwarf_data_member(o->file.data, symbol.start - o->file.dwarf_bias, address - symbol.start, &text)) &&
	    address != symbol.start)
		buf_printf(&text, "+0x%llx", (unsigned long long)(address - symbol.start));
	kept = text.failed ? NULL : symbols_intern(s, text.data);
	buf_release(&text);
	return kept;
}

const char *symbols_addr_data_name(struct symbols *s, struct modules *modules, uint64_t addr)
{
	struct module *module = modules_by_addr(modules, addr);

	return module ? symbols_data_name(s, symbols_object(s, module), addr - module->bias) : NULL;
}

static struct object *object_for_reading(struct symbols *s, uint32_t object)
{
	struct object *o = &s->objects[object < s->len ? object : 0];

	if (o == s->objects || o->is_recorder)
		return NULL;
	if (!o->is_open)
		object_open(s, o);
	return o->file.elf ? o : NULL;
}

int symbols_returned_text(struct symbols *s, uint32_t object, const char *function, struct buf *out)
{
	struct object *o = object_for_reading(s, object);

	return o ? elf_returned_text(o->file.elf, function, out) : -ENOENT;
}

const char *symbols_class_name(struct symbols *s, uint32_t object, uint64_t address)
{
	static const char prefix[] = "vtable for ";
	struct object *o = object_for_reading(s, object);
	struct elf_symbol symbol;
	const char *kept;
	char *name;

	if (!o || !elf_object_data(o->file.elf, address, &symbol) || strncmp(symbol.name, "_ZTV", 4) ||
	    address - symbol.start >= symbol.size)
		return NULL;
	kept = essential_name(s, symbol.name);
	name = kept ? demangle(kept) : NULL;
	kept = name && !strncmp(name, prefix, sizeof(prefix) - 1) ? symbols_intern(s, name + sizeof(prefix) - 1) : NULL;
	free(name);
	return kept;
}

struct symbol_stats symbols_stats(const struct symbols *s)
{
	return s->stats;
}

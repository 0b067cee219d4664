/* SPDX-License-Identifier: MIT */
/* firefox_shared.c - the tables that all threads of a profile share: stacks, frames, functions, modules, strings. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/firefox.h"
#include "analyzer/util/list.h"

#define EXACT_MAX ((uint64_t)1 << 53) /* numbers of JSON are exact below */

/* ---- what threads share --------------------------------------------------------------------------------------- */

/* Functions, and the files and modules they are in; numbers from 1 on, 0: none. */
struct shared {
	struct map source_of, lib_of, func_of; /* hashes -> number */
	const char **sources, **libs;	       /* paths */
	size_t sources_cap, libs_cap, funcs_cap;
	struct function {
		uint32_t name, source, lib;
	} * funcs;
	uint32_t *func; /* by frame */
};

/* The number of a key; *is_new: it is one more than there were. */
static uint32_t number_of(struct firefox *f, struct map *map, uint64_t key, bool *is_new)
{
	uint64_t *at = map_at(map, key, is_new);

	f->failed |= !at;
	if (at && *is_new)
		*at = map->len;
	return at ? (uint32_t)*at : 0;
}

static uint32_t path_of(struct firefox *f, struct map *map, const char ***paths, size_t *cap, const char *path)
{
	bool is_new = false;
	uint32_t number = path ? number_of(f, map, hash_bytes(path, strlen(path)), &is_new) : 0;

	if (!is_new)
		return number;
	if (list_grow((void **)paths, cap, number - 1, sizeof(**paths))) {
		f->failed = true;
		return 0;
	}
	(*paths)[number - 1] = path;
	return number;
}

static uint32_t func_of(struct firefox *f, struct shared *s, const struct frame *frame)
{
	struct function func = { firefox_string(f, export_frame_name(frame)),
				 path_of(f, &s->source_of, &s->sources, &s->sources_cap, frame->file),
				 path_of(f, &s->lib_of, &s->libs, &s->libs_cap, frame->module_path) };
	bool is_new = false;
	uint32_t number = number_of(f, &s->func_of, hash_bytes(&func, sizeof(func)), &is_new);

	if (!is_new)
		return number;
	if (list_grow((void **)&s->funcs, &s->funcs_cap, number - 1, sizeof(*s->funcs))) {
		f->failed = true;
		return 0;
	}
	s->funcs[number - 1] = func;
	return number;
}

static int collect_shared(struct firefox *f, struct shared *s)
{
	map_init(&s->source_of);
	map_init(&s->lib_of);
	map_init(&s->func_of);
	s->func = calloc(f->tree.distinct_len + 1, sizeof(*s->func));
	f->failed |= !s->func;
	for (size_t i = 0; i < f->tree.distinct_len && !f->failed; i++)
		s->func[i] = func_of(f, s, f->tree.distinct[i]);
	return f->failed ? -ENOMEM : 0;
}

static void release_shared(struct shared *s)
{
	map_release(&s->source_of);
	map_release(&s->lib_of);
	map_release(&s->func_of);
	free(s->sources);
	free(s->libs);
	free(s->funcs);
	free(s->func);
}

static void put_stack_table(struct firefox *f)
{
	json_key(&f->j, "stackTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", f->tree.len);
	firefox_column(f, "frame");
	for (size_t i = 0; i < f->tree.len; i++)
		json_u64(&f->j, f->tree.nodes[i].frame_number - 1);
	json_end(&f->j);
	firefox_column(f, "prefix");
	for (size_t i = 0; i < f->tree.len; i++)
		firefox_index(f, f->tree.nodes[i].parent);
	json_end(&f->j);
	json_end(&f->j);
}

static enum category category_of_frame(const struct firefox *f, const struct frame *frame)
{
	if (!frame->module)
		return IN_OTHER;
	return strcmp(frame->module, recording_name(f->rec)) ? IN_LIBRARY : IN_PROGRAM;
}

static void put_frame_table(struct firefox *f, const struct shared *s)
{
	const struct frame *const *frames = f->tree.distinct;
	size_t len = f->tree.distinct_len;

	json_key(&f->j, "frameTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	firefox_column(f, "address");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j,
			 frames[i]->module_path && frames[i]->address < EXACT_MAX ? (int64_t)frames[i]->address : -1);
	json_end(&f->j);
	firefox_column(f, "inlineDepth");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, frames[i]->inlined);
	json_end(&f->j);
	firefox_column(f, "category");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, category_of_frame(f, frames[i]));
	json_end(&f->j);
	firefox_same(f, "subcategory", len, "0");
	firefox_column(f, "func");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, s->func[i] - 1);
	json_end(&f->j);
	firefox_same(f, "nativeSymbol", len, NULL);
	firefox_same(f, "innerWindowID", len, NULL);
	firefox_column(f, "line");
	for (size_t i = 0; i < len; i++)
		if (frames[i]->line)
			json_u64(&f->j, frames[i]->line);
		else
			json_null(&f->j);
	json_end(&f->j);
	firefox_same(f, "column", len, NULL);
	json_end(&f->j);
}

static void put_func_table(struct firefox *f, const struct shared *s)
{
	size_t len = s->func_of.len;

	json_key(&f->j, "funcTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	firefox_column(f, "name");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, s->funcs[i].name);
	json_end(&f->j);
	firefox_same(f, "isJS", len, "false");
	firefox_same(f, "relevantForJS", len, "false");
	firefox_column(f, "resource");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j, (int64_t)s->funcs[i].lib - 1);
	json_end(&f->j);
	firefox_column(f, "source");
	for (size_t i = 0; i < len; i++)
		firefox_index(f, s->funcs[i].source);
	json_end(&f->j);
	firefox_same(f, "lineNumber", len, NULL);
	firefox_same(f, "columnNumber", len, NULL);
	json_end(&f->j);
}

/* Each module is one resource, which is all that this table is for. */
static void put_resource_table(struct firefox *f, const struct shared *s)
{
	size_t len = s->lib_of.len;

	json_key(&f->j, "resourceTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	firefox_column(f, "lib");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, i);
	json_end(&f->j);
	firefox_column(f, "name");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, firefox_string(f, path_base(s->libs[i])));
	json_end(&f->j);
	firefox_same(f, "host", len, NULL);
	firefox_same(f, "type", len, "1");
	json_end(&f->j);
}

static void put_other_tables(struct firefox *f, const struct shared *s)
{
	static const char *const columns[] = { "libIndex", "address", "name", "functionSize" };
	size_t len = s->source_of.len;

	json_key(&f->j, "nativeSymbols");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", 0);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		firefox_same(f, columns[i], 0, NULL);
	json_end(&f->j);
	json_key(&f->j, "sources");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	firefox_same(f, "id", len, NULL);
	firefox_column(f, "filename");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, firefox_string(f, s->sources[i]));
	json_end(&f->j);
	firefox_same(f, "startLine", len, "1");
	firefox_same(f, "startColumn", len, "1");
	firefox_same(f, "sourceMapURL", len, NULL);
	json_end(&f->j);
}

static void put_strings(struct firefox *f)
{
	firefox_column(f, "stringArray");
	for (size_t i = 0; i < f->strings_len; i++)
		json_string(&f->j, f->strings[i] ? f->strings[i] : "");
	json_end(&f->j);
}

static const struct module *module_of(const struct firefox *f, const char *path)
{
	const struct modules *modules = &f->rec->modules;

	for (size_t i = 0; i < modules->len; i++)
		if (!strcmp(modules->list[i].path, path))
			return &modules->list[i];
	return NULL;
}

/* As Breakpad makes it of a build-id: its first numbers the other way round, and a 0 behind. */
static void put_build_id(struct firefox *f, const struct module *module)
{
	static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t id[RSD_BUILD_ID_MAX] = { 0 };
	char debug_id[2 * sizeof(order) + 2] = "", code_id[2 * RSD_BUILD_ID_MAX + 1] = "";

	if (module)
		memcpy(id, module->build_id, module->build_id_len);
	for (size_t i = 0; module && module->build_id_len && i < sizeof(order); i++)
		snprintf(debug_id + 2 * i, 4, "%02X0", id[order[i]]);
	for (uint32_t i = 0; module && i < module->build_id_len; i++)
		snprintf(code_id + 2 * i, 3, "%02x", id[i]);
	json_field_string(&f->j, "breakpadId", debug_id);
	json_field_string(&f->j, "codeId", *code_id ? code_id : NULL);
}

static void put_libs(struct firefox *f, const struct shared *s)
{
	uint32_t machine = f->rec->reader.header.machine;

	firefox_column(f, "libs");
	for (size_t i = 0; i < s->lib_of.len; i++) {
		json_begin_object(&f->j);
		json_field_string(&f->j, "arch",
				  machine == EM_X86_64	  ? "x86_64"
				  : machine == EM_AARCH64 ? "arm64"
							  : "");
		json_field_string(&f->j, "name", path_base(s->libs[i]));
		json_field_string(&f->j, "path", s->libs[i]);
		json_field_string(&f->j, "debugName", path_base(s->libs[i]));
		json_field_string(&f->j, "debugPath", s->libs[i]);
		put_build_id(f, module_of(f, s->libs[i]));
		json_end(&f->j);
	}
	json_end(&f->j);
}

int firefox_shared(struct firefox *f)
{
	struct shared s = { 0 };
	int err = collect_shared(f, &s);

	json_key(&f->j, "shared");
	json_begin_object(&f->j);
	if (!err) {
		put_stack_table(f);
		put_frame_table(f, &s);
		put_func_table(f, &s);
		put_resource_table(f, &s);
		put_other_tables(f, &s);
	}
	put_strings(f);
	json_end(&f->j);
	if (!err)
		put_libs(f, &s);
	release_shared(&s);
	return err;
}

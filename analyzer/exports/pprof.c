/* SPDX-License-Identifier: MIT */
/*
 * pprof.c - profile.proto as go tool pprof reads it: all numbers of the profile, inlined functions as lines of one
 * location, modules with their build-ids, the kind of a wait as label.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "analyzer/exports/export.h"
#include "analyzer/exports/proto.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"
#include "analyzer/util/profile_proto.h"

static const struct frame no_stack = { .function = "[no stack]" };

struct pprof {
	struct export_run *r;
	struct buf out, message, line, text;
	struct map strings;   /* hash of text -> index */
	struct map functions; /* hash of name, file -> id */
	struct map locations; /* hash of module, address -> id */
	uint64_t strings_len;
	size_t exe; /* the program's module */
	bool failed;
};

/* Two texts of one hash would be one: 64 bits, seeded per process. Safe: go tool pprof prints to a terminal what it
 * reads. */
static uint64_t string_of(struct pprof *p, const char *text)
{
	bool is_new;
	uint64_t *at;

	buf_clear(&p->text);
	if (text)
		p->failed |= buf_add_safe(&p->text, text, strlen(text)) != 0;
	at = map_at(&p->strings, hash_bytes(buf_string(&p->text), p->text.len), &is_new);
	if (!at) {
		p->failed = true;
		return 0;
	}
	if (is_new) {
		*at = p->strings_len++;
		proto_bytes(&p->out, PROFILE_STRING, buf_string(&p->text), p->text.len);
	}
	return *at;
}

static void value_type(struct pprof *p, unsigned field, const char *name, enum unit unit)
{
	proto_u64(&p->message, VALUE_TYPE, string_of(p, name));
	proto_u64(&p->message, VALUE_UNIT,
		  string_of(p, unit == UNIT_BYTES ? "bytes"
			       : unit == UNIT_NS  ? "nanoseconds"
						  : "count"));
	proto_message(&p->out, field, &p->message);
}

static uint64_t function_of(struct pprof *p, const struct frame *frame)
{
	const char *name = export_frame_name(frame), *file = frame->file ? frame->file : "";
	const uint64_t key[] = { hash_bytes(name, strlen(name)), hash_bytes(file, strlen(file)) };
	uint64_t name_string = string_of(p, name), file_string = string_of(p, file);
	uint64_t system_string = string_of(p, frame->linkage ? frame->linkage : name);
	bool is_new;
	uint64_t *at = map_at(&p->functions, hash_bytes(key, sizeof(key)), &is_new);

	if (!at) {
		p->failed = true;
		return 0;
	}
	if (!is_new)
		return *at;
	*at = p->functions.len;
	proto_u64(&p->message, FUNCTION_ID, *at);
	proto_u64(&p->message, FUNCTION_NAME, name_string);
	proto_u64(&p->message, FUNCTION_SYSTEM_NAME, system_string);
	proto_u64(&p->message, FUNCTION_FILE, file_string);
	proto_u64(&p->message, FUNCTION_START_LINE, frame->decl_line);
	proto_message(&p->out, PROFILE_FUNCTION, &p->message);
	return *at;
}

/* Readers take the first mapping for the program. */
static size_t exe_of(const struct pprof *p)
{
	const struct modules *modules = &p->r->a->rec.modules;

	for (size_t i = 0; i < modules->len; i++)
		if (!strcmp(modules->list[i].path, p->r->a->rec.exe))
			return i;
	return 0;
}

/* Id of the mapping of a module, from 1: the program, then the others as the recording has them. */
static uint64_t mapping_id(const struct pprof *p, size_t module)
{
	return module == p->exe ? 1 : module < p->exe ? module + 2 : module + 1;
}

/* 0: none. */
static uint64_t mapping_of(const struct pprof *p, const struct frame *frame, uint64_t *bias)
{
	const struct modules *modules = &p->r->a->rec.modules;

	*bias = 0;
	for (size_t i = 0; frame->module_path && i < modules->len; i++) {
		if (strcmp(modules->list[i].path, frame->module_path) != 0)
			continue;
		*bias = modules->list[i].bias;
		return mapping_id(p, i);
	}
	return 0;
}

/* frames[0] to frames[len - 1]: inlined functions, then the one whose code it is. */
static uint64_t location_of(struct pprof *p, const struct frame *const *frames, size_t len)
{
	const struct frame *outer = frames[len - 1];
	const uint64_t key[] = { outer->module_path ? hash_bytes(outer->module_path, strlen(outer->module_path)) : 0,
				 outer->address, len };
	bool is_new;
	uint64_t *at = map_at(&p->locations, hash_bytes(key, sizeof(key)), &is_new), bias, mapping, id, functions[64];

	if (!at) {
		p->failed = true;
		return 0;
	}
	if (!is_new)
		return *at;
	id = *at = p->locations.len;
	if (len > 64)
		len = 64;
	for (size_t i = 0; i < len; i++)
		functions[i] = function_of(p, frames[i]);
	mapping = mapping_of(p, outer, &bias);
	proto_u64(&p->message, LOCATION_ID, id);
	proto_u64(&p->message, LOCATION_MAPPING, mapping);
	proto_u64(&p->message, LOCATION_ADDRESS, outer->address + bias);
	for (size_t i = 0; i < len; i++) {
		proto_u64(&p->line, LINE_FUNCTION, functions[i]);
		proto_u64(&p->line, LINE_LINE, frames[i]->line);
		proto_message(&p->message, LOCATION_LINE, &p->line);
	}
	proto_message(&p->out, PROFILE_LOCATION, &p->message);
	return id;
}

static int sample(struct pprof *p, const struct profile_row *row, struct frames *frames, uint64_t **ids,
		  size_t *ids_cap)
{
	size_t len = 0;
	uint64_t key = 0, label = 0;
	uint64_t values[PROFILE_VALUES];
	int err = stacks_frames(p->r->stacks, row->stack, frames);

	for (size_t i = 0, first = 0; i < frames->len && !err; i++) {
		if (frames->list[i]->inlined && i + 1 < frames->len)
			continue;
		err = list_grow((void **)ids, ids_cap, len, sizeof(**ids));
		if (!err)
			(*ids)[len++] = location_of(p, frames->list + first, i + 1 - first);
		first = i + 1;
	}
	/* Samples without a location are dropped by its readers. */
	if (!err && !len) {
		const struct frame *const nowhere[] = { &no_stack };

		err = list_grow((void **)ids, ids_cap, len, sizeof(**ids));
		if (!err)
			(*ids)[len++] = location_of(p, nowhere, 1);
	}
	if (row->label) {
		key = string_of(p, "kind");
		label = string_of(p, profile_label_text(p->r->profile, row->label));
	}
	for (size_t i = 0; i < p->r->profile->values_len; i++)
		values[i] = (uint64_t)row->values[i];
	if (err)
		return err;
	proto_packed(&p->message, SAMPLE_LOCATION, *ids, len);
	proto_packed(&p->message, SAMPLE_VALUE, values, p->r->profile->values_len);
	if (row->label) {
		proto_u64(&p->line, LABEL_KEY, key);
		proto_u64(&p->line, LABEL_STR, label);
		proto_message(&p->message, SAMPLE_LABEL, &p->line);
	}
	proto_message(&p->out, PROFILE_SAMPLE, &p->message);
	return 0;
}

static void put_mapping(struct pprof *p, size_t index)
{
	const struct module *module = &p->r->a->rec.modules.list[index];
	char hex[2 * RSD_BUILD_ID_MAX + 1] = "";
	uint64_t file = string_of(p, module->path), build_id;

	for (uint32_t k = 0; k < module->build_id_len; k++)
		snprintf(hex + 2 * k, 3, "%02x", module->build_id[k]);
	build_id = string_of(p, hex);
	proto_u64(&p->message, MAPPING_ID, mapping_id(p, index));
	proto_u64(&p->message, MAPPING_START, module->start);
	proto_u64(&p->message, MAPPING_LIMIT, module->end);
	proto_u64(&p->message, MAPPING_FILE, file);
	proto_u64(&p->message, MAPPING_BUILD_ID, build_id);
	for (unsigned field = MAPPING_HAS_FUNCTIONS; field <= MAPPING_HAS_INLINES; field++)
		proto_u64(&p->message, field, 1);
	proto_message(&p->out, PROFILE_MAPPING, &p->message);
}

static void mappings(struct pprof *p)
{
	size_t len = p->r->a->rec.modules.len;

	if (p->exe < len)
		put_mapping(p, p->exe);
	for (size_t i = 0; i < len; i++)
		if (i != p->exe)
			put_mapping(p, i);
}

static void head(struct pprof *p)
{
	const struct rsd_header *h = &p->r->a->rec.reader.header;
	const struct profile *profile = p->r->profile;
	bool is_cpu = !strcmp(profile->title, "cpu"), is_heap = !strcmp(profile->title, "heap");

	string_of(p, ""); /* has to be the first one */
	for (size_t i = 0; i < profile->values_len; i++)
		value_type(p, PROFILE_SAMPLE_TYPE, profile->values[i].name, profile->values[i].unit);
	mappings(p);
	proto_u64(&p->out, PROFILE_DROP_FRAMES, profile->drop_frames ? string_of(p, profile->drop_frames) : 0);
	proto_u64(&p->out, PROFILE_TIME_NANOS, h->start_realtime_ns);
	proto_u64(&p->out, PROFILE_DURATION_NANOS, p->r->a->duration_ns);
	if (is_cpu)
		value_type(p, PROFILE_PERIOD_TYPE, "cpu", UNIT_NS);
	else
		value_type(p, PROFILE_PERIOD_TYPE, is_heap ? "space" : "delay", is_heap ? UNIT_BYTES : UNIT_NS);
	proto_u64(&p->out, PROFILE_PERIOD,
		  is_cpu    ? h->cpu_hz ? 1000000000 / h->cpu_hz : 0
		  : is_heap ? h->sample_bytes ? h->sample_bytes : 1
			    : 1);
	proto_u64(&p->out, PROFILE_DEFAULT_SAMPLE_TYPE, string_of(p, profile->values[p->r->value].name));
	for (size_t i = 0; i < profile->notes_len; i++)
		proto_u64(&p->out, PROFILE_COMMENT, string_of(p, profile->notes[i]));
}

/* As gzip does it: what go tool pprof wants to read. */
static int write_gzipped(const struct buf *data, FILE *out)
{
	unsigned char chunk[1 << 16];
	z_stream z = { 0 };
	size_t done = 0;
	int err;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	do {
		if (!z.avail_in && done < data->len) {
			z.avail_in = data->len - done < 1 << 30 ? (uInt)(data->len - done) : 1 << 30;
			z.next_in = (unsigned char *)data->data + done;
			done += z.avail_in;
		}
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		err = deflate(&z, done < data->len ? Z_NO_FLUSH : Z_FINISH);
		fwrite(chunk, 1, sizeof(chunk) - z.avail_out, out);
	} while (err == Z_OK || err == Z_BUF_ERROR);
	deflateEnd(&z);
	return ferror(out) ? -EIO : 0;
}

int export_pprof(struct export_run *r)
{
	struct pprof p = { .r = r };
	struct frames frames = { 0 };
	uint64_t *ids = NULL;
	size_t ids_cap = 0;
	int err = 0;

	map_init(&p.strings);
	map_init(&p.functions);
	map_init(&p.locations);
	p.exe = exe_of(&p);
	head(&p);
	for (size_t i = 0; i < r->profile->rows_len && !err; i++)
		err = sample(&p, &r->profile->rows[i], &frames, &ids, &ids_cap);
	if (!err && (p.failed || p.out.failed || p.message.failed))
		err = -ENOMEM;
	err = err ? err : write_gzipped(&p.out, r->out);
	frames_release(&frames);
	free(ids);
	map_release(&p.strings);
	map_release(&p.functions);
	map_release(&p.locations);
	buf_release(&p.out);
	buf_release(&p.message);
	buf_release(&p.line);
	buf_release(&p.text);
	return err;
}

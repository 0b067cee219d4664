/* SPDX-License-Identifier: MIT */
/*
 * pprof.c - profile.proto, as Go, pprof's converters (gperftools, jemalloc, perf) and our own export write it.
 *
 * Fields may come in any order, and samples may stand before what they refer to. So all of it is in memory, and gone
 * over once for each kind of message: texts, then mappings and functions, then locations, then samples.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/imports/import.h"
#include "analyzer/imports/wire.h"
#include "analyzer/util/list.h"
#include "analyzer/util/nearest.h"
#include "analyzer/util/profile_proto.h"
#include "analyzer/util/whole.h"

/* Unpacked. The largest that Go's programs of 10 GB make is some MB. */
#define PPROF_SIZE_MAX (256u << 20)
#define INLINED_MAX 256u /* frames of one location that are read */
#define LABELS_MAX 256u	 /* bytes of the labels of one sample that are kept */
/* A file of a few bytes may say things millions of times. */
#define TYPES_MAX 4096u
#define MAPPINGS_MAX (1u << 20)
#define THINGS_MAX (1u << 24) /* texts, functions, locations, nodes of stacks */
#define ROWS_MAX (1u << 22)

struct text {
	const char *at;
	size_t len;
};

struct mapping {
	const char *path; /* interned; NULL: it has no name */
	uint64_t start, offset;
};

struct function {
	const char *name, *linkage, *file; /* interned; file may be NULL */
	uint32_t start_line;
};

/* One of the numbers of a sample: which of the profile's values it is, and what it is multiplied with. */
struct sample_type {
	uint64_t name, unit; /* texts */
	int value;	     /* -1: left out */
	int64_t factor;
};

struct pprof {
	struct import *im;
	const uint8_t *data;
	size_t size;
	struct buf *error;
	struct text *texts;
	size_t texts_len, texts_cap;
	struct mapping *mappings;
	size_t mappings_len, mappings_cap;
	struct function *functions;
	size_t functions_len, functions_cap;
	struct import_frames *locations;
	size_t locations_len, locations_cap;
	struct map mapping_of, function_of, location_of; /* id -> place in the list + 1 */
	struct sample_type *columns;
	size_t columns_len, columns_cap;
	uint64_t *ids, *numbers; /* of one sample */
	size_t ids_len, ids_cap, numbers_len, numbers_cap;
	size_t unknown_locations, deep_stacks;
	uint64_t default_type; /* a text */
	uint32_t nodes_before; /* of the stacks */
};

/* ---- what it is ----------------------------------------------------------------------------------------------- */

/* Numbers and messages inside a message, none with a high field number. */
static bool is_message(const struct wire_field *field)
{
	struct wire w = wire_inside(field);
	struct wire_field f;

	while (wire_next(&w, &f))
		if (f.number > MAPPING_HAS_INLINES)
			return false;
	return field->len && !w.fault;
}

/*
 * Nothing says what it is, and writers differ in the order: fields of Profile, each of its kind, one message at least,
 * up to the end of what is there.
 */
bool pprof_is(const uint8_t *head, size_t len)
{
	const uint32_t messages = 1u << PROFILE_SAMPLE_TYPE | 1u << PROFILE_SAMPLE | 1u << PROFILE_MAPPING |
				  1u << PROFILE_LOCATION | 1u << PROFILE_FUNCTION | 1u << PROFILE_PERIOD_TYPE;
	struct wire w = { head, head + len, NULL };
	struct wire_field f;
	unsigned seen = 0;

	while (wire_next(&w, &f)) {
		bool is_message_field = f.number < 32 && messages >> f.number & 1;
		bool is_bytes_field =
			is_message_field || f.number == PROFILE_STRING || (f.number == PROFILE_COMMENT && f.is_bytes);

		if (f.number > PROFILE_DOC_URL || f.is_bytes != is_bytes_field || (is_message_field && !is_message(&f)))
			return false;
		seen += is_message_field;
	}
	return seen && (!w.fault || len == INPUT_HEAD);
}

static int read_data(struct input *in, uint8_t **out, size_t *size, struct buf *error)
{
	size_t cap = 1u << 16;
	uint8_t *data = malloc(cap);
	long n = data ? 0 : -ENOMEM;

	*size = 0;
	while (data && (n = input_read(in, data + *size, cap - *size)) > 0) {
		uint8_t *grown;

		*size += (size_t)n;
		if (*size < cap)
			continue;
		if (cap == PPROF_SIZE_MAX) {
			buf_printf(error, "larger than %u MiB when it is unpacked, which no profile is",
				   PPROF_SIZE_MAX >> 20);
			n = -EFBIG;
			break;
		}
		grown = realloc(data, cap *= 2);
		if (!grown) {
			n = -ENOMEM;
			break;
		}
		data = grown;
	}
	*out = data;
	return n < 0 ? (int)n : 0;
}

/* ---- going over it -------------------------------------------------------------------------------------------- */

/* Call `take` for each field of Profile with this number. */
static int each(struct pprof *p, uint32_t number, int (*take)(struct pprof *p, const struct wire_field *f))
{
	struct wire w = { p->data, p->data + p->size, NULL };
	struct wire_field f;
	int err = 0;

	while (!err && wire_next(&w, &f))
		if (f.number == number)
			err = take(p, &f);
	if (!err && w.fault) {
		buf_printf(p->error, "offset %zu: %s", (size_t)(w.at - p->data), w.fault);
		err = -EBADMSG;
	}
	return err;
}

/* What is inside of a message must end where it does. */
static int finish(struct pprof *p, const struct wire *w)
{
	if (!w->fault)
		return 0;
	buf_printf(p->error, "offset %zu: %s", (size_t)(w->at - p->data), w->fault);
	return -EBADMSG;
}

static struct text text_at(const struct pprof *p, uint64_t index)
{
	return index < p->texts_len ? p->texts[index] : (struct text){ "", 0 };
}

static int too_many(struct pprof *p, const char *what)
{
	buf_printf(p->error, "more %s than any profile has", what);
	return -EFBIG;
}

/* NULL for the empty text. */
static const char *intern(struct pprof *p, uint64_t index)
{
	struct text text = text_at(p, index);

	return text.len ? import_text(p->im, text.at, text.len) : NULL;
}

static int take_text(struct pprof *p, const struct wire_field *f)
{
	if (p->texts_len == THINGS_MAX)
		return too_many(p, "texts");
	if (list_grow((void **)&p->texts, &p->texts_cap, p->texts_len, sizeof(*p->texts)))
		return -ENOMEM;
	p->texts[p->texts_len++] = (struct text){ f->is_bytes ? (const char *)f->data : "", f->len };
	return 0;
}

/* ---- mappings and functions ----------------------------------------------------------------------------------- */

static int take_mapping(struct pprof *p, const struct wire_field *field)
{
	struct wire w = wire_inside(field);
	struct wire_field f;
	struct mapping m = { 0 };
	struct text build_id = { "", 0 };
	uint64_t id = 0;

	while (wire_next(&w, &f)) {
		if (f.number == MAPPING_ID)
			id = f.value;
		else if (f.number == MAPPING_START)
			m.start = f.value;
		else if (f.number == MAPPING_OFFSET)
			m.offset = f.value;
		else if (f.number == MAPPING_FILE)
			m.path = intern(p, f.value);
		else if (f.number == MAPPING_BUILD_ID)
			build_id = text_at(p, f.value);
	}
	if (finish(p, &w))
		return -EBADMSG;
	if (p->mappings_len == MAPPINGS_MAX)
		return too_many(p, "mappings");
	if (m.path && import_add_module(p->im, m.path, build_id.at, build_id.len) < 0)
		return -ENOMEM;
	/* The first one is the program's. */
	if (!p->mappings_len && m.path)
		p->im->program = import_text(p->im, path_base(m.path), strlen(path_base(m.path)));
	if (list_grow((void **)&p->mappings, &p->mappings_cap, p->mappings_len, sizeof(*p->mappings)))
		return -ENOMEM;
	p->mappings[p->mappings_len++] = m;
	return map_put(&p->mapping_of, id, p->mappings_len);
}

static uint32_t line_of(uint64_t value)
{
	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static int take_function(struct pprof *p, const struct wire_field *field)
{
	struct wire w = wire_inside(field);
	struct wire_field f;
	struct function function = { 0 };
	uint64_t id = 0;

	while (wire_next(&w, &f)) {
		if (f.number == FUNCTION_ID)
			id = f.value;
		else if (f.number == FUNCTION_NAME)
			function.name = intern(p, f.value);
		else if (f.number == FUNCTION_SYSTEM_NAME)
			function.linkage = intern(p, f.value);
		else if (f.number == FUNCTION_FILE)
			function.file = intern(p, f.value);
		else if (f.number == FUNCTION_START_LINE)
			function.start_line = line_of(f.value);
	}
	if (finish(p, &w))
		return -EBADMSG;
	if (p->functions_len == THINGS_MAX)
		return too_many(p, "functions");
	if (!function.name)
		function.name = function.linkage ? function.linkage : import_text(p->im, "[unknown]", 9);
	if (list_grow((void **)&p->functions, &p->functions_cap, p->functions_len, sizeof(*p->functions)))
		return -ENOMEM;
	p->functions[p->functions_len++] = function;
	return map_put(&p->function_of, id, p->functions_len);
}

/* ---- locations ------------------------------------------------------------------------------------------------ */

static int read_line(struct pprof *p, const struct wire_field *field, struct frame *frame)
{
	struct wire w = wire_inside(field);
	struct wire_field f;
	uint64_t at;

	*frame = (struct frame){ .function = "[unknown]", .source = FRAME_UNKNOWN };
	while (wire_next(&w, &f)) {
		if (f.number == LINE_LINE)
			frame->line = line_of(f.value);
		if (f.number == LINE_FUNCTION && map_get(&p->function_of, f.value, &at)) {
			const struct function *function = &p->functions[at - 1];

			frame->function = function->name;
			frame->linkage = function->linkage;
			frame->file = function->file;
			frame->source = function->file ? FRAME_DWARF : FRAME_SYMBOL;
			frame->decl_line = function->start_line;
			frame->decl_file = function->start_line ? function->file : NULL;
		}
	}
	return finish(p, &w);
}

/* Code that nobody named: "libfoo.so+0x1234". */
static void name_by_place(struct pprof *p, const struct mapping *m, struct frame *frame)
{
	struct buf text = { 0 };

	*frame = (struct frame){ .function = "[unknown]", .address = frame->address, .source = FRAME_UNKNOWN };
	if (m && m->path) {
		buf_printf(&text, "%s+0x%" PRIx64, path_base(m->path), frame->address - m->start + m->offset);
		frame->function = import_text(p->im, buf_string(&text), text.len);
		frame->source = FRAME_OFFSET;
	}
	buf_release(&text);
}

static int take_location(struct pprof *p, const struct wire_field *field)
{
	struct frame frames[INLINED_MAX];
	struct wire w = wire_inside(field);
	struct wire_field f;
	const struct mapping *m = NULL;
	uint64_t id = 0, address = 0, at;
	size_t len = 0;
	int err = 0;

	while (!err && wire_next(&w, &f)) {
		if (f.number == LOCATION_ID)
			id = f.value;
		else if (f.number == LOCATION_MAPPING && map_get(&p->mapping_of, f.value, &at))
			m = &p->mappings[at - 1];
		else if (f.number == LOCATION_ADDRESS)
			address = f.value;
		else if (f.number == LOCATION_LINE && len < INLINED_MAX)
			err = read_line(p, &f, &frames[len++]);
	}
	err = err ? err : finish(p, &w);
	if (err)
		return err;
	if (p->locations_len == THINGS_MAX)
		return too_many(p, "locations");
	frames[0].address = address;
	if (!len)
		name_by_place(p, m, &frames[len++]);
	for (size_t i = 0; i < len; i++)
		frames[i].address = address;
	if (list_grow((void **)&p->locations, &p->locations_cap, p->locations_len, sizeof(*p->locations)))
		return -ENOMEM;
	/* How our own export tells the empty stack, for readers that drop a sample without a location. */
	if (len == 1 && !m && !strcmp(frames[0].function, "[no stack]"))
		p->locations[p->locations_len] = (struct import_frames){ 0 };
	else if (import_give(p->im, m ? m->path : NULL, frames, len, &p->locations[p->locations_len]))
		return -ENOMEM;
	p->locations_len++;
	return map_put(&p->location_of, id, p->locations_len);
}

/* ---- types of samples ----------------------------------------------------------------------------------------- */

static int take_type(struct pprof *p, const struct wire_field *field)
{
	struct wire w = wire_inside(field);
	struct wire_field f;
	struct sample_type column = { .value = -1, .factor = 1 };

	while (wire_next(&w, &f)) {
		if (f.number == VALUE_TYPE)
			column.name = f.value;
		else if (f.number == VALUE_UNIT)
			column.unit = f.value;
	}
	if (finish(p, &w))
		return -EBADMSG;
	if (p->columns_len == TYPES_MAX)
		return too_many(p, "types of sample");
	if (list_grow((void **)&p->columns, &p->columns_cap, p->columns_len, sizeof(*p->columns)))
		return -ENOMEM;
	p->columns[p->columns_len++] = column;
	return 0;
}

static bool is_text(struct text text, const char *word)
{
	return text.len == strlen(word) && !memcmp(text.at, word, text.len);
}

static enum unit unit_of(struct text name, int64_t *factor)
{
	static const struct {
		const char *name;
		enum unit unit;
		int64_t factor;
	} units[] = {
		{ "bytes", UNIT_BYTES, 1 },	      { "byte", UNIT_BYTES, 1 },
		{ "kilobytes", UNIT_BYTES, 1 << 10 }, { "megabytes", UNIT_BYTES, 1 << 20 },
		{ "nanoseconds", UNIT_NS, 1 },	      { "ns", UNIT_NS, 1 },
		{ "microseconds", UNIT_NS, 1000 },    { "us", UNIT_NS, 1000 },
		{ "milliseconds", UNIT_NS, 1000000 }, { "ms", UNIT_NS, 1000000 },
		{ "seconds", UNIT_NS, 1000000000 },   { "s", UNIT_NS, 1000000000 },
	};

	*factor = 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!is_text(name, units[i].name))
			continue;
		*factor = units[i].factor;
		return units[i].unit;
	}
	return UNIT_COUNT;
}

/* Names go to terminals and to --sample: they are made safe here. */
static int define(struct pprof *p, struct sample_type *column)
{
	struct profile *profile = &p->im->profile;
	struct text name = text_at(p, column->name);
	enum unit unit = unit_of(text_at(p, column->unit), &column->factor);
	struct buf safe = { 0 };
	int err = 0;

	buf_add_safe(&safe, name.at, name.len < 64 ? name.len : 64);
	if (!safe.len || profile_value_index(profile, buf_string(&safe)) >= 0)
		err = profile_note(profile, "one of its types of sample has %s, and is left out",
				   safe.len ? "the name of another one" : "no name");
	else if (profile->values_len == PROFILE_VALUES)
		err = profile_note(profile, "of its %zu types of sample only the first %u are shown", p->columns_len,
				   PROFILE_VALUES);
	else
		column->value = profile_define(profile, import_text(p->im, safe.data, safe.len), unit, NULL);
	err = err ? err : safe.failed ? -ENOMEM : 0;
	buf_release(&safe);
	return err;
}

static int define_all(struct pprof *p)
{
	int err = 0;

	for (size_t i = 0; !err && i < p->columns_len && i < 2 * PROFILE_VALUES; i++)
		err = define(p, &p->columns[i]);
	/* As pprof does it, unless the profile says which. */
	if (!err && p->im->profile.values_len)
		p->im->profile.main_value = p->im->profile.values_len - 1;
	return err;
}

/* ---- samples -------------------------------------------------------------------------------------------------- */

/* Numbers come one by one or packed. */
static int add_numbers(uint64_t **list, size_t *len, size_t *cap, const struct wire_field *f)
{
	struct wire w = wire_inside(f);
	uint64_t value = f->value;
	bool is_more = !f->is_bytes;

	while (is_more || w.at < w.end) {
		if (!is_more && !wire_varint(&w, &value))
			return -EBADMSG;
		if (list_grow((void **)list, cap, *len, sizeof(**list)))
			return -ENOMEM;
		(*list)[(*len)++] = value;
		is_more = false;
	}
	return 0;
}

/* "mutex" for the label that our export calls kind, else "key:value". */
static int add_label(struct pprof *p, const struct wire_field *field, struct buf *out)
{
	struct wire w = wire_inside(field);
	struct wire_field f;
	struct text key = { "", 0 }, text = { "", 0 };
	uint64_t number = 0;

	while (wire_next(&w, &f)) {
		if (f.number == LABEL_KEY)
			key = text_at(p, f.value);
		else if (f.number == LABEL_STR)
			text = text_at(p, f.value);
		else if (f.number == LABEL_NUM)
			number = f.value;
	}
	if (finish(p, &w))
		return -EBADMSG;
	if (out->len + key.len + text.len > LABELS_MAX)
		return 0;
	if (out->len)
		buf_add_string(out, ", ");
	if (!text.len || !is_text(key, "kind")) {
		buf_add(out, key.at, key.len);
		buf_add_char(out, ':');
	}
	if (text.len)
		buf_add(out, text.at, text.len);
	else
		buf_printf(out, "%" PRId64, (int64_t)number);
	return out->failed ? -ENOMEM : 0;
}

/* The ids are innermost first. Of a stack that is too deep the callers far out are missing, as in a recording. */
static int stack_of(struct pprof *p, struct stack_id *out)
{
	size_t len = p->ids_len < RSD_DEPTH_MAX ? p->ids_len : RSD_DEPTH_MAX;
	enum rsd_cut cut = len < p->ids_len ? CUT_DEPTH : CUT_NONE;

	*out = (struct stack_id){ 0 };
	p->deep_stacks += len < p->ids_len;
	while (len--) {
		const struct import_frames *frames;
		uint64_t at;

		if (!map_get(&p->location_of, p->ids[len], &at)) {
			p->unknown_locations++;
			continue;
		}
		frames = &p->locations[at - 1];
		if (!frames->object)
			continue;
		*out = import_push(p->im, *out, frames, cut);
		if (!out->v)
			return -ENOMEM;
	}
	return 0;
}

static int64_t times(int64_t value, int64_t factor)
{
	int64_t product;

	return __builtin_mul_overflow(value, factor, &product) ? (value < 0 ? INT64_MIN : INT64_MAX) : product;
}

static int add_sample(struct pprof *p, const char *label)
{
	int64_t values[PROFILE_VALUES] = { 0 };
	struct stack_id stack;
	uint32_t label_id = 0;
	int err = stack_of(p, &stack);

	for (size_t i = 0; i < p->numbers_len && i < p->columns_len; i++)
		if (p->columns[i].value >= 0)
			values[p->columns[i].value] = times((int64_t)p->numbers[i], p->columns[i].factor);
	if (!err && *label) {
		label_id = profile_label(&p->im->profile, label);
		err = label_id ? 0 : -ENOMEM;
	}
	err = err ? err : profile_add(&p->im->profile, stack, label_id, values);
	if (!err && p->im->profile.rows_len > ROWS_MAX)
		return too_many(p, "different samples");
	return !err && stacks_len(p->im->stacks) - p->nodes_before > THINGS_MAX ? too_many(p, "frames") : err;
}

static int take_sample(struct pprof *p, const struct wire_field *field)
{
	struct wire w = wire_inside(field);
	struct wire_field f;
	struct buf label = { 0 };
	int err = 0;

	p->ids_len = p->numbers_len = 0;
	while (!err && wire_next(&w, &f)) {
		if (f.number == SAMPLE_LOCATION)
			err = add_numbers(&p->ids, &p->ids_len, &p->ids_cap, &f);
		else if (f.number == SAMPLE_VALUE)
			err = add_numbers(&p->numbers, &p->numbers_len, &p->numbers_cap, &f);
		else if (f.number == SAMPLE_LABEL)
			err = add_label(p, &f, &label);
	}
	err = err ? err : finish(p, &w);
	err = err ? err : add_sample(p, buf_string(&label));
	buf_release(&label);
	return err;
}

/* ---- the rest ------------------------------------------------------------------------------------------------- */

static int take_time(struct pprof *p, const struct wire_field *f)
{
	p->im->start_realtime_ns = f->value;
	return 0;
}

static int take_duration(struct pprof *p, const struct wire_field *f)
{
	p->im->profile.duration_ns = f->value <= INT64_MAX ? f->value : 0;
	return 0;
}

static int take_default(struct pprof *p, const struct wire_field *f)
{
	p->default_type = f->value;
	return 0;
}

static void choose_default(struct pprof *p)
{
	struct text name = text_at(p, p->default_type);

	for (size_t i = 0; i < p->columns_len; i++) {
		struct text type = text_at(p, p->columns[i].name);

		if (name.len && p->columns[i].value >= 0 && type.len == name.len && !memcmp(type.at, name.at, name.len))
			p->im->profile.main_value = (size_t)p->columns[i].value;
	}
}

static int add_comment(struct pprof *p, uint64_t index)
{
	struct text text = text_at(p, index);

	if (!text.len || p->im->profile.notes_len >= 32)
		return 0;
	return profile_note(&p->im->profile, "%.*s", text.len < 1024 ? (int)text.len : 1024, text.at);
}

static int take_comments(struct pprof *p, const struct wire_field *f)
{
	uint64_t *list = NULL;
	size_t len = 0, cap = 0;
	int err = add_numbers(&list, &len, &cap, f);

	for (size_t i = 0; !err && i < len; i++)
		err = add_comment(p, list[i]);
	free(list);
	return err;
}

static int add_notes(struct pprof *p)
{
	int err = 0;

	if (p->unknown_locations)
		err = profile_note(&p->im->profile, "%zu frames are of locations that it does not have",
				   p->unknown_locations);
	if (!err && p->deep_stacks)
		err = profile_note(&p->im->profile, "%zu stacks have more than %u frames and were cut", p->deep_stacks,
				   RSD_DEPTH_MAX);
	return err;
}

static int read_profile(struct pprof *p)
{
	static const struct {
		uint32_t field;
		int (*take)(struct pprof *p, const struct wire_field *f);
	} passes[] = {
		{ PROFILE_STRING, take_text },	     { PROFILE_SAMPLE_TYPE, take_type },
		{ PROFILE_MAPPING, take_mapping },   { PROFILE_FUNCTION, take_function },
		{ PROFILE_LOCATION, take_location },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(passes) / sizeof(passes[0]); i++)
		err = each(p, passes[i].field, passes[i].take);
	err = err ? err : define_all(p);
	err = err ? err : each(p, PROFILE_DEFAULT_SAMPLE_TYPE, take_default);
	choose_default(p);
	err = err ? err : each(p, PROFILE_TIME_NANOS, take_time);
	err = err ? err : each(p, PROFILE_DURATION_NANOS, take_duration);
	err = err ? err : each(p, PROFILE_COMMENT, take_comments);
	err = err ? err : each(p, PROFILE_SAMPLE, take_sample);
	if (!err && !p->im->profile.values_len) {
		buf_add_string(p->error, "it has no type of sample with a name");
		err = -EBADMSG;
	}
	return err ? err : add_notes(p);
}

int import_pprof(struct import *im, struct input *in, struct buf *error)
{
	struct pprof p = { .im = im, .error = error, .nodes_before = stacks_len(im->stacks) };
	uint8_t *data;
	int err = read_data(in, &data, &p.size, error);

	p.data = data;
	err = err ? err : read_profile(&p);
	map_release(&p.mapping_of);
	map_release(&p.function_of);
	map_release(&p.location_of);
	free(p.texts);
	free(p.mappings);
	free(p.functions);
	free(p.locations);
	free(p.columns);
	free(p.ids);
	free(p.numbers);
	free(data);
	return err;
}

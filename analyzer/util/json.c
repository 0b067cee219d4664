/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyzer/util/buf.h"
#include "analyzer/util/json.h"

void json_init(struct json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
	j->pretty_depth = 3;
}

static void line_break(struct json *j)
{
	if (j->depth > j->pretty_depth)
		return;
	fputc('\n', j->out);
	for (unsigned i = 0; i < j->depth; i++)
		fputs("  ", j->out);
}

/* Comma and line break before an item of the innermost container. */
static void next_item(struct json *j)
{
	if (!j->depth)
		return;
	if (j->level[j->depth].has_items)
		fputs(j->depth > j->pretty_depth ? ", " : ",", j->out);
	line_break(j);
	j->level[j->depth].has_items = true;
}

static void before_value(struct json *j)
{
	assert(j->has_key == (j->depth && j->level[j->depth].is_object));
	if (!j->has_key)
		next_item(j);
	j->has_key = false;
}

static void begin(struct json *j, bool is_object)
{
	before_value(j);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->depth++;
	j->level[j->depth].is_object = is_object;
	j->level[j->depth].has_items = false;
	fputc(is_object ? '{' : '[', j->out);
}

void json_begin_object(struct json *j)
{
	begin(j, true);
}

void json_begin_array(struct json *j)
{
	begin(j, false);
}

void json_end(struct json *j)
{
	bool is_object = j->level[j->depth].is_object, has_items = j->level[j->depth].has_items;
	bool breaks = j->depth <= j->pretty_depth;

	assert(j->depth && !j->has_key);
	j->depth--;
	if (has_items && breaks)
		line_break(j);
	fputc(is_object ? '}' : ']', j->out);
}

static void put_escape(struct json *j, uint32_t code)
{
	if (code < 0x10000)
		fprintf(j->out, "\\u%04x", (unsigned)code);
	else
		fprintf(j->out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
			(unsigned)(0xdc00 + (code & 0x3ff)));
}

static void put_char(struct json *j, const char *s, size_t len)
{
	unsigned char c = (unsigned char)*s;
	uint32_t code;

	/* JSON is shown on terminals too. */
	if (len > 1 && utf8_is_dangerous(s, len, &code))
		put_escape(j, code);
	else if (len > 1)
		fwrite(s, 1, len, j->out);
	else if (c == '"' || c == '\\')
		fprintf(j->out, "\\%c", c);
	else if (c == '\n' || c == '\t' || c == '\r')
		fprintf(j->out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
	else if (c < 0x20 || c == 0x7f || (j->is_for_html && strchr("<>&", c)))
		fprintf(j->out, "\\u%04x", c);
	else
		fputc(c, j->out);
}

static void put_string(struct json *j, const char *text, size_t len)
{
	fputc('"', j->out);
	for (size_t at = 0; at < len;) {
		size_t used = utf8_length(text + at, len - at);

		if (used)
			put_char(j, text + at, used);
		else
			fputs("\xef\xbf\xbd", j->out);
		at += used ? used : 1;
	}
	fputc('"', j->out);
}

void json_key(struct json *j, const char *key)
{
	assert(j->depth && j->level[j->depth].is_object && !j->has_key);
	next_item(j);
	put_string(j, key, strlen(key));
	fputs(": ", j->out);
	j->has_key = true;
}

void json_string_n(struct json *j, const char *text, size_t len)
{
	before_value(j);
	put_string(j, text, len);
}

void json_string(struct json *j, const char *text)
{
	if (text)
		json_string_n(j, text, strlen(text));
	else
		json_null(j);
}

void json_u64(struct json *j, uint64_t value)
{
	before_value(j);
	fprintf(j->out, "%" PRIu64, value);
}

void json_i64(struct json *j, int64_t value)
{
	before_value(j);
	fprintf(j->out, "%" PRId64, value);
}

void json_f64(struct json *j, double value)
{
	before_value(j);
	if (isfinite(value))
		fprintf(j->out, "%.15g", value);
	else
		fputs("null", j->out);
}

void json_bool(struct json *j, bool value)
{
	before_value(j);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j)
{
	before_value(j);
	fputs("null", j->out);
}

void json_field_string(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_string(j, text);
}

void json_field_u64(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_u64(j, value);
}

void json_field_i64(struct json *j, const char *key, int64_t value)
{
	json_key(j, key);
	json_i64(j, value);
}

void json_field_f64(struct json *j, const char *key, double value)
{
	json_key(j, key);
	json_f64(j, value);
}

void json_field_bool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

int json_finish(struct json *j)
{
	assert(!j->depth && !j->has_key);
	fputc('\n', j->out);
	return ferror(j->out) ? -EIO : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * json.h - write JSON to a stream as it is made.
 *
 *     struct json j;
 *
 *     json_init(&j, out);
 *     json_begin_object(&j);
 *     json_key(&j, "schema"), json_string(&j, "ringside.report/1");
 *     json_key(&j, "rows"), json_begin_array(&j);
 *     ...
 *     json_end(&j);   closes the innermost object or array
 *     json_end(&j);
 *     return json_finish(&j);
 *
 * Commas, quotes and line breaks are put where they belong: containers down to `pretty_depth` are broken into
 * lines, deeper ones stand on one line. Misuse (a value without a key, too many ends) stops with an assertion.
 */
#ifndef RINGSIDE_UTIL_JSON_H
#define RINGSIDE_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 32

struct json {
	FILE *out;
	unsigned depth, pretty_depth;
	bool is_for_html; /* also write <, > and & as \u00XX: the text may stand inside <script> */
	bool has_key;
	struct {
		bool is_object, has_items;
	} level[JSON_DEPTH_MAX];
};

/* json_init - pretty_depth 3, not for HTML; both fields may be changed before the first value. */
void json_init(struct json *j, FILE *out);

void json_begin_object(struct json *j);
void json_begin_array(struct json *j);
void json_end(struct json *j);

/* json_key - the name of the next value; any text. */
void json_key(struct json *j, const char *key);

/* json_string - NULL is written as null. Bytes that are not UTF-8 become U+FFFD, control bytes \u00XX. */
void json_string(struct json *j, const char *text);
void json_string_n(struct json *j, const char *text, size_t len);
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
/* json_f64 - shortest form that reads back equal to 15 digits; NaN and infinities are null. */
void json_f64(struct json *j, double value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);

/* Key and value in one call. */
void json_field_string(struct json *j, const char *key, const char *text);
void json_field_u64(struct json *j, const char *key, uint64_t value);
void json_field_i64(struct json *j, const char *key, int64_t value);
void json_field_f64(struct json *j, const char *key, double value);
void json_field_bool(struct json *j, const char *key, bool value);

/*
 * json_finish - a newline after the outermost value.
 *
 * Returns:  0, or -EIO when the stream failed at any time. Flushes nothing.
 */
int json_finish(struct json *j);

#endif

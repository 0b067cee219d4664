/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analyzer/exports/export.h"

const struct export_format export_formats[] = {
#define EXPORT(name, needs, words, viewer) { #name, words, viewer, NEEDS_##needs, export_##name },
#include "analyzer/exports/exports.def"
};
const size_t export_formats_len = sizeof(export_formats) / sizeof(export_formats[0]);

const struct export_format *export_find(const char *name)
{
	for (size_t i = 0; i < export_formats_len; i++)
		if (!strcmp(export_formats[i].name, name))
			return &export_formats[i];
	return NULL;
}

const char *export_frame_name(const struct frame *frame)
{
	return *frame->function ? frame->function : "[unknown]";
}

void export_utf8(struct buf *out, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t len = utf8_length(text, left);

		if (len)
			buf_add(out, text, len);
		else
			buf_add_string(out, "\xef\xbf\xbd");
		text += len ? len : 1;
		left -= len ? len : 1;
	}
}

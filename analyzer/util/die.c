/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "analyzer/util/buf.h"
#include "analyzer/util/die.h"

void warn(const char *format, ...)
{
	struct buf text = { 0 }, line = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	buf_add_string(&line, "ringside: ");
	buf_add_safe(&line, text.data, text.len);
	buf_add_char(&line, '\n');
	/* In one piece: stderr has no buffer, and others write there too. */
	fwrite(line.data, 1, line.len, stderr);
	buf_release(&text);
	buf_release(&line);
}

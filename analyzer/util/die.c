/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "analyzer/util/buf.h"
#include "analyzer/util/die.h"

void warn(const char *format, ...)
{
	struct buf line = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	fputs("ringside: ", stderr);
	safe_puts(buf_string(&line), stderr);
	fputc('\n', stderr);
	buf_release(&line);
}

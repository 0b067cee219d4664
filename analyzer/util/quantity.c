/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/util/quantity.h"

static const struct suffix {
	const char *text;
	double factor;
} byte_suffixes[] = { { "", 1 },	 { "b", 1 },	   { "k", 0x1p10 },   { "kb", 0x1p10 }, { "kib", 0x1p10 },
		      { "m", 0x1p20 },	 { "mb", 0x1p20 }, { "mib", 0x1p20 }, { "g", 0x1p30 },	{ "gb", 0x1p30 },
		      { "gib", 0x1p30 }, { "t", 0x1p40 },  { "tb", 0x1p40 },  { "tib", 0x1p40 } },
  time_suffixes[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "min", 60e9 }, { "h", 3600e9 } };

static const struct suffix *find_suffix(const struct suffix *list, size_t len, const char *text, size_t text_len)
{
	for (size_t i = 0; i < len; i++)
		if (strlen(list[i].text) == text_len && !strncasecmp(list[i].text, text, text_len))
			return &list[i];
	return NULL;
}

int quantity_parse(const char **text, enum quantity kind, double *value)
{
	static const struct suffix none = { "", 1 };
	const struct suffix *suffix = &none;
	size_t len = 0;
	char *end;

	/* strtod also takes signs, "inf", "nan" and 0x1p3. */
	if (!isdigit((unsigned char)**text) || (**text == '0' && ((*text)[1] | 0x20) == 'x'))
		return -EINVAL;
	*value = strtod(*text, &end);
	while (isalpha((unsigned char)end[len]))
		len++;
	if (kind == QUANTITY_BYTES)
		suffix = find_suffix(byte_suffixes, sizeof(byte_suffixes) / sizeof(byte_suffixes[0]), end, len);
	else if (kind == QUANTITY_NS && (len || *value != 0))
		suffix = find_suffix(time_suffixes, sizeof(time_suffixes) / sizeof(time_suffixes[0]), end, len);
	else if (len)
		suffix = NULL;
	*text = end;
	if (!suffix)
		return -EINVAL;
	*text += len;
	*value *= suffix->factor;
	return 0;
}

const char *quantity_words(enum quantity kind)
{
	switch (kind) {
	case QUANTITY_BYTES:
		return "a size such as 512, 4k or 1.5m";
	case QUANTITY_NS:
		return "a time such as 10us, 200ms or 1.5s";
	default:
		return "a number";
	}
}

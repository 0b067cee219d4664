/* SPDX-License-Identifier: MIT */
/* text.c - formatting and matching for a library that may not call stdio or regcomp (both allocate). */
#include "preload/text.h"

#include "preload/raw.h"

struct text text_on(char *buf, size_t cap)
{
	buf[0] = 0;
	return (struct text){ buf, cap, 0 };
}

void text_bytes(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len && t->len + 1 < t->cap; i++)
		t->buf[t->len++] = s[i];
	t->buf[t->len] = 0;
}

void text_str(struct text *t, const char *s)
{
	text_bytes(t, s, text_len(s));
}

void text_shown(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_bytes(t, s[i] >= ' ' && s[i] <= '~' ? s + i : "?", 1);
}

static void text_number(struct text *t, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		text_bytes(t, &digits[--n], 1);
}

void text_u64(struct text *t, uint64_t value)
{
	text_number(t, value, 10);
}

void text_hex(struct text *t, uint64_t value)
{
	text_str(t, "0x");
	text_number(t, value, 16);
}

void text_fixed(struct text *t, uint64_t value, uint64_t unit, unsigned decimals)
{
	uint64_t rest = value % unit;

	text_u64(t, value / unit);
	if (decimals)
		text_str(t, ".");
	while (decimals--) {
		rest *= 10;
		text_u64(t, rest / unit);
		rest %= unit;
	}
}

void text_bytes_unit(struct text *t, uint64_t bytes)
{
	static const char *const units[] = { " B", " kB", " MB", " GB", " TB" };
	uint64_t unit = 1;
	unsigned u = 0;

	while (u < 4 && bytes / unit >= 1024) {
		unit *= 1024;
		u++;
	}
	text_fixed(t, bytes, unit, u ? 1 : 0);
	text_str(t, units[u]);
}

void text_duration(struct text *t, uint64_t ns)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = { { 1000000000, " s" }, { 1000000, " ms" }, { 1000, " us" }, { 1, " ns" } };
	unsigned u = 0;

	while (u < 3 && ns < units[u].unit)
		u++;
	text_fixed(t, ns, units[u].unit, u < 3 ? 1 : 0);
	text_str(t, units[u].name);
}

void text_say(const char *line)
{
	char buf[600];
	struct text t = text_on(buf, sizeof(buf));

	text_str(&t, "ringside: ");
	text_str(&t, line);
	text_str(&t, "\n");
	if (t.len + 1 == t.cap)
		buf[t.len - 1] = '\n';
	raw3(SYS_write, 2, buf, t.len);
}

size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool text_same_n(const char *a, size_t a_len, const char *b)
{
	size_t i = 0;

	while (i < a_len && b[i] && a[i] == b[i])
		i++;
	return i == a_len && !b[i];
}

bool text_same(const char *a, const char *b)
{
	return text_same_n(a, text_len(a), b);
}

const char *text_basename(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/' && path[1])
			base = path + 1;
	return base;
}

/* ---- a small regular expression matcher, by backtracking over one item at a time ---- */

static const char *item_end(const char *p)
{
	const char *end = p + 1;

	if (*p == '\\' && p[1])
		return p + 2;
	if (*p != '[')
		return p + 1;
	if (*end == '^')
		end++;
	if (*end == ']')
		end++;
	while (*end && *end != ']')
		end++;
	return *end ? end + 1 : p + 1; /* without its end [ is a character like others */
}

static bool set_has(const char *p, const char *end, char c)
{
	bool negated = *p == '^';
	bool found = false;

	for (p += negated; p < end; p++) {
		if (p + 2 < end && p[1] == '-') {
			found |= c >= p[0] && c <= p[2];
			p += 2;
		} else {
			found |= c == *p;
		}
	}
	return found != negated;
}

static bool item_matches(const char *p, const char *end, char c)
{
	if (!c)
		return false;
	if (*p == '\\' && end - p == 2)
		return c == p[1];
	if (*p == '[' && end - p > 1)
		return set_has(p + 1, end - 1, c);
	return *p == '.' || *p == c;
}

static bool match_here(const char *p, const char *stop, const char *s)
{
	while (p < stop) {
		const char *end = item_end(p);
		char repeat = end < stop ? *end : 0;

		if (end > stop)
			return false;
		if (*p == '$' && end == stop)
			return !*s;
		if (repeat == '*' || repeat == '?' || repeat == '+') {
			size_t n = 0, least = repeat == '+';

			while (item_matches(p, end, s[n]) && (repeat != '?' || !n))
				n++;
			for (;; n--) {
				if (n >= least && match_here(end + 1, stop, s + n))
					return true;
				if (!n)
					return false;
			}
		}
		if (!item_matches(p, end, *s))
			return false;
		p = end;
		s++;
	}
	return true;
}

static bool match_branch(const char *p, const char *stop, const char *s)
{
	if (p < stop && *p == '^')
		return match_here(p + 1, stop, s);
	do {
		if (match_here(p, stop, s))
			return true;
	} while (*s++);
	return false;
}

bool text_match(const char *pattern, const char *s)
{
	for (;;) {
		const char *bar = pattern;

		while (*bar && *bar != '|')
			bar = item_end(bar);
		if (match_branch(pattern, bar, s))
			return true;
		if (!*bar)
			return false;
		pattern = bar + 1;
	}
}

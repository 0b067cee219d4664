/* SPDX-License-Identifier: MIT */
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/demangle.h"
#include "analyzer/util/buf.h"

struct output {
	struct buf text;
	jmp_buf too_long;
};

/*
 * libiberty hands out the name piece by piece and can't be told to stop; a short input may expand without end, so
 * leaving by longjmp is the way. Its working memory is on the stack.
 */
static void take_piece(const char *piece, size_t len, void *arg)
{
	struct output *out = arg;

	if (out->text.len + len > DEMANGLE_OUTPUT_MAX || buf_add(&out->text, piece, len))
		longjmp(out->too_long, 1);
}

typedef int rewriter(const char *mangled, int options, demangle_callbackref callback, void *arg);

static bool rewrite(rewriter *with, const char *name, struct output *out)
{
	if (setjmp(out->too_long))
		return false;
	return with(name, DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP, take_piece, out) && out->text.len;
}

static char *run(rewriter *with, const char *name)
{
	struct output out;

	memset(&out, 0, sizeof(out));
	if (!rewrite(with, name, &out))
		buf_release(&out.text);
	return out.text.data;
}

char *demangle(const char *name)
{
	char *readable = NULL;

	if (name[0] != '_' || strnlen(name, DEMANGLE_INPUT_MAX + 1) > DEMANGLE_INPUT_MAX)
		return NULL;
	/* Rust's older names are valid C++ names that end in a hash: ask for Rust first. */
	if (name[1] == 'R' || name[1] == 'Z')
		readable = run(rust_demangle_callback, name);
	if (!readable && (name[1] == 'Z' || !strncmp(name, "___Z", 4) || !strncmp(name, "_GLOBAL_", 8)))
		readable = run(cplus_demangle_v3_callback, name);
	return readable;
}

/* ---- shortening ---- */

/* What the standard libraries call their strings and inline namespaces, longest first. */
static const struct {
	const char *from, *to;
} spellings[] = {
	{ "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string" },
	{ "std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char> >", "std::string" },
	{ "std::__cxx11::", "std::" },
	{ "std::__1::", "std::" },
};

/* The shorter spelling of what begins at `s` goes to *out. Returns how much that was; 0: it has none. */
static size_t respell_here(struct buf *out, const char *s)
{
	for (size_t i = 0; *s == 's' && i < sizeof(spellings) / sizeof(*spellings); i++) {
		size_t len = strlen(spellings[i].from);

		if (strncmp(s, spellings[i].from, len))
			continue;
		buf_add_string(out, spellings[i].to);
		return len;
	}
	return 0;
}

static char *respell(const char *readable)
{
	struct buf out = { 0 };

	buf_add_string(&out, "");
	for (const char *s = readable; *s;) {
		size_t used = respell_here(&out, s);

		if (!used)
			buf_add_char(&out, *s++);
		s += used;
	}
	if (out.failed)
		buf_release(&out);
	return out.data;
}

/* Bytes of an "operator" name at `s`, so that its brackets are not taken for parameters. 0: it is none. */
static size_t operator_length(const char *start, const char *s)
{
	static const char *const signs[] = { "()", "[]", "<=>", "<<=", ">>=", "->*", "<<",
					     ">>", "<=", ">=",	"->",  "<",   ">",   NULL };
	size_t len = strlen("operator");

	if (*s != 'o' || strncmp(s, "operator", len) ||
	    (s > start &&
	     (s[-1] == '_' || (s[-1] >= '0' && s[-1] <= '9') || ((s[-1] | 32) >= 'a' && (s[-1] | 32) <= 'z'))))
		return 0;
	for (unsigned i = 0; signs[i]; i++)
		if (!strncmp(s + len, signs[i], strlen(signs[i])))
			return len + strlen(signs[i]);
	return 0;
}

/* Bytes of the bracketed part at `s`, brackets included; all the rest if it never closes. */
static size_t bracket_length(const char *s, char open, char close)
{
	unsigned depth = 0;
	size_t i;

	for (i = 0; s[i]; i++) {
		size_t skip = operator_length(s, s + i);

		if (skip) {
			i += skip - 1;
		} else if (s[i] == open) {
			depth++;
		} else if (s[i] == close && !(close == '>' && i && s[i - 1] == '-')) {
			if (--depth == 0)
				return i + 1;
		}
	}
	return i;
}

/* Parameters in the middle of a name: "work(int)::{lambda()#1}". */
static bool is_inside_name(const char *s, size_t len)
{
	return !strncmp(s + len, "::", 2) || !strncmp(s + len, " const::", 8);
}

/* Go's methods of pointers: "net.(*TCPConn).Write". */
static bool is_receiver(const char *start, const char *s)
{
	return s > start && s[-1] == '.' && s[1] == '*';
}

/* Long lists keep a short first argument: "<int, ...>". */
static void add_template(struct buf *out, const char *s, size_t len, unsigned keep)
{
	unsigned depth = 0;
	size_t i;

	if (len <= keep + 2) {
		buf_add(out, s, len);
		return;
	}
	for (i = 1; i < len && i <= keep + 1 && (depth || s[i] != ','); i++) {
		depth += strchr("<({", s[i]) != NULL;
		depth -= depth && strchr(">)}", s[i]) != NULL;
	}
	if (s[i] == ',' && i <= keep + 1)
		buf_printf(out, "%.*s, ...>", (int)i, s);
	else
		buf_add_string(out, "<...>");
}

/*
 * The next piece of a name: what is shown of it goes to *out. Returns its length, 0 where the parameters begin.
 * angle: depth of Rust's "<T as Trait>", in which brackets belong to the name.
 */
static size_t short_piece(struct buf *out, const char *start, const char *s, unsigned keep, unsigned *angle)
{
	size_t len = operator_length(start, s);

	if (len) {
		buf_add(out, s, len);
	} else if (*s == '(') {
		len = bracket_length(s, '(', ')');
		if (*angle || !strncmp(s, "(anonymous", 10) || is_receiver(start, s))
			buf_add(out, s, len);
		else if (!is_inside_name(s, len))
			return 0;
	} else if (*s == '{') {
		len = bracket_length(s, '{', '}'); /* {lambda(int)#1}, {closure#0} */
		buf_add(out, s, len);
	} else if (*s == '<' && s > start && s[-1] != ':' && s[-1] != ' ') {
		len = bracket_length(s, '<', '>');
		add_template(out, s, len, keep);
	} else {
		len = 1;
		buf_add(out, s, 1);
		if (*s == '<')
			++*angle;
		else if (*s == '>' && *angle && s[-1] != '-')
			--*angle;
	}
	return len;
}

char *demangle_short(const char *readable, unsigned keep)
{
	char *name = respell(readable);
	const char *s = name, *clone;
	struct buf out = { 0 };
	unsigned angle = 0;
	size_t len;

	if (!name)
		return NULL;
	for (; *s && (len = short_piece(&out, name, s, keep, &angle)); s += len)
		;
	clone = strstr(s, " [clone ");
	if (clone)
		buf_add_string(&out, clone);
	if (out.failed || !out.len) {
		buf_release(&out);
		return name;
	}
	free(name);
	return out.data;
}

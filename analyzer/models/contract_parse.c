/* SPDX-License-Identifier: MIT */
/*
 * contract_parse.c - the words of a rule.
 *
 *     rule   = "no" what scope... | "at most" amount [what] ["per" ("call" | "region" NAME)] scope... | total
 *     what   = malloc | free | realloc | heap | wait
 *     scope  = "in" [function | thread | region | module] NAME | "after" TIME | "before" TIME
 *     total  = quantity ["in" NAME] op amount ["%"]
 *     op     = < <= = != >= >
 *
 * A word ends at white space, or is put in double quotes.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/models/contract.h"
#include "analyzer/util/list.h"
#include "analyzer/util/nearest.h"
#include "analyzer/util/quantity.h"
#include "format/kinds.h"

#define RULE_WORD_MAX 256u

struct parser {
	const char *text, *at;	  /* at: behind the current word */
	const char *begin;	  /* of the current word */
	char word[RULE_WORD_MAX]; /* "" at the end */
	bool is_quoted;
	bool has_names_only; /* an operator ends a word in rules about totals only */
	struct buf *error;
};

/* ---- words ---------------------------------------------------------------------------------------------------- */

static bool is_op_char(char c)
{
	return c && strchr("<>=!", c);
}

static bool ends_word(const struct parser *p, char c)
{
	return !c || isspace((unsigned char)c) || (!p->has_names_only && is_op_char(c));
}

/* The next word; an operator is one also without spaces around it. */
static int next(struct parser *p)
{
	size_t len = 0;

	while (isspace((unsigned char)*p->at))
		p->at++;
	p->begin = p->at;
	p->is_quoted = *p->at == '"';
	if (p->is_quoted) {
		p->at++;
		while (*p->at && *p->at != '"' && len + 1 < RULE_WORD_MAX)
			p->word[len++] = *p->at++;
		p->word[len] = '\0';
		if (*p->at++ == '"')
			return 0;
		p->at--;
		buf_add_string(p->error, "the quotation mark is not closed");
		return -EINVAL;
	}
	if (is_op_char(*p->at) && !p->has_names_only)
		while (is_op_char(*p->at) && len < 2)
			p->word[len++] = *p->at++;
	else
		while (!ends_word(p, *p->at) && len + 1 < RULE_WORD_MAX)
			p->word[len++] = *p->at++;
	p->word[len] = '\0';
	return 0;
}

static bool is_end(const struct parser *p)
{
	return !p->word[0] && !p->is_quoted;
}

static bool is_word(const struct parser *p, const char *word)
{
	return !p->is_quoted && !strcasecmp(p->word, word);
}

/* "expected A, B or C, found 'x'; did you mean 'B'?"  `wanted` ends with NULL. */
static int expected(struct parser *p, const char *const *wanted, const char *other)
{
	size_t len = 0;
	int nearest;

	while (wanted[len])
		len++;
	buf_add_string(p->error, "expected ");
	for (size_t i = 0; i < len; i++)
		buf_printf(p->error, "%s'%s'", !i ? "" : i + 1 == len && !other ? " or " : ", ", wanted[i]);
	if (other)
		buf_printf(p->error, "%s%s", len ? " or " : "", other);
	if (is_end(p)) {
		buf_add_string(p->error, ", but the rule ends here");
		return -EINVAL;
	}
	buf_printf(p->error, ", found '%s'", p->word);
	nearest = nearest_word(p->word, wanted, len);
	if (nearest >= 0)
		buf_printf(p->error, "; did you mean '%s'?", wanted[nearest]);
	return -EINVAL;
}

static int expect_end(struct parser *p)
{
	static const char *const none[] = { NULL };

	return is_end(p) ? 0 : expected(p, none, "the end of the rule");
}

static int take_word(struct parser *p, const char *word)
{
	const char *const wanted[] = { word, NULL };

	return is_word(p, word) ? next(p) : expected(p, wanted, NULL);
}

static int take_name(struct parser *p, struct name_pattern *pattern, const char *what)
{
	static const char *const none[] = { NULL };
	char words[160];
	char *anchored;
	int err;

	if (is_end(p))
		return expected(p, none, what);
	if (pattern->text) {
		buf_printf(p->error, "%s was said before", what);
		return -EINVAL;
	}
	if (asprintf(&anchored, "^(%s)$", p->word) < 0)
		return -ENOMEM;
	err = regcomp(&pattern->regex, anchored, REG_EXTENDED | REG_NOSUB);
	free(anchored);
	if (err) {
		regerror(err, &pattern->regex, words, sizeof(words));
		buf_printf(p->error, "%s '%s' is no regular expression: %s", what, p->word, words);
		return -EINVAL;
	}
	pattern->text = strdup(p->word);
	if (!pattern->text) {
		regfree(&pattern->regex);
		return -ENOMEM;
	}
	return next(p);
}

static int take_time(struct parser *p, uint64_t *ns)
{
	static const char *const none[] = { NULL };
	const char *at = p->word;
	double value;

	if (quantity_parse(&at, QUANTITY_NS, &value) || *at)
		return expected(p, none, quantity_words(QUANTITY_NS));
	*ns = (uint64_t)value;
	return next(p);
}

/* ---- rules about events --------------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum contract_what what;
} whats[] = {
	{ "malloc", WHAT_MALLOC },	{ "mallocs", WHAT_MALLOC },  { "allocation", WHAT_MALLOC },
	{ "allocations", WHAT_MALLOC }, { "allocate", WHAT_MALLOC }, { "free", WHAT_FREE },
	{ "frees", WHAT_FREE },		{ "realloc", WHAT_REALLOC }, { "reallocs", WHAT_REALLOC },
	{ "heap", WHAT_HEAP },		{ "wait", WHAT_WAIT },	     { "waits", WHAT_WAIT },
};

static bool find_what(const struct parser *p, enum contract_what *what)
{
	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++)
		if (is_word(p, whats[i].word)) {
			*what = whats[i].what;
			return true;
		}
	return false;
}

static int take_in(struct parser *p, struct contract *c)
{
	int err = next(p);

	if (err)
		return err;
	if (is_word(p, "thread"))
		return (err = next(p)) ? err : take_name(p, &c->thread, "the name of a thread");
	if (is_word(p, "region"))
		return (err = next(p)) ? err : take_name(p, &c->region, "the name of a region");
	if (is_word(p, "module"))
		return (err = next(p)) ? err : take_name(p, &c->module, "the name of a module");
	if (is_word(p, "function") && (err = next(p)))
		return err;
	return take_name(p, &c->function, "the name of a function");
}

static int take_scopes(struct parser *p, struct contract *c)
{
	static const char *const wanted[] = { "in", "after", "before", NULL };
	int err = 0;

	while (!err && !is_end(p)) {
		if (is_word(p, "in"))
			err = take_in(p, c);
		else if (is_word(p, "after"))
			err = (err = next(p)) ? err : take_time(p, &c->from_ns);
		else if (is_word(p, "before"))
			err = (err = next(p)) ? err : take_time(p, &c->to_ns);
		else
			err = expected(p, wanted, "the end of the rule");
	}
	if (!err && c->to_ns && c->to_ns <= c->from_ns) {
		buf_add_string(p->error, "'before' is not later than 'after': the rule is about no time at all");
		return -EINVAL;
	}
	return err;
}

static int parse_no(struct parser *p, struct contract *c)
{
	static const char *const wanted[] = { "malloc", "free", "realloc", "heap", "wait", NULL };
	int err = next(p);

	if (err)
		return err;
	if (!find_what(p, &c->what))
		return expected(p, wanted, NULL);
	c->counts_events = true;
	c->per = PER_CALL;
	err = next(p);
	return err ? err : take_scopes(p, c);
}

/* "4k" is an amount of bytes, "5ms" of time; a number alone counts events if a word says of what. */
static int take_amount(struct parser *p, struct contract *c, bool *is_time)
{
	static const char *const none[] = { NULL };
	const char *begin = p->begin, *at = p->word;
	bool is_plain = p->word[0] && !p->word[strspn(p->word, "0123456789")];
	bool has_what;
	double value;
	int err;

	*is_time = false;
	if (quantity_parse(&at, QUANTITY_BYTES, &value) || *at) {
		at = p->word;
		*is_time = !quantity_parse(&at, QUANTITY_NS, &value) && !*at;
		if (!*is_time)
			return expected(p, none, "an amount such as 4k, 12 or 5ms");
	}
	c->limit = value < 9e18 ? (uint64_t)value : UINT64_MAX;
	err = next(p);
	if (err)
		return err;
	has_what = find_what(p, &c->what);
	if (*is_time && !has_what)
		c->what = WHAT_WAIT;
	c->counts_events = has_what && is_plain;
	if (*is_time != (c->what == WHAT_WAIT && !c->counts_events)) {
		p->at = p->begin = begin;
		buf_add_string(p->error,
			       *is_time ? "a time is the limit of waits: at most 5ms wait"
					: "waits are limited by a time or a number: at most 5ms wait, at most 3 waits");
		return -EINVAL;
	}
	if (c->what == WHAT_FREE && !c->counts_events) {
		buf_add_string(p->error, "frees are limited by a number, not by bytes");
		return -EINVAL;
	}
	return has_what || is_word(p, "bytes") || is_word(p, "byte") ? next(p) : 0;
}

static int parse_at_most(struct parser *p, struct contract *c)
{
	static const char *const wanted[] = { "call", "region", NULL };
	bool is_time;
	int err = next(p);

	c->what = WHAT_MALLOC;
	c->per = PER_RUN;
	err = err ? err : take_word(p, "most");
	err = err ? err : take_amount(p, c, &is_time);
	if (err || !is_word(p, "per"))
		return err ? err : take_scopes(p, c);
	err = next(p);
	if (err)
		return err;
	if (is_word(p, "call")) {
		if (c->counts_events) {
			buf_add_string(p->error,
				       "a call is one event: per call there can be a limit of bytes or time only");
			return -EINVAL;
		}
		c->per = PER_CALL;
		err = next(p);
	} else if (is_word(p, "region")) {
		c->per = PER_REGION;
		err = next(p);
		err = err ? err : take_name(p, &c->per_region, "the name of a region");
	} else {
		err = expected(p, wanted, NULL);
	}
	return err ? err : take_scopes(p, c);
}

/* ---- rules about totals --------------------------------------------------------------------------------------- */

static int take_op(struct parser *p, enum contract_op *op)
{
	static const char *const ops[] = { "<", "<=", "=", "!=", ">=", ">", NULL };

	for (unsigned i = 0; ops[i]; i++)
		if (is_word(p, ops[i])) {
			*op = (enum contract_op)i;
			return next(p);
		}
	if (is_word(p, "==")) {
		*op = OP_EQUAL;
		return next(p);
	}
	return expected(p, ops, NULL);
}

/* A share of what? Of the whole of the same quantity, of the time there was, of all allocations, of all waiting. */
static bool may_be_share(const struct contract *c)
{
	return c->function.text || c->quantity == TOTAL_CPU || c->quantity == TOTAL_TEMPORARY ||
	       c->quantity == TOTAL_WAIT_FOR;
}

static int take_bound(struct parser *p, struct contract *c)
{
	static const char *const none[] = { NULL };
	enum quantity kind = quantity_infos[c->quantity].unit == UNIT_BYTES ? QUANTITY_BYTES
			     : quantity_infos[c->quantity].unit == UNIT_NS  ? QUANTITY_NS
									    : QUANTITY_COUNT;
	size_t len = strlen(p->word);
	const char *at = p->word, *rest = p->at + strspn(p->at, " \t");
	bool is_apart = *rest == '%'; /* "30 %" */
	int err;

	c->is_share = is_apart || (len && p->word[len - 1] == '%');
	if (c->is_share && !may_be_share(c)) {
		buf_printf(p->error, "%s is a total: a percentage of it needs 'in FUNCTION'",
			   quantity_infos[c->quantity].words);
		return -EINVAL;
	}
	if (quantity_parse(&at, c->is_share ? QUANTITY_COUNT : kind, &c->bound) ||
	    (*at && !(c->is_share && !strcmp(at, "%"))))
		return expected(p, none, c->is_share ? "a percentage" : quantity_words(kind));
	c->bound /= c->is_share ? 100 : 1;
	err = next(p);
	if (!err && is_apart)
		err = next(p);
	return err ? err : expect_end(p);
}

static int take_lock(struct parser *p, struct contract *c)
{
	const char *words[RSD_WAITS + 2] = { "lock" };
	size_t len = 1;
	int err;

	for (unsigned i = 1; i < RSD_WAITS; i++)
		if (wait_name(i)[0] != '?')
			words[len++] = wait_name(i);
	for (size_t i = 0; i < len; i++)
		if (is_word(p, words[i])) {
			c->wait = i ? wait_by_name(words[i]) : 0;
			err = next(p);
			if (!err && !is_end(p) && !is_op_char(p->word[0]))
				err = take_name(p, &c->lock, "the name of a lock");
			if (!err && !i && !c->lock.text) {
				buf_add_string(p->error, "'wait for lock' wants the name of a lock");
				err = -EINVAL;
			}
			return err;
		}
	return expected(p, words, NULL);
}

/* Stands the parser at the words of this quantity? Then it is moved behind them. */
static bool is_quantity(struct parser *p, const char *words)
{
	struct parser ahead = *p;

	for (const char *at = words; *at;) {
		size_t len = strcspn(at, " ");
		char word[32];

		snprintf(word, sizeof(word), "%.*s", (int)len, at);
		if (!is_word(&ahead, word) || next(&ahead))
			return false;
		at += len + strspn(at + len, " ");
	}
	*p = ahead;
	return true;
}

static int unknown_rule(struct parser *p)
{
	const char *wanted[TOTALS + 3] = { "no", "at most" };

	for (unsigned i = 0; i < TOTALS; i++)
		wanted[i + 2] = quantity_infos[i].words;
	return expected(p, wanted, NULL);
}

static int parse_total(struct parser *p, struct contract *c)
{
	const struct quantity_info *info;
	unsigned id = 0;
	int err = 0;

	while (id < TOTALS && !is_quantity(p, quantity_infos[id].words))
		id++;
	if (id == TOTALS)
		return unknown_rule(p);
	c->is_total = true;
	c->quantity = (enum contract_quantity)id;
	info = &quantity_infos[id];
	if (c->quantity == TOTAL_WAIT_FOR)
		err = take_lock(p, c);
	if (!err && is_word(p, "in")) {
		if (info->source == FROM_PROCESS) {
			buf_printf(p->error, "%s is of the whole process, not of a function", info->words);
			return -EINVAL;
		}
		err = next(p);
		if (!err && is_word(p, "function"))
			err = next(p);
		err = err ? err : take_name(p, &c->function, "the name of a function");
	}
	err = err ? err : take_op(p, &c->op);
	return err ? err : take_bound(p, c);
}

/* ---- one rule ------------------------------------------------------------------------------------------------- */

static int parse(struct parser *p, struct contract *c)
{
	int err = next(p);

	if (err)
		return err;
	p->has_names_only = is_word(p, "no") || is_word(p, "at");
	if (is_word(p, "no"))
		return parse_no(p, c);
	if (is_word(p, "at"))
		return parse_at_most(p, c);
	return parse_total(p, c);
}

int contract_parse(struct contracts *c, const char *text, const char *source, unsigned line, size_t *column,
		   struct buf *error)
{
	struct parser p = { .text = text, .at = text, .begin = text, .error = error };
	struct contract *one;
	size_t len = strlen(text);
	int err;

	*column = 0;
	while (isspace((unsigned char)*text))
		text++, len--;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (!len || *text == '#')
		return 0;
	if (list_grow((void **)&c->list, &c->cap, c->len, sizeof(*c->list)))
		return -ENOMEM;
	one = &c->list[c->len++];
	*one = (struct contract){ .text = strndup(text, len), .source = source, .line = line };
	err = one->text ? parse(&p, one) : -ENOMEM;
	*column = (size_t)(p.begin - p.text);
	return err;
}

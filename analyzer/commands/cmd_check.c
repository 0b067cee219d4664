/* SPDX-License-Identifier: MIT */
/* cmd_check.c - rules against a recording: exit 0 when all are kept, 1 when one is broken or can't be decided. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/session.h"
#include "analyzer/symbols/modules.h"
#include "analyzer/util/die.h"
#include "analyzer/views/check_view.h"

/* Breaches listed of each rule when --top does not say. */
#define TOP_TEXT 10u
#define TOP_JSON 1000u

/* ---- rules ---------------------------------------------------------------------------------------------------- */

/* The rule again, with a mark below what is wrong. */
static void point_at(const char *text, size_t column)
{
	struct buf line = { 0 };

	buf_add_safe(&line, text, strcspn(text, "\n"));
	warn("    %s", buf_string(&line));
	warn("    %*s^", (int)column, "");
	buf_release(&line);
}

static int take_rule(struct contracts *rules, const char *text, const char *source, unsigned line)
{
	struct buf error = { 0 };
	size_t column;
	int err = contract_parse(rules, text, source, line, &column, &error);

	if (err && line)
		warn("%s:%u:%zu: %s", source, line, column + 1, error.len ? buf_string(&error) : strerror(-err));
	else if (err)
		warn("check: %s: column %zu: %s", source, column + 1, error.len ? buf_string(&error) : strerror(-err));
	if (err == -EINVAL)
		point_at(text, column);
	buf_release(&error);
	return err ? EXIT_USAGE : 0;
}

/* All of its rules are looked at, so that all mistakes are told at once. */
static int take_file(struct contracts *rules, const char *path)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	int status = 0;
	unsigned number = 0;
	size_t size = 0;
	char *line = NULL;

	if (!in) {
		warn("check: %s: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	while (getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (take_rule(rules, line, path, ++number))
			status = EXIT_USAGE;
	}
	if (ferror(in)) {
		warn("check: %s: %s", path, strerror(errno));
		status = EXIT_USAGE;
	}
	free(line);
	if (in != stdin)
		fclose(in);
	return status;
}

static int take_rules(struct contracts *rules, const struct options *o)
{
	int status = 0;

	for (size_t i = 0; i < o->rule_files_len; i++)
		if (take_file(rules, o->rule_files[i]))
			status = EXIT_USAGE;
	for (size_t i = 0; i < o->rules_len; i++)
		if (take_rule(rules, o->rules[i], "--rule", 0))
			status = EXIT_USAGE;
	if (!status && !rules->len) {
		warn("check: no rules; -c FILE names a file of them, --rule 'peak heap < 100m' is one");
		return EXIT_USAGE;
	}
	return status;
}

/* ---- passes --------------------------------------------------------------------------------------------------- */

/* A process's events, which the session that has the totals has read already. */
static int watch_file(struct contracts *rules, const struct session *s, const struct options *o, size_t file)
{
	const struct session_use use = { .opens_only = true, .shares = s };
	struct options of = *o;
	struct session again;
	char *path[] = { s->files[file].path };
	const char *name = o->is_all && s->files_len > 1 ? s->files[file].exe : NULL;
	int status, err;

	of.args = path;
	of.args_len = 1;
	of.is_all = false;
	of.process = NULL;
	status = session_open(&again, &of, &use);
	if (!status) {
		err = contracts_watch(rules, &again.analyses[0], name);
		session_progress_end();
		if (err)
			warn("%s: %s", path[0], reader_words(err));
		status = err ? EXIT_UNREADABLE : 0;
	}
	return session_close(&again, status);
}

static int watch(struct contracts *rules, const struct session *s, const struct options *o)
{
	int status = 0;

	if (!contracts_want(rules, false))
		return 0;
	for (size_t i = 0; !status && i < s->files_len; i++)
		if (o->is_all || i == s->shown)
			status = watch_file(rules, s, o, i);
	return status;
}

/* ---- the verdict ---------------------------------------------------------------------------------------------- */

/* A rule about a function that nobody ever saw is kept, and perhaps misspelt. */
static void note_unknown(const struct contracts *rules, struct session *s, struct page *notes)
{
	for (size_t i = 0; i < rules->len; i++) {
		const struct contract *rule = &rules->list[i];
		const char *nearest;

		if (rule->breaches || rule->status != CONTRACT_KEPT || contract_is_known(rule, s->stacks, &nearest))
			continue;
		page_note(notes, "%s: no function called '%s' is in any stack of this recording%s%s%s", rule->text,
			  rule->function.text, nearest ? "; did you mean '" : "", nearest ? nearest : "",
			  nearest ? "'?" : "");
	}
}

static void add_notes(const struct contracts *rules, struct session *s, const struct options *o, struct page *notes)
{
	struct buf losses = { 0 };
	uint64_t cut = 0;
	const char *note;

	analysis_losses(&s->analyses[0], &losses);
	for (char *line = losses.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		page_note(notes, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
	notes->failed |= losses.failed;
	buf_release(&losses);
	for (size_t i = 0; i < rules->len; i++)
		cut = rules->list[i].cut > cut ? rules->list[i].cut : cut;
	note_unknown(rules, s, notes);
	if (cut)
		page_note(notes,
			  "%" PRIu64 " events have stacks that end early: a function further out is not seen there",
			  cut);
	for (size_t i = 0; (note = symbols_note(s->symbols, i)); i++)
		page_note(notes, "%s", note);
	if (s->files_len > 1 && !o->is_all)
		page_note(notes, "one of %zu processes was checked; --process NAME chooses another, --all takes all",
			  s->files_len);
}

static int print(const struct contracts *rules, struct session *s, const struct options *o)
{
	struct check_view v = { .rules = rules, .stacks = s->stacks, .path = s->path, .rec = &s->analyses[0].rec };
	struct check_count count = check_count(rules);
	int err;

	page_init(&v.notes, s->stacks);
	add_notes(rules, s, o, &v.notes);
	if (!o->is_json)
		session_pager(s);
	err = o->is_json ? check_view_json(&v, s->out) : check_view_text(&v, s->out);
	page_release(&v.notes);
	if (err && err != -EIO)
		warn("check: %s", strerror(-err));
	return err || count.broken || count.undecided ? EXIT_FINDING : EXIT_FINE;
}

static int check(struct contracts *rules, const struct options *o)
{
	struct session s;
	int status = session_open(&s, o, NULL);

	if (!status && contracts_sum(rules, &s.analyses[0], s.stacks)) {
		warn("check: out of memory");
		status = EXIT_FINDING;
	}
	status = status ? status : watch(rules, &s, o);
	return session_close(&s, status ? status : print(rules, &s, o));
}

int cmd_check(struct options *o)
{
	struct contracts rules = { .keep = o->top > 0	? (size_t)o->top
					   : !o->top	? 0
					   : o->is_json ? TOP_JSON
							: TOP_TEXT };
	int status = take_rules(&rules, o);

	status = status ? status : check(&rules, o);
	contracts_release(&rules);
	return status;
}

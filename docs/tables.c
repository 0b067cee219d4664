/* SPDX-License-Identifier: MIT */
/*
 * tables.c - the rows of the .def files as Markdown tables, for docs/tables.sh.
 *
 * Each table begins with its marker, <!-- table:NAME -->. Columns are what a row says and, for records, the size of
 * the struct it names: nothing in here is known twice.
 */
#include <stdio.h>

#include "analyzer/commands/options.h"
#include "format/record.h"

static void begin(const char *name, const char *head, const char *rule)
{
	printf("<!-- table:%s -->\n%s\n%s\n", name, head, rule);
}

/* A text in a cell: '|' would end it. */
static void cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
	printf(" |");
}

static void code_cell(const char *text)
{
	printf("`");
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
	printf("` |");
}

static void events(void)
{
	begin("events", "| id | name | shape | bytes | domain |", "| ---: | --- | --- | ---: | --- |");
#define EVENT(KIND, id, shape, domain, name)                                                                           \
	printf("| %d | `%s` | `rec_%s` | %zu | %s |\n", id, name, #shape, sizeof(struct rec_##shape), #domain);
#include "format/events.def"
}

static void metas(void)
{
	begin("metas", "| id | name |", "| ---: | --- |");
#define META(KIND, id, name) printf("| %d | `%s` |\n", id, name);
#include "format/metas.def"
}

static void waits(void)
{
	begin("waits", "| id | word | domain |", "| ---: | --- | --- |");
#define WAIT(KIND, id, word, domain) printf("| %d | `%s` | %s |\n", id, word, #domain);
#include "format/waits.def"
}

static void apis(void)
{
	begin("apis", "| id | call |", "| ---: | --- |");
#define API(KIND, id, name) printf("| %d | `%s` |\n", id, name);
#include "format/apis.def"
}

static void cuts(void)
{
	begin("cuts", "| id | the stack is |", "| ---: | --- |");
#define CUT(REASON, id, words) printf("| %d | %s |\n", id, words);
#include "format/cuts.def"
}

static void counters(void)
{
	begin("counters", "| slot | counts | loss |", "| ---: | --- | --- |");
#define COUNTER(NAME, slot, words, loss) printf("| %d | %s | %s |\n", slot, words, loss ? "yes" : "no");
#include "format/counters.def"
}

static void toggles(void)
{
	begin("toggles", "| toggle | values | default | meaning |", "| --- | --- | --- | --- |");
#define TOGGLE(field, type, name, fallback, values, help)                                                              \
	printf("| `%s` | ", name);                                                                                     \
	code_cell(values);                                                                                             \
	printf(" ");                                                                                                   \
	code_cell(*(fallback) ? fallback : "unset");                                                                   \
	printf(" ");                                                                                                   \
	cell(help);                                                                                                    \
	printf("\n");
#include "format/toggles.def"
}

static void command_rows(void)
{
	begin("commands", "| command | what it does |", "| --- | --- |");
#define COMMAND(name, arguments, groups, summary, examples)                                                            \
	printf("| ");                                                                                                  \
	code_cell(*(arguments) ? "ringside " #name " " arguments : "ringside " #name);                                 \
	cell(" " summary);                                                                                             \
	printf("\n");
#include "analyzer/commands/commands.def"
}

static void rules(void)
{
	begin("findings", "| finding | it speaks of |", "| --- | --- |");
#define RULE(name, words, when) printf("| `%s` | %s |\n", words, when);
#include "analyzer/models/findings.def"
}

static void report_rows(void)
{
	begin("reports", "| report | what it answers |", "| --- | --- |");
#define REPORT(subject, name, title, words) printf("| `ringside %s %s` | %s |\n", #subject, #name, words);
#include "analyzer/reports/reports.def"
}

int main(void)
{
	events();
	metas();
	waits();
	apis();
	cuts();
	counters();
	toggles();
	command_rows();
	rules();
	report_rows();
	return fflush(stdout) || ferror(stdout);
}

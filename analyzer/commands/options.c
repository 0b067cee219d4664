/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/commands/options.h"
#include "analyzer/util/die.h"

const struct option_info option_infos[OPTIONS] = {
#define OPTION(id, name_, letter_, argument_, arg_, groups_, words_)                                                   \
	[OPT_##id] = { name_, arg_, words_, letter_, argument_, groups_ },
#include "analyzer/commands/options.def"
};

const struct command commands[] = {
#define COMMAND(name, arguments, groups, summary, examples) { #name, arguments, summary, examples, groups, cmd_##name },
#include "analyzer/commands/commands.def"
};
const size_t commands_len = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_len; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

#define RUNS_MAX 100000

/* ---- suggestions ---------------------------------------------------------------------------------------------- */

/* The first command that does know an option of this name, or NULL. */
static const struct command *whose_option(const char *name)
{
	for (unsigned i = 0; i < OPTIONS; i++)
		for (size_t c = 0; c < commands_len; c++)
			if (!strcmp(option_infos[i].name, name) && option_infos[i].groups & commands[c].groups)
				return &commands[c];
	return NULL;
}

static int unknown_option(const struct command *command, const char *given)
{
	const char *words[OPTIONS];
	const struct command *other;
	size_t len = 0;
	int nearest;
	char name[WORD_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
	for (unsigned i = 0; i < OPTIONS; i++)
		if (!i || option_infos[i].groups & command->groups)
			words[len++] = option_infos[i].name;
	other = whose_option(name + strspn(name, "-"));
	nearest = nearest_word(name + strspn(name, "-"), words, len);
	if (other)
		warn("%s: no option %s here; `ringside %s` has it", command->name, name, other->name);
	else if (nearest >= 0)
		warn("%s: unknown option %s; did you mean --%s?", command->name, name, words[nearest]);
	else
		warn("%s: unknown option %s; `ringside help %s` lists them", command->name, name, command->name);
	return -EINVAL;
}

/* ---- values --------------------------------------------------------------------------------------------------- */

static int parse_count(const char *text, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return errno || *end || end == text || *value < 0 ? -EINVAL : 0;
}

/* "1.5s", "200ms", "3" (seconds). Stops at the first byte that belongs to none of that. */
static int parse_moment(const char **text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "min", 60e9 }, { "s", 1e9 }, { "", 1e9 } };
	char *end;
	double value = strtod(*text, &end);

	if (end == *text || !(value >= 0) || value > 1e9)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strncmp(end, units[i].unit, strlen(units[i].unit))) {
			*ns = (uint64_t)(value * units[i].ns + 0.5);
			*text = end + strlen(units[i].unit);
			return 0;
		}
	return -EINVAL;
}

static int parse_window(const char *text, struct analysis_filter *filter)
{
	if (*text != '-' && parse_moment(&text, &filter->from_ns))
		return -EINVAL;
	if (*text++ != '-')
		return -EINVAL;
	if (*text && (parse_moment(&text, &filter->to_ns) || filter->to_ns <= filter->from_ns))
		return -EINVAL;
	return *text ? -EINVAL : 0;
}

static int parse_size(const char **text, uint64_t *bytes)
{
	static const char suffixes[] = "kmgt";
	char *end;
	unsigned long long value;
	const char *suffix;

	errno = 0;
	value = strtoull(*text, &end, 10);
	if (end == *text || **text == '-' || errno)
		return -EINVAL;
	suffix = *end ? strchr(suffixes, *end | 0x20) : NULL;
	if (suffix && __builtin_mul_overflow(value, 1ull << 10 * (suffix - suffixes + 1), &value))
		return -EINVAL;
	*bytes = value;
	*text = end + (suffix != NULL);
	return 0;
}

static int parse_sizes(const char *text, struct analysis_filter *filter)
{
	if (*text != '-' && parse_size(&text, &filter->size_min))
		return -EINVAL;
	if (*text++ != '-')
		return -EINVAL;
	if (*text && (parse_size(&text, &filter->size_max) || filter->size_max < filter->size_min || !filter->size_max))
		return -EINVAL;
	return *text ? -EINVAL : 0;
}

static int parse_by(const char *text, struct report_options *report)
{
	static const char *const words[] = {
		[BY_PLACE] = "place", [BY_STACK] = "stack", [BY_MODULE] = "module", [BY_FUNCTION] = "function"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i])) {
			report->by = (enum group_by)i;
			report->has_by = true;
			return 0;
		}
	return -EINVAL;
}

static int add_text(const char **list, size_t *len, const char *text)
{
	if (*len == RULES_MAX)
		return -EINVAL;
	list[(*len)++] = text;
	return 0;
}

static void set_view(struct options *o, enum view_kind kind, const char *pattern)
{
	o->view.kind = kind;
	o->view.pattern = pattern;
}

static int set_top(struct options *o, const char *value)
{
	if (o->view.kind == VIEW_TOP)
		set_view(o, VIEW_TOP, NULL);
	if (!value)
		return 0;
	if (parse_count(value, &o->top))
		return -EINVAL;
	o->view.nodecount = (size_t)o->top;
	o->view.is_unlimited = !o->top;
	return 0;
}

/* Given several times they add up; of the same toggle the last one counts. */
static int add_toggles(struct options *o, const char *value)
{
	size_t len = strlen(o->toggle_list);
	int n = snprintf(o->toggle_list + len, sizeof(o->toggle_list) - len, "%s%s", len ? "," : "", value);

	if ((size_t)n >= sizeof(o->toggle_list) - len)
		return -EINVAL;
	o->toggles = o->toggle_list;
	return 0;
}

static int set_option(struct options *o, enum option_id id, const char *value)
{
	long count;

	o->given[id] = true;
	switch (id) {
	case OPT_help:
		o->wants_help = true;
		break;
	case OPT_output:
		o->output = value;
		break;
	case OPT_toggles:
		return add_toggles(o, value);
	case OPT_compress:
		o->compress = true;
		break;
	case OPT_decompress:
		o->decompress = true;
		break;
	case OPT_top:
		return set_top(o, value);
	case OPT_tree:
		set_view(o, VIEW_TREE, NULL);
		break;
	case OPT_peek:
		set_view(o, VIEW_PEEK, value);
		break;
	case OPT_list:
		set_view(o, VIEW_LIST, value);
		break;
	case OPT_traces:
		set_view(o, VIEW_TRACES, NULL);
		break;
	case OPT_sample:
		o->view.sample = value;
		break;
	case OPT_cum:
		o->view.sort_cum = true;
		break;
	case OPT_lines:
		o->view.granularity = VIEW_LINES;
		break;
	case OPT_files:
		o->view.granularity = VIEW_FILES;
		break;
	case OPT_modules:
		o->view.granularity = VIEW_MODULES;
		break;
	case OPT_addresses:
		o->view.granularity = VIEW_ADDRESSES;
		break;
	case OPT_focus:
		o->view.focus = o->report.filter.focus = value;
		break;
	case OPT_ignore:
		o->view.ignore = o->report.filter.ignore = value;
		break;
	case OPT_hide:
		o->view.hide = o->report.filter.hide = value;
		break;
	case OPT_kind:
		o->kind = value;
		break;
	case OPT_by:
		return parse_by(value, &o->report);
	case OPT_order:
		o->report.order = value;
		break;
	case OPT_within:
		if (parse_count(value, &count))
			return -EINVAL;
		o->report.within = (uint64_t)count;
		break;
	case OPT_age:
		return parse_moment(&value, &o->report.age_ns) || *value ? -EINVAL : 0;
	case OPT_profile:
		o->profile = value;
		break;
	case OPT_timeline:
		o->report.wants_timeline = true;
		break;
	case OPT_at:
		o->report.has_at = true;
		return parse_moment(&value, &o->report.at_ns) || *value ? -EINVAL : 0;
	case OPT_around:
		o->report.around = value;
		break;
	case OPT_idle:
		o->report.shows_idle = true;
		break;
	case OPT_size:
		return parse_sizes(value, &o->filter);
	case OPT_suppress:
		o->report.suppressions = value;
		break;
	case OPT_fail_bytes:
		o->report.has_fail_on = true;
		return parse_size(&value, &o->report.fail_on) || *value ? -EINVAL : 0;
	case OPT_full_names:
		o->view.full_names = true;
		break;
	case OPT_source:
		o->view.source.source_path = value;
		break;
	case OPT_trim:
		o->view.source.trim_path = value;
		break;
	case OPT_thread:
		o->filter.thread_pattern = value;
		break;
	case OPT_time:
		return parse_window(value, &o->filter);
	case OPT_process:
		o->process = value;
		break;
	case OPT_all:
		o->is_all = true;
		break;
	case OPT_no_source:
		o->no_source = true;
		break;
	case OPT_diff_base:
		o->diff_base = value;
		break;
	case OPT_per:
		o->per = value;
		break;
	case OPT_work:
		o->work = value;
		break;
	case OPT_fail_on:
		o->fail_on = value;
		break;
	case OPT_rules:
		return add_text(o->rule_files, &o->rule_files_len, value);
	case OPT_rule:
		return add_text(o->rules, &o->rules_len, value);
	case OPT_runs:
		return parse_count(value, &o->runs) || !o->runs || o->runs > RUNS_MAX ? -EINVAL : 0;
	case OPT_binaries:
		o->binaries = value;
		break;
	case OPT_json:
		o->is_json = true, o->view.format = VIEW_JSON;
		break;
	case OPT_csv:
		o->view.format = VIEW_CSV;
		break;
	case OPT_debuginfod:
		o->use_debuginfod = true;
		break;
	case OPTIONS:
		break;
	}
	return 0;
}

/* ---- the line ------------------------------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
	return text && *text && !text[strspn(text, "0123456789")];
}

static int find_option(const struct command *command, const char *word, const char **value)
{
	for (unsigned i = 0; i < OPTIONS; i++) {
		const struct option_info *info = &option_infos[i];
		size_t len = strlen(info->name);

		*value = NULL;
		if (i != OPT_help && !(info->groups & command->groups))
			continue;
		if (word[1] != '-' && info->letter && word[1] == info->letter) {
			*value = word[2] ? word + 2 : NULL;
			return (int)i;
		}
		if (strncmp(word, "--", 2) || strncmp(word + 2, info->name, len))
			continue;
		if (word[2 + len] == '=')
			*value = word + 3 + len;
		if (!word[2 + len] || *value)
			return (int)i;
	}
	return -1;
}

static int take_option(struct options *o, const struct command *command, char **argv, int *at)
{
	const char *word = argv[*at], *value;
	int id = find_option(command, word, &value), err;
	const struct option_info *info;

	if (id < 0)
		return unknown_option(command, word);
	info = &option_infos[id];
	if (info->argument == NONE && value) {
		warn("%s: --%s takes no value", command->name, info->name);
		return -EINVAL;
	}
	if (!value && (info->argument == NEEDED || (info->argument == COUNT && is_number(argv[*at + 1]))))
		value = argv[++*at];
	if (info->argument == NEEDED && !value) {
		warn("%s: --%s wants %s", command->name, info->name, info->arg);
		return -EINVAL;
	}
	err = set_option(o, (enum option_id)id, value);
	if (err)
		warn("%s: --%s: %s is no %s", command->name, info->name, value, info->arg);
	return err;
}

int options_parse(struct options *o, const struct command *command, int argc, char **argv)
{
	bool is_program = command->groups & (G_RECORD | G_STAT);

	*o = (struct options){ .top = -1,
			       .report = { .within = 1, .age_ns = 1000000 },
			       .args = calloc((size_t)argc + 1, sizeof(char *)) };
	if (!o->args) {
		warn("out of memory");
		return -EINVAL;
	}
	for (int at = 1; at < argc; at++) {
		bool is_rest = !strcmp(argv[at], "--");

		if (!is_rest && argv[at][0] == '-' && argv[at][1] && !(is_program && o->args_len)) {
			if (take_option(o, command, argv, &at))
				return -EINVAL;
			continue;
		}
		at += is_rest && !(is_program && o->args_len);
		if (at >= argc)
			break;
		if (!is_program && !is_rest) {
			o->args[o->args_len++] = argv[at];
			continue;
		}
		while (at < argc)
			o->args[o->args_len++] = argv[at++];
	}
	return 0;
}

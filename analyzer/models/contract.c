/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/contract.h"
#include "analyzer/symbols/demangle.h"

#define TEMPLATE_KEEP 24u /* characters of template arguments in short names */

const struct quantity_info quantity_infos[TOTALS] = {
#define QUANTITY(id, words_, unit_, source_, value_, help_)                                                            \
	[TOTAL_##id] = {                                                                                               \
		.words = words_, .value = value_, .help = help_, .unit = UNIT_##unit_, .source = FROM_##source_        \
	},
#include "analyzer/models/quantities.def"
};

bool name_matches(const struct name_pattern *p, const char *name)
{
	return name && !regexec(&p->regex, name, 0, NULL, 0);
}

bool name_matches_frame(const struct name_pattern *p, const struct frame *frame)
{
	char *name;
	bool matches;

	if (name_matches(p, frame->function))
		return true;
	if (!strpbrk(frame->function, "(<"))
		return false;
	name = demangle_short(frame->function, TEMPLATE_KEEP);
	matches = name_matches(p, name);
	free(name);
	return matches;
}

static void pattern_release(struct name_pattern *p)
{
	if (p->text)
		regfree(&p->regex);
	free(p->text);
	*p = (struct name_pattern){ 0 };
}

static void contract_release(struct contract *c)
{
	pattern_release(&c->function);
	pattern_release(&c->thread);
	pattern_release(&c->region);
	pattern_release(&c->module);
	pattern_release(&c->per_region);
	pattern_release(&c->lock);
	for (size_t i = 0; i < c->list_len; i++)
		free(c->list[i].process);
	free(c->list);
	free(c->text);
}

void contracts_release(struct contracts *c)
{
	for (size_t i = 0; i < c->len; i++)
		contract_release(&c->list[i]);
	free(c->list);
	*c = (struct contracts){ 0 };
}

bool contracts_want(const struct contracts *c, bool totals)
{
	for (size_t i = 0; i < c->len; i++)
		if (c->list[i].is_total == totals)
			return true;
	return false;
}

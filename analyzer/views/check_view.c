/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyzer/commands/session.h"
#include "analyzer/show/render.h"
#include "analyzer/views/check_view.h"
#include "analyzer/views/views.h"

static const char *const status_words[] = {
	[CONTRACT_KEPT] = "kept", [CONTRACT_BROKEN] = "broken", [CONTRACT_UNDECIDED] = "undecided"
};

struct check_count check_count(const struct contracts *rules)
{
	struct check_count count = { 0 };

	for (size_t i = 0; i < rules->len; i++) {
		count.kept += rules->list[i].status == CONTRACT_KEPT;
		count.broken += rules->list[i].status == CONTRACT_BROKEN;
		count.undecided += rules->list[i].status == CONTRACT_UNDECIDED;
	}
	return count;
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

static void put_value(const struct contract *c, FILE *out)
{
	char number[RENDER_NUMBER_MAX];

	if (c->is_share)
		fputs(render_percent(number, c->value), out);
	else
		fputs(render_value(number, quantity_infos[c->quantity].unit, llround(c->value)), out);
}

static void put_amount(const struct contract *c, const struct breach *b, FILE *out)
{
	char number[RENDER_NUMBER_MAX];

	if (c->per != PER_CALL && c->counts_events)
		fprintf(out, "  %" PRIu64 " of them", b->amount);
	else if (c->what == WHAT_WAIT)
		fprintf(out, "  %s", render_duration(number, (int64_t)b->amount));
	else if (c->what != WHAT_FREE && (c->what != WHAT_HEAP || b->amount))
		fprintf(out, "  %s", render_bytes(number, (int64_t)b->amount));
}

static void put_frames(const struct check_view *v, struct stack_id stack, FILE *out)
{
	struct frame_walk w = { .stacks = v->stacks, .id = stack };
	const struct frame *frame;

	while ((frame = stacks_next_frame(&w))) {
		struct buf name = { 0 };

		view_frame_name(&name, frame);
		fprintf(out, "                 %s\n", buf_string(&name));
		buf_release(&name);
	}
}

static void put_breach(const struct check_view *v, const struct contract *c, size_t i, FILE *out)
{
	const struct breach *b = &c->list[i];
	char time[RENDER_NUMBER_MAX];

	fprintf(out, "           at %s  thread %" PRIu32 " ", render_duration(time, (int64_t)b->ns), b->tid);
	safe_puts(b->thread, out);
	if (b->process) {
		fputs(" of ", out);
		safe_puts(b->process, out);
	}
	put_amount(c, b, out);
	if (i && b->stack.v == c->list[i - 1].stack.v) {
		fputs("  (same stack)\n", out);
		return;
	}
	fputc('\n', out);
	put_frames(v, b->stack, out);
}

static void put_rule(const struct check_view *v, const struct contract *c, FILE *out)
{
	static const char *const words[] = {
		[CONTRACT_KEPT] = "kept", [CONTRACT_BROKEN] = "BROKEN", [CONTRACT_UNDECIDED] = "UNDECIDED"
	};

	fprintf(out, "%-9s  ", words[c->status]);
	safe_puts(c->text, out);
	if (c->is_total && c->status != CONTRACT_UNDECIDED) {
		fputs("  (it is ", out);
		put_value(c, out);
		fputc(')', out);
	}
	if (!c->is_total && c->status == CONTRACT_KEPT && c->limit)
		fprintf(out, "  (%" PRIu64 " events)", c->events);
	if (c->line) {
		fputs("  ", out);
		safe_puts(c->source, out);
		fprintf(out, ":%u", c->line);
	}
	fputc('\n', out);
	if (c->reason && c->status == CONTRACT_UNDECIDED)
		fprintf(out, "           %s\n", c->reason);
	else if (c->reason && c->breaches)
		fprintf(out, "           there may be more breaches: %s\n", c->reason);
	if (c->breaches)
		fprintf(out, "           %" PRIu64 " breach%s in %" PRIu64 " event%s it is about\n", c->breaches,
			c->breaches == 1 ? "" : "es", c->events, c->events == 1 ? "" : "s");
	for (size_t i = 0; i < c->list_len; i++)
		put_breach(v, c, i, out);
	if (c->list_len < c->breaches)
		fprintf(out, "           ... %" PRIu64 " more; --top 0 shows all\n", c->breaches - c->list_len);
}

int check_view_text(const struct check_view *v, FILE *out)
{
	struct check_count count = check_count(v->rules);

	for (size_t i = 0; i < v->rules->len; i++)
		put_rule(v, &v->rules->list[i], out);
	fprintf(out, "\n%zu of %zu rule%s broken", count.broken, v->rules->len, v->rules->len == 1 ? "" : "s");
	if (count.undecided)
		fprintf(out, ", %zu undecided", count.undecided);
	fputs(": ", out);
	safe_puts(v->path, out);
	fputc('\n', out);
	for (size_t i = 0; i < v->notes.notes_len; i++) {
		fputs("  ", out);
		render_wrapped(v->notes.notes[i], session_width(), 2, 4, out);
	}
	return v->notes.failed ? -ENOMEM : ferror(out) ? -EIO : 0;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

static int put_breach_json(const struct check_view *v, const struct breach *b, struct json *j)
{
	int err;

	json_begin_object(j);
	json_field_u64(j, "time_ns", b->ns);
	json_field_string(j, "process", b->process);
	json_field_string(j, "thread", b->thread);
	json_field_u64(j, "tid", b->tid);
	json_field_u64(j, "amount", b->amount);
	json_key(j, "stack");
	err = view_stack_json(j, v->stacks, b->stack);
	json_end(j);
	return err;
}

static int put_rule_json(const struct check_view *v, const struct contract *c, struct json *j)
{
	int err = 0;

	json_begin_object(j);
	json_field_string(j, "rule", c->text);
	json_field_string(j, "source", c->source);
	json_field_u64(j, "line", c->line);
	json_field_string(j, "status", status_words[c->status]);
	json_field_string(j, "reason", c->reason);
	json_key(j, "value");
	if (c->is_total && c->status != CONTRACT_UNDECIDED)
		json_f64(j, c->value);
	else
		json_null(j);
	json_field_u64(j, "events", c->events);
	json_field_u64(j, "breaches", c->breaches);
	json_key(j, "list");
	json_begin_array(j);
	for (size_t i = 0; !err && i < c->list_len; i++)
		err = put_breach_json(v, &c->list[i], j);
	json_end(j);
	json_end(j);
	return err;
}

int check_view_json(const struct check_view *v, FILE *out)
{
	struct check_count count = check_count(v->rules);
	struct json j;
	int err = 0;

	json_init(&j, out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.check/1");
	json_field_string(&j, "file", v->path);
	json_field_string(&j, "program", recording_name(v->rec));
	json_field_u64(&j, "kept", count.kept);
	json_field_u64(&j, "broken", count.broken);
	json_field_u64(&j, "undecided", count.undecided);
	json_key(&j, "rules");
	json_begin_array(&j);
	for (size_t i = 0; !err && i < v->rules->len; i++)
		err = put_rule_json(v, &v->rules->list[i], &j);
	json_end(&j);
	json_key(&j, "notes");
	json_begin_array(&j);
	for (size_t i = 0; i < v->notes.notes_len; i++)
		json_string(&j, v->notes.notes[i]);
	json_end(&j);
	json_end(&j);
	return err ? err : v->notes.failed ? -ENOMEM : json_finish(&j);
}

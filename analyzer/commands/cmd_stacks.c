/* SPDX-License-Identifier: MIT */
/*
 * cmd_stacks.c - every thread of a running process: its stack now and, when it is being recorded, what it waits for,
 * since when, and who holds that.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/attach/attach.h"
#include "analyzer/commands/session.h"
#include "analyzer/util/die.h"
#include "format/kinds.h"

struct look {
	struct attach attach;
	struct symbols *symbols;
	struct stacks *stacks;
	struct recording rec; /* of the same process; stacks NULL: none */
	bool is_recorded;
	FILE *out;
};

static const struct rsd_thread *slot_of(const struct look *l, pid_t tid)
{
	for (uint32_t i = 0; l->is_recorded && i < l->rec.threads_len; i++)
		if (recording_thread(&l->rec, i) && l->rec.threads[i].tid == (uint32_t)tid &&
		    !l->rec.threads[i].end_tick)
			return &l->rec.threads[i];
	return NULL;
}

static const char *state_words(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "in the kernel";
	case 'T':
	case 't':
		return "stopped";
	case 'Z':
		return "gone";
	}
	return "unknown";
}

static uint64_t waiting_ns(const struct look *l, const struct rsd_thread *slot)
{
	return l->rec.end_tick > slot->waiting_since
		       ? clock_dur_ns(&l->rec.clock, l->rec.end_tick - slot->waiting_since)
		       : 0;
}

static const char *lock_words(struct look *l, uint64_t object, struct buf *out)
{
	const char *name = symbols_addr_data_name(l->symbols, &l->attach.modules, object);

	if (name)
		buf_add_safe(out, name, strlen(name));
	else
		buf_printf(out, "0x%" PRIx64, object);
	return buf_string(out);
}

static bool is_lock(unsigned wait)
{
	return !strcmp(wait_domain(wait), "lock");
}

/* "[mutex server.log.lock, 12.30ms, held by 4711]" or "[running]" */
static void print_state(struct look *l, const struct attach_thread *t)
{
	const struct rsd_thread *slot = slot_of(l, t->tid);
	char number[RENDER_NUMBER_MAX];
	struct buf name = { 0 };

	if (!slot || !slot->waiting || slot->waiting >= RSD_WAITS) {
		fprintf(l->out, "[%s]", state_words(t->state));
		return;
	}
	fprintf(l->out, "[%s", wait_name(slot->waiting));
	if (!strcmp(wait_domain(slot->waiting), "io") && slot->waiting_object < INT32_MAX)
		fprintf(l->out, " fd %" PRIu64, slot->waiting_object);
	else if (slot->waiting_object && strcmp(wait_domain(slot->waiting), "time"))
		fprintf(l->out, " %s", lock_words(l, slot->waiting_object, &name));
	fprintf(l->out, ", %s", render_duration(number, (int64_t)waiting_ns(l, slot)));
	if (is_lock(slot->waiting) && slot->waiting_peer)
		fprintf(l->out, ", held by %" PRIu32, slot->waiting_peer);
	fputc(']', l->out);
	buf_release(&name);
}

static const struct frame_chain *frames_at(struct look *l, uint64_t pc)
{
	return symbols_addr_lookup(l->symbols, &l->attach.modules, pc - 1);
}

static bool is_own(struct look *l, uint64_t pc)
{
	struct module *module = modules_by_addr(&l->attach.modules, pc - 1);

	return module && symbols_is_recorder(l->symbols, symbols_object(l->symbols, module));
}

static void print_thread(struct look *l, const struct attach_thread *t)
{
	struct buf text = { 0 };

	buf_add_safe(&text, t->name, strlen(t->name));
	fprintf(l->out, "thread %d %s ", t->tid, buf_string(&text));
	print_state(l, t);
	fputs(":\n", l->out);
	for (size_t i = 0; i < t->pcs_len; i++) {
		const struct frame_chain *chain = frames_at(l, t->pcs[i]);

		/* The recorder passes calls on. */
		if (is_own(l, t->pcs[i]))
			continue;
		for (uint32_t k = 0; k < chain->len; k++) {
			buf_clear(&text);
			view_frame_name(&text, &chain->frames[k]);
			fprintf(l->out, "  %s\n", buf_string(&text));
		}
	}
	if (t->pcs_len == ATTACH_DEPTH)
		fputs("  ... and deeper\n", l->out);
	if (t->error)
		fprintf(l->out, "  %s\n", t->error);
	fputc('\n', l->out);
	buf_release(&text);
}

static void put_state_json(struct look *l, struct json *j, const struct attach_thread *t)
{
	const struct rsd_thread *slot = slot_of(l, t->tid);
	bool waits = slot && slot->waiting && slot->waiting < RSD_WAITS;
	const char *lock = waits ? symbols_addr_data_name(l->symbols, &l->attach.modules, slot->waiting_object) : NULL;

	json_field_string(j, "state", state_words(t->state));
	json_field_string(j, "wait", waits ? wait_name(slot->waiting) : NULL);
	json_key(j, "waiting_ns");
	if (waits)
		json_u64(j, waiting_ns(l, slot));
	else
		json_null(j);
	json_key(j, "object");
	if (waits)
		json_u64(j, slot->waiting_object);
	else
		json_null(j);
	json_field_string(j, "name_of_object", lock);
	json_key(j, "holder_tid");
	if (waits && is_lock(slot->waiting) && slot->waiting_peer)
		json_u64(j, slot->waiting_peer);
	else
		json_null(j);
}

static void put_thread_json(struct look *l, struct json *j, const struct attach_thread *t)
{
	json_begin_object(j);
	json_field_i64(j, "tid", t->tid);
	json_field_string(j, "name", t->name);
	put_state_json(l, j, t);
	json_field_string(j, "error", t->error);
	json_key(j, "stack");
	json_begin_array(j);
	for (size_t i = 0; i < t->pcs_len; i++) {
		const struct frame_chain *chain = frames_at(l, t->pcs[i]);

		for (uint32_t k = 0; k < chain->len && !is_own(l, t->pcs[i]); k++)
			view_frame_json(j, &chain->frames[k]);
	}
	json_end(j);
	json_end(j);
}

static int print_json(struct look *l, pid_t pid)
{
	struct json j;

	json_init(&j, l->out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.stacks/1");
	json_field_i64(&j, "pid", pid);
	json_field_string(&j, "recording", l->attach.dump);
	json_key(&j, "threads");
	json_begin_array(&j);
	for (size_t i = 0; i < l->attach.threads_len; i++)
		put_thread_json(l, &j, &l->attach.threads[i]);
	json_end(&j);
	json_end(&j);
	return json_finish(&j) ? EXIT_FINDING : EXIT_FINE;
}

static int print_text(struct look *l)
{
	for (size_t i = 0; i < l->attach.threads_len; i++)
		print_thread(l, &l->attach.threads[i]);
	if (!l->attach.dump)
		fputs("not recorded by ringside: what threads wait for, and who holds it, is not known\n", l->out);
	return fflush(l->out) || ferror(l->out) ? EXIT_FINDING : EXIT_FINE;
}

/* What the recorder says of the waits; without it there are the stacks alone. */
static void open_recording(struct look *l)
{
	struct buf error = { 0 };

	if (!l->attach.dump)
		return;
	l->is_recorded = !recording_open(&l->rec, l->attach.dump, l->stacks, &error);
	if (!l->is_recorded)
		warn("%s", buf_string(&error));
	buf_release(&error);
}

static int look_at(const struct options *o, pid_t pid)
{
	struct symbol_options symbol_options = { .use_debuginfod = o->use_debuginfod };
	struct look l = { .out = stdout };
	struct buf error = { 0 };
	int status = EXIT_UNREADABLE;

	l.symbols = symbols_new(&symbol_options);
	l.stacks = l.symbols ? stacks_new(l.symbols) : NULL;
	if (!l.stacks)
		warn("out of memory");
	else if (attach_open(&l.attach, pid, &error))
		warn("%s", error.len ? buf_string(&error) : "out of memory");
	else {
		open_recording(&l);
		status = o->is_json ? print_json(&l, pid) : print_text(&l);
	}
	if (l.is_recorded)
		recording_release(&l.rec);
	attach_release(&l.attach);
	stacks_free(l.stacks);
	symbols_free(l.symbols);
	buf_release(&error);
	return status;
}

int cmd_stacks(struct options *o)
{
	char *end = NULL;
	long pid = o->args_len == 1 ? strtol(o->args[0], &end, 10) : 0;

	if (o->args_len != 1 || *end || end == o->args[0] || pid < 1 || pid > INT32_MAX) {
		warn("stacks wants the PID of one running process");
		return EXIT_USAGE;
	}
	return look_at(o, (pid_t)pid);
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/names.h"
#include "analyzer/symbols/worker.h"
#include "analyzer/util/cores.h"

enum ask { ASK_OPEN, ASK_LOOKUP, ASK_DATA, ASK_CLASS, ASK_TEXT };

/*
 * To open: followed by path, debug_dir, sysroot and binaries, each NUL terminated; "" is NULL. Else by what is asked
 * about: addresses, or the name of a function.
 */
struct question {
	uint32_t ask, id;
	uint32_t build_id_len;
	uint8_t build_id[RSD_BUILD_ID_MAX];
};

/*
 * The answer for one address: the count of frames, the frames, their strings. A length of 0 is NULL, else it is one too
 * large. The answers of a batch follow each other.
 */
enum { FUNCTION, LINKAGE, FILE_NAME, DECL_FILE, STRINGS };
struct answer_frame {
	uint64_t start;
	uint32_t line, decl_line;
	uint32_t lens[STRINGS];
	uint32_t source, is_inlined;
};

#define STRING_MAX 65535u		 /* longer ones are cut */
#define ROOM_MIN (WORKER_ANSWER_MAX / 4) /* with less left, the rest of a batch waits for the next question */

_Static_assert(sizeof(struct question) + NAMES_BATCH * sizeof(uint64_t) <= WORKER_QUESTION_MAX, "a batch fits");

/* What this side knows of an object: why it has no names any more, or which process has it open. */
struct known {
	char *broken; /* a half-sentence; NULL: it is not */
	uint32_t life;
};

/* Opening files takes longest, and two may do it at a time. */
#define PROCESSES_MAX 2u
struct process {
	struct worker *worker; /* NULL: not started, or gone */
	uint32_t life;	       /* the how manieth it is of all */
};

struct names {
	struct names_options options;
	struct process processes[PROCESSES_MAX]; /* an object has its place in this list: by its id */
	unsigned processes_len;
	uint32_t lives;	  /* processes started in all */
	struct map known; /* id -> struct known * */
	struct buf question, answer;
	/* Of the process, or of this one when there is none. */
	struct map namers; /* id -> struct namer *; NULL: it has no names */
	struct map notes;  /* id -> char *, or NULL */
	void *room;	   /* for answers, when there is no process */
};

/* ---- the process: from question to answer ---------------------------------------------------------------------- */

static const char *next_text(const char **at, const char *end)
{
	const char *text = *at, *nul = memchr(text, 0, (size_t)(end - text));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return *text ? text : NULL;
}

static struct namer *open_namer(struct names *n, const struct question *q, const void *texts, size_t len)
{
	const char *at = texts, *end = at + len;
	struct elf_want want = { .path = next_text(&at, end) };
	struct buf note = { 0 };
	struct namer *namer;

	want.debug_dir = next_text(&at, end);
	want.sysroot = next_text(&at, end);
	want.binaries = next_text(&at, end);
	want.build_id = q->build_id;
	want.build_id_len = q->build_id_len;
	namer = want.path ? namer_new(&want, &note) : NULL;
	map_put(&n->namers, q->id, (uintptr_t)namer);
	map_put(&n->notes, q->id, (uintptr_t)note.data);
	return namer;
}

static struct namer *find_namer(struct names *n, uint32_t id)
{
	uint64_t at;

	return map_get(&n->namers, id, &at) ? (struct namer *)(uintptr_t)at : NULL;
}

static size_t answer_open(struct names *n, const struct question *q, const void *texts, size_t len, char *out)
{
	uint64_t note = 0;

	if (!map_get(&n->namers, q->id, NULL))
		open_namer(n, q, texts, len);
	out[0] = find_namer(n, q->id) != NULL;
	if (!map_get(&n->notes, q->id, &note) || !note)
		return 1;
	len = strnlen((const char *)(uintptr_t)note, STRING_MAX);
	memcpy(out + 1, (const char *)(uintptr_t)note, len);
	return 1 + len;
}

/* Returns the length as an answer has it. */
static uint32_t put_string(const char *s, char **at, const char *end)
{
	size_t len = s ? strnlen(s, STRING_MAX) : 0;

	if (!s || len > (size_t)(end - *at))
		return 0;
	memcpy(*at, s, len);
	*at += len;
	return (uint32_t)len + 1;
}

/* Returns the place behind. The frames themselves have room. */
static char *put_frames(const struct frame *frames, size_t len, char *out, const char *end)
{
	char *list = out + sizeof(uint32_t), *at = list + len * sizeof(struct answer_frame);
	uint32_t count = (uint32_t)len;

	memcpy(out, &count, sizeof(count));
	for (size_t i = 0; i < len; i++) {
		const struct frame *f = &frames[i];
		struct answer_frame a = { .start = f->start, .line = f->line, .decl_line = f->decl_line };

		a.source = f->source;
		a.is_inlined = f->inlined;
		a.lens[FUNCTION] = put_string(f->function, &at, end);
		a.lens[LINKAGE] = put_string(f->linkage, &at, end);
		a.lens[FILE_NAME] = put_string(f->file, &at, end);
		a.lens[DECL_FILE] = put_string(f->decl_file, &at, end);
		memcpy(list + i * sizeof(a), &a, sizeof(a));
	}
	return at;
}

static size_t answer_lookup(struct names *n, const struct question *q, const char *in, size_t len, char *out)
{
	struct frame frames[DWARF_CHAIN_MAX];
	struct namer *namer = find_namer(n, q->id);
	const char *end = out + WORKER_ANSWER_MAX;
	char *at = out;

	for (; namer && len >= sizeof(uint64_t) && end - at >= ROOM_MIN; len -= sizeof(uint64_t)) {
		uint64_t address;

		memcpy(&address, in, sizeof(address));
		in += sizeof(address);
		at = put_frames(frames, namer_lookup(namer, address, frames), at, end);
	}
	return (size_t)(at - out);
}

static size_t put_text(const struct buf *text, size_t max, char *out)
{
	size_t len = text->len < max ? text->len : max;

	if (len)
		memcpy(out, text->data, len);
	return len;
}

static size_t answer_place(struct names *n, const struct question *q, const char *in, size_t len, char *out)
{
	struct namer *namer = find_namer(n, q->id);
	struct buf text = { 0 };
	uint64_t address;

	if (len < sizeof(address) || !namer)
		return 0;
	memcpy(&address, in, sizeof(address));
	if (q->ask == ASK_DATA)
		namer_data(namer, address, &text);
	else
		namer_class(namer, address, &text);
	len = put_text(&text, STRING_MAX, out);
	buf_release(&text);
	return len;
}

/* What namer_text returned, then the text. */
static size_t answer_text(struct names *n, const struct question *q, const char *in, size_t len, char *out)
{
	struct namer *namer = find_namer(n, q->id);
	struct buf text = { 0 };
	int32_t err = -ENOENT;

	if (namer && len && !in[len - 1])
		err = namer_text(namer, in, &text);
	memcpy(out, &err, sizeof(err));
	len = sizeof(err) + put_text(&text, NAMES_TEXT, out + sizeof(err));
	buf_release(&text);
	return len;
}

static size_t answer(void *self, const void *question, size_t len, void *out)
{
	const char *rest = (const char *)question + sizeof(struct question);
	struct question q;

	if (len < sizeof(q))
		return 0;
	memcpy(&q, question, sizeof(q));
	len -= sizeof(q);
	switch (q.ask) {
	case ASK_OPEN:
		return answer_open(self, &q, rest, len, out);
	case ASK_LOOKUP:
		return answer_lookup(self, &q, rest, len, out);
	case ASK_TEXT:
		return answer_text(self, &q, rest, len, out);
	default:
		return answer_place(self, &q, rest, len, out);
	}
}

static void ahead(void *self, const void *question, size_t len)
{
	struct names *n = self;
	struct question q;

	memcpy(&q, question, sizeof(q));
	if (!map_get(&n->namers, q.id, NULL))
		open_namer(n, &q, (const char *)question + sizeof(q), len - sizeof(q));
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

struct names *names_new(const struct names_options *options)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->options = *options;
	n->processes_len = cores_to_spare() ? PROCESSES_MAX : 1;
	if (!n->options.seconds_max)
		n->options.seconds_max = NAMES_SECONDS;
	if (n->options.is_inside && !(n->room = malloc(WORKER_ANSWER_MAX))) {
		free(n);
		return NULL;
	}
	return n;
}

void names_end(struct names *n)
{
	for (unsigned i = 0; n && i < n->processes_len; i++)
		if (n->processes[i].worker)
			worker_kill(n->processes[i].worker);
}

void names_free(struct names *n)
{
	struct map_iter it = { 0 };

	if (!n)
		return;
	for (unsigned i = 0; i < n->processes_len; i++)
		worker_free(n->processes[i].worker);
	while (map_next(&n->namers, &it))
		namer_free((struct namer *)(uintptr_t)it.value);
	for (it = (struct map_iter){ 0 }; map_next(&n->notes, &it);)
		free((char *)(uintptr_t)it.value);
	for (it = (struct map_iter){ 0 }; map_next(&n->known, &it);) {
		struct known *known = (struct known *)(uintptr_t)it.value;

		free(known->broken);
		free(known);
	}
	map_release(&n->known);
	map_release(&n->namers);
	map_release(&n->notes);
	buf_release(&n->question);
	buf_release(&n->answer);
	free(n->room);
	free(n);
}

static void start(struct names *n, struct process *p)
{
	struct worker_job job = { .answer = answer,
				  .ahead = ahead,
				  .self = n,
				  .has_network = n->options.has_network,
				  .seconds_max = n->options.seconds_max };

	if (n->options.is_inside || p->worker || n->lives == NAMES_LIVES)
		return;
	p->worker = worker_new(&job);
	p->life = ++n->lives;
}

void names_start(struct names *n)
{
	for (unsigned i = 0; i < n->processes_len; i++)
		start(n, &n->processes[i]);
}

/* ---- this side: questions -------------------------------------------------------------------------------------- */

static struct known *known_of(struct names *n, uint32_t id)
{
	uint64_t *slot = map_at(&n->known, id, NULL);

	if (slot && !*slot)
		*slot = (uintptr_t)calloc(1, sizeof(struct known));
	return slot ? (struct known *)(uintptr_t)*slot : NULL;
}

static void set_broken(struct names *n, uint32_t id, const char *why)
{
	struct known *known = known_of(n, id);

	if (known && !known->broken)
		known->broken = strdup(why);
}

static void fill_question(struct buf *out, enum ask ask, uint32_t id, const struct elf_want *want, const void *subject,
			  size_t len)
{
	struct question q = { .ask = ask, .id = id, .build_id_len = (uint32_t)want->build_id_len };
	const char *texts[] = { want->path, want->debug_dir, want->sysroot, want->binaries };

	if (want->build_id_len)
		memcpy(q.build_id, want->build_id, want->build_id_len);
	buf_clear(out);
	buf_add(out, &q, sizeof(q));
	for (size_t i = 0; ask == ASK_OPEN && i < sizeof(texts) / sizeof(*texts); i++) {
		const char *text = texts[i] ? texts[i] : "";

		buf_add(out, text, strlen(text) + 1);
	}
	if (ask != ASK_OPEN)
		buf_add(out, subject, len);
}

static struct process *process_of(struct names *n, uint32_t id)
{
	return &n->processes[id % n->processes_len];
}

/* The process is gone: what it had in hand loses its names, which may be another object that it opened ahead. */
static void blame(struct names *n, struct process *p, uint32_t id)
{
	struct buf why = { 0 };

	if (p->worker && worker_culprit(p->worker))
		id = worker_culprit(p->worker);
	if (p->worker)
		worker_end(p->worker, &why);
	else if (n->lives == NAMES_LIVES)
		buf_add_string(&why, "too many files before it were damaged");
	else
		buf_add_string(&why, "no process can be started for it");
	set_broken(n, id, buf_string(&why));
	buf_release(&why);
	worker_free(p->worker);
	p->worker = NULL;
}

/* Put n->question; the answer is in n->answer. */
static int put(struct names *n, const struct process *p, uint32_t id)
{
	size_t len;

	if (n->question.failed)
		return -ENOMEM;
	if (!n->options.is_inside)
		return p->worker ? worker_ask(p->worker, id, n->question.data, n->question.len, &n->answer) : -EPIPE;
	len = answer(n, n->question.data, n->question.len, n->room);
	buf_clear(&n->answer);
	return buf_add(&n->answer, n->room, len);
}

static void tell_broken(const struct known *known, const struct elf_want *want, struct buf *note)
{
	buf_add_string(note, "names of ");
	buf_add_safe(note, want->path, strlen(want->path));
	buf_printf(note, " could not be read: %s", known->broken);
}

/* A question to a process that has the object open. False: it has no names any more, which *note says. */
static bool ask(struct names *n, enum ask what, uint32_t id, const struct elf_want *want, const void *subject,
		size_t len, struct buf *note)
{
	struct process *p = process_of(n, id);
	struct known *known = known_of(n, id);

	while (known && !known->broken) {
		bool is_open = n->options.is_inside || (p->worker && known->life == p->life);
		int err;

		start(n, p);
		fill_question(&n->question, is_open ? what : ASK_OPEN, id, want, subject, len);
		err = put(n, p, id);
		if (err == -EPIPE) {
			blame(n, p, id);
			continue;
		}
		known->life = p->life;
		if (err || is_open || what == ASK_OPEN)
			return !err;
	}
	if (known)
		tell_broken(known, want, note);
	return false;
}

bool names_open(struct names *n, uint32_t id, const struct elf_want *want, struct buf *note)
{
	if (!ask(n, ASK_OPEN, id, want, NULL, 0, note) || !n->answer.len)
		return false;
	/* The sentence is safe already, unless the process has been taken over. */
	buf_add_safe(note, n->answer.data + 1, strnlen(n->answer.data + 1, n->answer.len - 1));
	return n->answer.data[0];
}

void names_expect(struct names *n, uint32_t id, const struct elf_want *want)
{
	struct process *p = process_of(n, id);

	start(n, p);
	fill_question(&n->question, ASK_OPEN, id, want, NULL, 0);
	if (p->worker && !n->question.failed)
		worker_tell(p->worker, id, n->question.data, n->question.len);
}

/* ---- this side: answers, of which nothing is believed ------------------------------------------------------------ */

static const char *take_string(struct strings *strings, uint32_t len, const char **at, const char *end)
{
	const char *text = *at;

	if (!len-- || len > (size_t)(end - text))
		return NULL;
	*at += len;
	return strings_intern(strings, text, len);
}

/* The frames of one address at *at, which moves behind them. 0 when that is not what is there. */
static size_t take_frames(const char **at, const char *end, struct strings *strings, uint64_t address,
			  struct frame *frames)
{
	struct answer_frame a;
	const char *list;
	uint32_t len;

	if ((size_t)(end - *at) < sizeof(len))
		return 0;
	memcpy(&len, *at, sizeof(len));
	list = *at + sizeof(len);
	if (!len || len > DWARF_CHAIN_MAX || (size_t)(end - list) < len * sizeof(a))
		return 0;
	*at = list + len * sizeof(a);
	for (uint32_t i = 0; i < len; i++) {
		struct frame *f = &frames[i];

		memcpy(&a, list + i * sizeof(a), sizeof(a));
		*f = (struct frame){ .address = address,
				     .start = a.start,
				     .line = a.line,
				     .decl_line = a.decl_line,
				     .source = a.source < FRAME_UNKNOWN ? a.source : FRAME_OFFSET,
				     .inlined = a.is_inlined && i + 1 < len };
		f->function = take_string(strings, a.lens[FUNCTION], at, end);
		f->linkage = take_string(strings, a.lens[LINKAGE], at, end);
		f->file = take_string(strings, a.lens[FILE_NAME], at, end);
		f->decl_file = take_string(strings, a.lens[DECL_FILE], at, end);
		if (!f->function)
			f->function = "[unknown]";
	}
	return len;
}

size_t names_lookup(struct names *n, uint32_t id, const struct elf_want *want, const uint64_t *addresses, size_t len,
		    const struct names_sink *sink, struct buf *note)
{
	struct frame frames[DWARF_CHAIN_MAX];
	const char *at, *end;
	size_t done = 0, count;

	len = len < NAMES_BATCH ? len : NAMES_BATCH;
	if (!ask(n, ASK_LOOKUP, id, want, addresses, len * sizeof(*addresses), note))
		return 0;
	at = buf_string(&n->answer);
	end = at + n->answer.len;
	for (; done < len && (count = take_frames(&at, end, sink->strings, addresses[done], frames)); done++)
		sink->take(sink->self, addresses[done], frames, count);
	return done;
}

static void add_text(struct names *n, size_t from, struct buf *out)
{
	if (n->answer.len > from)
		buf_add(out, n->answer.data + from, strnlen(n->answer.data + from, n->answer.len - from));
}

void names_data(struct names *n, uint32_t id, const struct elf_want *want, uint64_t address, struct buf *out,
		struct buf *note)
{
	if (ask(n, ASK_DATA, id, want, &address, sizeof(address), note))
		add_text(n, 0, out);
}

void names_class(struct names *n, uint32_t id, const struct elf_want *want, uint64_t address, struct buf *out,
		 struct buf *note)
{
	if (ask(n, ASK_CLASS, id, want, &address, sizeof(address), note))
		add_text(n, 0, out);
}

int names_text(struct names *n, uint32_t id, const struct elf_want *want, const char *function, struct buf *out,
	       struct buf *note)
{
	int32_t err;

	if (!ask(n, ASK_TEXT, id, want, function, strlen(function) + 1, note) || n->answer.len < sizeof(err))
		return -ENOENT;
	memcpy(&err, n->answer.data, sizeof(err));
	add_text(n, sizeof(err), out);
	return !err ? 0 : err == -ENOTSUP || err == -ENOMEM ? err : -ENOENT;
}

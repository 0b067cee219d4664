/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/opener.h"
#include "format/record.h"

struct opening {
	struct opening *next;
	enum { WAITING, BUSY, DONE } state;
	struct elf_want want;
	uint8_t build_id[RSD_BUILD_ID_MAX];
	struct opened opened;
};

struct opener {
	pthread_t thread;
	pthread_mutex_t lock; /* of everything below, and of the state of every opening */
	pthread_cond_t changed;
	struct opening *first, **last; /* all that were not taken, oldest first */
	bool is_ending;
};

void opened_make(struct opened *o, const struct elf_want *want)
{
	Dwarf *dwarf;

	*o = (struct opened){ 0 };
	if (elf_object_open(&o->elf, want, &o->note)) {
		o->elf = NULL;
		return;
	}
	dwarf = elf_object_dwarf(o->elf, &o->dwarf_bias);
	if (dwarf) {
		o->dwarf = dwarf_index_new(dwarf);
		o->data = dwarf_data_new(dwarf);
	} else {
		elf_object_read_symbols(o->elf);
	}
}

void opened_release(struct opened *o)
{
	dwarf_index_free(o->dwarf);
	dwarf_data_free(o->data);
	elf_object_free(o->elf);
	buf_release(&o->note);
	*o = (struct opened){ 0 };
}

static struct opening *next_waiting(const struct opener *o)
{
	struct opening *at = o->first;

	while (at && at->state != WAITING)
		at = at->next;
	return at;
}

static void *work(void *arg)
{
	struct opener *o = arg;

	pthread_mutex_lock(&o->lock);
	while (!o->is_ending) {
		struct opening *opening = next_waiting(o);

		if (!opening) {
			pthread_cond_wait(&o->changed, &o->lock);
			continue;
		}
		opening->state = BUSY;
		pthread_mutex_unlock(&o->lock);
		opened_make(&opening->opened, &opening->want);
		pthread_mutex_lock(&o->lock);
		opening->state = DONE;
		pthread_cond_broadcast(&o->changed);
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

struct opener *opener_new(void)
{
	struct opener *o = calloc(1, sizeof(*o));
	sigset_t all, old;
	int err;

	if (!o)
		return NULL;
	o->last = &o->first;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&o->thread, NULL, work, o);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		return o;
	free(o);
	return NULL;
}

void opener_free(struct opener *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->is_ending = true;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
	for (struct opening *at = o->first, *next; at; at = next) {
		next = at->next;
		opened_release(&at->opened);
		free(at);
	}
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->changed);
	free(o);
}

struct opening *opener_add(struct opener *o, const struct elf_want *want)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening)
		return NULL;
	opening->want = *want;
	memcpy(opening->build_id, want->build_id, want->build_id_len);
	opening->want.build_id = opening->build_id;
	pthread_mutex_lock(&o->lock);
	*o->last = opening;
	o->last = &opening->next;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	return opening;
}

static void unlink_opening(struct opener *o, struct opening *opening)
{
	struct opening **at = &o->first;

	while (*at != opening)
		at = &(*at)->next;
	*at = opening->next;
	if (!*at)
		o->last = at;
}

void opener_take(struct opener *o, struct opening *opening, struct opened *out)
{
	bool is_mine;

	pthread_mutex_lock(&o->lock);
	is_mine = opening->state == WAITING;
	while (!is_mine && opening->state != DONE)
		pthread_cond_wait(&o->changed, &o->lock);
	unlink_opening(o, opening);
	pthread_mutex_unlock(&o->lock);
	if (is_mine)
		opened_make(&opening->opened, &opening->want);
	*out = opening->opened;
	free(opening);
}

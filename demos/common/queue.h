/* SPDX-License-Identifier: MIT */
/*
 * queue.h - a bounded queue of pointers for any number of threads.
 *
 * A full queue makes producers wait, an empty one consumers. Closing wakes all of them: push then fails, pop
 * hands out what is still there and then fails. The queue never frees items.
 */
#ifndef DEMOS_COMMON_QUEUE_H
#define DEMOS_COMMON_QUEUE_H

#include <pthread.h>
#include <stddef.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_full, not_empty;
	void **slots; /* a ring: `len` items from `head` on */
	size_t cap, len, head;
	size_t max_len;
	int is_closed;
};

/* Returns 0 or -ENOMEM. */
int queue_init(struct queue *queue, size_t cap);
/* No thread may use it any more; items still in it are the caller's to free first (queue_pop until -EPIPE). */
void queue_release(struct queue *queue);

/* Waits for room. Returns 0, or -EPIPE when closed: the item stays the caller's. */
int queue_push(struct queue *queue, void *item);
/* Waits for an item. Returns 0, or -EPIPE when closed and empty. */
int queue_pop(struct queue *queue, void **item);
/* May be called twice, by any thread. */
void queue_close(struct queue *queue);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * queue.c - one mutex, two conditions.
 *
 * Whoever waits looks at the queue with the lock held before and after, so no wake-up is lost and none is believed.
 * One signal per item is enough, because each push makes room for exactly one pop. Signals are sent after the unlock:
 * before it, the woken thread might take the processor from the one that has the lock, only to wait for it.
 */
#include "common/queue.h"

#include <errno.h>

#include "common/books.h"

int queue_init(struct queue *queue, size_t cap)
{
	*queue = (struct queue){ .cap = cap };
	queue->slots = book_calloc(cap, sizeof(*queue->slots));
	if (!queue->slots)
		return -ENOMEM;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->not_full, NULL);
	pthread_cond_init(&queue->not_empty, NULL);
	return 0;
}

void queue_release(struct queue *queue)
{
	pthread_cond_destroy(&queue->not_empty);
	pthread_cond_destroy(&queue->not_full);
	pthread_mutex_destroy(&queue->lock);
	book_free(queue->slots, queue->cap * sizeof(*queue->slots));
}

int queue_push(struct queue *queue, void *item)
{
	int ret = -EPIPE;

	book_wait("mutex", NULL, pthread_mutex_lock(&queue->lock));
	while (queue->len == queue->cap && !queue->is_closed)
		book_wait("cond", NULL, pthread_cond_wait(&queue->not_full, &queue->lock));
	if (!queue->is_closed) {
		queue->slots[(queue->head + queue->len++) % queue->cap] = item;
		if (queue->len > queue->max_len)
			queue->max_len = queue->len;
		ret = 0;
	}
	pthread_mutex_unlock(&queue->lock);
	if (!ret)
		pthread_cond_signal(&queue->not_empty);
	return ret;
}

int queue_pop(struct queue *queue, void **item)
{
	int ret = -EPIPE;

	book_wait("mutex", NULL, pthread_mutex_lock(&queue->lock));
	while (!queue->len && !queue->is_closed)
		book_wait("cond", NULL, pthread_cond_wait(&queue->not_empty, &queue->lock));
	if (queue->len) {
		*item = queue->slots[queue->head];
		queue->head = (queue->head + 1) % queue->cap;
		queue->len--;
		ret = 0;
	}
	pthread_mutex_unlock(&queue->lock);
	if (!ret)
		pthread_cond_signal(&queue->not_full);
	return ret;
}

void queue_close(struct queue *queue)
{
	book_wait("mutex", NULL, pthread_mutex_lock(&queue->lock));
	queue->is_closed = 1;
	pthread_cond_broadcast(&queue->not_empty);
	pthread_cond_broadcast(&queue->not_full);
	pthread_mutex_unlock(&queue->lock);
}

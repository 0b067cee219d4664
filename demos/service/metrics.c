/* SPDX-License-Identifier: MIT */
/* metrics.c - a map from "kind/size class" to counts: many short writers, a reader now and then. */
#include "service/service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/books.h"

#define LINE_MAX_SIZE 80

void metrics_init(struct metrics *metrics)
{
	memset(metrics, 0, sizeof(*metrics));
	pthread_rwlock_init(&metrics->lock, NULL);
}

void metrics_release(struct metrics *metrics)
{
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		struct metric *next;

		for (struct metric *metric = metrics->buckets[i]; metric; metric = next) {
			next = metric->next;
			book_free(metric, sizeof(*metric));
		}
	}
	pthread_rwlock_destroy(&metrics->lock);
}

/* With the lock held for writing. A key seen for the first time costs a block. NULL: no memory. */
static struct metric *find_metric(struct metrics *metrics, const char *key)
{
	uint64_t bucket = hash_fast((const uint8_t *)key, strlen(key)) % METRICS_BUCKETS;
	struct metric *metric = metrics->buckets[bucket];

	while (metric && strcmp(metric->key, key))
		metric = metric->next;
	if (metric)
		return metric;
	metric = book_calloc(1, sizeof(*metric));
	if (!metric)
		return NULL;
	snprintf(metric->key, sizeof(metric->key), "%s", key);
	metric->next = metrics->buckets[bucket];
	metrics->buckets[bucket] = metric;
	metrics->count++;
	return metric;
}

int metrics_add(struct metrics *metrics, enum request_kind kind, uint64_t bytes)
{
	char key[32];
	struct metric *metric;

	snprintf(key, sizeof(key), "%s/%lluk", kind == REQUEST_STRONG ? "strong" : "fast",
		 1ull << (64 - __builtin_clzll(bytes >> 10 | 1)));
	book_wait("rwlock-write", NULL, pthread_rwlock_wrlock(&metrics->lock));
	metric = find_metric(metrics, key);
	if (metric) {
		metric->requests++;
		metric->bytes += bytes;
	}
	pthread_rwlock_unlock(&metrics->lock);
	return metric ? 0 : -ENOMEM;
}

static void format_buckets(const struct metrics *metrics, char *text, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		for (const struct metric *metric = metrics->buckets[i]; metric; metric = metric->next)
			len += (size_t)snprintf(text + len, cap - len, "%s %lu %lu\n", metric->key, metric->requests,
						metric->bytes);
	}
}

int metrics_format(struct metrics *metrics, char **text, size_t *size)
{
	int err = 0;

	*text = NULL;
	book_wait("rwlock-read", NULL, pthread_rwlock_rdlock(&metrics->lock));
	*size = metrics->count * LINE_MAX_SIZE;
	if (*size) {
		*text = book_malloc(*size);
		if (*text)
			format_buckets(metrics, *text, *size);
		err = *text ? 0 : -ENOMEM;
	}
	pthread_rwlock_unlock(&metrics->lock);
	return err;
}

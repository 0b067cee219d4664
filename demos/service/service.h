/* SPDX-License-Identifier: MIT */
/*
 * service.h - a local hashing service, small enough to be read and busy enough to be profiled while it runs.
 *
 * acceptor -> queue of connections -> workers; at most `slots` requests compute at a time. Each request leaves its
 * numbers in a metrics map and a line in a log. With --log sync the line is written, and every so often synced to
 * disk, under the log's lock: the planted problem. --log queued leaves both to a thread of its own.
 */
#ifndef DEMOS_SERVICE_SERVICE_H
#define DEMOS_SERVICE_SERVICE_H

#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include "common/queue.h"

struct options {
	uint64_t port;	       /* 0: any free one */
	const char *unix_path; /* NULL: TCP */
	uint64_t workers, slots;
	uint64_t clients, requests; /* requests: of all clients together */
	uint64_t min_size, max_size;
	uint64_t timeout_ms;  /* how long a request may wait for a slot */
	uint64_t abort_every; /* clients hang up in the middle of every Nth request; 0: never */
	uint64_t sync_every;  /* log lines between two syncs */
	uint64_t disk_us;     /* added to each sync: a slow disk */
	uint64_t seed;
	const char *log; /* "sync" or "queued" */
	int is_server;	 /* serve until stopped, no clients of our own */
	int has_nagle;	 /* leave TCP's coalescing of small writes on */
	int has_truth;
};

/* ---- on the wire, host byte order: both ends are on this machine ------------------------------------------ */

enum request_kind { REQUEST_FAST = 1, REQUEST_STRONG = 2, REQUEST_STATS = 3 };

struct request_head {
	uint32_t kind;
	uint32_t size; /* bytes of payload that follow */
	uint64_t id;
};

struct reply_head {
	uint64_t id;
	uint64_t hash;
	int32_t status; /* 0 or -errno; -ETIMEDOUT: no slot in time */
	uint32_t size;	/* bytes that follow (statistics) */
};

#define PAYLOAD_MAX (1u << 20)

/* Each moves all of it. Return 0, -ECONNRESET when the other side is gone, or another -errno. */
int recv_all(int fd, void *data, size_t size);
int send_all(int fd, const void *data, size_t size);

/*
 * Makes small writes leave at once. A head and its payload are two writes: coalesced, the second one waits for the
 * other side's delayed acknowledgement, 40 ms a request. A unix socket doesn't know the option; that's fine.
 */
void send_at_once(int fd);

/* ---- hashes ----------------------------------------------------------------------------------------------- */

/* FNV-1a: one multiplication a byte. */
uint64_t hash_fast(const uint8_t *data, size_t size);
/* Four rounds of mixing over each word: several times the cost. Not for secrets. */
uint64_t hash_strong(const uint8_t *data, size_t size);
/* Either, with its CPU time booked. */
uint64_t hash_payload(enum request_kind kind, const uint8_t *data, size_t size);

/* ---- metrics: key -> requests, bytes ---------------------------------------------------------------------- */

#define METRICS_BUCKETS 64

struct metric {
	struct metric *next;
	uint64_t requests, bytes;
	char key[32];
};

struct metrics {
	pthread_rwlock_t lock;
	struct metric *buckets[METRICS_BUCKETS];
	size_t count;
};

void metrics_init(struct metrics *metrics);
void metrics_release(struct metrics *metrics);
/* Returns 0 or -ENOMEM. */
int metrics_add(struct metrics *metrics, enum request_kind kind, uint64_t bytes);
/* One line a key, for the caller to book_free(*text, *size); *text is NULL when there are none. 0 or -ENOMEM. */
int metrics_format(struct metrics *metrics, char **text, size_t *size);

/* ---- log -------------------------------------------------------------------------------------------------- */

#define LOG_LINE 64

struct log_file {
	pthread_mutex_t lock;
	int fd;
	char path[64];
	uint64_t lines, syncs;
	uint64_t unsynced;
	uint64_t sync_every, disk_us;
	int is_queued;
	struct queue queue; /* is_queued: lines on their way to the writer */
	pthread_t writer;
};

/* Returns 0 or -errno. */
int log_init(struct log_file *log, const struct options *opt);
/* Returns 0 or -errno. The text is cut at LOG_LINE. */
int log_append(struct log_file *log, const char *text);
/* Writes and syncs what is left. Removes the file. */
void log_release(struct log_file *log);

/* ---- server ----------------------------------------------------------------------------------------------- */

struct tally {
	uint64_t done, stats, timed_out, aborted, refused;
	uint64_t bytes;
	uint64_t compute_ns; /* CPU time of hashing */
};

struct connection {
	struct connection *next, *prev;
	int fd;
};

struct server {
	const struct options *opt;
	struct metrics metrics;
	struct log_file log;
	sem_t slots;
	struct queue waiting;	/* accepted, no worker yet */
	pthread_mutex_t lock;	/* of `open` and `tally` */
	struct connection open; /* head of the list of all connections */
	struct tally tally;
	int listen_fd;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
	} address;
	socklen_t address_len;
	pthread_t acceptor, workers[64];
	uint64_t worker_count;
};

/* Listens, then starts the threads. Returns 0 or -errno. */
int server_start(struct server *server, const struct options *opt);
/* Waits until stop_request() took effect: connections closed, threads gone, all memory returned. */
void server_join(struct server *server);

/* ---- clients ---------------------------------------------------------------------------------------------- */

struct client {
	const struct server *server;
	const struct options *opt;
	pthread_t thread;
	uint64_t number, requests;
	uint64_t answered, timed_out, aborted, wrong;
	uint64_t latency_ns, max_latency_ns;
	int err; /* 0 or -errno of what ended it early */
};

void *client_run(void *arg);

#endif

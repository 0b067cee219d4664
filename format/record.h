/* SPDX-License-Identifier: MIT */
/*
 * record.h - what is on disk: the file header, extents and records of a .rsd dump.
 *
 * One file per process, mapped MAP_SHARED by the recorder and readable at any moment. It is cut into units of
 * RSD_UNIT bytes. Unit 0 is the file header with its texts; an extent is one or more units in a row, taken by
 * one atomic add on next_unit. What an extent holds counts as far as its `used` says: a process may die at any
 * instruction and everything committed is readable. A unit without RSD_EXTENT_MAGIC was taken but never
 * begun: a reader steps over it.
 *
 * All integers are little endian. Everything the reader takes from here is hostile until checked.
 * docs/format.md explains the layout; its tables are printed from the .def rows.
 */
#ifndef RINGSIDE_FORMAT_RECORD_H
#define RINGSIDE_FORMAT_RECORD_H

#include <stdint.h>

#define RSD_MAGIC "RINGSIDE"
#define RSD_VERSION 3u
#define RSD_VERSION_OLDEST 2u /* that a reader of this version understands */
#define RSD_UNIT 65536u	      /* bytes */
#define RSD_TEXT_OFFSET 4096u /* where header texts start in unit 0 */
#define RSD_COUNTERS 64u
#define RSD_WAITS 32u /* ids of waits.def are below this */
#define RSD_DEPTH_MAX 1024u

#define RSD_PACKED __attribute__((packed, aligned(4)))

/* One moment on both clocks. tick: see rsd_header.tick_kind; mono_ns: CLOCK_MONOTONIC. */
struct rsd_clock {
	uint64_t tick;
	uint64_t mono_ns;
};

enum rsd_tick_kind { RSD_TICK_MONO_NS = 0, RSD_TICK_TSC = 1 };
enum rsd_end_kind { RSD_END_NONE = 0, RSD_END_EXIT = 1, RSD_END_SIGNAL = 2, RSD_END_EXEC = 3 };
enum rsd_heap_mode { RSD_HEAP_OFF = 0, RSD_HEAP_EXACT = 1, RSD_HEAP_SAMPLE = 2 };
enum rsd_cpu_source { RSD_CPU_OFF = 0, RSD_CPU_TIMER = 1, RSD_CPU_PERF = 2 };

/* A text of the header: `len` bytes at file offset `off`, inside unit 0, not NUL terminated. */
struct rsd_text {
	uint32_t off, len;
};

/* Offset 0 of the file. Fields marked (live) change while the process runs. */
struct rsd_header {
	char magic[8];
	uint32_t version;     /* RSD_VERSION */
	uint32_t header_size; /* sizeof(struct rsd_header) of the writer */
	uint32_t unit_size;   /* RSD_UNIT */
	uint32_t machine;     /* ELF e_machine */
	uint32_t pid, ppid;
	uint64_t pid_start;	    /* field 22 of /proc/PID/stat: tells a reused pid apart */
	uint64_t start_realtime_ns; /* CLOCK_REALTIME at `start` */
	struct rsd_clock start;	    /* when recording began */
	struct rsd_clock end;	    /* (live) zero until the process said goodbye or its launcher did */
	uint32_t tick_kind;	    /* enum rsd_tick_kind */
	uint32_t end_kind;	    /* (live) enum rsd_end_kind */
	int32_t end_code;	    /* exit status or signal number */
	uint32_t cpu_source;	    /* enum rsd_cpu_source */
	uint64_t cpu_ns;	    /* (live at end) CPU time of the whole process, user and system */
	uint64_t user_ns, system_ns;
	uint64_t max_rss_bytes;
	uint32_t heap_mode; /* enum rsd_heap_mode, as asked for */
	uint32_t cpu_hz;    /* 0: off */
	uint64_t sample_bytes;
	uint64_t block_ns; /* UINT64_MAX: off */
	uint64_t ring_bytes, limit_bytes;
	uint32_t depth;
	uint32_t flags;
	struct rsd_text exe, argv, toggles, host, out; /* argv: joined by NUL */
	uint64_t cap_units;			       /* units the mapping has room for */
	uint64_t parent_random;			       /* `random` of the dump of the process that forked us, or 0 */
	uint64_t random;			       /* tells two dumps apart */
	uint32_t parent_pid_dump;		       /* pid of that process */
	uint32_t reserved0;
	uint64_t start_cpu_ns;	  /* CPU time of the process that is not this dump's: used before an exec */
	uint64_t startup_ns;	  /* from exec to `start`, taken as the CPU time used meanwhile; 0 in a descendant */
	uint64_t children_cpu_ns; /* (at exit) CPU time of descendants that were waited for */

	/* Allocation of everything below is one atomic add each. (live) */
	uint64_t next_unit __attribute__((aligned(64)));
	uint64_t next_thread; /* threads ever seen */
	uint64_t next_node;   /* stack nodes, first is 1 */
	uint64_t next_string; /* strings, first is 1 */
	uint64_t next_module; /* modules, first is 1 */
	uint64_t event_units; /* units in event extents, for the ring */

	uint64_t counter[RSD_COUNTERS] __attribute__((aligned(64))); /* (live) counters.def */

	/* Of version 3. */
	uint32_t free_every; /* one free in so many has its stack, chosen at random; 0: none, 1: all */
	uint32_t time_every; /* one call of the allocator in so many is timed, chosen at random; 0: none */
};

enum rsd_extent_kind {
	RSD_EXTENT_EVENTS = 1,	/* records of one thread after another */
	RSD_EXTENT_SAMPLES = 2, /* the same records, written by the CPU signal handler only */
	RSD_EXTENT_NODES = 3,	/* struct rsd_node[] from id `first` on */
	RSD_EXTENT_META = 4,	/* struct rsd_meta records, many writers */
	RSD_EXTENT_THREADS = 5, /* struct rsd_thread[] from index `first` on */
	RSD_EXTENT_FDS = 6,	/* struct rsd_fd[] from descriptor `first` on */
	RSD_EXTENT_LIVE = 7,	/* struct rsd_live[] from entry number `first` on */
	RSD_EXTENT_SYMBOLS = 8, /* symbol slices that the launcher appends, see docs/format.md */
	RSD_EXTENT_REACH = 9,	/* struct rsd_reach records of snapshot number `first` */
};

#define RSD_EXTENT_MAGIC 0x32545845u /* "EXT2" */

/*
 * Where a stream of records stands: what the short forms of codec.h are differences to. At the start of an extent tick
 * is the extent's, the rest is 0.
 */
#define RSD_GROUPS 16u
struct rsd_stream {
	uint64_t tick, addr;
	uint64_t place[RSD_GROUPS]; /* the last one of each group, see codec_group */
};

/* First bytes of every extent; data follow at sizeof(struct rsd_extent). `magic` is stored last. */
struct rsd_extent {
	uint32_t magic;
	uint16_t kind;	 /* enum rsd_extent_kind */
	uint16_t units;	 /* length of the extent in units, 1 or more */
	uint32_t thread; /* index of the thread that opened it */
	uint32_t first;	 /* first id, index or descriptor in it, by kind */
	uint64_t seq;	 /* a recycled extent gets a new one before it is written again */
	struct rsd_clock base;
	uint64_t reserved[3];
	/* What changes with every record stands in one cache line. */
	uint64_t used;		  /* committed data bytes (EVENTS, SAMPLES); for META the reserved bytes */
	struct rsd_stream stream; /* the writer's own; readers begin at base.tick and recompute it */
	uint64_t reserved1[5];
};

/*
 * One frame of a stack: a node of a tree whose parent is the frame that called it. Id 0 is the empty stack.
 * A stack's cut reason is stored in its outermost node, the one with parent 0.
 * A node counts when `committed` is 1 (stored last). Equal nodes may appear twice (a race made both).
 */
struct rsd_node {
	uint64_t ip_module; /* low 48 bits: address as unwound (see exact); high 16 bits: module id or 0 */
	uint32_t parent;
	uint8_t cut; /* cuts.def, in nodes with parent 0 */
	uint8_t flags;
	uint8_t reserved;
	uint8_t committed;
};
#define RSD_NODE_EXACT 1u   /* ip is the interrupted instruction, not a return address: look up ip, not ip-1 */
#define RSD_NODE_GUESSED 2u /* found by a leaf guess or a frame pointer, not by unwind rules */
#define RSD_NODE_IP(n) ((n)->ip_module & 0xffffffffffffu)
#define RSD_NODE_MODULE(n) ((uint32_t)((n)->ip_module >> 48))

/* One thread, live: the thread itself writes (plain stores), readers may look at any time. */
struct rsd_thread_wait {
	uint64_t calls;	      /* all calls of this kind, long and short */
	uint64_t short_ticks; /* time in calls shorter than the threshold */
};
struct rsd_thread {
	uint32_t tid;
	uint32_t state;	       /* 0 unused, 1 running, 2 gone */
	uint32_t creator;      /* thread index + 1, or 0 */
	uint32_t create_stack; /* stack of the pthread_create call, or 0 */
	uint64_t start_routine;
	uint64_t start_tick, end_tick; /* end_tick 0: still running when last seen */
	uint64_t cpu_ns;	       /* thread CPU clock at `cpu_tick` */
	uint64_t cpu_tick;
	char name[16];
	/* Only under heaptrace and inittrace, which want them at once; else readers count the records. */
	uint64_t allocs, alloc_bytes, frees; /* requested bytes */
	uint64_t usable_live;		     /* two's complement: usable bytes allocated minus freed here */
	uint64_t events, lost;
	uint64_t self_ticks; /* time inside the recorder, from timing one event in RSD_SELF_EVERY */
	uint64_t samples;
	uint32_t waiting;      /* id of waits.def while inside a blocking call, else 0 */
	uint32_t waiting_peer; /* of a lock: tid of its owner when the wait began, or 0 */
	uint64_t waiting_since, waiting_object;
	uint64_t handle;       /* pthread_self(): what a join of it waits for */
	uint64_t waiting_site; /* of a lock: return address of the call */
	uint64_t reserved[2];
	struct rsd_thread_wait wait[RSD_WAITS];
};
#define RSD_THREADS_PER_UNIT ((RSD_UNIT - sizeof(struct rsd_extent)) / sizeof(struct rsd_thread))
#define RSD_SELF_EVERY 64u

/* One open descriptor, live. Totals move into an FD_CLOSE record when it is closed. */
struct rsd_fd_sums {
	uint64_t calls;
	uint64_t bytes_read, bytes_written;
	uint64_t io_ticks; /* time in calls on it, short ones included */
};
struct rsd_fd {
	uint32_t name;	     /* string id, 0: not looked up */
	uint32_t open_stack; /* where it was opened, or else used first; 0: not known */
	uint64_t open_tick;
	uint32_t owner; /* index + 1 of the first thread that used it */
	uint32_t reserved0;
	uint64_t channel; /* the same number at both ends of a pipe or local connection but for the lowest bit, or 0 */
	struct rsd_fd_sums own;	   /* calls of the owner, plain stores */
	struct rsd_fd_sums others; /* calls of all other threads, atomic adds */
	uint64_t again, syncs;	   /* calls that failed with EAGAIN; fsync and its like */
	uint64_t reserved2[2];
};
#define RSD_FDS_PER_UNIT 256u /* half a unit, so that finding one is a shift */

/* A sampled block that is alive, live. The address is stored last; 0: a free entry. */
struct rsd_live {
	uint64_t addr, size;
	uint64_t tick; /* of its SAMPLED_ALLOC record, which a ring may have overwritten */
	uint32_t stack;
	uint32_t thread; /* index */
};
#define RSD_LIVE_PER_UNIT 2040u

/* ---- records in EVENTS and SAMPLES ------------------------------------------------------------------------
 *
 * The low 4 bits of the first byte are the tag. Tag RSD_TAG_LONG starts a struct of this file whose length
 * stands in its head, so unknown kinds can be skipped. The other tags are compact forms of the two hot
 * shapes, drawn in codec.h. Records are multiples of 4 bytes and never cross the end of an extent.
 */
enum rsd_tag {
	RSD_TAG_NONE = 0, /* never written: unused space */
	RSD_TAG_LONG = 1,
	RSD_TAG_FREE = 2,
	RSD_TAG_MALLOC = 3,
	RSD_TAG_CALLOC = 4,
	RSD_TAG_REALLOC_ALLOC = 5,
	RSD_TAG_REALLOC_FREE = 6,
	RSD_TAG_TIGHT = 5,    /* added to one of the five above: its tight form, 7 to 11 */
	RSD_TAG_FREE_AT = 12, /* FREE with its stack */
	RSD_TAG_TIGHT_FREE_AT = 13,
};

/* head: tag 4 bits | kind 8 bits | length in 4-byte words 8 bits | flags 12 bits */
#define RSD_HEAD(kind, bytes, flags)                                                                                   \
	((uint32_t)RSD_TAG_LONG | (uint32_t)(kind) << 4 | (uint32_t)((bytes) / 4) << 12 | (uint32_t)(flags) << 20)
#define RSD_HEAD_KIND(head) ((head) >> 4 & 0xff)
#define RSD_HEAD_BYTES(head) (((head) >> 12 & 0xff) * 4)
#define RSD_HEAD_FLAGS(head) ((head) >> 20)

struct rec_head {
	uint32_t head;
	uint64_t tick;
} RSD_PACKED;

struct rec_alloc { /* ALLOC, REALLOC_ALLOC, SAMPLED_ALLOC, PAGES_MAP: stamped after the real call */
	struct rec_head h;
	uint64_t addr, size;
	uint32_t stack;
	uint16_t api; /* apis.def */
	uint16_t align_log2;
} RSD_PACKED;

struct rec_free { /* FREE, REALLOC_FREE: stamped before the real call */
	struct rec_head h;
	uint64_t addr;
	uint32_t stack; /* of a FREE, if it was chosen (rsd_header.free_every), else 0 */
	uint32_t api;
} RSD_PACKED;

struct rec_timed { /* h.tick is the end of a call of the allocator */
	struct rec_head h;
	uint64_t dur_ticks;   /* of the call alone; what reading the clock takes is not in it */
	uint64_t cpu_ns;      /* of a long call that was watched: CPU time of the thread since a moment before */
	uint64_t since_ticks; /* ticks since that moment, else 0. What the call waited is told from both as in rec_span
			       */
	uint64_t size;	      /* requested bytes, 0 for a free */
	uint32_t stack;
	uint16_t api; /* apis.def */
	uint16_t flags;
} RSD_PACKED;
#define RSD_TIMED_WATCHED 1u	/* whether it waited is known */
#define RSD_TIMED_LONG_NS 2000u /* about: a call that took no longer did not wait */

struct rec_memory { /* of the whole process, at this moment */
	struct rec_head h;
	uint64_t rss_bytes;
	uint64_t file_bytes; /* of these, in files and shared memory: code, and what the recorder has just written */
	uint64_t brk;	     /* the end of the data segment, where the allocator's main heap grows */
	uint32_t flags;
} RSD_PACKED;
#define RSD_MEMORY_MOST 1u /* rss_bytes is the most there was so far, file_bytes is not known */

struct rec_pages { /* PAGES_UNMAP */
	struct rec_head h;
	uint64_t addr, size;
	uint32_t stack, api;
} RSD_PACKED;

struct rec_span { /* h.tick is the end of the wait */
	struct rec_head h;
	uint64_t dur_ticks;
	uint64_t object;      /* lock or object address, or descriptor for io */
	uint64_t amount;      /* bytes moved, timeout in ns, pid waited for: by kind */
	uint64_t cpu_ns;      /* CPU time of the thread since its previous checkpoint */
	uint64_t since_ticks; /* ticks since that checkpoint; off-CPU time = since - cpu, at most dur is this wait's */
	uint32_t stack;
	uint32_t peer; /* tid of the lock's owner when the wait began, or 0 */
	uint16_t wait; /* waits.def */
	uint16_t err;  /* errno of the call, 0 for success */
} RSD_PACKED;

struct rec_hold { /* h.tick is the release */
	struct rec_head h;
	uint64_t object;
	uint64_t held_ticks; /* 0: the time of acquisition is not known */
	uint32_t stack;	     /* of the release */
	uint32_t waiters;    /* threads waiting at that moment */
	uint32_t wait;	     /* waits.def: the kind of lock */
} RSD_PACKED;

#define RSD_ORDER_OTHERS 4u
struct rec_order { /* once for each set of held locks and taken one */
	struct rec_head h;
	uint64_t held, taken;		   /* the lock taken last before, and this one */
	uint64_t held_site, taken_site;	   /* return addresses in the program */
	uint64_t others[RSD_ORDER_OTHERS]; /* held too, newest first; 0: none */
	uint32_t stack;			   /* of taking */
	uint16_t held_wait, taken_wait;	   /* waits.def */
} RSD_PACKED;

struct rec_wake {
	struct rec_head h;
	uint64_t object;
	uint32_t stack;
	uint32_t target; /* tid if known */
	uint16_t wait;	 /* the kind of wait this may end */
	uint16_t count;
} RSD_PACKED;

struct rec_sample {
	struct rec_head h;
	uint64_t cpu_ns; /* thread CPU clock */
	uint32_t stack;
	uint32_t weight; /* how many samples this one stands for: 1 */
	uint32_t thread; /* thread index */
} RSD_PACKED;

struct rec_thread {
	struct rec_head h;
	uint32_t thread; /* thread index */
} RSD_PACKED;

struct rec_fd {
	struct rec_head h;
	uint64_t open_tick, calls, bytes_read, bytes_written, io_ticks;
	uint32_t fd, name, open_stack;
	uint64_t again, syncs; /* not there in older dumps: 0 */
} RSD_PACKED;

struct rec_note { /* annotations of include/ringside.h */
	struct rec_head h;
	uint64_t id, parent; /* task; a region's parent is the task it belongs to */
	uint64_t value;	     /* COUNTER: IEEE double; else 0 */
	uint32_t name, text; /* string ids: type or category, message */
	uint32_t stack;
} RSD_PACKED;

struct rec_pool {
	struct rec_head h;
	uint64_t pool, addr, size;
	uint32_t name, stack;
} RSD_PACKED;

struct rec_proc {
	struct rec_head h;
	uint64_t value;
	uint32_t stack;
} RSD_PACKED;

/* ---- records in META --------------------------------------------------------------------------------------
 * 8-byte aligned. A writer reserves, stores the head without RSD_META_COMMITTED, the payload, then the head
 * with it. A zero head word was reserved and never begun: a reader steps 8 bytes. Without the flag: skip `len`.
 */
struct rsd_meta {
	uint16_t kind; /* metas.def */
	uint16_t flags;
	uint32_t len; /* of the whole record, a multiple of 8 */
};
#define RSD_META_COMMITTED 1u
#define RSD_STRING_MAX 4096u /* longer names are cut */
#define RSD_BUILD_ID_MAX 32u

struct meta_string {
	struct rsd_meta h;
	uint32_t id;
	uint32_t text_len; /* bytes follow, not NUL terminated */
};

struct meta_module {
	struct rsd_meta h;
	uint32_t id;
	uint32_t build_id_len;
	uint64_t bias;	     /* run-time address minus ELF address */
	uint64_t start, end; /* run-time address range */
	uint64_t tick;
	uint8_t build_id[RSD_BUILD_ID_MAX];
	uint32_t path_len; /* bytes follow */
	uint32_t reserved;
};

struct meta_gone {
	struct rsd_meta h;
	uint32_t id;
	uint32_t reserved;
	uint64_t tick;
};

/* ---- records in REACH -------------------------------------------------------------------------------------
 * What a copy of the process saw of its memory at one moment: which words of what may point into the heap, and which
 * pages there are. Records of one snapshot stand in its extents one after the other, by file offset. `len` bytes
 * follow the head, filled up to 8. A snapshot without REACH_END was cut short.
 */
struct rsd_reach {
	uint16_t kind; /* enum rsd_reach_kind */
	uint16_t flags;
	uint32_t len;
	uint64_t from, to; /* addresses it is about */
};
enum rsd_reach_kind {
	REACH_BEGIN = 1,  /* struct reach_begin */
	REACH_MODULE = 2, /* struct meta_module and the path: a loaded ELF object */
	REACH_DATA = 3,	  /* pointers found in the writable data of modules, see codec_put_pointer */
	REACH_STACK = 4,  /* in stacks and registers of threads, their static TLS and descriptors */
	REACH_AREA = 5,	  /* nothing follows: an area of other private writable memory, told before what is in it */
	REACH_PAGES = 6,  /* of an area: 2 bits a page from `from` on, lowest first, see below */
	REACH_MEMORY = 7, /* pointers found in an area; at multiples of 16 bytes also those into modules */
	REACH_END = 8,	  /* struct reach_end */
};
#define REACH_GUARDED 1u /* flag of REACH_AREA: what lies right below can't be accessed, as below a thread's stack */
#define REACH_PAGE_RESIDENT 1u
#define REACH_PAGE_SWAPPED 2u

enum rsd_reach_trigger { REACH_AT_EXIT = 1, REACH_AT_SIGNAL = 2, REACH_AT_MARK = 3 };
enum rsd_reach_residency { REACH_FROM_PAGEMAP = 1, REACH_FROM_MINCORE = 2, REACH_UNKNOWN = 3 };

struct reach_begin {
	uint64_t tick_before, tick_after; /* the copy was made in between */
	uint32_t trigger;		  /* enum rsd_reach_trigger */
	uint32_t detail;		  /* signal number, or string id of the mark */
	uint32_t threads;		  /* whose stacks are known */
	uint32_t threads_running;	  /* of them: on a processor just then, their whole stack was taken */
	uint32_t residency;		  /* enum rsd_reach_residency */
	uint32_t reserved;
};

struct reach_end {
	uint64_t pointers; /* written */
	uint64_t cut;	   /* not written for lack of room */
	uint64_t scanned;  /* bytes */
	uint64_t ns;	   /* how long it took */
	uint64_t reserved;
};

enum rsd_wait {
#define WAIT(KIND, id, word, domain) WAIT_##KIND = (id),
#include "format/waits.def"
};
enum rsd_api {
#define API(KIND, id, name) API_##KIND = (id),
#include "format/apis.def"
};
enum rsd_cut {
#define CUT(REASON, id, words) CUT_##REASON = (id),
#include "format/cuts.def"
};
enum rsd_event_kind {
#define EVENT(KIND, id, shape, domain, name) EV_##KIND = (id),
#include "format/events.def"
	EV_LIMIT
};
enum rsd_meta_kind {
#define META(KIND, id, name) META_##KIND = (id),
#include "format/metas.def"
};
enum rsd_counter {
#define COUNTER(NAME, slot, words, loss) COUNT_##NAME = (slot),
#include "format/counters.def"
};

_Static_assert(sizeof(struct rsd_header) <= RSD_TEXT_OFFSET, "header fits before its texts");
_Static_assert(sizeof(struct rsd_extent) == 256, "extent header");
_Static_assert(sizeof(struct rsd_node) == 16, "stack node");
_Static_assert(sizeof(struct rsd_thread) == 704, "thread slot");
_Static_assert(sizeof(struct rsd_fd) == 128, "fd slot");
_Static_assert(sizeof(struct rsd_live) * RSD_LIVE_PER_UNIT + sizeof(struct rsd_extent) <= RSD_UNIT, "live entries");
_Static_assert(sizeof(struct rec_head) == 12, "record head");
_Static_assert(sizeof(struct rec_alloc) == 36, "alloc");
_Static_assert(sizeof(struct rec_free) == 28, "free");
_Static_assert(sizeof(struct rec_span) == 64, "span");
_Static_assert(sizeof(struct meta_module) == 88, "module");
_Static_assert(sizeof(struct rsd_reach) == 24, "reach record");
_Static_assert(sizeof(struct reach_begin) == 40, "reach begin");
_Static_assert(sizeof(struct reach_end) == 40, "reach end");

#endif

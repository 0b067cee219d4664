/* SPDX-License-Identifier: MIT */
/*
 * bookkeeper.c - preloaded before the recorder: what passes through here is what the program really called and what
 * really came back to it. The file of the books is named by BOOKS; without it everything is only passed on.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/kill/books.h"

static struct books *books;
static uint32_t *is_known; /* a page that the kernel wipes in a child of fork */
static __thread struct account *account __attribute__((tls_model("initial-exec")));

/* The next definition of a function, which is the recorder's. */
#define NEXT(name)                                                                                                     \
	({                                                                                                             \
		static __typeof__(name) *next_;                                                                        \
                                                                                                                       \
		if (!next_)                                                                                            \
			next_ = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                                           \
		next_;                                                                                                 \
	})

static void open_account(void)
{
	uint64_t number = __atomic_fetch_add(&books->next, 1, __ATOMIC_SEQ_CST);
	void *volatile signature;

	if (number >= BOOKS_ACCOUNTS)
		return;
	account = &books->account[number];
	account->tid = (uint32_t)syscall(SYS_gettid);
	signature = NEXT(malloc)(BOOKS_SIGNATURE + number); /* stays: nothing else may come by its address */
	if (signature)
		__atomic_store_n(&account->is_signed, 1, __ATOMIC_SEQ_CST);
}

static struct account *mine(void)
{
	if (!books)
		return NULL;
	if (!*is_known) {
		*is_known = 1;
		account = NULL;
	}
	if (!account)
		open_account();
	return account;
}

static void begin(struct account *a, enum books_entry entry, uint64_t n)
{
	if (a)
		__atomic_fetch_add(&a->sum[entry].begun, n, __ATOMIC_SEQ_CST);
}

static void returned(struct account *a, enum books_entry entry, uint64_t n)
{
	if (a)
		__atomic_fetch_add(&a->sum[entry].returned, n, __ATOMIC_SEQ_CST);
}

static void keep(struct account *a, uint64_t word)
{
	if (!a)
		return;
	a->tail[a->tail_len % BOOKS_TAIL] = word;
	__atomic_store_n(&a->tail_len, a->tail_len + 1, __ATOMIC_SEQ_CST);
}

static void begin_alloc(struct account *a, size_t size)
{
	begin(a, ENTRY_ALLOC, 1);
	begin(a, ENTRY_BYTES, size);
}

static void end_alloc(struct account *a, void *block, size_t size)
{
	if (!block) {
		begin(a, ENTRY_ALLOC, (uint64_t)-1);
		begin(a, ENTRY_BYTES, (uint64_t)-size);
		return;
	}
	keep(a, (uintptr_t)block);
	returned(a, ENTRY_ALLOC, 1);
	returned(a, ENTRY_BYTES, size);
}

static void end_free(struct account *a, uintptr_t block)
{
	keep(a, block + 1);
	returned(a, ENTRY_FREE, 1);
}

void *malloc(size_t size)
{
	struct account *a = mine();
	void *block;

	begin_alloc(a, size);
	block = NEXT(malloc)(size);
	end_alloc(a, block, size);
	return block;
}

void *calloc(size_t n, size_t size)
{
	struct account *a = mine();
	void *block;

	begin_alloc(a, n * size);
	block = NEXT(calloc)(n, size);
	end_alloc(a, block, n * size);
	return block;
}

void free(void *block)
{
	struct account *a = block ? mine() : NULL;
	uintptr_t address = (uintptr_t)block;

	begin(a, ENTRY_FREE, 1);
	NEXT(free)(block);
	if (a)
		end_free(a, address);
}

static void *resize(void *old, size_t size)
{
	struct account *a = mine();
	uintptr_t address = (uintptr_t)old;
	void *block;

	begin(a, ENTRY_FREE, 1);
	begin_alloc(a, size);
	block = NEXT(realloc)(old, size);
	if (block || !size)
		end_free(a, address);
	else
		begin(a, ENTRY_FREE, (uint64_t)-1);
	end_alloc(a, block, size);
	return block;
}

void *realloc(void *old, size_t size)
{
	struct account *a;
	void *block;

	if (old)
		return resize(old, size);
	a = mine();
	begin_alloc(a, size);
	block = NEXT(realloc)(old, size);
	end_alloc(a, block, size);
	return block;
}

/* The value of a call that waits. It may be left for ever by cancellation or longjmp: then it never returned. */
#define ENTER(entry, call)                                                                                             \
	({                                                                                                             \
		struct account *a_ = mine();                                                                           \
		__typeof__(call) ret_;                                                                                 \
                                                                                                                       \
		begin(a_, entry, 1);                                                                                   \
		ret_ = (call);                                                                                         \
		returned(a_, entry, 1);                                                                                \
		ret_;                                                                                                  \
	})

ssize_t read(int fd, void *buf, size_t n)
{
	return ENTER(ENTRY_READ, NEXT(read)(fd, buf, n));
}

ssize_t write(int fd, const void *buf, size_t n)
{
	return ENTER(ENTRY_WRITE, NEXT(write)(fd, buf, n));
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	return ENTER(ENTRY_SLEEP, NEXT(nanosleep)(wanted, left));
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	return ENTER(ENTRY_LOCK, NEXT(pthread_mutex_lock)(mutex));
}

__attribute__((constructor)) static void open_books(void)
{
	const char *path = getenv("BOOKS");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	void *page, *map;

	if (fd < 0)
		return;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || madvise(page, 4096, MADV_WIPEONFORK) || ftruncate(fd, sizeof(struct books)))
		_exit(99);
	is_known = page;
	*is_known = 1;
	map = mmap(NULL, sizeof(struct books), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		_exit(99);
	books = map;
}

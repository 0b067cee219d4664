/* SPDX-License-Identifier: MIT */
/*
 * raw.h - system calls without libc.
 *
 * The recorder's own calls must not bind to a wrapper (ours or the program's), must not be cancellation
 * points and must not touch errno. Each returns the kernel's value: -errno on failure.
 * Safety:  async-signal-safe, any thread, before libc is ready.
 */
#ifndef RINGSIDE_PRELOAD_RAW_H
#define RINGSIDE_PRELOAD_RAW_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long raw6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
static inline long raw6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#error "Ringside records on x86-64 and aarch64"
#endif

#define raw1(n, a) raw6((n), (long)(a), 0, 0, 0, 0, 0)
#define raw2(n, a, b) raw6((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define raw3(n, a, b, c) raw6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define raw4(n, a, b, c, d) raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define raw5(n, a, b, c, d, e) raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* raw_mapped - bytes that raw_map gave and raw_unmap did not take back: the recorder's own memory, for the reports. */
extern uint64_t raw_mapped __attribute__((visibility("hidden")));

/*
 * raw_place - an address to ask for when something of ours is mapped: far from where the program's own mappings go. A
 * hole that the program has just made stays a hole (a test of mincore looks at one), and its mappings have the
 * addresses that they have without us. The kernel takes another one if something is there. Of what is as large as a
 * huge page all but the first `head` bytes begins with one, as the kernel would place it.
 */
long raw_place(size_t size, size_t head);

/*
 * raw_map_again - the file mapping that begins with page `from` once more, in `size` bytes placed like that. -errno on
 * failure.
 */
long raw_map_again(void *from, size_t size, size_t head);

/* raw_map - private anonymous memory of `size` bytes, zeroed, or NULL. Never the program's heap. */
void *raw_map(size_t size);
void raw_unmap(void *p, size_t size);

/*
 * raw_can_read - can the 8 bytes at `p` be read? rt_sigprocmask copies the new mask before it looks at `how`, so an
 * impossible `how` makes a read of 8 bytes without effect: about 150 ns, a tenth of process_vm_readv.
 */
static inline bool raw_can_read(const void *p)
{
	return raw4(SYS_rt_sigprocmask, -1, p, NULL, 8) == -EINVAL;
}

/*
 * raw_each - every stretch of memory that raw_map gave, in no order: what is the recorder's and not the program's, in a
 * process where the kernel shows both as one mapping. Returns how many were visited.
 */
size_t raw_each(void (*visit)(void *self, uintptr_t from, uintptr_t to), void *self);

#endif

/* SPDX-License-Identifier: MIT */
/* masks.h - signal sets that the program hands to libc, as far as our sampling signal is concerned. */
#ifndef RINGSIDE_PRELOAD_MASKS_H
#define RINGSIDE_PRELOAD_MASKS_H

#include <signal.h>
#include <stddef.h>

#include "preload/raw.h"
#include "preload/sampler.h"
#include "preload/thread.h"

#define MASK_BYTES 8 /* of a sigset_t, those that the kernel knows */

/*
 * Is there a mask to be changed? A program may pass an address where nothing is, and gets the kernel's EFAULT. A thread
 * that has given up system calls must not be seen asking for that, and has no samples.
 */
static inline bool mask_is_to_change(const sigset_t *set)
{
	return set && sampler_signal && (thread_self || !thread_is_mute()) && raw_can_read(set);
}

static inline uint64_t mask_bit(void)
{
	return UINT64_C(1) << (sampler_signal - 1);
}

static inline uint64_t mask_word(const sigset_t *set)
{
	uint64_t word;

	__builtin_memcpy(&word, set, MASK_BYTES);
	return word;
}

static inline const sigset_t *mask_of(uint64_t word, sigset_t *copy)
{
	__builtin_memset(copy, 0, sizeof(*copy));
	__builtin_memcpy(copy, &word, MASK_BYTES);
	return copy;
}

/* mask_without_ours - a program that waits for every signal must not receive ours. `copy` outlives the result. */
static inline const sigset_t *mask_without_ours(const sigset_t *set, sigset_t *copy)
{
	if (!mask_is_to_change(set))
		return set;
	return mask_of(mask_word(set) & ~mask_bit(), copy);
}

/*
 * mask_with_ours - a mask for the time of a wait. A program that blocks all signals but while it waits would let an
 * expired timer's signal in there, and the wait would end with EINTR.
 */
static inline const sigset_t *mask_with_ours(const sigset_t *mask, sigset_t *copy)
{
	if (!mask_is_to_change(mask))
		return mask;
	return mask_of(mask_word(mask) | mask_bit(), copy);
}

/* mask_in_place_with_ours - the calling thread's own mask in that form; NULL when there is nothing to keep out. */
static inline const sigset_t *mask_in_place_with_ours(sigset_t *copy)
{
	uint64_t word;

	if (!sampler_signal || raw4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &word, MASK_BYTES) != 0)
		return NULL;
	return mask_of(word | mask_bit(), copy);
}

#endif

/* SPDX-License-Identifier: MIT */
/* masks.h - signal sets that the program hands to libc, as far as our sampling signal is concerned. */
#ifndef RINGSIDE_PRELOAD_MASKS_H
#define RINGSIDE_PRELOAD_MASKS_H

#include <signal.h>
#include <stddef.h>

#include "preload/raw.h"
#include "preload/sampler.h"
#include "preload/thread.h"

/*
 * mask_is_looked_at - may our signal come in the calling thread? Only then the program's set matters. One that can't be
 * read is passed on as it is, for the kernel to refuse.
 */
static inline bool mask_is_looked_at(const sigset_t *set)
{
	return set && sampler_signal && thread_self && raw_is_readable(set, __builtin_frame_address(0));
}

/* mask_without_ours - a program that waits for every signal must not receive ours. `copy` outlives the result. */
static inline const sigset_t *mask_without_ours(const sigset_t *set, sigset_t *copy)
{
	if (!mask_is_looked_at(set) || !sigismember(set, sampler_signal))
		return set;
	*copy = *set;
	sigdelset(copy, sampler_signal);
	return copy;
}

/*
 * mask_with_ours - a mask for the time of a wait. A program that blocks all signals but while it waits would let an
 * expired timer's signal in there, and the wait would end with EINTR.
 */
static inline const sigset_t *mask_with_ours(const sigset_t *mask, sigset_t *copy)
{
	if (!mask_is_looked_at(mask))
		return mask;
	*copy = *mask;
	sigaddset(copy, sampler_signal);
	return copy;
}

#endif

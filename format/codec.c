/* SPDX-License-Identifier: MIT */
/* codec.c - records back from bytes. The bytes are hostile: every length is checked before it is used. */
#include "format/codec.h"
#include "format/kinds.h"

static int64_t sign_extend(uint64_t value, int bits)
{
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static size_t set_free(struct codec_state *state, struct rsd_event *ev, uint32_t tag, size_t size)
{
	ev->kind = tag == RSD_TAG_FREE ? EV_FREE : EV_REALLOC_FREE;
	ev->tick = state->tick;
	ev->free = (struct rec_free){ .h.tick = state->tick,
				      .addr = state->addr,
				      .api = tag == RSD_TAG_FREE ? API_FREE : API_REALLOC };
	return size;
}

static size_t set_alloc(struct codec_state *state, struct rsd_event *ev, uint32_t tag, uint64_t bytes, uint32_t stack,
			size_t size)
{
	ev->kind = tag == RSD_TAG_REALLOC_ALLOC ? EV_REALLOC_ALLOC : EV_ALLOC;
	ev->tick = state->tick;
	ev->alloc = (struct rec_alloc){ .h.tick = state->tick,
					.addr = state->addr,
					.size = bytes,
					.stack = stack,
					.api = tag == RSD_TAG_MALLOC   ? API_MALLOC
					       : tag == RSD_TAG_CALLOC ? API_CALLOC
								       : API_REALLOC };
	return size;
}

static void move(struct codec_state *state, uint64_t tick_delta, int64_t addr_delta)
{
	state->tick += tick_delta;
	state->addr += (uint64_t)addr_delta;
}

static size_t get_free(const void *p, size_t left, struct codec_state *state, struct rsd_event *ev)
{
	uint64_t word;

	if (left < 8)
		return 0;
	memcpy(&word, p, 8);
	move(state, word >> 4 & 0xffffff, sign_extend(word >> 28, CODEC_FREE_ADDR_BITS) * 8);
	return set_free(state, ev, word & 15, 8);
}

static size_t get_alloc(const void *p, size_t left, struct codec_state *state, struct rsd_event *ev)
{
	uint64_t word;
	uint32_t rest;

	if (left < 12)
		return 0;
	memcpy(&word, p, 8);
	memcpy(&rest, (const char *)p + 8, 4);
	move(state, word >> 4 & 0xffffff, sign_extend(word >> 28 & 0xfffffff, CODEC_ALLOC_ADDR_BITS) * 8);
	return set_alloc(state, ev, word & 15, word >> 56 | (rest >> 24) << 8, rest & CODEC_STACK_MAX, 12);
}

static size_t get_tight(const void *p, size_t left, struct codec_state *state, struct rsd_event *ev)
{
	uint32_t word, rest, tag;
	bool is_free;

	memcpy(&word, p, 4);
	tag = (word & 15) - RSD_TAG_TIGHT;
	is_free = tag == RSD_TAG_FREE || tag == RSD_TAG_REALLOC_FREE;
	if (!is_free && left < 8)
		return 0;
	move(state, word >> 4 & 0xfff, (int16_t)(word >> 16) * 16);
	if (is_free)
		return set_free(state, ev, tag, 4);
	memcpy(&rest, (const char *)p + 4, 4);
	return set_alloc(state, ev, tag, rest >> CODEC_TIGHT_STACK_BITS, rest & 0xfffff, 8);
}

static size_t get_long(const void *p, size_t left, struct codec_state *state, struct rsd_event *ev)
{
	struct rec_head head;
	const struct kind_info *info;
	size_t size;

	if (left < sizeof(head))
		return 0;
	memcpy(&head, p, sizeof(head));
	size = RSD_HEAD_BYTES(head.head);
	if (size < sizeof(head) || size > left)
		return 0;
	ev->kind = (enum rsd_event_kind)RSD_HEAD_KIND(head.head);
	ev->tick = state->tick = head.tick;
	info = kind_info(ev->kind);
	if (!info)
		return size;
	if (size < info->size)
		return 0;
	memcpy(&ev->alloc, p, info->size);
	/* Both heap shapes begin head, addr. */
	if (info->moves_addr)
		state->addr = ev->free.addr;
	return size;
}

size_t codec_get(const void *p, size_t left, struct codec_state *state, struct rsd_event *ev)
{
	if (left < 4)
		return 0;
	switch (*(const uint8_t *)p & 15) {
	case RSD_TAG_LONG:
		return get_long(p, left, state, ev);
	case RSD_TAG_FREE:
	case RSD_TAG_REALLOC_FREE:
		return get_free(p, left, state, ev);
	case RSD_TAG_MALLOC:
	case RSD_TAG_CALLOC:
	case RSD_TAG_REALLOC_ALLOC:
		return get_alloc(p, left, state, ev);
	case RSD_TAG_FREE + RSD_TAG_TIGHT:
	case RSD_TAG_REALLOC_FREE + RSD_TAG_TIGHT:
	case RSD_TAG_MALLOC + RSD_TAG_TIGHT:
	case RSD_TAG_CALLOC + RSD_TAG_TIGHT:
	case RSD_TAG_REALLOC_ALLOC + RSD_TAG_TIGHT:
		return get_tight(p, left, state, ev);
	default:
		return 0;
	}
}

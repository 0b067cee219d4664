/* SPDX-License-Identifier: MIT */
/* codec.c - records back from bytes. The bytes are hostile: every length is checked before it is used. */
#include "format/codec.h"

#include <stddef.h>

#include "format/kinds.h"

static size_t get_short(const void *p, size_t left, struct rsd_stream *stream, struct rsd_event *ev)
{
	struct codec_short record;
	size_t size = codec_get_short(p, left, stream, &record);

	if (!size)
		return 0;
	ev->tick = stream->tick;
	if (codec_is_free(record.tag)) {
		ev->kind = record.tag == RSD_TAG_FREE ? EV_FREE : EV_REALLOC_FREE;
		ev->free = (struct rec_free){ .h.tick = stream->tick,
					      .addr = stream->addr,
					      .stack = record.stack,
					      .api = record.tag == RSD_TAG_FREE ? API_FREE : API_REALLOC };
		return size;
	}
	ev->kind = record.tag == RSD_TAG_REALLOC_ALLOC ? EV_REALLOC_ALLOC : EV_ALLOC;
	ev->alloc = (struct rec_alloc){ .h.tick = stream->tick,
					.addr = stream->addr,
					.size = record.size,
					.stack = record.stack,
					.api = record.tag == RSD_TAG_MALLOC   ? API_MALLOC
					       : record.tag == RSD_TAG_CALLOC ? API_CALLOC
									      : API_REALLOC };
	return size;
}

/* A descriptor's record has grown since version 3: what an older one lacks is 0. */
static size_t least_size(enum rsd_event_kind kind, const struct kind_info *info)
{
	return kind == EV_FD_CLOSE ? offsetof(struct rec_fd, again) : info->size;
}

static size_t get_long(const void *p, size_t left, struct rsd_stream *stream, struct rsd_event *ev)
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
	ev->tick = stream->tick = head.tick;
	info = kind_info(ev->kind);
	if (!info)
		return size;
	if (size < least_size(ev->kind, info))
		return 0;
	if (size < info->size)
		memset(&ev->alloc, 0, info->size);
	memcpy(&ev->alloc, p, size < info->size ? size : info->size);
	/* Both heap shapes begin head, addr. */
	if (info->moves_addr)
		codec_move_to(stream, head.tick, ev->free.addr);
	return size;
}

size_t codec_get(const void *p, size_t left, struct rsd_stream *stream, struct rsd_event *ev)
{
	if (left < 4)
		return 0;
	if ((*(const uint8_t *)p & 15) == RSD_TAG_LONG)
		return get_long(p, left, stream, ev);
	return get_short(p, left, stream, ev);
}

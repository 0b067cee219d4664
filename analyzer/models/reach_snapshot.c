/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/reach_snapshot.h"

static int each_of_extent(struct recording *rec, const struct extent *ext, const uint8_t *data,
			  int (*each)(void *self, const struct rsd_reach *head, const uint8_t *payload), void *self)
{
	uint64_t at = 0;
	int err = 0;

	while (!err && at + sizeof(struct rsd_reach) <= ext->size) {
		struct rsd_reach head;

		memcpy(&head, data + at, sizeof(head));
		at += sizeof(head);
		if (!head.kind || head.len > ext->size - at || head.to < head.from) {
			reader_damage(&rec->reader, ext->offset + at - sizeof(head),
				      "an impossible record of a snapshot");
			break;
		}
		err = each(self, &head, data + at);
		at += ((uint64_t)head.len + 7) & ~(uint64_t)7;
	}
	return err;
}

int snapshot_each(struct recording *rec, uint32_t number,
		  int (*each)(void *self, const struct rsd_reach *head, const uint8_t *payload), void *self)
{
	int err = 0;

	for (size_t i = 0; !err && i < rec->reader.extents_len; i++) {
		const struct extent *ext = &rec->reader.extents[i];
		uint8_t *data;

		if (ext->kind != RSD_EXTENT_REACH || ext->first != number)
			continue;
		data = malloc(ext->size ? ext->size : 1);
		err = data ? reader_read(&rec->reader, ext->offset, data, ext->size) : -ENOMEM;
		if (!err)
			err = each_of_extent(rec, ext, data, each, self);
		free(data);
	}
	return err;
}

static int find_ends(void *self, const struct rsd_reach *head, const uint8_t *payload)
{
	struct snapshot_summary *s = self;

	if (head->kind == REACH_BEGIN && head->len >= sizeof(s->begin))
		memcpy(&s->begin, payload, sizeof(s->begin));
	if (head->kind == REACH_END && head->len >= sizeof(s->end)) {
		memcpy(&s->end, payload, sizeof(s->end));
		s->is_whole = true;
	}
	return 0;
}

static uint32_t last_below(const struct recording *rec, uint32_t number)
{
	uint32_t last = 0;

	for (size_t i = 0; i < rec->reader.extents_len; i++) {
		const struct extent *ext = &rec->reader.extents[i];

		if (ext->kind == RSD_EXTENT_REACH && ext->first < number && ext->first > last)
			last = ext->first;
	}
	return last;
}

int snapshot_choose(struct recording *rec, struct snapshot_summary *out)
{
	uint32_t count = last_below(rec, UINT32_MAX), number = count;
	struct snapshot_summary last = { 0 };
	int err = number ? 0 : -ENOENT;

	for (; !err && number; number = last_below(rec, number)) {
		*out = (struct snapshot_summary){ .number = number, .count = count };
		err = snapshot_each(rec, number, find_ends, out);
		if (err || out->is_whole)
			return err;
		if (!last.number && out->begin.tick_after)
			last = *out;
	}
	*out = last;
	return err ? err : last.number ? 0 : -ENOENT;
}

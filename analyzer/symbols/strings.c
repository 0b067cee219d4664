/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/strings.h"

struct interned {
	struct interned *next; /* another text with the same hash */
	size_t len;
	char text[];
};

const char *strings_intern(struct strings *s, const char *text, size_t len)
{
	struct interned *new;
	uint64_t *head;

	len = strnlen(text, len);
	head = map_at(&s->by_hash, hash_bytes(text, len), NULL);
	if (!head)
		return NULL;
	for (struct interned *at = (struct interned *)(uintptr_t)*head; at; at = at->next)
		if (at->len == len && !memcmp(at->text, text, len))
			return at->text;
	new = malloc(sizeof(*new) + len + 1);
	if (!new)
		return NULL;
	new->next = (struct interned *)(uintptr_t)*head;
	new->len = len;
	memcpy(new->text, text, len);
	new->text[len] = '\0';
	*head = (uintptr_t) new;
	return new->text;
}

void strings_release(struct strings *s)
{
	struct map_iter it = { 0 };

	while (map_next(&s->by_hash, &it)) {
		for (struct interned *at = (struct interned *)(uintptr_t)it.value, *next; at; at = next) {
			next = at->next;
			free(at);
		}
	}
	map_release(&s->by_hash);
}

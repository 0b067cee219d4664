/* SPDX-License-Identifier: MIT */
/* steps.c - what is done with the bytes of an item. Named, never inlined: these are the rows of a CPU profile. */
#include "batch/batch.h"

#include <string.h>

#include "common/rng.h"

#define STEP __attribute__((noinline))

STEP void fill_bytes(struct item *item, uint64_t seed)
{
	struct rng rng = { seed ^ item->id * 0x2545f4914f6cdd1dull };

	for (size_t i = 0; i < item->size; i += sizeof(uint64_t)) {
		uint64_t word = rng_next(&rng);
		size_t left = item->size - i;

		memcpy(item->bytes + i, &word, left < sizeof(word) ? left : sizeof(word));
	}
	item->sum = sum_bytes(item->bytes, item->size);
}

/* Each pass doubles every byte modulo 256 and puts the lost high bit back at the bottom: a rotation by one. */
STEP void double_bytes(uint8_t *out, const uint8_t *in, size_t size, uint64_t passes)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = in[i];

		for (uint64_t pass = 0; pass < passes; pass++) {
			byte = (uint8_t)(byte << 1 | byte >> 7);
			__asm__ volatile("" : "+q"(byte)); /* every pass is done, whatever the compiler sees in it */
		}
		out[i] = byte;
	}
}

STEP uint8_t sum_bytes(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	return sum;
}

/* Fletcher's checksum: the second sum makes it depend on the order of the bytes. */
STEP uint32_t checksum_bytes(const uint8_t *bytes, size_t size)
{
	uint32_t low = 0, high = 0;

	for (size_t i = 0; i < size; i++) {
		low = (low + bytes[i]) % 65535;
		high = (high + low) % 65535;
	}
	return high << 16 | low;
}

static void put_hex(char *out, uint64_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value >>= 4)
		out[i] = "0123456789abcdef"[value & 15];
}

/* Rotates and adds: weaker than checksum_bytes, and a function of its own, so that the profile tells them apart. */
STEP static uint32_t fold_chunk(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 1;

	for (size_t i = 0; i < size; i++)
		sum = (sum << 5 | sum >> 27) + bytes[i];
	return sum;
}

STEP void format_chunk(char *line, const uint8_t *bytes, size_t size)
{
	memset(line, '.', RESULT_LINE);
	put_hex(line, fold_chunk(bytes, size), 8);
	put_hex(line + 9, size, 4);
	put_hex(line + 14, bytes[0], 2);
	line[RESULT_LINE - 1] = '\n';
}

/* FNV-1a */
STEP uint64_t digest_result(const char *result, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)result[i]) * 0x100000001b3ull;
	return hash;
}

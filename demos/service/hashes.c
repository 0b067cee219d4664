/* SPDX-License-Identifier: MIT */
/* hashes.c - the two computations. hash_payload books their CPU time. */
#include "service/service.h"

#include "common/books.h"

__attribute__((noinline)) uint64_t hash_fast(const uint8_t *data, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 0x100000001b3ull;
	return hash;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0xff51afd7ed558ccdull;
	a ^= a >> 33;
	a = (a << 27 | a >> 37) * 0xc4ceb9fe1a85ec53ull;
	return a ^ a >> 29;
}

__attribute__((noinline)) uint64_t hash_strong(const uint8_t *data, size_t size)
{
	uint64_t lanes[4] = { 0x243f6a8885a308d3ull, 0x13198a2e03707344ull, 0xa4093822299f31d0ull,
			      0x082efa98ec4e6c89ull };

	for (size_t i = 0; i < size; i++) {
		for (int round = 0; round < 4; round++)
			lanes[round] = mix(lanes[round], lanes[(round + 1) & 3] + data[i]);
	}
	return mix(mix(lanes[0], lanes[1]), mix(lanes[2], lanes[3]));
}

uint64_t hash_payload(enum request_kind kind, const uint8_t *data, size_t size)
{
	uint64_t hash;

	if (kind == REQUEST_STRONG)
		book_cpu("hash_strong", hash = hash_strong(data, size));
	else
		book_cpu("hash_fast", hash = hash_fast(data, size));
	return hash;
}

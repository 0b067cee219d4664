/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/util/sha256.h"

static void is_digest(const void *data, size_t len, const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[32];
	char text[65] = "";

	sha256(data, len, digest);
	for (int i = 0; i < 32; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	assert_string_equal(text, hex);
}

/* The examples of FIPS 180-4. */
static void the_standards_examples_come_out(void **state)
{
	const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char *million = malloc(1000000);

	(void)state;
	memset(million, 'a', 1000000);
	is_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	is_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	is_digest(two, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	is_digest(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

/* Where the length no longer fits into the last block: compared with one more byte. */
static void lengths_around_a_block_differ(void **state)
{
	uint8_t last[32] = { 0 }, digest[32];
	char zeros[130] = "";

	(void)state;
	for (size_t len = 50; len < 130; len++) {
		sha256(zeros, len, digest);
		assert_memory_not_equal(digest, last, sizeof(digest));
		memcpy(last, digest, sizeof(last));
	}
}

static void base64_is_what_a_policy_wants(void **state)
{
	char text[SHA256_BASE64_LEN + 1];

	(void)state;
	sha256_base64("abc", 3, text);
	assert_string_equal(text, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_examples_come_out),
		cmocka_unit_test(lengths_around_a_block_differ),
		cmocka_unit_test(base64_is_what_a_policy_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

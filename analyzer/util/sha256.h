/* SPDX-License-Identifier: MIT */
/* sha256.h - the hash by which a page's policy names the one script and the one style that may run in it. */
#ifndef RINGSIDE_UTIL_SHA256_H
#define RINGSIDE_UTIL_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BASE64_LEN 44u

/* sha256 - FIPS 180-4. */
void sha256(const void *data, size_t len, uint8_t digest[32]);

/* sha256_base64 - the same as text, with a NUL. */
void sha256_base64(const void *data, size_t len, char out[SHA256_BASE64_LEN + 1]);

#endif

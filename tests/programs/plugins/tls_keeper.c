// SPDX-License-Identifier: MIT
/* tls_keeper.c - a library that comes late and keeps a block in thread-local storage of its own. */
static __thread void *volatile kept;

void keep_in_plugin(void *block);

void keep_in_plugin(void *block)
{
	kept = block;
}

// SPDX-License-Identifier: MIT
/* keepers.c - 20 MB kept from the beginning on, then many short-lived blocks: a ring forgets the first, not what lives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 200
#define KEPT_BYTES 100000
#define CHURNS 400000
#define CHURN_BYTES 3000

static void *kept[KEPT];

static void keep(void)
{
	for (int i = 0; i < KEPT; i++)
		kept[i] = malloc(KEPT_BYTES);
}

static void churn(void)
{
	for (int i = 0; i < CHURNS; i++) {
		char *volatile block = malloc(CHURN_BYTES);

		memset(block, i, 16);
		free(block);
	}
}

int main(void)
{
	keep();
	churn();
	printf("live_bytes %d\n", KEPT * KEPT_BYTES);
	return kept[0] == NULL;
}

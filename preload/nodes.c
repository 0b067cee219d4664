// SPDX-License-Identifier: MIT
/*
 * nodes.c - the hash table of stack nodes, see nodes.h.
 *
 * A slot holds 32 bits of hash and the id; a node is stored completely before its id is published by CAS. Two
 * threads that miss at once both make the node and one of them wins the slot. When the table is half full,
 * whoever notices copies it into a larger one while everybody goes on inserting into the old one; what is
 * inserted meanwhile may be missing from the copy. Both only make a node twice, which readers accept. Old tables
 * stay mapped, because a thread may be reading them for as long as it likes not to run.
 */
#include "preload/nodes.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "preload/file.h"
#include "preload/raw.h"

#define FIRST_BITS 12
#define LAST_BITS 27
#define GROW_BITS 2
#define PROBES 128u
#define PER_EXTENT ((RSD_UNIT - (uint32_t)sizeof(struct rsd_extent)) / (uint32_t)sizeof(struct rsd_node))
#define EXTENTS_MAX 16384u /* 67 million nodes, 1 GiB of file */
#define RETRY_EVERY 1024u  /* new nodes refused before a full file is asked again */

struct table {
	uint64_t bits;
	uint64_t used;
	struct table *smaller;
	uint64_t slot[]; /* hash << 32 | id, 0 free */
};

static struct table *current;
static struct rsd_node **directory; /* first node of each extent */
static struct rsd_extent *spare;    /* taken for nothing in a race */
static uint32_t growing, refused;

static size_t table_size(uint64_t bits)
{
	return sizeof(struct table) + (sizeof(uint64_t) << bits);
}

static struct table *table_new(uint64_t bits)
{
	struct table *table = raw_map(table_size(bits));

	if (table)
		table->bits = bits;
	return table;
}

/* ---- nodes by id ------------------------------------------------------------------------------------------ */

static struct rsd_node *node_at(uint32_t id)
{
	struct rsd_node *first = __atomic_load_n(&directory[(id - 1) / PER_EXTENT], __ATOMIC_ACQUIRE);

	return first ? first + (id - 1) % PER_EXTENT : NULL;
}

/* The nodes of extent number `i`, made if need be; NULL when the file can't grow. */
static struct rsd_node *extent_nodes(uint32_t i)
{
	struct rsd_node *nodes = __atomic_load_n(&directory[i], __ATOMIC_ACQUIRE), *mine;
	struct rsd_extent *ext;

	if (nodes)
		return nodes;
	ext = __atomic_exchange_n(&spare, NULL, __ATOMIC_ACQ_REL);
	if (!ext)
		ext = file_extent(RSD_EXTENT_NODES, 1, 0, 0, 0);
	if (!ext)
		return NULL;
	ext->first = i * PER_EXTENT + 1;
	mine = extent_data(ext);
	if (!__atomic_compare_exchange_n(&directory[i], &nodes, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&spare, ext, __ATOMIC_RELEASE);
		return nodes;
	}
	extent_publish(ext);
	return mine;
}

/* Has the file refused to grow lately? Then ids are not used up for nothing, and it is asked again seldom. */
static bool is_refused(void)
{
	return __atomic_load_n(&refused, __ATOMIC_RELAXED) &&
	       __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED) % RETRY_EVERY;
}

static uint32_t node_new(uint32_t parent, uint64_t ip_module, uint8_t flags, uint8_t cut)
{
	struct rsd_node *node, *nodes;
	uint64_t id;

	if (is_refused())
		return 0;
	id = __atomic_fetch_add(&file_header->next_node, 1, __ATOMIC_RELAXED);
	if ((id - 1) / PER_EXTENT >= EXTENTS_MAX)
		return 0;
	nodes = extent_nodes((uint32_t)(id - 1) / PER_EXTENT);
	__atomic_store_n(&refused, !nodes, __ATOMIC_RELAXED);
	if (!nodes)
		return 0;
	node = nodes + (id - 1) % PER_EXTENT;
	node->ip_module = ip_module;
	node->parent = parent;
	node->cut = cut;
	node->flags = flags;
	__atomic_store_n(&node->committed, 1, __ATOMIC_RELEASE);
	return (uint32_t)id;
}

/* ---- nodes by content ------------------------------------------------------------------------------------- */

static uint32_t hash(uint32_t parent, uint64_t ip_module, uint8_t flags, uint8_t cut)
{
	uint64_t h = ip_module ^ ((uint64_t)parent << 20 | (uint64_t)cut << 8 | flags) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(h >> 32);
}

static bool is_node(uint32_t id, uint32_t parent, uint64_t ip_module, uint8_t flags, uint8_t cut)
{
	const struct rsd_node *node = node_at(id);

	return node && node->ip_module == ip_module && node->parent == parent && node->flags == flags &&
	       node->cut == cut;
}

static size_t slot_of(const struct table *table, uint32_t h, uint32_t probe)
{
	return ((size_t)(h >> (32 - table->bits)) + probe) & (((size_t)1 << table->bits) - 1);
}

/* Before the larger table is published nobody else looks at it: plain stores. */
static void table_copy(struct table *to, const struct table *from)
{
	for (size_t i = 0; i < (size_t)1 << from->bits; i++) {
		uint64_t value = __atomic_load_n(&from->slot[i], __ATOMIC_ACQUIRE);

		for (uint32_t probe = 0; value && probe < PROBES; probe++) {
			uint64_t *slot = &to->slot[slot_of(to, (uint32_t)(value >> 32), probe)];

			if (*slot == 0) {
				*slot = value;
				to->used++;
				break;
			}
		}
	}
}

static void grow(struct table *table)
{
	struct table *larger;

	if (table->bits + GROW_BITS > LAST_BITS || __atomic_exchange_n(&growing, 1, __ATOMIC_ACQUIRE))
		return;
	if (table == __atomic_load_n(&current, __ATOMIC_RELAXED)) {
		larger = table_new(table->bits + GROW_BITS);
		if (larger) {
			larger->smaller = table;
			table_copy(larger, table);
			__atomic_store_n(&current, larger, __ATOMIC_RELEASE);
		}
	}
	__atomic_store_n(&growing, 0, __ATOMIC_RELEASE);
}

static void count_used(struct table *table)
{
	uint64_t used = __atomic_add_fetch(&table->used, 1, __ATOMIC_RELAXED);

	/* Asked again now and then, in case there was no memory. */
	if (used >= (uint64_t)1 << (table->bits - 1) && used % 64 == 0)
		grow(table);
}

uint32_t node_get(uint32_t parent, uint64_t ip_module, uint8_t flags, uint8_t cut)
{
	struct table *table = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	uint32_t h = hash(parent, ip_module, flags, cut), mine = 0;

	for (uint32_t probe = 0; table && probe < PROBES; probe++) {
		uint64_t *slot = &table->slot[slot_of(table, h, probe)];
		uint64_t value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

		if (!value) {
			if (!mine)
				mine = node_new(parent, ip_module, flags, cut);
			if (!mine)
				break;
			if (__atomic_compare_exchange_n(slot, &value, (uint64_t)h << 32 | mine, false, __ATOMIC_ACQ_REL,
							__ATOMIC_ACQUIRE)) {
				count_used(table);
				return mine;
			}
		}
		if (value >> 32 == h && is_node((uint32_t)value, parent, ip_module, flags, cut))
			return (uint32_t)value;
	}
	/* No room in the file, or no memory for a larger table. */
	file_count(COUNT_LOST_STACKS, 1);
	return 0;
}

int nodes_begin(void)
{
	struct table *table = current;

	while (table) {
		struct table *smaller = table->smaller;

		raw_unmap(table, table_size(table->bits));
		table = smaller;
	}
	if (directory)
		raw_unmap(directory, EXTENTS_MAX * sizeof(directory[0]));
	growing = refused = 0; /* in a forked child the thread that was growing does not exist */
	spare = NULL;
	directory = raw_map(EXTENTS_MAX * sizeof(directory[0]));
	current = directory ? table_new(FIRST_BITS) : NULL;
	return current ? 0 : -ENOMEM;
}

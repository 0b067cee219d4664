// SPDX-License-Identifier: MIT
/* modules.c - see modules.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "preload/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <sys/auxv.h>

#include "preload/clock.h"
#include "preload/file.h"
#include "preload/old_libc.h"
#include "preload/raw.h"

#define PAGE ((uintptr_t)4096)
#define PATH_CAP 1024

/* glibc's struct dl_find_object, spelled out so that the library builds and loads where there is none. */
struct found {
	uint64_t flags;
	void *start, *end;
	struct link_map *map;
	void *eh_frame_hdr;
	uint64_t reserved[7 + 3]; /* three for what other processors have in between */
};

struct slot {
	uint64_t key;	   /* start address | 12 bits that tell two objects at one address apart; 0 free */
	uint64_t identity; /* hash of name and build-id; 0: not known yet */
	uint32_t is_gone;
	uint32_t was_gone; /* META_MODULE_GONE is written once per number */
};

struct module_list {
	size_t len, cap;
	struct module at[];
};

static int (*find_object)(void *, struct found *);
static struct module vdso, program;
static struct module_list *list; /* without find_object */
static struct slot *slots;

struct build_id {
	uint8_t bytes[RSD_BUILD_ID_MAX];
	uint32_t len;
};

/* What is read from a module on first sight, apart from its place. */
struct details {
	struct build_id build_id;
	uint32_t path_len;
	char path[PATH_CAP];
};

/* ---- where is what ---------------------------------------------------------------------------------------- */

static const ElfW(Phdr) * headers_at(uintptr_t start, uintptr_t end, unsigned *count)
{
	const ElfW(Ehdr) *elf = (const void *)start;

	if (end - start < sizeof(*elf) || __builtin_memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phentsize != sizeof(ElfW(Phdr)) ||
	    elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) > (end - start < PAGE ? end - start : PAGE))
		return NULL;
	*count = elf->e_phnum;
	return (const void *)(start + elf->e_phoff);
}

static void module_from_headers(struct module *m, uintptr_t bias, const ElfW(Phdr) * ph, unsigned count)
{
	*m = (struct module){ .start = UINTPTR_MAX, .bias = bias };
	for (unsigned i = 0; i < count; i++) {
		uintptr_t at = bias + ph[i].p_vaddr;

		if (ph[i].p_type == PT_GNU_EH_FRAME)
			m->eh_frame_hdr = (const uint8_t *)at;
		if (ph[i].p_type != PT_LOAD)
			continue;
		if ((at & ~(PAGE - 1)) < m->start)
			m->start = at & ~(PAGE - 1);
		if (at + ph[i].p_memsz > m->end)
			m->end = at + ph[i].p_memsz;
	}
}

static void find_vdso(void)
{
	uintptr_t start = getauxval(AT_SYSINFO_EHDR), bias = start;
	const ElfW(Phdr) * ph;
	unsigned count;

	vdso = (struct module){ 0 };
	if (!start || !(ph = headers_at(start, start + PAGE, &count)))
		return;
	for (unsigned i = 0; i < count; i++)
		if (ph[i].p_type == PT_LOAD) {
			bias = start - ph[i].p_vaddr;
			break;
		}
	module_from_headers(&vdso, bias, ph, count);
	vdso.name = "[vdso]";
}

/* The program by its headers: where holes are between its segments, _dl_find_object tells of one segment each. */
static void find_program(void)
{
	const ElfW(Phdr) *ph = (const void *)getauxval(AT_PHDR);
	unsigned count = (unsigned)getauxval(AT_PHNUM);

	for (unsigned i = 0; ph && i < count; i++)
		if (ph[i].p_type == PT_PHDR)
			module_from_headers(&program, (uintptr_t)ph - ph[i].p_vaddr, ph, count);
}

static int count_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)info;
	(void)size;
	++*(size_t *)arg;
	return 0;
}

static int list_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct module_list *to = arg;

	(void)size;
	if (to->len < to->cap) {
		module_from_headers(&to->at[to->len], info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);
		to->at[to->len].name = info->dlpi_name;
		to->len++;
	}
	return 0;
}

/* All objects of now, or NULL without memory. */
static struct module_list *list_objects(void)
{
	struct module_list *ret;
	size_t count = 0;

	dl_iterate_phdr(count_object, &count);
	count += 8; /* some may come in between */
	ret = raw_map(sizeof(*ret) + count * sizeof(ret->at[0]));
	if (!ret)
		return NULL;
	ret->cap = count;
	dl_iterate_phdr(list_object, ret);
	return ret;
}

static bool contains(const struct module *m, uintptr_t ip)
{
	return ip - m->start < m->end - m->start;
}

static bool find_listed(uintptr_t ip, struct module *m)
{
	const struct module_list *l = __atomic_load_n(&list, __ATOMIC_ACQUIRE);

	for (size_t i = 0; l && i < l->len; i++)
		if (contains(&l->at[i], ip)) {
			*m = l->at[i];
			return true;
		}
	return false;
}

bool module_find(uintptr_t ip, struct module *m)
{
	struct found found;

	if (contains(&vdso, ip)) {
		*m = vdso;
		return true;
	}
	if (!find_object)
		return find_listed(ip, m);
	if (find_object((void *)ip, &found) != 0)
		return false;
	m->start = (uintptr_t)found.start;
	m->end = (uintptr_t)found.end;
	m->bias = found.map->l_addr;
	m->eh_frame_hdr = found.eh_frame_hdr;
	m->name = found.map->l_name;
	if (m->bias == program.bias && m->eh_frame_hdr == program.eh_frame_hdr && program.end) {
		m->start = program.start;
		m->end = program.end;
	}
	return true;
}

/* ---- what the dump says of it ----------------------------------------------------------------------------- */

/* The build-id note among the notes of one segment. */
static void read_notes(struct build_id *id, const uint8_t *p, size_t size)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)p;
		size_t name = (note->n_namesz + 3u) & ~3u, desc = (note->n_descsz + 3u) & ~3u;
		size_t step = sizeof(*note) + name + desc;

		if (note->n_namesz > size || note->n_descsz > size || step > size)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    __builtin_memcmp(note + 1, "GNU", 4) == 0 && note->n_descsz <= RSD_BUILD_ID_MAX) {
			id->len = note->n_descsz;
			for (size_t i = 0; i < note->n_descsz; i++)
				id->bytes[i] = p[sizeof(*note) + name + i];
			return;
		}
		p += step;
		size -= step;
	}
}

static void read_build_id(struct build_id *id, const struct module *m)
{
	unsigned count = 0;
	const ElfW(Phdr) *ph = headers_at(m->start, m->end, &count);

	for (unsigned i = 0; ph && i < count && !id->len; i++) {
		uintptr_t at = m->bias + ph[i].p_vaddr;

		if (ph[i].p_type == PT_NOTE && at >= m->start && at <= m->end && ph[i].p_memsz <= m->end - at)
			read_notes(id, (const void *)at, ph[i].p_memsz);
	}
}

static void append(struct details *d, const char *text)
{
	while (*text && d->path_len < PATH_CAP)
		d->path[d->path_len++] = *text++;
}

/* A name without a leading slash was found relative to the directory of that time; we take today's. */
static void read_path(struct details *d, const struct module *m)
{
	long n;

	if (m->name && m->name[0] == '\0') {
		n = raw4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", d->path, PATH_CAP);
		d->path_len = n > 0 ? (uint32_t)n : 0;
		return;
	}
	if (!m->name)
		return;
	if (m->name[0] != '/' && m->name[0] != '[') {
		n = raw2(SYS_getcwd, d->path, PATH_CAP);
		d->path_len = n > 1 ? (uint32_t)n - 1 : 0;
		append(d, "/");
	}
	append(d, m->name);
}

static uint64_t hash_bytes(uint64_t h, const void *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Two files at one address, one after the other, differ in this. About 0.1 us. */
static uint64_t identity_of(const struct module *m)
{
	struct build_id id = { .len = 0 };
	const char *name = m->name ? m->name : "";
	size_t len = 0;

	while (name[len])
		len++;
	read_build_id(&id, m);
	return hash_bytes(hash_bytes(UINT64_C(0xcbf29ce484222325), name, len), id.bytes, id.len) | 1;
}

static void fill_module(struct meta_module *rec, const struct module *m, const struct details *d)
{
	char *path = (char *)(rec + 1);

	rec->build_id_len = d->build_id.len;
	rec->bias = m->bias;
	rec->start = m->start;
	rec->end = m->end;
	rec->tick = clock_now();
	for (unsigned i = 0; i < RSD_BUILD_ID_MAX; i++)
		rec->build_id[i] = d->build_id.bytes[i];
	rec->path_len = d->path_len;
	rec->reserved = 0;
	for (uint32_t i = 0; i < d->path_len; i++)
		path[i] = d->path[i];
}

static void write_module(const struct module *m, const struct details *d, uint32_t id)
{
	size_t size = (sizeof(struct meta_module) + d->path_len + 7) & ~(size_t)7;
	struct meta_module *rec = meta_reserve(META_MODULE, size);

	if (!rec) {
		file_count(COUNT_MODULES_LOST, 1);
		return;
	}
	rec->id = id;
	fill_module(rec, m, d);
	meta_commit(rec);
}

/* ---- numbers ---------------------------------------------------------------------------------------------- */

/* What both the loader's answer and the program headers tell alike. */
static uint64_t key_of(const struct module *m)
{
	uint64_t h = m->eh_frame_hdr ? ((uintptr_t)m->eh_frame_hdr - m->start) / 4 : 1;

	return m->start | ((h ^ h >> 12 ^ h >> 24) & (PAGE - 1));
}

/* Readers size their tables by next_module. */
static void raise_next(uint32_t id)
{
	uint64_t *next = &file_header->next_module, seen = __atomic_load_n(next, __ATOMIC_RELAXED);

	while (seen <= id &&
	       !__atomic_compare_exchange_n(next, &seen, (uint64_t)id + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/*
 * The details are too large for the stack of a wrapper or a handler and needed once per module: borrow pages.
 * Without memory the module keeps its number and has no name.
 */
static struct details *details_of(const struct module *m)
{
	struct details *d = raw_map(sizeof(*d));

	if (d) {
		read_build_id(&d->build_id, m);
		read_path(d, m);
	}
	return d;
}

/*
 * Is this slot the object's? One that was unloaded meanwhile lives again. Asked of each, not of the gone ones only:
 * between an unloading and our hearing of it another thread may come here out of what was loaded in the place.
 */
static bool is_slot_of(struct slot *slot, uint64_t identity)
{
	uint64_t own = __atomic_load_n(&slot->identity, __ATOMIC_ACQUIRE);

	/* Not known yet: another thread is about to introduce it. */
	if (own && own != identity)
		return false;
	if (__atomic_load_n(&slot->is_gone, __ATOMIC_ACQUIRE))
		__atomic_store_n(&slot->is_gone, 0, __ATOMIC_RELEASE);
	return true;
}

size_t module_words(const struct module *m, char words[MODULE_WORDS_MAX])
{
	static struct details d;
	struct meta_module *rec = (struct meta_module *)words;

	d = (struct details){ .path_len = 0 };
	read_build_id(&d.build_id, m);
	read_path(&d, m);
	__builtin_memset(rec, 0, sizeof(*rec));
	fill_module(rec, m, &d);
	return sizeof(*rec) + d.path_len;
}

static void introduce(const struct module *m, uint32_t id)
{
	struct details *d = details_of(m);

	raise_next(id);
	if (!d) {
		file_count(COUNT_MODULES_LOST, 1);
		return;
	}
	write_module(m, d, id);
	raw_unmap(d, sizeof(*d));
}

uint32_t module_id(const struct module *m)
{
	uint64_t want = key_of(m), identity;

	if (!slots || !file_header)
		return 0;
	identity = identity_of(m);
	for (uint32_t i = 0; i < MODULES_MAX; i++) {
		uint64_t key = __atomic_load_n(&slots[i].key, __ATOMIC_ACQUIRE);

		/* The number is the slot's, so it is settled by this one instruction, whoever writes the record. */
		if (!key &&
		    __atomic_compare_exchange_n(&slots[i].key, &key, want, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			__atomic_store_n(&slots[i].identity, identity, __ATOMIC_RELEASE);
			introduce(m, i + 1);
			return i + 1;
		}
		if (key == want && is_slot_of(&slots[i], identity))
			return i + 1;
	}
	file_count(COUNT_MODULES_LOST, 1);
	return 0;
}

/* ---- begin and change ------------------------------------------------------------------------------------- */

int modules_begin(void)
{
	if (!vdso.name) {
		find_vdso();
		find_program();
		find_object = (int (*)(void *, struct found *))dlsym(RTLD_DEFAULT, "_dl_find_object");
	}
	if (!find_object && !list)
		list = list_objects();
	if (slots)
		raw_unmap(slots, sizeof(slots[0]) * MODULES_MAX);
	slots = raw_map(sizeof(slots[0]) * MODULES_MAX);
	return slots ? 0 : -ENOMEM;
}

static bool is_loaded(uint64_t key)
{
	struct module m;

	return module_find(key & ~(PAGE - 1), &m) && key_of(&m) == key;
}

static void write_gone(uint32_t id)
{
	struct meta_gone *rec = meta_reserve(META_MODULE_GONE, sizeof(*rec));

	if (!rec)
		return;
	rec->id = id;
	rec->reserved = 0;
	rec->tick = clock_now();
	meta_commit(rec);
}

void modules_changed(void)
{
	/* A capture may be reading the old list: it is left where it is. */
	if (!find_object)
		__atomic_store_n(&list, list_objects(), __ATOMIC_RELEASE);
	for (uint32_t i = 0; slots && i < MODULES_MAX && slots[i].key; i++) {
		if (slots[i].is_gone || is_loaded(slots[i].key))
			continue;
		__atomic_store_n(&slots[i].is_gone, 1, __ATOMIC_RELEASE);
		if (!__atomic_exchange_n(&slots[i].was_gone, 1, __ATOMIC_RELAXED))
			write_gone(i + 1);
	}
}

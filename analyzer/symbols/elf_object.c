/* SPDX-License-Identifier: MIT */
/*
 * Each object has a Dwfl of its own with one module at bias 0, so that what libdwfl calls an address is an ELF
 * address. libdwfl finds separate debug files, shared (dwz) and compressed (.gnu_debugdata) parts; its symbol
 * search is linear, so the tables are sorted here once.
 */
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/symbols/elf_object.h"
#include "analyzer/symbols/elf_plt.h"
#include "analyzer/symbols/elf_symbols.h"
#include "analyzer/symbols/modules.h"

#define VDSO_SIZE_MAX (64u << 10)

struct elf_object {
	Dwfl *dwfl;
	Dwfl_Module *module;
	struct elf_symbols symbols;
	bool has_symbols, has_plt;
	struct elf_plt plt;
	const unsigned char *hdr; /* .eh_frame_hdr: sorted pairs of (function, FDE), relative to hdr_address */
	uint64_t hdr_address;
	size_t hdr_pairs;
	bool has_hdr;
	Dwarf *dwarf;
	Dwarf_Addr dwarf_bias;
	bool has_dwarf;
	char *debug_dir; /* libdwfl keeps a pointer to it */
	Dwfl_Callbacks callbacks;
};

/* ---- opening ---- */

static bool is_vdso(const char *path)
{
	return !strcmp(path, "[vdso]") || !strncmp(path, "linux-vdso", 10) || !strncmp(path, "linux-gate", 10);
}

/* The vdso of this process as a file: the recorded one is the same when the kernel is. */
static int open_vdso(void)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	size_t size;
	int fd;

	if (!ehdr || sizeof(void *) != 8)
		return -ENOENT;
	size = (size_t)ehdr->e_shoff + (size_t)ehdr->e_shnum * ehdr->e_shentsize;
	if (size > VDSO_SIZE_MAX)
		return -ENOENT;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, ehdr, size) != (ssize_t)size) {
		close(fd);
		fd = -1;
	}
	return fd >= 0 ? fd : -errno;
}

/* Only regular files: a path in a dump may name a fifo or a device. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOEXEC;
	}
	return fd;
}

static int open_recorded(const struct elf_want *want)
{
	struct buf path = { 0 };
	size_t len = strlen(want->path);
	int fd;

	if (is_vdso(want->path))
		return open_vdso();
	if (want->path[0] != '/')
		return -ENOENT; /* a relative path is the program's business, not that of our directory */
	if (len > 10 && !strcmp(want->path + len - 10, " (deleted)"))
		len -= 10;
	if (want->sysroot)
		buf_add_string(&path, want->sysroot);
	buf_add(&path, want->path, len);
	fd = path.failed ? -ENOMEM : open_regular(path.data);
	buf_release(&path);
	return fd;
}

static int open_debug(const struct elf_want *want)
{
	struct buf path = { 0 };
	int fd;

	if (want->build_id_len < 2)
		return -ENOENT;
	buf_printf(&path, "%s/.build-id/%02x/", want->debug_dir ? want->debug_dir : "/usr/lib/debug",
		   want->build_id[0]);
	for (size_t i = 1; i < want->build_id_len; i++)
		buf_printf(&path, "%02x", want->build_id[i]);
	buf_add_string(&path, ".debug");
	fd = path.failed ? -ENOMEM : open_regular(path.data);
	buf_release(&path);
	return fd;
}

/* Put the file into a Dwfl of its own; closes fd. */
static int report(struct elf_object *o, const char *name, int fd)
{
	o->dwfl = dwfl_begin(&o->callbacks);
	if (!o->dwfl) {
		close(fd);
		return -ENOMEM;
	}
	dwfl_report_begin(o->dwfl);
	o->module = dwfl_report_elf(o->dwfl, path_base(name), name, fd, 0, true);
	if (!o->module) {
		close(fd); /* libdwfl took it only if it succeeded */
		dwfl_end(o->dwfl);
		o->dwfl = NULL;
		return -ENOEXEC;
	}
	dwfl_report_end(o->dwfl, NULL, NULL);
	return 0;
}

/* The nth directory of a list; false behind the last one. */
static bool nth_directory(const char *list, size_t n, struct buf *out)
{
	const char *at = list ? list : "";

	for (; n && *at; n--) {
		at += strcspn(at, ":");
		at += *at == ':';
	}
	if (!*at)
		return false;
	buf_add(out, at, strcspn(at, ":"));
	return true;
}

/* A file of this name in the nth of the directories where replaced binaries are kept. -ENOTDIR behind the last one. */
static int open_kept(const struct elf_want *want, size_t n)
{
	struct buf path = { 0 };
	int fd = -ENOTDIR;

	if (nth_directory(want->binaries, n, &path)) {
		const char *base = path_base(want->path);
		size_t len = strlen(base);

		if (len > 10 && !strcmp(base + len - 10, " (deleted)"))
			len -= 10;
		buf_add_char(&path, '/');
		buf_add(&path, base, len);
		fd = path.failed ? -ENOMEM : open_regular(path.data);
		fd = fd == -ENOTDIR ? -ENOENT : fd;
	}
	buf_release(&path);
	return fd;
}

static bool has_build_id(struct elf_object *o, const struct elf_want *want)
{
	const unsigned char *bits;
	GElf_Addr address;
	int len = dwfl_module_build_id(o->module, &bits, &address);

	return !want->build_id_len ||
	       (len == (int)want->build_id_len && !memcmp(bits, want->build_id, want->build_id_len));
}

static void withdraw(struct elf_object *o)
{
	dwfl_end(o->dwfl);
	o->dwfl = NULL;
	o->module = NULL;
}

static int open_file(struct elf_object *o, const struct elf_want *want, int fd)
{
	int ret;

	if (fd < 0)
		return fd;
	ret = report(o, want->path, fd);
	if (!ret && !has_build_id(o, want)) {
		withdraw(o);
		return -ESTALE;
	}
	return ret;
}

static void tell(struct buf *note, const char *path, int err)
{
	buf_add_safe(note, path, strlen(path));
	if (err == -ESTALE)
		buf_add_string(note, ": the file was replaced since the recording (another build-id)");
	else if (err == -ENOEXEC)
		buf_add_string(note, ": not an ELF file");
	else
		buf_printf(note, ": %s", strerror(-err));
}

int elf_object_open(struct elf_object **out, const struct elf_want *want, struct buf *note)
{
	struct elf_object *o = calloc(1, sizeof(*o));
	int ret, err;

	if (!o)
		return -ENOMEM;
	if (want->debug_dir)
		o->debug_dir = strdup(want->debug_dir);
	o->callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
	o->callbacks.find_elf = dwfl_build_id_find_elf;
	/* For object files, which nobody loads: libdwfl calls it without asking whether it is there. */
	o->callbacks.section_address = dwfl_offline_section_address;
	o->callbacks.debuginfo_path = o->debug_dir ? &o->debug_dir : NULL;
	ret = err = open_file(o, want, open_recorded(want));
	for (size_t n = 0; ret && ret != -ENOMEM; n++) {
		int fd = open_kept(want, n);

		if (fd == -ENOTDIR)
			break;
		ret = open_file(o, want, fd);
	}
	if (ret) {
		ret = open_file(o, want, open_debug(want));
		tell(note, want->path, err);
		buf_add_string(note, ret ? "; its functions are shown as offsets"
					 : "; names are from its separate debug file");
	}
	if (ret) {
		elf_object_free(o);
		return err;
	}
	*out = o;
	return 0;
}

void elf_object_free(struct elf_object *o)
{
	if (!o)
		return;
	if (o->dwfl)
		dwfl_end(o->dwfl);
	elf_plt_release(&o->plt);
	elf_symbols_release(&o->symbols);
	free(o->debug_dir);
	free(o);
}

/* ---- symbol tables ---- */

void elf_object_read_symbols(struct elf_object *o)
{
	if (!o->has_symbols)
		elf_symbols_read(&o->symbols, o->module);
	o->has_symbols = true;
}

/* A label without size names what follows it in its own section only, and no more than one unwind table entry. */
static bool is_reached(struct elf_object *o, const struct elf_symbol *symbol, uint64_t address)
{
	uint64_t start;

	if (symbol->size)
		return true;
	start = elf_object_unwind_start(o, address);
	return !start || start <= symbol->start;
}

bool elf_object_function(struct elf_object *o, uint64_t address, struct elf_symbol *out)
{
	elf_object_read_symbols(o);
	return elf_symbols_find(&o->symbols.functions, address, out) && is_reached(o, out, address);
}

bool elf_object_data(struct elf_object *o, uint64_t address, struct elf_symbol *out)
{
	elf_object_read_symbols(o);
	return elf_symbols_find(&o->symbols.data, address, out);
}

bool elf_object_function_named(struct elf_object *o, const char *name, struct elf_symbol *out)
{
	const struct elf_symbol_list *l = &o->symbols.functions;

	elf_object_read_symbols(o);
	for (size_t i = 0; i < l->len; i++) {
		size_t len = strcspn(l->list[i].name, "@");

		if (!strncmp(l->list[i].name, name, len) && !name[len]) {
			*out = l->list[i];
			return true;
		}
	}
	return false;
}

/* ---- contents ---- */

static size_t segment_bytes(Elf *elf, const GElf_Phdr *phdr, uint64_t address, void *out, size_t size)
{
	uint64_t into = address - phdr->p_vaddr;
	Elf_Data *data;

	if (phdr->p_type != PT_LOAD || address < phdr->p_vaddr || into >= phdr->p_filesz)
		return 0;
	if (size > phdr->p_filesz - into)
		size = phdr->p_filesz - into;
	data = elf_getdata_rawchunk(elf, (int64_t)(phdr->p_offset + into), size, ELF_T_BYTE);
	if (!data)
		return 0;
	memcpy(out, data->d_buf, data->d_size < size ? data->d_size : size);
	return data->d_size < size ? data->d_size : size;
}

size_t elf_object_bytes(struct elf_object *o, uint64_t address, void *out, size_t size)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(o->module, &bias);
	size_t count, got = 0;
	GElf_Phdr phdr;

	if (!elf || elf_getphdrnum(elf, &count))
		return 0;
	for (size_t i = 0; i < count && !got; i++)
		if (gelf_getphdr(elf, (int)i, &phdr))
			got = segment_bytes(elf, &phdr, address, out, size);
	return got;
}

unsigned elf_object_machine(struct elf_object *o)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(o->module, &bias);
	GElf_Ehdr ehdr;

	return elf && gelf_getehdr(elf, &ehdr) ? ehdr.e_machine : 0;
}

const char *elf_object_plt(struct elf_object *o, uint64_t address, uint64_t *start)
{
	GElf_Addr bias;
	Elf *elf;

	if (!o->has_plt) {
		o->has_plt = true;
		elf = dwfl_module_getelf(o->module, &bias);
		if (elf)
			elf_plt_read(&o->plt, elf);
	}
	return elf_plt_find(&o->plt, address, start);
}

/* ---- .eh_frame_hdr ---- */

#define EH_ENC_PCREL_SDATA4 0x1b
#define EH_ENC_UDATA4 0x03
#define EH_ENC_DATAREL_SDATA4 0x3b
#define EH_HDR_HEAD 12u /* version, three encodings, eh_frame pointer, count */

static void read_hdr(struct elf_object *o)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(o->module, &bias);
	GElf_Phdr phdr;
	size_t count;
	Elf_Data *data;
	uint32_t pairs;

	o->has_hdr = true;
	if (!elf || elf_getphdrnum(elf, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_GNU_EH_FRAME)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset, phdr.p_filesz, ELF_T_BYTE);
		if (!data || data->d_size < EH_HDR_HEAD)
			return;
		o->hdr = data->d_buf;
		if (o->hdr[0] != 1 || o->hdr[1] != EH_ENC_PCREL_SDATA4 || o->hdr[2] != EH_ENC_UDATA4 ||
		    o->hdr[3] != EH_ENC_DATAREL_SDATA4)
			return;
		memcpy(&pairs, o->hdr + 8, 4);
		if (pairs > (data->d_size - EH_HDR_HEAD) / 8)
			return;
		o->hdr_pairs = pairs;
		o->hdr_address = phdr.p_vaddr;
		return;
	}
}

static uint64_t hdr_start(const struct elf_object *o, size_t pair)
{
	int32_t offset;

	memcpy(&offset, o->hdr + EH_HDR_HEAD + pair * 8, 4);
	return o->hdr_address + (uint64_t)(int64_t)offset;
}

uint64_t elf_object_unwind_start(struct elf_object *o, uint64_t address)
{
	size_t low = 0, high;

	if (!o->has_hdr)
		read_hdr(o);
	high = o->hdr_pairs;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (hdr_start(o, mid) <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? hdr_start(o, low - 1) : 0;
}

Dwarf *elf_object_dwarf(struct elf_object *o, uint64_t *bias)
{
	if (!o->has_dwarf) {
		o->has_dwarf = true;
		o->dwarf = dwfl_module_getdwarf(o->module, &o->dwarf_bias);
	}
	*bias = o->dwarf_bias;
	return o->dwarf;
}

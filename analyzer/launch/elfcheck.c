/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "analyzer/launch/elfcheck.h"

#define SCRIPTS_MAX 4
#define NAME_MAX_LEN 4096u
#define HEADERS_MAX 4096u

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#else
#define OWN_MACHINE EM_AARCH64
#endif

/* ---- where it is ---------------------------------------------------------------------------------------------- */

static enum elf_verdict check_file(const char *path, struct buf *reason)
{
	struct stat st;

	if (stat(path, &st)) {
		buf_printf(reason, "%s: %s", path, strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? ELF_NOT_FOUND : ELF_NOT_EXECUTABLE;
	}
	if (S_ISDIR(st.st_mode)) {
		buf_printf(reason, "%s: is a directory", path);
		return ELF_NOT_EXECUTABLE;
	}
	if (access(path, X_OK)) {
		buf_printf(reason, "%s: %s", path, strerror(errno));
		return ELF_NOT_EXECUTABLE;
	}
	return ELF_FINE;
}

enum elf_verdict elf_find(const char *program, struct buf *path, struct buf *reason)
{
	const char *dirs = getenv("PATH");
	enum elf_verdict worst = ELF_NOT_FOUND;

	if (strchr(program, '/')) {
		buf_add_string(path, program);
		return check_file(program, reason);
	}
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; *program;) {
		size_t len = strcspn(dirs, ":");
		enum elf_verdict verdict;

		buf_clear(path);
		buf_clear(reason);
		buf_printf(path, "%.*s%s%s", (int)len, dirs, len ? "/" : "", program);
		verdict = check_file(buf_string(path), reason);
		if (verdict == ELF_FINE)
			return verdict;
		if (verdict == ELF_NOT_EXECUTABLE)
			worst = verdict;
		if (!dirs[len])
			break;
		dirs += len + 1;
	}
	buf_clear(reason);
	buf_printf(reason, "%s: %s", program, worst == ELF_NOT_FOUND ? "not found" : "not executable");
	return worst;
}

/* ---- what it is ----------------------------------------------------------------------------------------------- */

struct elf {
	int fd;
	Elf64_Ehdr head;
	char interp[NAME_MAX_LEN];
	bool has_interp, is_dynamic, is_go;
	char sanitizer[64]; /* library name, "" none */
};

static bool read_at(int fd, uint64_t offset, void *out, size_t size)
{
	return offset <= INT64_MAX && pread(fd, out, size, (off_t)offset) == (ssize_t)size;
}

/* A NUL terminated string of the file, cut at the room there is. */
static void read_name(int fd, uint64_t offset, char *out, size_t room)
{
	ssize_t n = offset <= INT64_MAX ? pread(fd, out, room - 1, (off_t)offset) : -1;

	out[n > 0 ? n : 0] = 0;
}

/* The file offset of a virtual address, by the loaded segments. */
static uint64_t offset_of(const struct elf *elf, uint64_t address)
{
	for (unsigned i = 0; i < elf->head.e_phnum && i < HEADERS_MAX; i++) {
		Elf64_Phdr ph;

		if (!read_at(elf->fd, elf->head.e_phoff + i * sizeof(ph), &ph, sizeof(ph)))
			break;
		if (ph.p_type == PT_LOAD && address >= ph.p_vaddr && address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	}
	return UINT64_MAX;
}

static void note_library(struct elf *elf, const char *name)
{
	static const char *const sanitizers[] = { "libasan.",	      "libtsan.",	   "libmsan.",
						  "liblsan.",	      "libhwasan.",	   "libclang_rt.asan",
						  "libclang_rt.tsan", "libclang_rt.hwasan" };

	for (size_t i = 0; i < sizeof(sanitizers) / sizeof(sanitizers[0]); i++)
		if (!strncmp(name, sanitizers[i], strlen(sanitizers[i])))
			snprintf(elf->sanitizer, sizeof(elf->sanitizer), "%.60s", name);
}

static void read_dynamic(struct elf *elf, const Elf64_Phdr *ph)
{
	uint64_t strings = 0, count = ph->p_filesz / sizeof(Elf64_Dyn);
	Elf64_Dyn dyn;

	if (count > HEADERS_MAX)
		count = HEADERS_MAX;
	for (uint64_t i = 0; i < count && read_at(elf->fd, ph->p_offset + i * sizeof(dyn), &dyn, sizeof(dyn)); i++)
		if (dyn.d_tag == DT_STRTAB)
			strings = offset_of(elf, dyn.d_un.d_ptr);
	for (uint64_t i = 0; i < count && read_at(elf->fd, ph->p_offset + i * sizeof(dyn), &dyn, sizeof(dyn)); i++) {
		char name[128];

		if (dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag != DT_NEEDED || !strings || strings == UINT64_MAX)
			continue;
		read_name(elf->fd, strings + dyn.d_un.d_val, name, sizeof(name));
		note_library(elf, name);
	}
}

static void read_segments(struct elf *elf)
{
	for (unsigned i = 0; i < elf->head.e_phnum && i < HEADERS_MAX; i++) {
		Elf64_Phdr ph;

		if (!read_at(elf->fd, elf->head.e_phoff + i * sizeof(ph), &ph, sizeof(ph)))
			break;
		if (ph.p_type == PT_INTERP) {
			size_t room =
				ph.p_filesz + 1 < sizeof(elf->interp) ? (size_t)ph.p_filesz + 1 : sizeof(elf->interp);

			elf->has_interp = true;
			read_name(elf->fd, ph.p_offset, elf->interp, room);
		}
		if (ph.p_type == PT_DYNAMIC) {
			elf->is_dynamic = true;
			read_dynamic(elf, &ph);
		}
	}
}

static void read_sections(struct elf *elf)
{
	Elf64_Shdr names, section;
	uint64_t at = elf->head.e_shoff;

	if (!at || elf->head.e_shstrndx >= elf->head.e_shnum ||
	    !read_at(elf->fd, at + elf->head.e_shstrndx * sizeof(names), &names, sizeof(names)))
		return;
	for (unsigned i = 0; i < elf->head.e_shnum && i < HEADERS_MAX; i++) {
		char name[32];

		if (!read_at(elf->fd, at + i * sizeof(section), &section, sizeof(section)))
			return;
		read_name(elf->fd, names.sh_offset + section.sh_name, name, sizeof(name));
		if (!strcmp(name, ".note.go.buildid") || !strcmp(name, ".go.buildinfo"))
			elf->is_go = true;
	}
}

/* ---- judgement ------------------------------------------------------------------------------------------------ */

/* Also when nothing would change for this user: what is recorded as root says little about the program in use. */
static bool has_privileges(const char *path, struct buf *reason)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (st.st_mode & (S_ISUID | S_ISGID))
		buf_printf(reason,
			   "%s is setuid or setgid: such programs ignore preloaded libraries and RINGSIDE.\n"
			   "Record a copy without the bit, as the user it becomes.",
			   path);
	else if (getxattr(path, "security.capability", NULL, 0) > 0)
		buf_printf(reason,
			   "%s has file capabilities: such programs ignore preloaded libraries and RINGSIDE.\n"
			   "Record a copy without them.",
			   path);
	return reason->len > 0;
}

static const char *machine_words(const Elf64_Ehdr *head)
{
	if (head->e_ident[EI_CLASS] == ELFCLASS32)
		return "a 32-bit program";
	switch (head->e_machine) {
	case EM_X86_64:
		return "a program for x86-64";
	case EM_AARCH64:
		return "a program for aarch64";
	default:
		return "a program for another machine";
	}
}

static enum elf_verdict judge(const char *path, const struct elf *elf, struct buf *reason)
{
	if (elf->head.e_ident[EI_CLASS] != ELFCLASS64 || elf->head.e_machine != OWN_MACHINE) {
		buf_printf(reason, "%s is %s: this ringside can't be loaded into it.\nUse a build of ringside for it.",
			   path, machine_words(&elf->head));
		return ELF_REFUSED;
	}
	if (!elf->has_interp) {
		buf_printf(reason, "%s is statically linked%s: nothing can be preloaded into it.\n%s", path,
			   elf->is_go ? " Go" : "",
			   elf->is_go ? "Go's own profiler does better: net/http/pprof, go tool pprof, go tool trace."
				      : "Link it dynamically, or use perf record for CPU time.");
		return ELF_REFUSED;
	}
	if (strstr(elf->interp, "ld-musl")) {
		buf_printf(reason, "%s uses musl libc: this ringside was built for glibc.", path);
		return ELF_REFUSED;
	}
	if (*elf->sanitizer) {
		buf_printf(reason,
			   "%s is built with a sanitizer (%s), which wants to be loaded first and has its own "
			   "malloc.\nRecord a build without it.",
			   path, elf->sanitizer);
		return ELF_REFUSED;
	}
	if (elf->is_go) {
		buf_printf(reason,
			   "%s is a Go program: only what it does through libc (cgo) can be recorded; for Go "
			   "itself use go tool pprof.",
			   path);
		return ELF_PARTLY;
	}
	return ELF_FINE;
}

/* "#!/usr/bin/env python3 -u": the interpreter, or for env the word behind it. */
static bool script_interpreter(int fd, char *line, size_t room, const char **program)
{
	ssize_t n = pread(fd, line, room - 1, 0);
	char *word, *rest;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	word = strtok_r(line + 2, " \t", &rest);
	if (!word)
		return false;
	*program = word;
	if (strlen(word) < 4 || strcmp(word + strlen(word) - 4, "/env"))
		return true;
	while ((word = strtok_r(NULL, " \t", &rest)))
		if (word[0] != '-' && !strchr(word, '=')) {
			*program = word;
			break;
		}
	return true;
}

static enum elf_verdict check_level(const char *path, int level, struct buf *reason)
{
	struct elf elf = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) };
	enum elf_verdict verdict = ELF_FINE;
	char line[NAME_MAX_LEN];
	const char *program;

	/* Executable but not readable: the kernel can run what we can't look at. */
	if (elf.fd < 0)
		return ELF_FINE;
	if (has_privileges(path, reason)) {
		verdict = ELF_REFUSED;
	} else if (read_at(elf.fd, 0, &elf.head, sizeof(elf.head)) && !memcmp(elf.head.e_ident, ELFMAG, SELFMAG)) {
		if (elf.head.e_ident[EI_CLASS] == ELFCLASS64) {
			read_segments(&elf);
			read_sections(&elf);
		}
		verdict = judge(path, &elf, reason);
	} else if (level < SCRIPTS_MAX && script_interpreter(elf.fd, line, sizeof(line), &program)) {
		struct buf found = { 0 };

		verdict = elf_find(program, &found, reason);
		if (verdict == ELF_FINE)
			verdict = check_level(buf_string(&found), level + 1, reason);
		buf_release(&found);
	}
	close(elf.fd);
	return verdict;
}

enum elf_verdict elf_check(const char *path, struct buf *reason)
{
	return check_level(path, 0, reason);
}

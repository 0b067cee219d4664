/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

#include "analyzer/attach/attach.h"
#include "analyzer/util/list.h"

/* ---- what /proc tells ----------------------------------------------------------------------------------------- */

static void read_line(const char *format, pid_t pid, pid_t tid, char *out, size_t size)
{
	char path[64];
	FILE *file;

	*out = '\0';
	snprintf(path, sizeof(path), format, pid, tid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(out, (int)size, file))
		*out = '\0';
	fclose(file);
	out[strcspn(out, "\n")] = '\0';
}

static char state_of(pid_t pid, pid_t tid)
{
	char line[512], *end;

	read_line("/proc/%d/task/%d/stat", pid, tid, line, sizeof(line));
	end = strrchr(line, ')'); /* the name may hold anything */
	return end && end[1] == ' ' && end[2] ? end[2] : '?';
}

static int add_thread(struct attach *a, pid_t pid, pid_t tid)
{
	struct attach_thread *t;
	char name[64];

	if (list_grow((void **)&a->threads, &a->threads_cap, a->threads_len, sizeof(*a->threads)))
		return -ENOMEM;
	t = &a->threads[a->threads_len++];
	*t = (struct attach_thread){ .tid = tid, .state = state_of(pid, tid) };
	read_line("/proc/%d/task/%d/comm", pid, tid, name, sizeof(name));
	snprintf(t->name, sizeof(t->name), "%.16s", name);
	return 0;
}

static int by_tid(const void *a, const void *b)
{
	const struct attach_thread *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int list_threads(struct attach *a, pid_t pid)
{
	char path[64];
	DIR *dir;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	for (struct dirent *d; !err && (d = readdir(dir));)
		if (*d->d_name != '.')
			err = add_thread(a, pid, (pid_t)strtol(d->d_name, NULL, 10));
	closedir(dir);
	if (a->threads_len > 1)
		qsort(a->threads, a->threads_len, sizeof(*a->threads), by_tid);
	return err;
}

/* The recorder's file is mapped shared and has the magic of one. */
static bool is_dump(const char *path)
{
	char magic[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool has = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && !memcmp(magic, "RINGSIDE", 8);

	if (fd >= 0)
		close(fd);
	return has;
}

static void find_dump(struct attach *a, pid_t pid)
{
	char line[4400], path[64];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && !a->dump && fgets(line, sizeof(line), maps)) {
		char *file = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (file && strstr(line, "rw-s") && is_dump(file))
			a->dump = strdup(file);
	}
	if (maps)
		fclose(maps);
}

/* ---- modules and stacks --------------------------------------------------------------------------------------- */

static int add_module(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr start, void *arg)
{
	struct attach *a = arg;
	const char *main_file = NULL;
	GElf_Addr bias = 0;
	Dwarf_Addr end = 0;

	(void)user;
	dwfl_module_info(mod, NULL, NULL, &end, NULL, NULL, &main_file, NULL);
	if (!dwfl_module_getelf(mod, &bias))
		return DWARF_CB_OK;
	if (name && *name == '[')
		main_file = name;
	else if (!main_file)
		main_file = name;
	if (a->modules.len < 60000)
		modules_add(&a->modules, (uint32_t)a->modules.len + 1, main_file ? main_file : "",
			    main_file ? strlen(main_file) : 0, NULL, 0, bias, start, end);
	return DWARF_CB_OK;
}

static int add_frame(Dwfl_Frame *frame, void *arg)
{
	struct attach_thread *t = arg;
	Dwarf_Addr pc;
	bool is_exact;

	if (!dwfl_frame_pc(frame, &pc, &is_exact))
		return DWARF_CB_ABORT;
	/* Kept as return addresses: of a frame that was interrupted, the instruction behind. */
	t->pcs[t->pcs_len++] = pc + (is_exact ? 1 : 0);
	return t->pcs_len == ATTACH_DEPTH ? DWARF_CB_ABORT : DWARF_CB_OK;
}

static int unwind(struct attach_thread *t, Dwfl *dwfl)
{
	t->pcs = malloc(ATTACH_DEPTH * sizeof(*t->pcs));
	if (!t->pcs)
		return -ENOMEM;
	if (dwfl_getthread_frames(dwfl, t->tid, add_frame, t) < 0 && !t->pcs_len)
		t->error = "it could not be stopped or unwound";
	return 0;
}

static const char *why(int err)
{
	if (err == ESRCH)
		return "no such process";
	if (err == EPERM || err == EACCES)
		return "not allowed: it belongs to another user, or /proc/sys/kernel/yama/ptrace_scope forbids it";
	return strerror(err);
}

static int look(struct attach *a, pid_t pid, struct buf *error)
{
	static char *debuginfo_path; /* elfutils' own default */
	static const Dwfl_Callbacks callbacks = { .find_elf = dwfl_linux_proc_find_elf,
						  .find_debuginfo = dwfl_standard_find_debuginfo,
						  .debuginfo_path = &debuginfo_path };
	Dwfl *dwfl = dwfl_begin(&callbacks);
	int err;

	if (!dwfl)
		return -ENOMEM;
	err = dwfl_linux_proc_report(dwfl, pid);
	if (!err && !dwfl_report_end(dwfl, NULL, NULL))
		err = dwfl_linux_proc_attach(dwfl, pid, false);
	if (err) {
		buf_printf(error, "process %d: %s", pid, err > 0 ? why(err) : dwfl_errmsg(-1));
		dwfl_end(dwfl);
		return err > 0 ? -err : -EIO;
	}
	dwfl_getmodules(dwfl, add_module, a, 0);
	for (size_t i = 0; i < a->threads_len && !err; i++)
		err = unwind(&a->threads[i], dwfl);
	dwfl_end(dwfl);
	return err;
}

int attach_open(struct attach *a, pid_t pid, struct buf *error)
{
	int err;

	*a = (struct attach){ 0 };
	modules_init(&a->modules);
	err = list_threads(a, pid);
	if (err) {
		buf_printf(error, "process %d: %s", pid, why(err == -ENOENT ? ESRCH : -err));
		return err;
	}
	find_dump(a, pid);
	return look(a, pid, error);
}

void attach_release(struct attach *a)
{
	for (size_t i = 0; i < a->threads_len; i++)
		free(a->threads[i].pcs);
	free(a->threads);
	free(a->dump);
	modules_release(&a->modules);
}

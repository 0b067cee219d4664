// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/config.h"
#include "preload/path.h"

#define NOBODY 65534

static char dir[64]; /* absolute; also the working directory of each test */

static int enter_directory(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ringside_path.XXXXXX");
	umask(022);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") || system(command);
}

/* path_open under toggles; descriptors of files are closed at once, `fd` >= 0 says that there was one. */
static int try_open(bool is_child, const char *toggles)
{
	int fd;

	config_read(toggles);
	fd = path_open(is_child);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static const char *in_dir(const char *name)
{
	static char path[PATH_CAP];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_file(const char *name, const char *text)
{
	char got[64] = "";
	int fd = open(name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
	close(fd);
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

/* ---- the first process ---------------------------------------------------------------------------------------- */

static void a_new_file_is_private_writable_and_closed_by_exec(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	umask(0);
	config_read("out=new.rsd");
	fd = path_open(false);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_string_equal(path_dump, in_dir("new.rsd"));
	assert_string_equal(path_root, path_dump);
	assert_false(path_is_descendant());
	close(fd);
}

static void patterns_name_program_process_host_and_time(void **state)
{
	char host[256], want[1024];
	time_t before = time(NULL);

	(void)state;
	assert_int_equal(try_open(false, "out=%e-%p-%%p-%x-%"), 0);
	snprintf(want, sizeof(want), "test_path-%d-%%p-x-%%", getpid());
	assert_string_equal(path_dump, in_dir(want));
	assert_true(exists(want));
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	assert_int_equal(try_open(false, "out=%h"), 0);
	assert_string_equal(path_dump, in_dir(host));
	assert_int_equal(try_open(false, "out=t%t"), 0);
	assert_true(atoll(strrchr(path_dump, '/') + 2) >= before && atoll(strrchr(path_dump, '/') + 2) <= time(NULL));
	assert_string_equal(path_exe + strlen(path_exe) - strlen("/test_path"), "/test_path");
	assert_int_equal(path_exe[0], '/');
}

static void absolute_patterns_stay(void **state)
{
	char toggles[128];

	(void)state;
	snprintf(toggles, sizeof(toggles), "out=%s/abs.rsd", dir);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(try_open(false, toggles), 0);
	assert_string_equal(path_dump, in_dir("abs.rsd"));
	/* From the root a relative name has one slash. It can't be created: its folder is missing. */
	assert_int_equal(try_open(false, "out=no_such_folder_of_ringside/x"), -ENOENT);
	assert_string_equal(path_dump, "/no_such_folder_of_ringside/x");
}

static void an_empty_file_is_claimed_once(void **state)
{
	int fd, second;

	(void)state;
	write_file("mine", "");
	config_read("out=mine,children=off");
	fd = path_open(false);
	assert_true(fd >= 0);
	assert_string_equal(path_dump, in_dir("mine"));
	assert_false(path_is_descendant());
	/* Still empty, but taken. */
	second = path_open(false);
	assert_int_equal(second, -ECHILD);
	close(fd);
}

/* Without %p in its name a file with contents is this recording's first: we are a descendant. */
static void a_file_with_contents_is_never_touched(void **state)
{
	char name[64];

	(void)state;
	write_file("full", "x");
	snprintf(name, sizeof(name), "full.d/test_path.%d.rsd", getpid());
	assert_int_equal(try_open(false, "out=full"), 0);
	assert_string_equal(path_dump, in_dir(name));
	assert_string_equal(path_root, in_dir("full"));
	assert_true(path_is_descendant());
	assert_file("full", "x");
	assert_int_equal(try_open(false, "out=full,children=off"), -ECHILD);
	assert_file("full", "x");
}

static void a_taken_name_of_a_process_gets_a_suffix(void **state)
{
	char name[64];

	(void)state;
	for (int i = 0; i < 1003; i++) {
		if (i == 0)
			snprintf(name, sizeof(name), "dump.%d", getpid());
		else
			snprintf(name, sizeof(name), "dump.%d.%d", getpid(), i);
		assert_int_equal(try_open(false, "out=dump.%p"), i < 1000 ? 0 : -EEXIST);
		if (i < 1000) {
			assert_string_equal(path_dump, in_dir(name));
			assert_string_equal(path_root, path_dump);
			assert_false(path_is_descendant());
			write_file(name, "x");
		} else {
			assert_false(exists(name));
		}
	}
}

/* "%%p" is no %p: the name is the same in every process, so a taken one has descendants and no suffix. */
static void a_quoted_percent_names_no_process(void **state)
{
	(void)state;
	write_file("a%p", "x");
	assert_int_equal(try_open(false, "out=a%%p"), 0);
	assert_true(path_is_descendant());
	assert_false(exists("a%p.1"));
}

static void links_are_refused(void **state)
{
	(void)state;
	write_file("target", "");
	assert_int_equal(symlink("target", "link"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(link("target", "second_name"), 0);
	assert_int_equal(try_open(false, "out=link"), -ELOOP);
	assert_int_equal(try_open(false, "out=dangling"), -ELOOP);
	assert_false(exists("nowhere"));
	assert_false(exists("link.d"));
	/* An empty file with another name is not ours alone. */
	assert_int_equal(try_open(false, "out=second_name,children=off"), -ECHILD);
	assert_file("target", "");
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(try_open(false, "out=folder"), -EISDIR);
	assert_int_equal(try_open(false, "out=pipe"), -EINVAL);
	assert_int_equal(try_open(false, "out=/dev/null"), -EINVAL);
	assert_int_equal(try_open(false, "out=missing/x"), -ENOENT);
	assert_false(exists("pipe.d"));
	assert_false(exists("/dev/null.d"));
}

static void a_file_of_somebody_else_is_not_claimed(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	write_file("theirs", "");
	assert_int_equal(chown("theirs", NOBODY, NOBODY), 0);
	assert_int_equal(try_open(false, "out=theirs,children=off"), -ECHILD);
	assert_file("theirs", "");
}

/* ---- names that are too long ---------------------------------------------------------------------------------- */

static void a_name_that_does_not_fit_is_an_error(void **state)
{
	char toggles[400] = "out=";

	(void)state;
	memset(toggles + 4, 'n', 255);
	assert_int_equal(try_open(false, toggles), 0);
	assert_int_equal(strlen(strrchr(path_dump, '/') + 1), 255);
	/* Taken now; its folder's name would be too long. */
	write_file(toggles + 4, "x");
	assert_int_equal(try_open(false, toggles), -ENAMETOOLONG);
	assert_int_equal(try_open(true, toggles), -ENAMETOOLONG);
	toggles[4 + 255] = 'n';
	assert_int_equal(try_open(false, toggles), -ENAMETOOLONG);
	/* With the process in it the name is free, but no suffix fits behind it. */
	memset(toggles + 4, 0, sizeof(toggles) - 4);
	snprintf(toggles + 4, 300, "%%p%0*d", 255 - snprintf(NULL, 0, "%d", getpid()), 1);
	assert_int_equal(try_open(false, toggles), 0);
	write_file(path_dump, "x");
	assert_int_equal(try_open(false, toggles), -ENAMETOOLONG);
}

/* Deeper and deeper until names no longer fit: what is made has its whole name, and nothing is made elsewhere. */
static void a_path_that_does_not_fit_is_an_error(void **state)
{
	char name[101], want[PATH_CAP + 16];
	unsigned made = 0, refused = 0;

	(void)state;
	memset(name, 'd', 100);
	name[100] = 0;
	for (unsigned depth = 0; depth < 60; depth++) {
		int ret = try_open(false, "out=whole_name.rsd");

		if (ret == 0) {
			assert_non_null(getcwd(want, PATH_CAP));
			strcat(want, "/whole_name.rsd");
			assert_string_equal(path_dump, want);
			made++;
		} else {
			assert_true(ret == -ENAMETOOLONG || ret == -ERANGE);
			refused++;
		}
		assert_int_equal(exists("whole_name.rsd"), ret == 0);
		name[100 - depth % 7] = 0; /* lengths of all kinds meet the end */
		assert_int_equal(mkdir(name, 0700), 0);
		assert_int_equal(chdir(name), 0);
		memset(name, 'd', 100);
	}
	assert_true(made > 30 && refused > 10);
	assert_false(exists("/whole_name.rsd"));
}

static void every_length_near_the_end_is_whole_or_refused(void **state)
{
	char name[256], want[PATH_CAP + 64];
	unsigned made_children = 0;

	(void)state;
	memset(name, 'd', 255);
	for (unsigned i = 0; i < 16; i++) {
		name[i < 15 ? 250 : 200] = 0;
		assert_int_equal(mkdir(name, 0700), 0);
		assert_int_equal(chdir(name), 0);
	}
	assert_non_null(getcwd(want, PATH_CAP));
	for (size_t len = PATH_CAP - 40 - strlen(want); len < PATH_CAP - strlen(want) + 10; len++) {
		char toggles[512] = "out=";
		size_t whole = strlen(want) + 1 + len;
		int ret;

		memset(toggles + 4, 'f', len);
		ret = try_open(false, toggles);
		assert_int_equal(ret, whole < PATH_CAP - 1 ? 0 : -ENAMETOOLONG);
		if (ret)
			continue;
		assert_int_equal(strlen(path_dump), whole);
		ret = try_open(true, toggles);
		whole += (size_t)snprintf(NULL, 0, ".d/test_path.%d.rsd", getpid());
		assert_int_equal(ret, whole < PATH_CAP - 1 ? 0 : -ENAMETOOLONG);
		made_children += ret == 0;
		strcat(toggles, "."); /* what a folder's name would be that lost its end */
		assert_false(exists(toggles + 4));
	}
	assert_true(made_children > 0);
}

static void a_removed_working_directory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(mkdir("gone", 0700), 0);
	assert_int_equal(chdir("gone"), 0);
	assert_int_equal(rmdir(in_dir("gone")), 0);
	assert_int_equal(try_open(false, "out=lost_of_ringside.rsd"), -ENOENT);
	assert_false(exists("/lost_of_ringside.rsd"));
	assert_string_equal(path_dump, path_root);
}

/* ---- descendants ---------------------------------------------------------------------------------------------- */

/* The first process's file, so that descendants know where to go. */
static void begin_recording(void)
{
	assert_int_equal(try_open(false, "out=root.rsd"), 0);
}

static void a_child_goes_to_the_folder(void **state)
{
	char name[64];

	(void)state;
	umask(0);
	begin_recording();
	snprintf(name, sizeof(name), "root.rsd.d/test_path.%d.rsd", getpid());
	assert_int_equal(try_open(true, NULL), 0);
	assert_string_equal(path_dump, in_dir(name));
	assert_string_equal(path_root, in_dir("root.rsd"));
	assert_true(path_is_descendant());
	assert_int_equal(mode_of("root.rsd.d"), 0700);
	assert_int_equal(mode_of(name), 0600);
	/* The same process again, after an exec. */
	assert_int_equal(try_open(true, NULL), 0);
	strcat(name, ".1");
	assert_string_equal(path_dump, in_dir(name));
}

static void children_are_left_out_as_asked(void **state)
{
	static const struct {
		const char *toggles;
		int ret;
	} cases[] = {
		{ "children=off", -ECHILD },	{ "children==^other", -ECHILD },
		{ "children==test$", -ECHILD }, /* the name alone is looked at, not its folder */
		{ "children==/", -ECHILD },	{ "children==^test_path$", 0 },
		{ "children==path", 0 },	{ "children==other|path", 0 },
		{ "children=on", 0 },
	};

	(void)state;
	begin_recording();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(try_open(true, cases[i].toggles), cases[i].ret);
		/* Nothing is made for those left out. */
		assert_int_equal(exists("root.rsd.d"), cases[i].ret == 0 || i > 4);
	}
}

static void a_folder_others_may_write_is_refused(void **state)
{
	static const unsigned modes[] = { 0770, 0720, 0702, 0777, 01777 };

	(void)state;
	begin_recording();
	assert_int_equal(mkdir("root.rsd.d", 0700), 0);
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod("root.rsd.d", modes[i]), 0);
		assert_int_equal(try_open(true, NULL), -EPERM);
		assert_int_equal(mode_of("root.rsd.d"), modes[i]);
	}
	assert_int_equal(rmdir("root.rsd.d"), 0); /* so it is empty */
	assert_int_equal(mkdir("root.rsd.d", 0755), 0);
	assert_int_equal(try_open(true, NULL), 0); /* reading is no harm */
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	begin_recording();
	assert_int_equal(mkdir("root.rsd.d", 0700), 0);
	assert_int_equal(chown("root.rsd.d", NOBODY, NOBODY), 0);
	assert_int_equal(try_open(true, NULL), -EPERM);
	assert_int_equal(rmdir("root.rsd.d"), 0);
}

static void a_folder_that_is_none_is_refused(void **state)
{
	(void)state;
	begin_recording();
	assert_int_equal(mkdir("elsewhere", 0700), 0);
	assert_int_equal(symlink("elsewhere", "root.rsd.d"), 0);
	assert_true(try_open(true, NULL) < 0);
	assert_int_equal(rmdir("elsewhere"), 0); /* so it is empty */
	assert_int_equal(unlink("root.rsd.d"), 0);
	write_file("root.rsd.d", "x");
	assert_int_equal(try_open(true, NULL), -ENOTDIR);
	assert_file("root.rsd.d", "x");
}

/* ---- giving up and coming back -------------------------------------------------------------------------------- */

static void an_abandoned_file_leaves_what_was_there(void **state)
{
	int fd;

	(void)state;
	config_read("out=made");
	fd = path_open(false);
	assert_true(fd >= 0);
	path_abandon(fd);
	close(fd);
	assert_false(exists("made"));

	write_file("given", "");
	config_read("out=given");
	fd = path_open(false);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "half", 4), 4);
	path_abandon(fd);
	close(fd);
	assert_file("given", "");

	/* A claim is not remembered for the next file. */
	config_read("out=made");
	fd = path_open(false);
	path_abandon(fd);
	close(fd);
	assert_false(exists("made"));
}

static void only_the_same_file_is_opened_again(void **state)
{
	int fd;

	(void)state;
	begin_recording();
	fd = path_reopen();
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_file("root.rsd", "x");

	assert_int_equal(rename("root.rsd", "moved"), 0);
	assert_int_equal(path_reopen(), -ENOENT);
	write_file("root.rsd", "other");
	assert_int_equal(path_reopen(), -ESTALE);
	assert_int_equal(unlink("root.rsd"), 0);
	assert_int_equal(symlink("moved", "root.rsd"), 0);
	assert_int_equal(path_reopen(), -ELOOP);
	assert_file("moved", "x");
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(a_new_file_is_private_writable_and_closed_by_exec),
		IN_DIRECTORY(patterns_name_program_process_host_and_time),
		IN_DIRECTORY(absolute_patterns_stay),
		IN_DIRECTORY(an_empty_file_is_claimed_once),
		IN_DIRECTORY(a_file_with_contents_is_never_touched),
		IN_DIRECTORY(a_taken_name_of_a_process_gets_a_suffix),
		IN_DIRECTORY(a_quoted_percent_names_no_process),
		IN_DIRECTORY(links_are_refused),
		IN_DIRECTORY(what_is_no_file_is_refused),
		IN_DIRECTORY(a_file_of_somebody_else_is_not_claimed),
		IN_DIRECTORY(a_name_that_does_not_fit_is_an_error),
		IN_DIRECTORY(a_path_that_does_not_fit_is_an_error),
		IN_DIRECTORY(every_length_near_the_end_is_whole_or_refused),
		IN_DIRECTORY(a_removed_working_directory_is_an_error),
		IN_DIRECTORY(a_child_goes_to_the_folder),
		IN_DIRECTORY(children_are_left_out_as_asked),
		IN_DIRECTORY(a_folder_others_may_write_is_refused),
		IN_DIRECTORY(a_folder_of_somebody_else_is_refused),
		IN_DIRECTORY(a_folder_that_is_none_is_refused),
		IN_DIRECTORY(an_abandoned_file_leaves_what_was_there),
		IN_DIRECTORY(only_the_same_file_is_opened_again),
	};

	return cmocka_run_group_tests_name("preload/path", tests, NULL, NULL);
}
